//! `when` and releases as expressions of GitHub. What is known of a case is put in first, so that most conditions
//! are plain comparisons of the event.

use super::triggers::Case;
use crate::plan::Node;
use crate::types::{BinaryOp, Context, Expr, Names, Value, evaluate};

/// Returns a text as a literal of GitHub's expressions.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// When a node runs by itself, whatever becomes of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Own {
    /// In every case.
    Always,
    /// In none.
    Never,
    /// Where this expression is true.
    If(String),
}

/// Returns when a node runs; `acts` for what only a case that releases does. `Err` says what GitHub can't express.
pub(super) fn own(node: &Node, acts: bool, cases: &[Case]) -> Result<Own, String> {
    let mut terms = Vec::new();
    let mut everywhere = true;
    for case in cases {
        if acts && !case.releases {
            everywhere = false;
            continue;
        }
        let mut parts = vec![case.is.clone()];
        if acts && let Some(from) = &case.from {
            parts.push(from.clone());
        }
        match node.when.as_ref().map(|when| residual(when, case)).transpose()? {
            None | Some(Residual::Value(Value::Bool(true))) => {}
            Some(Residual::Value(_)) => {
                everywhere = false;
                continue;
            }
            Some(Residual::Open(open)) => parts.push(open),
        }
        everywhere &= parts.len() == 1;
        terms.push(parts);
    }
    // The same condition in every case needs no cases.
    let rests: Vec<_> = terms.iter().map(|parts: &Vec<String>| &parts[1..]).collect();
    let same = terms.len() == cases.len() && rests.iter().all(|rest| rest.len() == 1 && rest == &rests[0]);
    Ok(if everywhere {
        Own::Always
    } else if same {
        Own::If(rests[0].concat())
    } else if terms.is_empty() {
        Own::Never
    } else {
        let alone = terms.len() == 1;
        let join = |parts: Vec<String>| {
            let wrapped = !alone && (parts.len() > 1 || parts[0].contains(" && "));
            if wrapped { format!("({})", parts.join(" && ")) } else { parts.join(" && ") }
        };
        Own::If(terms.into_iter().map(join).collect::<Vec<_>>().join(" || "))
    })
}

/// Joins the conditions of cases.
pub(super) fn any_of(cases: Vec<&str>) -> String {
    let alone = cases.len() == 1;
    let term = |case: &str| if !alone && case.contains(" && ") { format!("({case})") } else { case.to_owned() };
    cases.into_iter().map(term).collect::<Vec<_>>().join(" || ")
}

/// What is left of an expression once a case is known.
enum Residual {
    /// Nothing: it has this value.
    Value(Value),
    /// An expression of GitHub.
    Open(String),
}

struct Known<'a>(&'a Case);

impl Names for Known<'_> {
    fn param(&self, name: &str) -> Option<Value> {
        self.0.params.get(name).cloned()
    }

    fn local(&self, _name: &str) -> Option<Value> {
        None
    }

    fn context(&self, context: Context) -> Option<Value> {
        match context {
            Context::Event => Some(Value::String(self.0.event.to_owned())),
            Context::Profile => Some(Value::String(self.0.profile.clone().unwrap_or_default())),
            Context::Branch => None,
        }
    }
}

fn residual(expr: &Expr, case: &Case) -> Result<Residual, String> {
    if let Ok(value) = evaluate(expr, &Known(case)) {
        return Ok(Residual::Value(value));
    }
    let open = |text: String| Ok(Residual::Open(text));
    match expr {
        Expr::Param(name) => match case.asked(name) {
            Some(asked) if asked.may_lack => Err(format!("the value of `{name}`, which the event may leave out")),
            Some(asked) => open(asked.expression.clone()),
            None => Err(format!("the value of `{name}`, which nothing gives on this event")),
        },
        Expr::Context(Context::Branch) if case.event == "pull_request" => open("github.head_ref".into()),
        Expr::Context(Context::Branch) => open("github.ref_name".into()),
        Expr::Not(inner) => match residual(inner, case)? {
            Residual::Open(inner) => open(format!("!({inner})")),
            Residual::Value(_) => Err("`not` of this".into()),
        },
        Expr::Binary { op, left, right } => {
            let (left, right) = (residual(left, case)?, residual(right, case)?);
            match (op, left, right) {
                // One side decides, or is no obstacle.
                (BinaryOp::And, Residual::Value(Value::Bool(true)), rest)
                | (BinaryOp::And, rest, Residual::Value(Value::Bool(true)))
                | (BinaryOp::Or, Residual::Value(Value::Bool(false)), rest)
                | (BinaryOp::Or, rest, Residual::Value(Value::Bool(false))) => Ok(rest),
                (BinaryOp::And, Residual::Value(_), _) | (BinaryOp::And, _, Residual::Value(_)) => {
                    Ok(Residual::Value(Value::Bool(false)))
                }
                (BinaryOp::Or, Residual::Value(_), _) | (BinaryOp::Or, _, Residual::Value(_)) => {
                    Ok(Residual::Value(Value::Bool(true)))
                }
                (op, left, right) => {
                    let sign = match op {
                        BinaryOp::And => "&&",
                        BinaryOp::Or => "||",
                        BinaryOp::Equal => "==",
                        BinaryOp::Unequal => "!=",
                        BinaryOp::Less => "<",
                        BinaryOp::AtMost => "<=",
                        BinaryOp::Greater => ">",
                        BinaryOp::AtLeast => ">=",
                        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                            return Err("arithmetic".into());
                        }
                    };
                    open(format!("({} {sign} {})", side(left)?, side(right)?))
                }
            }
        }
        Expr::Output { stage, .. } => Err(format!("a value of `{stage}`")),
        _ => Err("this expression".into()),
    }
}

fn side(side: Residual) -> Result<String, String> {
    match side {
        Residual::Open(text) => Ok(text),
        Residual::Value(Value::Bool(value)) => Ok(value.to_string()),
        Residual::Value(Value::Int(value)) => Ok(value.to_string()),
        Residual::Value(Value::Float(value) | Value::Ratio(value)) => Ok(value.to_string()),
        Residual::Value(Value::String(value)) => Ok(text(&value)),
        Residual::Value(_) => Err("a comparison of this type".into()),
    }
}
