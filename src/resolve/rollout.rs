//! Rollouts: a release gets its traffic step by step, under watch, with a way back.

use super::cx::{Cx, Wanted};
use super::fields::{duration, whole};
use super::local::{Local, Locals};
use super::work::{self, Kind};
use super::{header, origin, trigger, watch};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{Action, NodeId, NodeKind, Rollout, Step};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Assignment, Missing, Strategy, Type, Value};

const MINUTE: i64 = 60_000_000_000;
/// The names that every hook gets.
const GIVEN: [&str; 5] = ["version", "previous", "digest", "model", "traffic"];

/// The clauses that stand at most once, as written.
#[derive(Default)]
struct Written<'a> {
    service: Option<(&'a ast::Str, &'a ast::Str, Span)>,
    first: Option<(Option<&'a ast::Name>, Span)>,
    watch: Option<&'a ast::Watch>,
    keep: Option<(&'a ast::Expr, Span)>,
    promote: Option<(&'a ast::Expr, Span)>,
    hooks: Vec<(&'a ast::Name, &'a ast::Run, Span)>,
    settings: Vec<&'a ast::Setting>,
}

/// Resolves a rollout.
pub(super) fn resolve(cx: &mut Cx<'_>, id: NodeId, item: &ast::Rollout) {
    header::resolve(cx, id, &item.header, true);
    let help = "roll out one leg: `rollout live of release[\"nord\"] by …`";
    header::no_loops(cx, &item.header, "a rollout", help);
    let looped = !item.header.loops.is_empty();
    let torn = cx.model.opaque.contains(&format!("{}.*", item.name.text));
    let release = match &item.of.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Index { .. } => origin::release(cx, &item.of),
        _ => {
            cx.mention_words(item.of.span);
            let help = "register the model first: `register release = train.model to models`";
            cx.error(codes::WRONG_KIND, item.of.span, "a release is rolled out", help)
        }
    };
    let strategy = strategy(cx, &item.by);
    let mut locals = Locals::default();
    for name in GIVEN {
        locals.add(cx, name, item.of.span, Local::Given);
    }
    let mut clauses = Vec::new();
    let mut steps = Vec::new();
    let written = sort(cx, item, &mut clauses, &mut steps);
    let mut action = Action::default();
    work::resolve(cx, &clauses, Kind::Action(&mut action), &mut locals);
    let hook = |cx: &mut Cx<'_>, word: &str, example: &str| {
        let mut work = action.work.clone();
        match written.hooks.iter().find(|(name, ..)| name.text == word) {
            Some((_, run, span)) => {
                work.script_span = work::script_span(run);
                work.command = work::command(cx, run, *span, &locals);
                work.command_span = *span;
            }
            None if torn => {}
            None => missing(cx, item, &format!("hook `{word}`"), example),
        }
        work
    };
    let mut shift = hook(cx, "shift", "shift <<< ./deploy \"$version\" \"$traffic\" >>>");
    let mut observe = hook(cx, "observe", "observe <<< ./traffic >>>");
    let mut rollback = hook(cx, "rollback", "rollback <<< ./deploy \"$previous\" 100 >>>");
    let names = locals.into_names();
    for work in [&mut shift, &mut observe, &mut rollback] {
        work.locals.clone_from(&names);
    }
    let pointer = written.promote.and_then(|(to, _)| Some(Spanned::new(origin::pointer(cx, to)?, to.span)));
    let first_deploy = written.first.and_then(|(ask, _)| asked(cx, ask));
    let keep = written.keep.and_then(|(keep, _)| duration(cx, keep)).unwrap_or_default();
    if !torn {
        compulsory(cx, item, &written, strategy);
    }
    let steps = steps.into_iter().filter_map(|step| self::step(cx, step)).collect::<Vec<_>>();
    let limits = Limits::read(cx, &written, &steps);
    let watch =
        written.watch.and_then(|written| watch::resolve(cx, written, &limits, &steps, &watch::Sides::rollout()));
    rises(cx, &steps);
    if let Some(strategy) = strategy
        && !torn
    {
        check_steps(cx, item, strategy, &steps);
        check_settings(cx, item, strategy, &written);
    }
    let assignment = assignment(cx, &written);
    let text = |text: Option<&ast::Str>| text.and_then(ast::Str::plain).unwrap_or_default().to_owned();
    let (Some(release), false) = (release, looped) else { return };
    let rollout = Rollout {
        release,
        release_span: item.of.span,
        strategy: strategy.unwrap_or(Strategy::Canary),
        service: text(written.service.map(|(name, ..)| name)),
        environment: text(written.service.map(|(_, environment, _)| environment)),
        shift,
        permissions: action.permissions,
        observe,
        rollback,
        first_deploy,
        steps,
        watch,
        keep,
        max_gap: limits.max_gap,
        max_duration: limits.max_duration,
        assignment,
        pointer,
    };
    cx.model.to_mut().nodes[id].kind = NodeKind::Rollout(Box::new(rollout));
}

fn strategy(cx: &mut Cx<'_>, by: &ast::Name) -> Option<Strategy> {
    let found = Strategy::ALL.into_iter().find(|known| known.as_str() == by.text);
    if found.is_none() && !by.text.is_empty() {
        let words = Strategy::ALL.map(Strategy::as_str);
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_NAME, by.span, format!("nothing rolls out by `{}`", by.text));
        diagnostic = match nearest(&by.text, words) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(by.span, near),
            None => diagnostic.help("write `canary`, `blue_green`, `shadow` or `ab`"),
        };
        cx.diagnostics.push(diagnostic);
    }
    found
}

/// Sorts the clauses by what they are, and reports what is said twice.
fn sort<'a>(
    cx: &mut Cx<'_>,
    item: &'a ast::Rollout,
    clauses: &mut Vec<ast::Clause>,
    steps: &mut Vec<&'a ast::RolloutClause>,
) -> Written<'a> {
    use ast::RolloutClause as C;
    let mut found = Written::default();
    let mut twice = |first: Option<Span>, span: Span, word: &str| match first {
        Some(first) => {
            trigger::again(cx, span, first, &format!("`{word}` is said twice"));
            true
        }
        None => false,
    };
    for clause in &item.clauses {
        match clause {
            C::Stage(clause) => clauses.push(clause.clone()),
            C::Step { .. } => steps.push(clause),
            C::Service { name, environment, span } => {
                if !twice(found.service.map(|(.., span)| span), *span, "service") {
                    found.service = Some((name, environment, *span));
                }
            }
            C::FirstDeploy { ask, span } => {
                if !twice(found.first.map(|(_, span)| span), *span, "first_deploy") {
                    found.first = Some((ask.as_ref(), *span));
                }
            }
            C::Watch(watch) => {
                if !twice(found.watch.map(|watch| watch.span), watch.span, "watch") {
                    found.watch = Some(watch);
                }
            }
            C::Keep { duration, span } => {
                if !twice(found.keep.map(|(_, span)| span), *span, "keep") {
                    found.keep = Some((duration, *span));
                }
            }
            C::Promote { to, span } => {
                if !twice(found.promote.map(|(_, span)| span), *span, "promote") {
                    found.promote = Some((to, *span));
                }
            }
            C::Hook { name, run, span } => {
                let first = found.hooks.iter().find(|(first, ..)| first.text == name.text);
                if !twice(first.map(|(.., span)| *span), *span, &name.text) {
                    found.hooks.push((name, run, *span));
                }
            }
            C::Setting(setting) => {
                let first = found.settings.iter().find(|first| first.name.text == setting.name.text);
                if !twice(first.map(|first| first.span), setting.span, &setting.name.text) {
                    found.settings.push(setting);
                }
            }
        }
    }
    found
}

fn missing(cx: &mut Cx<'_>, item: &ast::Rollout, what: &str, line: &str) {
    let message = format!("the rollout `{}` has no {what}", item.name.text);
    cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, &format!("add `{line}`"));
}

/// Says which compulsory clauses are not there, or are there and mean nothing.
fn compulsory(cx: &mut Cx<'_>, item: &ast::Rollout, written: &Written<'_>, strategy: Option<Strategy>) {
    let shadow = strategy == Some(Strategy::Shadow);
    if written.service.is_none() {
        missing(cx, item, "`service`", "service \"NAME\" at \"ENVIRONMENT\"");
    }
    if written.first.is_none() {
        let message = format!(
            "the rollout `{}` does not say what the first deployment does, which has nothing to fall back to",
            item.name.text
        );
        let help = "add `first_deploy direct`, or `first_deploy ask APPROVAL`";
        cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, help);
    }
    if written.watch.is_none() {
        let message = format!("the rollout `{}` watches nothing: it would go on whatever happens", item.name.text);
        let help = "add `watch SOURCE every 60s { require … fail after 3 consecutive }`";
        cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, help);
    }
    match (written.keep, shadow) {
        (None, false) => {
            let message = format!(
                "the rollout `{}` does not say how long the previous version stays: without it there is no way back",
                item.name.text
            );
            cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, "add `keep previous for 7d`");
        }
        (Some((_, span)), true) => {
            let message = "a shadow replaces nothing, so there is no previous version to keep";
            cx.error::<()>(codes::MISPLACED_CLAUSE, span, message, "remove it here");
        }
        _ => {}
    }
    match (written.promote, shadow) {
        (None, false) => missing(cx, item, "`promote`", "promote REGISTRY@production"),
        (Some((_, span)), true) => {
            let message = "a shadow serves nobody, so production can't point to it";
            let help = "remove it here, and promote where the release gets its traffic: `rollout … by canary after …`";
            cx.error::<()>(codes::MISPLACED_CLAUSE, span, message, help);
        }
        _ => {}
    }
}

fn asked(cx: &mut Cx<'_>, ask: Option<&ast::Name>) -> Option<Spanned<NodeId>> {
    let name = ask?;
    origin::node_of(cx, name, "approval", Wanted::Approval).map(|id| Spanned::new(id, name.span))
}

fn step(cx: &mut Cx<'_>, written: &ast::RolloutClause) -> Option<Step> {
    let ast::RolloutClause::Step { share, duration: time, ask, span } = written else { return None };
    let duration = time.as_ref().and_then(|time| duration(cx, time));
    let ask = asked(cx, ask.as_ref());
    let percent = percent(cx, share)?;
    Some(Step { percent, duration, ask, span: *span })
}

/// Reads a share that a hook can be told: a whole percentage.
pub(super) fn percent(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<u32> {
    let unit = crate::types::Range {
        low: Some(crate::types::Bound { at: 0.0, open: false }),
        high: Some(crate::types::Bound { at: 1.0, open: false }),
    };
    let text = cx.sources.slice(written.span);
    if matches!(&written.kind, ast::ExprKind::Number(number) if matches!(number.value, ast::NumberValue::Int(n) if n > 1))
    {
        let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, written.span, format!("`{text}` is no share of traffic"))
            .help(format!("write `{text}%`"))
            .fix(written.span, format!("{text}%"));
        return cx.report(diagnostic);
    }
    let Value::Ratio(share) = super::expr::constant(cx, written, &Type::Ratio(unit))? else { return None };
    let percent = (share * 100.0).round();
    if (share * 100.0 - percent).abs() > 1e-9 {
        let message = format!("`{text}` is no whole percentage, and routers and hooks are told one");
        return cx.error(codes::OUT_OF_RANGE, written.span, message, "write `1%`, `10%`, …");
    }
    Some(percent as u32)
}

/// Limits in time and number, with their defaults.
pub(super) struct Limits {
    pub(super) min_measurements: Option<u32>,
    pub(super) max_hold: Option<i64>,
    max_gap: i64,
    max_duration: i64,
}

impl Limits {
    /// Nothing is said beside the watch.
    pub(super) fn none() -> Self {
        Self { min_measurements: None, max_hold: None, max_gap: 0, max_duration: 0 }
    }

    fn read(cx: &mut Cx<'_>, written: &Written<'_>, steps: &[Step]) -> Self {
        let find = |word: &str| written.settings.iter().find(|setting| setting.name.text == word).copied();
        let timeouts = steps.iter().filter_map(|step| match &cx.model.nodes[step.ask.as_ref()?.value].kind {
            NodeKind::Approval(approval) => Some(approval.timeout),
            _ => None,
        });
        let sum = timeouts
            .chain(steps.iter().filter_map(|step| step.duration))
            .fold(0_i64, |sum, time| sum.saturating_add(time));
        let times = |cx: &mut Cx<'_>, word: &str| find(word).and_then(|setting| duration(cx, &setting.value));
        let limits = Self {
            min_measurements: find("min_measurements")
                .and_then(|setting| whole(cx, &setting.value, 1, 1_000_000))
                .map(|number| number as u32),
            max_hold: times(cx, "max_hold"),
            max_gap: times(cx, "max_gap").unwrap_or(5 * MINUTE),
            max_duration: times(cx, "max_duration").unwrap_or(sum.saturating_mul(2)),
        };
        if limits.max_duration < sum
            && let Some(setting) = find("max_duration")
        {
            let message = "the steps alone take longer than that: every rollout would be rolled back";
            let help = format!("allow at least {}", crate::types::duration_text(sum));
            cx.error::<()>(codes::OUT_OF_RANGE, setting.value.span, message, &help);
        }
        limits
    }
}

/// Checks the order of the steps.
fn rises(cx: &mut Cx<'_>, steps: &[Step]) {
    for pair in steps.windows(2) {
        if pair[1].percent <= pair[0].percent {
            let message = format!("{}% comes after {}%: shares of traffic rise", pair[1].percent, pair[0].percent);
            let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, pair[1].span, message)
                .label(pair[0].span, "the step before")
                .help("put the steps in the order of their shares");
            cx.diagnostics.push(diagnostic);
        }
    }
}

/// Checks what each step says, and the last one.
fn check_steps(cx: &mut Cx<'_>, item: &ast::Rollout, strategy: Strategy, steps: &[Step]) {
    let Some(last) = steps.last() else {
        if !item.clauses.iter().any(|clause| matches!(clause, ast::RolloutClause::Step { .. })) {
            let line = match strategy {
                Strategy::Canary | Strategy::Ab => "step 10% for 30m",
                Strategy::BlueGreen => "step 100% for 30m",
                Strategy::Shadow => "step 20% for 1h",
            };
            missing(cx, item, "`step`", line);
        }
        return;
    };
    for step in steps {
        if step.percent == 0 && strategy != Strategy::BlueGreen {
            let help = "begin with `step 1% for 30m`";
            cx.error::<()>(codes::OUT_OF_RANGE, step.span, "nothing is measured without traffic", help);
        }
        let open_end = step.span == last.span && matches!(strategy, Strategy::Canary | Strategy::Ab) && steps.len() > 1;
        if step.duration.is_none() && step.ask.is_none() && !open_end {
            let message = format!("the step of {}% does not say how long it is watched", step.percent);
            cx.error::<()>(
                codes::MISSING_CLAUSE,
                step.span,
                message,
                &format!("write `step {}% for 30m`", step.percent),
            );
        }
    }
    if strategy != Strategy::Shadow && last.percent != 100 {
        let message =
            format!("the last step gives the release {}% of the traffic, and the rest never follows", last.percent);
        cx.error::<()>(codes::OUT_OF_RANGE, last.span, message, "end with `step 100%`");
    }
}

/// Checks the settings that belong to one strategy.
fn check_settings(cx: &mut Cx<'_>, item: &ast::Rollout, strategy: Strategy, written: &Written<'_>) {
    let find = |word: &str| written.settings.iter().find(|setting| setting.name.text == word).copied();
    match (strategy, find("side_effects")) {
        (Strategy::Shadow, None) => {
            let message = format!(
                "the rollout `{}` does not say that its shadow has no side effects: it answers every request twice",
                item.name.text
            );
            let help = "make sure of it, and add `side_effects none`";
            cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, help);
        }
        (Strategy::Shadow, Some(setting)) => {
            if !matches!(&setting.value.kind, ast::ExprKind::Name(name) if name.text == "none") {
                let message = "a shadow may have no side effects: what it does, it does a second time";
                cx.error::<()>(codes::UNKNOWN_NAME, setting.value.span, message, "write `side_effects none`");
            }
        }
        (_, Some(setting)) => {
            let message = format!("`side_effects` is for a shadow, and this is by {}", strategy.as_str());
            cx.error::<()>(codes::MISPLACED_CLAUSE, setting.span, message, "remove it here");
        }
        (_, None) => {}
    }
    for (word, line) in
        [("unit", "unit \"user_id\""), ("salt", "salt \"2026-pricing\""), ("missing", "missing control")]
    {
        match (strategy, find(word)) {
            (Strategy::Ab, None) => {
                let message = match word {
                    "missing" => format!(
                        "the rollout `{}` does not say who gets what without a unit id: a random choice would not stick",
                        item.name.text
                    ),
                    _ => format!("the rollout `{}` has no `{word}`", item.name.text),
                };
                let help = if word == "missing" { "add `missing control`, or `missing out`" } else { line };
                let help = if word == "missing" { help.to_owned() } else { format!("add `{help}`") };
                cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, &help);
            }
            (Strategy::Ab, Some(_)) | (_, None) => {}
            (_, Some(setting)) => {
                let message = format!("`{word}` is for a test of users, and this is by {}", strategy.as_str());
                cx.error::<()>(codes::MISPLACED_CLAUSE, setting.span, message, "remove it here, or write `by ab`");
            }
        }
    }
}

fn assignment(cx: &mut Cx<'_>, written: &Written<'_>) -> Option<Assignment> {
    let settings: Vec<&ast::Setting> = written.settings.clone();
    read_assignment(cx, &settings)
}

/// Reads who is in which arm of a test, as far as it is said.
pub(super) fn read_assignment(cx: &mut Cx<'_>, settings: &[&ast::Setting]) -> Option<Assignment> {
    let find = |word: &str| settings.iter().find(|setting| setting.name.text == word).copied();
    let text = |cx: &mut Cx<'_>, word: &str| {
        let setting = find(word)?;
        let text = super::fields::text(cx, &setting.value)?;
        if text.value.trim().is_empty() {
            return cx.error(codes::MISSING_CLAUSE, text.span, format!("the `{word}` is empty"), "");
        }
        Some(text.value)
    };
    let unit = text(cx, "unit");
    let salt = text(cx, "salt");
    let missing = find("missing").and_then(|setting| match &setting.value.kind {
        ast::ExprKind::Name(name) if name.text == "control" => Some(Missing::Control),
        ast::ExprKind::Name(name) if name.text == "out" => Some(Missing::LeftOut),
        _ => {
            let message = "a request without a unit id goes to `control`, or is left `out`; never to a random arm";
            cx.error(codes::ASSIGNMENT_NOT_STICKY, setting.value.span, message, "write `missing control`")
        }
    });
    Some(Assignment { salt: salt?, unit: unit?, missing: missing? })
}
