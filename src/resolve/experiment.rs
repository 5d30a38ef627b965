//! Experiments: a release is tried on some of the users, always the same ones, and decided about at a horizon.

use super::cx::Cx;
use super::fields::duration;
use super::local::{Local, Locals};
use super::rollout::{Limits, read_assignment};
use super::watch::Sides;
use super::work::{self, Kind};
use super::{header, origin, trigger, watch};
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::Level;
use crate::model::{Action, Arm, Experiment, NodeId, NodeKind, Work};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Bound, Range, Type, Value};

/// The buckets that users fall into.
const BUCKETS: u32 = 10_000;
/// The names that every hook gets.
const GIVEN: [&str; 6] = ["version", "previous", "digest", "model", "salt", "arms"];

/// Resolves an experiment.
pub(super) fn resolve(cx: &mut Cx<'_>, id: NodeId, item: &ast::Experiment) {
    header::resolve(cx, id, &item.header, false);
    let help = "try one leg: `experiment checkout of release[\"nord\"] { … }`";
    header::no_loops(cx, &item.header, "an experiment", help);
    let looped = !item.header.loops.is_empty();
    let torn = cx.model.opaque.contains(&format!("{}.*", item.name.text));
    let release = match &item.of.kind {
        ast::ExprKind::Name(_) | ast::ExprKind::Index { .. } => origin::release(cx, &item.of),
        _ => {
            cx.mention_words(item.of.span);
            let help = "register the model first: `register release = train.model to models`";
            cx.error(codes::WRONG_KIND, item.of.span, "a release is tried", help)
        }
    };
    let mut clauses = Vec::new();
    let mut settings: Vec<&ast::Setting> = Vec::new();
    let mut hooks: Vec<(&ast::Name, &ast::Run, Span)> = Vec::new();
    let mut watched: Option<&ast::Watch> = None;
    for clause in &item.clauses {
        match clause {
            ast::ExperimentClause::Stage(clause) => clauses.push(clause.clone()),
            ast::ExperimentClause::Watch(watch) => match watched {
                Some(first) => trigger::again(cx, watch.span, first.span, "`watch` is said twice"),
                None => watched = Some(watch),
            },
            ast::ExperimentClause::Hook { name, run, span } => {
                match hooks.iter().find(|(first, ..)| first.text == name.text) {
                    Some((_, _, first)) => trigger::again(cx, *span, *first, &format!("`{}` is said twice", name.text)),
                    None => hooks.push((name, run, *span)),
                }
            }
            ast::ExperimentClause::Setting(setting) => {
                match settings.iter().find(|first| first.name.text == setting.name.text) {
                    Some(first) => {
                        let message = format!("`{}` is said twice", setting.name.text);
                        trigger::again(cx, setting.span, first.span, &message);
                    }
                    None => settings.push(setting),
                }
            }
            _ => {}
        }
    }
    let arms = arms(cx, item);
    let mut locals = Locals::default();
    for name in GIVEN {
        locals.add(cx, name, item.of.span, Local::Given);
    }
    let mut action = Action::default();
    work::resolve(cx, &clauses, Kind::Action(&mut action), &mut locals);
    let mut works = Vec::new();
    for word in ["shift", "observe", "rollback"] {
        let mut work = action.work.clone();
        match hooks.iter().find(|(name, ..)| name.text == word) {
            Some((_, run, span)) => {
                work.script_span = work::script_span(run);
                work.command = work::command(cx, run, *span, &locals);
                work.command_span = *span;
            }
            None if torn || word == "observe" => {}
            None => {
                missing(cx, item, &format!("hook `{word}`"), &format!("{word} <<< ./split \"$version\" \"$arms\" >>>"))
            }
        }
        works.push(work);
    }
    let names = locals.into_names();
    for work in &mut works {
        work.locals.clone_from(&names);
    }
    if !torn {
        said(cx, item, &settings, watched.is_some());
    }
    let find = |word: &str| settings.iter().find(|setting| setting.name.text == word).copied();
    let horizon = find("horizon").and_then(|setting| duration(cx, &setting.value));
    let assignment = read_assignment(cx, &settings);
    let control = arms.iter().find(|arm| arm.serves.is_some()).map(|arm| arm.name.value.clone());
    let tried = arms.iter().filter(|arm| arm.serves.is_none()).map(|arm| arm.name.value.clone()).collect();
    let sides = Sides::arms(tried, control.unwrap_or_else(|| "control".to_owned()));
    let watch = watched.and_then(|written| watch::resolve(cx, written, &Limits::none(), &[], &sides));
    let metrics = watch.as_ref().and_then(|watch| watch::metrics(cx, watch.source));
    let mut requirements = Vec::new();
    for clause in &item.clauses {
        let (line, level) = match clause {
            ast::ExperimentClause::Require(line) => (line, Level::Require),
            ast::ExperimentClause::Warn(line) => (line, Level::Warn),
            _ => continue,
        };
        match metrics {
            Some(metrics) => requirements.extend(watch::requirement(cx, line, level, metrics, &sides)),
            None => cx.mention_words(line.span),
        }
    }
    let (Some(release), false) = (release, looped) else { return };
    let [shift, observe, rollback] = <[Work; 3]>::try_from(works).expect("three hooks");
    let experiment = Experiment {
        release,
        release_span: item.of.span,
        arms,
        assignment,
        horizon: horizon.unwrap_or_default(),
        shift,
        observe: (observe.command_span != Span::default()).then_some(observe),
        rollback,
        permissions: action.permissions,
        watch,
        requirements,
    };
    cx.model.to_mut().nodes[id].kind = NodeKind::Experiment(Box::new(experiment));
}

fn missing(cx: &mut Cx<'_>, item: &ast::Experiment, what: &str, line: &str) {
    let message = format!("the experiment `{}` has no {what}", item.name.text);
    cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, &format!("add `{line}`"));
}

/// Says which compulsory clauses are not there.
fn said(cx: &mut Cx<'_>, item: &ast::Experiment, settings: &[&ast::Setting], watched: bool) {
    let has = |word: &str| settings.iter().any(|setting| setting.name.text == word);
    for (word, line) in [("unit", "unit \"user_id\""), ("salt", "salt \"2026-pricing\""), ("horizon", "horizon 14d")] {
        if !has(word) {
            missing(cx, item, &format!("`{word}`"), line);
        }
    }
    if !has("missing") {
        let message = format!(
            "the experiment `{}` does not say who gets what without a unit id: a random choice would not stick",
            item.name.text
        );
        let help = "add `missing control`, or `missing out`";
        cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, help);
    }
    if !watched {
        missing(cx, item, "`watch`", "watch SOURCE every 5m { require … fail after 3 consecutive }");
    }
    if !item.clauses.iter().any(|clause| matches!(clause, ast::ExperimentClause::Require(_))) {
        missing(cx, item, "line that decides it", "require candidate.conversion >= control.conversion");
    }
}

/// Resolves the arms as ranges of buckets, in the order written.
fn arms(cx: &mut Cx<'_>, item: &ast::Experiment) -> Vec<Arm> {
    let mut arms: Vec<Arm> = Vec::new();
    let mut from = 0;
    let mut understood = true;
    for clause in &item.clauses {
        let ast::ExperimentClause::Arm { name, share, serves, .. } = clause else { continue };
        cx.spelling(name, false);
        if let Some(first) = arms.iter().find(|arm| arm.name.value == name.text) {
            let first = first.name.span;
            super::declared::duplicate(cx, name, first);
            understood = false;
            continue;
        }
        let width = self::share(cx, share);
        let pointer = serves.as_ref().map(|to| (origin::pointer(cx, to), to.span));
        understood &= width.is_some() && !matches!(pointer, Some((None, _)));
        let to = from + width.unwrap_or_default();
        let serves = pointer.and_then(|(pointer, span)| Some(Spanned::new(pointer?, span)));
        arms.push(Arm { name: Cx::own(name), from, to, serves });
        from = to;
    }
    if !understood {
        return arms;
    }
    let at = item.name.span;
    if arms.len() < 2 {
        let message = format!("the experiment `{}` compares nothing", item.name.text);
        let help = "write two arms: `arm control 80% = models@production`, `arm candidate 20%`";
        cx.error::<()>(codes::MISSING_CLAUSE, at, message, help);
        return arms;
    }
    let control = arms.iter().filter(|arm| arm.serves.is_some()).count();
    if control != 1 || control == arms.len() {
        let message = format!(
            "one arm of `{}` serves what users have today and the others the release; here {control} of {} serve a pointer",
            item.name.text,
            arms.len()
        );
        let help = "write `arm control 80% = models@production`, and no `= …` behind the others";
        cx.error::<()>(codes::MISSING_CLAUSE, at, message, help);
    }
    if from != BUCKETS {
        let place = arms[0].name.span.to(arms[arms.len() - 1].name.span);
        let message = format!("the arms hold {} % of the users, and every user is in one", f64::from(from) / 100.0);
        let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, place, message).help("let the shares add up to 100%");
        cx.diagnostics.push(diagnostic);
    }
    arms
}

fn share(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<u32> {
    let end = |at| Some(Bound { at, open: false });
    let range = Range { low: end(0.0), high: end(1.0) };
    let Value::Ratio(share) = super::expr::constant(cx, written, &Type::Ratio(range))? else { return None };
    let buckets = (share * f64::from(BUCKETS)).round();
    if buckets < 1.0 || (share * f64::from(BUCKETS) - buckets).abs() > 1e-6 {
        let message = format!("`{}` is no whole number of buckets", cx.sources.slice(written.span));
        return cx.error(codes::OUT_OF_RANGE, written.span, message, "write a share in steps of 0.01%");
    }
    Some(buckets as u32)
}
