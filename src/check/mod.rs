//! Rules: what is wrong with a model whose names and types are right. One file a rule, one line in the list.

use crate::diagnostic::Diagnostic;
use crate::model::Model;

/// A rule: looks at the whole model and says what is wrong.
pub trait Rule: Sync {
    /// Adds what is wrong.
    fn check(&self, model: &Model, found: &mut Vec<Diagnostic>);
}

/// The rules in alphabetical order.
static RULES: &[&dyn Rule] = &[];

/// Runs all rules.
#[must_use]
pub fn check(model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in RULES {
        rule.check(model, &mut found);
    }
    found
}
