//! Bounds and other statistics: over the runs of a fan-out, over the rows behind a share, over predictions row by row, and of
//! a difference to the baseline.

use super::cx::{Cx, Decl};
use super::requirement::{Among, any_metric, direction};
use super::slices;
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::kinds::Signature;
use crate::model::{Gate, Measure};
use crate::syntax::ast;
use crate::types::{Artifact, Range, Type, Value};

/// What is said where a function is like none that there is.
pub(super) const MEASURES: &str = "there are `regression(m)`, `improvement(m)` and `size(artifact)`, and over several runs \
                                   `mean(m)`, `lower(m, 95%)`, `upper(m, 95%)`, `stddev(m)` and `ci(m, 95%)`";

/// Resolves a statistic: `mean(auc)`, `lower(recall by region, 95%)`, `upper(regression(auc_roc), 95%)`.
pub(super) fn over_sample(cx: &mut Cx<'_>, function: &ast::Name, args: &[ast::Arg], gate: &Gate) -> Option<Measure> {
    let kind = crate::gate::kinds::find(&function.text)?;
    let signature = kind.signature();
    let levelled = signature.option("level").is_some();
    let (plain, named): (Vec<&ast::Arg>, Vec<&ast::Arg>) = args.iter().partition(|arg| arg.name.is_none());
    let (written, level) = match plain.as_slice() {
        [metric] if !levelled => (&metric.value, None),
        [metric, level] if levelled => (&metric.value, Some(&level.value)),
        _ => {
            let what = if levelled { "a metric and a level" } else { "a metric" };
            let help = format!("write `{}`", signature.example);
            cx.mention_words(function.span);
            return cx.error(codes::BAD_REQUIREMENT, function.span, format!("`{}` takes {what}", function.text), &help);
        }
    };
    let (compared, grouped) = (difference(written), matches!(written.kind, ast::ExprKind::By { .. }));
    let mut measure = match compared {
        Some((word, inner)) => of_difference(cx, signature, word, inner, gate)?,
        None if grouped && levelled && signature.option("groups").is_some() => slices::by_group(cx, written, gate)?,
        None => any_metric(cx, written, gate, Among::All)?,
    };
    if measure.kind == "tests" {
        let message = "a count of tests has no sample behind it";
        return cx.error(codes::BAD_REQUIREMENT, written.span, message, "compare it with a number: `failed == 0`");
    }
    let predicted = matches!(gate.evidence[measure.metric.as_ref()?.0].ty, Artifact::Predictions(_));
    slices::options(cx, signature, &named, &mut measure)?;
    sampled(cx, function, written, levelled, predicted, &measure, gate)?;
    if let Some(level) = level {
        let value = match super::expr::constant(cx, level, &Type::Ratio(Range::FINITE))? {
            Value::Ratio(share) if (0.5..1.0).contains(&share) && share > 0.5 => Value::Ratio(share),
            _ => {
                let help = "write `95%`";
                return cx.error(codes::OUT_OF_RANGE, level.span, "a level lies between 50% and 100%", help);
            }
        };
        measure.options.insert("level".to_owned(), value);
    }
    measure.kind = signature.name;
    measure.ty = kind.result(Some(&measure.ty), &measure.options);
    Some(measure)
}

/// Says that there is no sample behind a metric, or too small a one.
fn sampled(
    cx: &mut Cx<'_>,
    function: &ast::Name,
    written: &ast::Expr,
    levelled: bool,
    predicted: bool,
    measure: &Measure,
    gate: &Gate,
) -> Option<()> {
    let (index, name) = measure.metric.clone()?;
    let legs = gate.evidence.iter().filter(|one| one.list == Some(index)).count();
    let place = gate.evidence[index].span;
    if legs == 0 {
        if predicted && levelled {
            return Some(());
        }
        let n = match &gate.evidence[index].ty {
            Artifact::Metrics { name: declared } => match cx.peek(declared) {
                Some((Decl::Metrics(id), _)) => {
                    cx.model.metrics[id].ty.metric(&name).is_some_and(|metric| metric.n.is_some())
                }
                _ => return None,
            },
            _ => false,
        };
        if levelled && n && matches!(measure.ty, Type::Ratio(_)) {
            return Some(());
        }
        let message = format!("`{}({name})` needs a sample, and one number is none", function.text);
        let mut diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, written.span, message)
            .label(place, "measured once")
            .help("put the gate on all legs of a loop: `on evaluate[*].report`, with three runs or more");
        if levelled && matches!(measure.ty, Type::Ratio(_)) {
            diagnostic = diagnostic
                .help(format!("say where the number of rows stands: `{name}: ratio higher n from \"/n_test\"`"));
        }
        return cx.report(diagnostic);
    }
    if legs < crate::gate::sample::LEAST_RUNS {
        let message = format!("{legs} runs say nothing about their spread: three are the least");
        let diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, function.span, message).label(place, "the runs");
        return cx.report(diagnostic);
    }
    Some(())
}

/// Returns the arguments of a difference to the baseline, with its word.
fn difference(written: &ast::Expr) -> Option<(&ast::Name, &[ast::Arg])> {
    let ast::ExprKind::Call { callee, args } = &written.kind else { return None };
    let ast::ExprKind::Name(word) = &callee.kind else { return None };
    matches!(word.as_str(), "regression" | "gain" | "improvement").then_some((word, args.as_slice()))
}

/// Resolves what a bound is of: `regression(auc_roc)`, `gain(recall by region)`.
fn of_difference(
    cx: &mut Cx<'_>,
    signature: &Signature,
    word: &ast::Name,
    args: &[ast::Arg],
    gate: &Gate,
) -> Option<Measure> {
    if signature.option("groups").is_none() {
        let help = "write `upper(regression(m), 95%) <= 1%` or `lower(gain(m), 95%) > 0`";
        let message = format!("`{}` is not of a difference", signature.name);
        return cx.error(codes::BAD_REQUIREMENT, word.span, message, help);
    }
    if word.text == "improvement" {
        let diagnostic = Diagnostic::new(codes::BAD_REQUIREMENT, word.span, "in a bound the word is `gain`")
            .help("write `lower(gain(m), 95%) > 0`")
            .fix(word.span, "gain");
        return cx.report(diagnostic);
    }
    let (written, relative) = match args {
        [ast::Arg { name: None, value }] => (value, false),
        [_, ast::Arg { name: None, value }] if matches!(&value.kind, ast::ExprKind::Name(name) if name.text == "relative") => {
            (&args[0].value, true)
        }
        _ => {
            let help = format!("write `{0}(metric)`, or `{0}(metric, relative)`", word.text);
            return cx.error(codes::BAD_REQUIREMENT, word.span, format!("`{}` takes a metric", word.text), &help);
        }
    };
    let mut measure = match written.kind {
        ast::ExprKind::By { .. } => slices::by_group(cx, written, gate)?,
        _ => slices::of_one_file(cx, written, gate)?,
    };
    direction(cx, written, &measure, gate)?;
    slices::paired(cx, written.span, &measure, gate)?;
    measure.options.insert("of".to_owned(), Value::String(word.text.clone()));
    if relative {
        measure.options.insert("relative".to_owned(), Value::Bool(true));
    }
    Some(measure)
}
