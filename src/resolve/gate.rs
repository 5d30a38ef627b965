//! Gates: evidence, baseline, requirements.

use super::cx::Cx;
use super::fields::whole;
use super::{header, origin, requirement, trigger};
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::{Level, OnMissing};
use crate::model::{Baseline, Evidence, Gate, NodeId, NodeKind, Origin};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Artifact, Range, Type, Value};

/// Settings of a gate that its lines share.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) min_n: Option<i64>,
    pub(super) min_base: Option<f64>,
}

/// Resolves a gate.
pub(super) fn resolve(cx: &mut Cx<'_>, id: NodeId, item: &ast::Gate) {
    header::resolve(cx, id, &item.header, false);
    // What could not be read may have been a requirement, or a metric of what the gate is on.
    let torn = cx.model.opaque.contains(&format!("{}.*", item.name.text));
    let mut gate = Gate {
        evidence: Vec::new(),
        baseline: None,
        reference: None,
        monitors: false,
        requirements: Vec::new(),
        blocks: torn || item.clauses.iter().any(|clause| matches!(clause, ast::GateClause::Require(_))),
        partial: torn,
    };
    for written in &item.on {
        evidence(cx, written, &mut gate);
    }
    baseline(cx, item, &mut gate);
    let settings = settings(cx, item);
    for clause in &item.clauses {
        let (level, written) = match clause {
            ast::GateClause::Require(written) => (Level::Require, written),
            ast::GateClause::Warn(written) => (Level::Warn, written),
            _ => continue,
        };
        match requirement::resolve(cx, written, level, &gate, &settings) {
            Some(requirement) => gate.requirements.push(requirement),
            None => gate.partial = true,
        }
    }
    if !item.clauses.iter().any(|clause| matches!(clause, ast::GateClause::Require(_) | ast::GateClause::Warn(_))) {
        let message = format!("the gate `{}` requires nothing", item.name.text);
        cx.error::<()>(codes::MISSING_CLAUSE, item.name.span, message, "add a line such as `require accuracy >= 90%`");
    }
    cx.model.to_mut().nodes[id].kind = NodeKind::Gate(Box::new(gate));
}

fn evidence(cx: &mut Cx<'_>, written: &ast::Evidence, gate: &mut Gate) {
    let span = written.value.span;
    if let Some(alias) = &written.alias {
        cx.spelling(alias, false);
        if gate.evidence.iter().any(|other| other.alias.as_deref() == Some(alias.as_str())) {
            super::declared::duplicate(cx, alias, span);
        }
    }
    let Some(found) = origin::origins(cx, &written.value) else {
        gate.partial = true;
        return;
    };
    let list = found.list.then_some(gate.evidence.len());
    for origin in found.origins {
        one(cx, written, origin, list, gate);
    }
}

fn one(cx: &mut Cx<'_>, written: &ast::Evidence, origin: Origin, list: Option<usize>, gate: &mut Gate) {
    let span = written.value.span;
    let Some(ty) = cx.model.artifact(&origin) else {
        gate.partial = true;
        return;
    };
    if let Some(first) = gate.evidence.iter().find(|first| first.origin == origin) {
        let first = first.span;
        return trigger::again(cx, span, first, "the gate is on this twice");
    }
    if matches!(origin, crate::model::Origin::Pointer(_)) {
        let help = "a gate is on what a stage of this pipeline made";
        cx.error::<()>(codes::WRONG_KIND, span, "a released model is no evidence", help);
        gate.partial = true;
        return;
    }
    if let Artifact::Metrics { name } = &ty {
        gate.partial |= cx.model.opaque.contains(&format!("{name}.*"));
    }
    gate.evidence.push(Evidence {
        alias: written.alias.as_ref().map(|alias| alias.text.clone()),
        origin,
        ty,
        span,
        list,
    });
}

fn baseline(cx: &mut Cx<'_>, item: &ast::Gate, gate: &mut Gate) {
    let mut found: Option<(&ast::Expr, bool, Span)> = None;
    let mut absent: Option<&ast::Outcome> = None;
    let mut unscorable: Option<&ast::Outcome> = None;
    for clause in &item.clauses {
        match clause {
            ast::GateClause::Baseline { pointer, recorded, span } => match found {
                Some((_, _, first)) => trigger::again(cx, *span, first, "`baseline` is said twice"),
                None => found = Some((pointer, recorded.is_some(), *span)),
            },
            ast::GateClause::OnNoBaseline(outcome) => match absent {
                Some(first) => trigger::again(cx, outcome.span, first.span, "`on no_baseline` is said twice"),
                None => absent = Some(outcome),
            },
            ast::GateClause::OnUnscorable(outcome) => match unscorable {
                Some(first) => trigger::again(cx, outcome.span, first.span, "`on unscorable` is said twice"),
                None => unscorable = Some(outcome),
            },
            _ => {}
        }
    }
    let Some((pointer, recorded, span)) = found else {
        for outcome in [absent, unscorable].into_iter().flatten() {
            let message = "this gate compares with no baseline";
            let help = "add `baseline models@production`, or remove this line";
            cx.error::<()>(codes::MISPLACED_CLAUSE, outcome.span, message, help);
        }
        return;
    };
    let mut asks = Vec::new();
    let on_absent = absent.map(|outcome| on_missing(cx, outcome, true, &mut asks).unwrap_or(OnMissing::Fail));
    let on_unscorable = unscorable.and_then(|outcome| on_missing(cx, outcome, false, &mut asks));
    match origin::pointer(cx, pointer) {
        Some(pointer) => {
            gate.baseline = Some(Baseline {
                pointer,
                recorded,
                on_absent,
                on_unscorable: on_unscorable.unwrap_or(OnMissing::Error),
                asks,
                span,
            });
        }
        None => gate.partial = true,
    }
}

fn on_missing(
    cx: &mut Cx<'_>,
    outcome: &ast::Outcome,
    absent: bool,
    asks: &mut Vec<Spanned<NodeId>>,
) -> Option<OnMissing> {
    match (&outcome.kind, absent) {
        (ast::OutcomeKind::Pass, true) => Some(OnMissing::Pass),
        (ast::OutcomeKind::Fail, true) => Some(OnMissing::Fail),
        (ast::OutcomeKind::Error, false) => Some(OnMissing::Error),
        (ast::OutcomeKind::Ask(name), _) => {
            let approval = origin::asked(cx, name)?;
            asks.push(Spanned::new(approval, name.span));
            Some(OnMissing::Ask(cx.model.nodes[approval].name.value.clone()))
        }
        (_, true) => {
            let help = "write `on no_baseline: fail`, `pass` or `ask APPROVAL`";
            cx.error(codes::MISPLACED_CLAUSE, outcome.span, "this is no answer to a baseline that is not there", help)
        }
        (_, false) => {
            let help = "write `on unscorable: error` or `ask APPROVAL`";
            cx.error(
                codes::MISPLACED_CLAUSE,
                outcome.span,
                "this is no answer to a baseline that can't be scored",
                help,
            )
        }
    }
}

fn settings(cx: &mut Cx<'_>, item: &ast::Gate) -> Settings {
    let mut settings = Settings::default();
    for clause in &item.clauses {
        let ast::GateClause::Setting(setting) = clause else { continue };
        match setting.name.as_str() {
            "min_n" => settings.min_n = whole(cx, &setting.value, 1, i64::MAX),
            "min_base" => {
                settings.min_base = match super::expr::constant(cx, &setting.value, &Type::Float(Range::ANY)) {
                    Some(Value::Float(base)) if base > 0.0 => Some(base),
                    Some(_) => cx.error(codes::OUT_OF_RANGE, setting.value.span, "a number above zero is needed", ""),
                    None => None,
                };
            }
            other => {
                let known = ["min_n", "min_base", "baseline", "require", "warn"];
                let mut diagnostic =
                    Diagnostic::new(codes::UNKNOWN_NAME, setting.name.span, format!("a gate has no `{other}`"));
                if let Some(near) = crate::diagnostic::nearest(other, known) {
                    diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                }
                cx.diagnostics.push(diagnostic);
            }
        }
    }
    settings
}
