//! The list of diagnostic codes. One line here and one page `book/src/errors/<code>.md` each; the page is
//! compiled in, so that a code without a page does not compile.

use serde::{Serialize, Serializer};

use super::Severity;

/// One row of the catalogue.
#[derive(Debug)]
pub struct Row {
    name: &'static str,
    severity: Severity,
    page: &'static str,
}

/// A stable diagnostic code, such as `unknown-name`. Named for the fault, never for the remedy.
#[derive(Clone, Copy)]
pub struct Code(&'static Row);

impl Code {
    /// Returns the code as users write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the severity that diagnostics with this code have.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.0.severity
    }

    /// Returns the text of its page in the book, Markdown.
    #[must_use]
    pub fn page(self) -> &'static str {
        self.0.page
    }

    /// Returns the code with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        all().find(|code| code.name() == name)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Code {}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Iterates over all codes in alphabetical order.
pub fn all() -> impl Iterator<Item = Code> {
    ALL.iter().copied()
}

macro_rules! catalogue {
    ($($severity:ident $constant:ident $name:literal,)*) => {
        /// One constant for each code.
        pub mod codes {
            use super::{Code, Row, Severity};
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Code = {
                    static ROW: Row = Row {
                        name: $name,
                        severity: Severity::$severity,
                        page: include_str!(concat!("../../book/src/errors/", $name, ".md")),
                    };
                    Code(&ROW)
                };
            )*
        }

        static ALL: &[Code] = &[$(codes::$constant,)*];
    };
}

// In alphabetical order of names.
catalogue! {
    Warning ACTS_AS_STAGE "acts-as-stage",
    Error ALLOW_OF_ERROR "allow-of-error",
    Error AMBIGUOUS_METRIC "ambiguous-metric",
    Error APPROVAL_BEHIND_GATE "approval-behind-gate",
    Error APPROVAL_WITHOUT_ENVIRONMENT "approval-without-environment",
    Warning APPROVER_NOT_CHECKED "approver-not-checked",
    Error ASSIGNMENT_NOT_STICKY "assignment-not-sticky",
    Error BAD_CHARACTER "bad-character",
    Error BAD_LEG "bad-leg",
    Error BAD_NAME "bad-name",
    Error BAD_NUMBER "bad-number",
    Error BAD_REQUIREMENT "bad-requirement",
    Error BASELINE_MISSING "baseline-missing",
    Error BASELINE_MIXES_VERSIONS "baseline-mixes-versions",
    Error BASELINE_NOT_SCORABLE "baseline-not-scorable",
    Error BASELINE_OF_TWO_MODELS "baseline-of-two-models",
    Warning BASELINE_UNUSED "baseline-unused",
    Error CANNOT_BOOTSTRAP "cannot-bootstrap",
    Warning CHECK_BLOCKS_NOTHING "check-blocks-nothing",
    Note CHECKPOINT_LOST "checkpoint-lost",
    Warning COMMENT_OF_NOTHING "comment-of-nothing",
    Error CREDENTIAL_MISSING "credential-missing",
    Warning CRON_ON_THE_HOUR "cron-on-the-hour",
    Error CYCLE "cycle",
    Error DIRECTION_MISSING "direction-missing",
    Error DUPLICATE_CLAUSE "duplicate-clause",
    Error DUPLICATE_LEG "duplicate-leg",
    Error DUPLICATE_NAME "duplicate-name",
    Error DURATION_CACHED "duration-cached",
    Warning DVC_OUT_OF_REACH "dvc-out-of-reach",
    Error EMPTY_LOOP "empty-loop",
    Error ENDPOINT_MISSING "endpoint-missing",
    Error ENVIRONMENT_SHARED "environment-shared",
    Error EVENT_NEVER_EMITTED "event-never-emitted",
    Error EVENT_UNHEARD "event-unheard",
    Warning FIRST_UNMEASURED "first-unmeasured",
    Warning FIRST_VERSION_ELSEWHERE "first-version-elsewhere",
    Error GATE_OF_ANOTHER_MODEL "gate-of-another-model",
    Error KNOWN_ONLY_IN_RUN "known-only-in-run",
    Error MERGE_CONFLICT "merge-conflict",
    Error METRICS_OF_ANOTHER_MODEL "metrics-of-another-model",
    Error MISPLACED_CLAUSE "misplaced-clause",
    Error MISSING_CLAUSE "missing-clause",
    Error MISSING_INDEX "missing-index",
    Error MONITOR_NEVER_STARTED "monitor-never-started",
    Error NESTING_TOO_DEEP "nesting-too-deep",
    Error NO_BASELINE_UNSAID "no-baseline-unsaid",
    Error NOT_CONSTANT "not-constant",
    Error NOT_LOCKED "not-locked",
    Warning NOT_OF_ITS_TYPE "not-of-its-type",
    Warning NOTHING_MATCHES "nothing-matches",
    Warning NOTHING_RUNS_IT "nothing-runs-it",
    Error OUT_OF_RANGE "out-of-range",
    Error OUTPUT_NOT_RENAMED "output-not-renamed",
    Error PARAM_FILE "param-file",
    Error PATH_OF_ALL_LEGS "path-of-all-legs",
    Error PATH_OUTSIDE "path-outside",
    Error PATH_TAKEN "path-taken",
    Warning PATHS_MISS_AN_INPUT "paths-miss-an-input",
    Warning PIPE_IN_SH "pipe-in-sh",
    Error POINTER_NEVER_WRITTEN "pointer-never-written",
    Warning POINTER_OF_TWO_PIPELINES "pointer-of-two-pipelines",
    Error PROMOTED_ELSEWHERE "promoted-elsewhere",
    Error QUERY_MISSING "query-missing",
    Error QUERY_OF_NO_VERSION "query-of-no-version",
    Error RAW_BLOCK "raw-block",
    Error RAW_EXPRESSION "raw-expression",
    Error RAW_OWNED "raw-owned",
    Error RAW_UNPINNED "raw-unpinned",
    Error RECORDED_NOT_FROZEN "recorded-not-frozen",
    Error REGISTRY_NOT_SHARED "registry-not-shared",
    Error RESERVED_NAME "reserved-name",
    Warning RUNNER_WITHOUT_MLPC "runner-without-mlpc",
    Warning SECRET_IN_ARGUMENTS "secret-in-arguments",
    Error SYNTAX "syntax",
    Error TARGET_LIMIT "target-limit",
    Error TARGET_SETTING "target-setting",
    Warning TESTED_ON_TRAINING_DATA "tested-on-training-data",
    Error TOO_MANY_LEGS "too-many-legs",
    Note TRIGGER_ELSEWHERE "trigger-elsewhere",
    Error UNAPPROVED_RELEASE "unapproved-release",
    Error UNCLOSED "unclosed",
    Error UNDECLARED_PATH "undeclared-path",
    Error UNGATED_RELEASE "ungated-release",
    Error UNIT_MISSING "unit-missing",
    Error UNKNOWN_CLAUSE "unknown-clause",
    Error UNKNOWN_DECLARATION "unknown-declaration",
    Error UNKNOWN_ESCAPE "unknown-escape",
    Error UNKNOWN_FIELD "unknown-field",
    Error UNKNOWN_LEG "unknown-leg",
    Error UNKNOWN_MODULE "unknown-module",
    Error UNKNOWN_NAME "unknown-name",
    Error UNKNOWN_UNIT "unknown-unit",
    Error UNKNOWN_VARIABLE "unknown-variable",
    Error UNPINNED_SOURCE "unpinned-source",
    Warning UNSET_VARIABLE "unset-variable",
    Warning UNUSED_ALLOW "unused-allow",
    Warning UNUSED_IN_COMMAND "unused-in-command",
    Error UNUSED_NAME "unused-name",
    Warning VARIABLE_IN_ARGUMENTS "variable-in-arguments",
    Error WRONG_INDEX "wrong-index",
    Error WRONG_KIND "wrong-kind",
    Warning WRONG_SIDE "wrong-side",
    Error WRONG_TYPE "wrong-type",
    Error WRONG_UNIT "wrong-unit",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_found_by_name() {
        let names: Vec<_> = all().map(Code::name).collect();
        assert!(names.is_sorted(), "keep the catalogue in alphabetical order: {names:?}");
        for name in names {
            assert_eq!(Code::find(name).map(Code::name), Some(name));
        }
    }
}
