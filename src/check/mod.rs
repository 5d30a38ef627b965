//! Rules: what is wrong with a model whose names and types are right. One file a rule, one line in the list.

mod rules;
mod together;

use std::sync::atomic::{AtomicUsize, Ordering};

pub use together::{Pipeline, together};

use crate::beside::both;
use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::source::Sources;

/// What rules look at.
pub(crate) struct Subject<'a> {
    /// The texts, for rules about what stands in scripts.
    pub(crate) sources: &'a Sources,
    /// The model.
    pub(crate) model: &'a Model,
}

/// A rule: looks at the whole model and says what is wrong.
pub(crate) trait Rule: Sync {
    /// Adds what is wrong.
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>);
}

/// The rules in alphabetical order, one line for each file of `rules`.
static RULES: &[&dyn Rule] = &[
    &rules::acts_as_stage::ActsAsStage,
    &rules::baseline_comparable::BaselineComparable,
    &rules::baseline_mixes_versions::BaselineMixesVersions,
    &rules::cannot_bootstrap::CannotBootstrap,
    &rules::credential_missing::CredentialMissing,
    &rules::duration_cached::DurationCached,
    &rules::environment_shared::EnvironmentShared,
    &rules::event_unmatched::EventUnmatched,
    &rules::first_unmeasured::FirstUnmeasured,
    &rules::gate_of_another_model::GateOfAnotherModel,
    &rules::live_metrics::LiveMetrics,
    &rules::metrics_of_another_model::MetricsOfAnotherModel,
    &rules::monitor_compares::MonitorCompares,
    &rules::notify_silent::NotifySilent,
    &rules::path_taken::PathTaken,
    &rules::paths_miss_an_input::PathsMissAnInput,
    &rules::pipe_in_sh::PipeInSh,
    &rules::pointer_never_written::PointerNeverWritten,
    &rules::promoted_elsewhere::PromotedElsewhere,
    &rules::tested_on_training_data::TestedOnTrainingData,
    &rules::undeclared_path::UndeclaredPath,
    &rules::ungated_release::UngatedRelease,
    &rules::unknown_variable::UnknownVariable,
    &rules::unpinned_source::UnpinnedSource,
    &rules::unused_in_command::UnusedInCommand,
    &rules::unused_name::UnusedName,
    &rules::variable_in_arguments::VariableInArguments,
    &rules::wrong_side::WrongSide,
];

/// Pipelines of more nodes are looked at by two threads.
const ALONE: usize = 500;

/// Runs all rules; what they find is in no order.
#[must_use]
pub fn check(sources: &Sources, model: &Model) -> Vec<Diagnostic> {
    let subject = Subject { sources, model };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(rule) = RULES.get(next.fetch_add(1, Ordering::Relaxed)) {
            rule.check(&subject, &mut found);
        }
        found
    };
    if model.nodes.len() < ALONE {
        return work();
    }
    // Rules know nothing of each other, and what they find is sorted later.
    let (mut found, more) = both(work, work);
    found.extend(more);
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rule_of_the_folder_is_in_the_list() {
        let listed: Vec<&str> = include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("&rules::")?.split("::").next())
            .collect();
        assert!(listed.is_sorted());
        let declared: Vec<&str> = include_str!("rules.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("pub(super) mod ")?.strip_suffix(';'))
            .filter(|name| *name != "common")
            .collect();
        assert_eq!(listed, declared);
        let mut files: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/rules"))
            .expect("the folder of rules")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
            .filter(|name| name != "common")
            .collect();
        files.sort();
        assert_eq!(listed, files);
    }
}
