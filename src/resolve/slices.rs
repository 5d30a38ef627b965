//! Requirements over predictions: by the groups of a column, and of candidate and baseline row by row.
//!
//! What may be written is said by the signatures of the kinds; nothing here knows a kind by its name.

use super::cx::Cx;
use super::fields;
use super::requirement::{Among, any_metric, apart, direction};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::gate::kinds::{OptType, Signature, Takes};
use crate::gate::{Bound, Compare, Groups, predicted};
use crate::model::{Evidence, Gate, Measure};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Artifact, Value};

/// Resolves `gap(recall by region)`, `equalised_odds(region)`, `mcnemar(accuracy)`.
pub(super) fn measure(cx: &mut Cx<'_>, function: &ast::Name, args: &[ast::Arg], gate: &Gate) -> Option<Measure> {
    let kind = crate::gate::kinds::find(&function.text)?;
    let signature = kind.signature();
    let (plain, named): (Vec<&ast::Arg>, Vec<&ast::Arg>) = args.iter().partition(|arg| arg.name.is_none());
    let [ast::Arg { value: written, .. }] = plain.as_slice() else {
        for arg in args {
            cx.mention_words(arg.value.span);
        }
        let message = format!("`{}` takes one thing to measure", signature.name);
        return cx.error(codes::BAD_REQUIREMENT, function.span, message, &format!("write `{}`", signature.example));
    };
    let grouped = matches!(written.kind, ast::ExprKind::By { .. });
    let mut measure = match signature.takes {
        Takes::Grouped if grouped => by_group(cx, written, gate)?,
        Takes::Grouped => {
            cx.mention_words(written.span);
            let message = format!("`{}` goes by group, and no column says which there are", signature.name);
            return cx.error(codes::BAD_REQUIREMENT, written.span, message, &format!("write `{}`", signature.example));
        }
        Takes::Group(metric) => of_column(cx, signature, metric, written, gate)?,
        Takes::Pair(metrics) => {
            let mut measure = if grouped && signature.option("groups").is_some() {
                by_group(cx, written, gate)?
            } else {
                of_one_file(cx, written, gate)?
            };
            let name = measure.metric.as_ref().map(|(_, name)| name.clone())?;
            if !metrics.contains(&name.as_str()) {
                let message = format!("`{}` does not compare `{name}`", signature.name);
                let help = format!("it compares `{}`", metrics.join("`, `"));
                return cx.error(codes::BAD_REQUIREMENT, written.span, message, &help);
            }
            direction(cx, written, &measure, gate)?;
            paired(cx, written.span, &measure, gate)?;
            measure.kind = signature.name;
            measure
        }
        _ => return None,
    };
    options(cx, signature, &named, &mut measure)?;
    let apart = matches!(signature.takes, Takes::Grouped | Takes::Group(_));
    if let Some(groups) = measure.groups.as_ref().filter(|groups| apart && groups.listed.len() == 1) {
        let message = format!("`{}` alone is nothing to hold against", groups.listed[0]);
        return cx.error(
            codes::BAD_REQUIREMENT,
            function.span,
            message,
            "list two groups or more, or none: all are looked at",
        );
    }
    measure.kind = signature.name;
    measure.ty = kind.result(Some(&measure.ty), &measure.options);
    Some(measure)
}

/// Resolves `recall by region`.
pub(super) fn by_group(cx: &mut Cx<'_>, written: &ast::Expr, gate: &Gate) -> Option<Measure> {
    let ast::ExprKind::By { value, group } = &written.kind else { return None };
    let mut measure = of_one_file(cx, value, gate)?;
    measure.groups = Some(Groups { column: column(cx, group)?, listed: Vec::new() });
    Some(measure)
}

/// Resolves the name of the column whose values are the groups.
fn column(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<String> {
    match &written.kind {
        ast::ExprKind::Name(name) => Some(name.text.clone()),
        ast::ExprKind::Str(_) => fields::text(cx, written).map(|text| text.value),
        _ => {
            cx.mention_words(written.span);
            let help = "write its name as in the file's header: `recall by region`, or `recall by \"Region\"`";
            cx.error(codes::BAD_REQUIREMENT, written.span, "a column is needed here", help)
        }
    }
}

/// Resolves a metric that is computed from one file of predictions.
pub(super) fn of_one_file(cx: &mut Cx<'_>, written: &ast::Expr, gate: &Gate) -> Option<Measure> {
    let measure = any_metric(cx, written, gate, Among::Predictions)?;
    let (index, name) = measure.metric.as_ref()?;
    if gate.evidence[*index].list.is_none() {
        return Some(measure);
    }
    let message = format!("`{name}` is of several files here, and rows are looked at in one");
    let diagnostic = Diagnostic::new(codes::AMBIGUOUS_METRIC, written.span, message)
        .label(gate.evidence[*index].span, "the legs")
        .help("put the gate on one leg; or make it a loop too, and each leg has to hold");
    cx.report(diagnostic)
}

/// Resolves `demographic_parity(region)`.
fn of_column(
    cx: &mut Cx<'_>,
    signature: &Signature,
    metric: &'static str,
    written: &ast::Expr,
    gate: &Gate,
) -> Option<Measure> {
    if matches!(written.kind, ast::ExprKind::By { .. }) {
        cx.mention_words(written.span);
        let message = format!("`{}` says by itself what it looks at", signature.name);
        let help = format!("name the column alone: `{}`", signature.example);
        return cx.error(codes::BAD_REQUIREMENT, written.span, message, &help);
    }
    let (evidence, column) = match &written.kind {
        ast::ExprKind::Field { base, name } => (Some(base.as_ref()), name.text.clone()),
        _ => (None, column(cx, written)?),
    };
    let span = evidence.map_or(written.span, |base| base.span);
    let text = cx.sources.slice(span).to_owned();
    let files = gate.evidence.iter().enumerate().filter(|(index, one)| {
        let named = evidence.is_none()
            || one.alias.as_deref().map_or(cx.sources.slice(one.span) == text, |alias| alias == text);
        named && matches!(one.ty, Artifact::Predictions(_)) && one.list.is_none_or(|first| first == *index)
    });
    let files: Vec<usize> = files.map(|(index, _)| index).collect();
    let index = match files.as_slice() {
        [one] if gate.evidence[*one].list.is_none() => *one,
        [] if gate.partial => return None,
        [] => {
            let message = format!("`{}` looks at predictions, and the gate is on none", signature.name);
            let help = "be on an output of type `Predictions { … }`";
            return cx.error(codes::BAD_REQUIREMENT, written.span, message, help);
        }
        several => {
            let message = format!("`{}` looks at one file of predictions, and the gate is on several", signature.name);
            let mut diagnostic = Diagnostic::new(codes::AMBIGUOUS_METRIC, written.span, message);
            for index in several {
                diagnostic = diagnostic.label(gate.evidence[*index].span, "here");
            }
            let several: Vec<_> = several.iter().map(|index| &gate.evidence[*index]).collect();
            return cx.report(diagnostic.help(apart(&several, "column")));
        }
    };
    let known = predicted::find(metric)?;
    let name = ast::Name { text: metric.to_owned(), span: written.span };
    computable(cx, &name, &gate.evidence[index])?;
    Some(Measure {
        kind: signature.name,
        metric: Some((index, metric.to_owned())),
        artifact: None,
        table: None,
        groups: Some(Groups { column, listed: Vec::new() }),
        options: std::collections::BTreeMap::new(),
        ty: known.ty(),
    })
}

/// Says that predictions do not have what a metric is computed of.
pub(super) fn computable(cx: &mut Cx<'_>, name: &ast::Name, evidence: &Evidence) -> Option<()> {
    let Artifact::Predictions(ty) = &evidence.ty else { return Some(()) };
    let Some(missing) = predicted::find(&name.text).and_then(|metric| metric.missing(ty)) else { return Some(()) };
    let what = missing.split(':').next().unwrap_or_default();
    let message = format!("`{}` is computed of the {what}, and the type names no column for it", name.text);
    let diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, name.span, message)
        .label(evidence.span, "of this type")
        .help(format!("write `Predictions {{ …, {missing} }}` where it is declared"));
    cx.report(diagnostic)
}

/// Says that rows of candidate and baseline can't be paired.
pub(super) fn paired(cx: &mut Cx<'_>, span: Span, measure: &Measure, gate: &Gate) -> Option<()> {
    let (index, _) = measure.metric.as_ref()?;
    let evidence = &gate.evidence[*index];
    if matches!(&evidence.ty, Artifact::Predictions(ty) if ty.id.is_some()) {
        return Some(());
    }
    let message =
        "candidate and baseline are compared row by row, and the type names no column that says which row is which";
    let diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, span, message)
        .label(evidence.span, "of this type")
        .help("write `Predictions { id: \"row_id\", … }` where it is declared");
    cx.report(diagnostic)
}

/// Resolves `groups: ["nord", "syd"]` and `min_n: 50`.
pub(super) fn options(cx: &mut Cx<'_>, signature: &Signature, args: &[&ast::Arg], measure: &mut Measure) -> Option<()> {
    for arg in args {
        let Some(name) = &arg.name else { continue };
        let may = |ty: OptType| match ty {
            OptType::Groups => measure.groups.is_some(),
            OptType::Rows => true,
            _ => false,
        };
        let known: Vec<_> = signature.options.iter().filter(|option| may(option.ty)).collect();
        let Some(option) = known.iter().find(|option| option.name == name.text) else {
            let mut diagnostic = Diagnostic::new(
                codes::UNKNOWN_FIELD,
                name.span,
                format!("`{}` takes no `{}`", signature.name, name.text),
            );
            let names: Vec<_> = known.iter().map(|option| option.name).collect();
            if let Some(near) = nearest(&name.text, names.iter().copied()) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(name.span, near);
            } else if !names.is_empty() {
                diagnostic = diagnostic.help(format!("it takes `{}`", names.join("`, `")));
            }
            return cx.report(diagnostic);
        };
        let first = args.iter().filter_map(|other| other.name.as_ref()).find(|other| other.text == name.text)?;
        if first.span != name.span {
            return cx.error(codes::DUPLICATE_CLAUSE, name.span, format!("`{}` is said twice", name.text), "keep one");
        }
        if option.ty == OptType::Rows {
            let least = fields::whole(cx, &arg.value, 1, i64::MAX)?;
            measure.options.insert(option.name.to_owned(), Value::Int(least));
            continue;
        }
        let listed = fields::texts(cx, &arg.value);
        if listed.is_empty() {
            let help = "write `groups: [\"nord\", \"syd\"]`, or leave it out: all are looked at";
            return cx.error(codes::BAD_REQUIREMENT, arg.value.span, "no group is listed", help);
        }
        for (index, group) in listed.iter().enumerate() {
            if listed[..index].iter().any(|first| first.value == group.value) {
                let message = format!("the group `{}` is listed twice", group.value);
                return cx.error(codes::DUPLICATE_NAME, group.span, message, "keep one");
            }
        }
        if let Some(groups) = &mut measure.groups {
            groups.listed = listed.into_iter().map(|group| group.value).collect();
        }
    }
    Some(())
}

/// Says that a line would hold where little is known: a bound on the wrong side, or a test that is required to find nothing.
pub(super) fn sided(cx: &mut Cx<'_>, span: Span, measure: &Measure, bound: &Bound) -> Option<()> {
    let Some(signature) = crate::gate::kinds::find(measure.kind).map(|kind| kind.signature()) else { return Some(()) };
    let test = matches!(signature.takes, Takes::Pair(_) | Takes::Drift);
    if !test && !matches!(signature.name, "lower" | "upper") {
        return Some(());
    }
    let at_least = matches!(bound, Bound::Compare { op: Compare::AtLeast | Compare::Greater, .. });
    let at_most = matches!(bound, Bound::Compare { op: Compare::AtMost | Compare::Less, .. });
    let right = if signature.name == "lower" { at_least } else { at_most };
    if right {
        return Some(());
    }
    let (message, help) = match signature.name {
        "lower" => (
            "a lower bound proves that a value is at least something",
            "write `lower(…) >= LIMIT`, or `upper(…) <= LIMIT`",
        ),
        "upper" => (
            "an upper bound proves that a value is at most something",
            "write `upper(…) <= LIMIT`, or `lower(…) >= LIMIT`",
        ),
        "drifted" => ("a large share of drift is nothing to require", "write `drifted(…) <= 30%`"),
        _ => (
            "a large p-value proves nothing: few rows give one, too",
            "require a small one, `< 5%`, to show that the candidate is better; `upper(regression(m), 95%) <= 1%` shows that it is not worse",
        ),
    };
    cx.error(codes::BAD_REQUIREMENT, span, message, help)
}
