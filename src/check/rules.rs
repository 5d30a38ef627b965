//! The rules, one file each.

mod common;

pub(super) mod acts_as_stage;
pub(super) mod baseline_comparable;
pub(super) mod baseline_mixes_versions;
pub(super) mod cannot_bootstrap;
pub(super) mod credential_missing;
pub(super) mod duration_cached;
pub(super) mod environment_shared;
pub(super) mod event_unmatched;
pub(super) mod first_unmeasured;
pub(super) mod gate_of_another_model;
pub(super) mod live_metrics;
pub(super) mod metrics_of_another_model;
pub(super) mod monitor_compares;
pub(super) mod notify_silent;
pub(super) mod path_taken;
pub(super) mod paths_miss_an_input;
pub(super) mod pipe_in_sh;
pub(super) mod pointer_never_written;
pub(super) mod promoted_elsewhere;
pub(super) mod tested_on_training_data;
pub(super) mod undeclared_path;
pub(super) mod ungated_release;
pub(super) mod unknown_variable;
pub(super) mod unpinned_source;
pub(super) mod unused_in_command;
pub(super) mod unused_name;
pub(super) mod variable_in_arguments;
pub(super) mod wrong_side;
