//! How each declaration and clause is written: the tables that syntax errors draw their proposals from.

const STAGE: &[&str] = &[
    "in",
    "out",
    "run",
    "code",
    "use",
    "needs",
    "timeout",
    "retry",
    "rerun",
    "runtime",
    "secret",
    "status",
    "checkpoint",
    "credentials",
    "inputs",
    "isolation",
    "pass_env",
    "allow",
];
const ACTION: &[&str] = &[
    "in",
    "out",
    "run",
    "code",
    "use",
    "needs",
    "timeout",
    "retry",
    "runtime",
    "secret",
    "status",
    "credentials",
    "inputs",
    "isolation",
    "pass_env",
    "permissions",
    "environment",
    "idempotent",
    "allow",
];
const GATE: &[&str] = &["require", "warn", "baseline", "on", "min_n", "min_base", "allow"];
const ROLLOUT: &[&str] = &[
    "service",
    "code",
    "first_deploy",
    "step",
    "watch",
    "keep",
    "shift",
    "observe",
    "rollback",
    "promote",
    "in",
    "use",
    "secret",
    "credentials",
    "runtime",
    "needs",
    "permissions",
    "pass_env",
    "isolation",
    "inputs",
    "min_measurements",
    "max_hold",
    "max_gap",
    "max_duration",
    "side_effects",
    "unit",
    "salt",
    "missing",
    "allow",
];
const WATCH: &[&str] = &["require", "warn", "fail", "on", "min_measurements", "max_hold"];
const MONITOR: &[&str] = &[
    "every",
    "in",
    "require",
    "warn",
    "on",
    "cooldown",
    "code",
    "use",
    "secret",
    "credentials",
    "runtime",
    "needs",
    "timeout",
    "min_n",
    "allow",
];
const EXPERIMENT: &[&str] = &[
    "arm",
    "unit",
    "salt",
    "missing",
    "horizon",
    "require",
    "warn",
    "watch",
    "shift",
    "observe",
    "rollback",
    "in",
    "code",
    "use",
    "secret",
    "credentials",
    "runtime",
    "needs",
    "permissions",
    "pass_env",
    "isolation",
    "inputs",
    "allow",
];
const PROFILE: &[&str] = &["set", "releases", "gates"];

/// Kinds of body in the order in which a clause's home is looked for.
const KINDS: [&str; 8] = ["stage", "gate", "rollout", "action", "profile", "monitor", "experiment", "watch"];

/// Returns the clauses that a kind of body takes; none where it takes no clauses.
pub(super) fn clauses(kind: &str) -> &'static [&'static str] {
    match kind {
        "stage" => STAGE,
        "action" => ACTION,
        "gate" => GATE,
        "rollout" => ROLLOUT,
        "watch" => WATCH,
        "monitor" => MONITOR,
        "experiment" => EXPERIMENT,
        "profile" => PROFILE,
        _ => &[],
    }
}

/// Returns the clause that stands for a word of other tools.
pub(super) fn elsewhere(word: &str) -> Option<&'static str> {
    Some(match word {
        "input" | "deps" => "in",
        "output" | "outputs" | "outs" => "out",
        "params" => "use",
        "command" | "cmd" | "script" => "run",
        _ => return None,
    })
}

/// Clauses that may stand more than once in a body.
const AGAIN: [&str; 13] =
    ["in", "out", "code", "use", "secret", "credentials", "allow", "require", "warn", "on", "step", "arm", "set"];

/// Tells whether a clause stands at most once in a body.
pub(super) fn once(word: &str) -> bool {
    !AGAIN.contains(&word)
}

/// Returns the kind of body that a declaration has; the word itself, for good.
pub(super) fn kind(keyword: &str) -> &'static str {
    KINDS.into_iter().find(|kind| *kind == keyword).unwrap_or("")
}

/// Returns the first kind of body that takes this clause.
pub(super) fn home(word: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| clauses(kind).contains(&word))
}

/// Returns the fields of a record that are known by name: that of a trigger by its kind, that of a declaration or clause by its word.
pub(super) fn fields(record: &str) -> &'static [&'static str] {
    match record {
        "push" => &["branches", "paths", "profile"],
        "pull_request" => &["branches", "paths", "profile", "comment"],
        "schedule" => &["cron", "timezone", "profile"],
        "upstream" => &["pipeline", "profile"],
        "manual" | "call" | "event" => &["profile"],
        "approval" => &["by", "environment", "timeout"],
        "register" => &["metrics"],
        "runtime" => &["python", "requirements", "image", "dockerfile"],
        "notify" => &["slack", "email", "webhook", "on"],
        "needs" => &["cpu", "memory", "gpu"],
        _ => &[],
    }
}

/// Returns the words that may stand behind the type of a column or metric.
pub(super) fn traits(keyword: &str) -> &'static [&'static str] {
    match keyword {
        "schema" => &["unique", "matches"],
        _ => &["higher", "lower", "from", "unit", "n"],
    }
}

/// The words that a situation is answered with.
pub(super) const OUTCOMES: [&str; 3] = ["fail", "pass", "ask"];

/// The words that a baseline which can't be scored is answered with.
pub(super) const UNSCORABLE: [&str; 2] = ["ask", "error"];

/// The words that a situation is answered with while traffic shifts.
pub(super) const WATCHED: [&str; 2] = ["fail", "hold"];

/// Returns the situations that `on … :` knows in a kind of body.
pub(super) fn situations(kind: &str) -> &'static [&'static str] {
    match kind {
        "gate" => &["no_baseline", "unscorable"],
        "watch" => &["no_data", "error"],
        _ => &["breach"],
    }
}

/// Returns the words that may stand between a declaration's name and its body.
pub(super) fn parts(kind: &str) -> &'static [&'static str] {
    match kind {
        "stage" => &["for", "when", "after", "with"],
        "gate" => &["on", "for", "when", "after"],
        "register" => &["to", "after", "with", "when", "for", "ungated"],
        "promote" => &["to", "after", "when", "for", "ungated"],
        "rollout" => &["of", "by", "after", "when", "for", "ungated"],
        "action" => &["of", "after", "when", "for", "ungated"],
        "approval" | "experiment" => &["of", "after", "when", "for"],
        "monitor" => &["when", "after", "for"],
        "param" => &["from", "at"],
        "source" => &["frozen"],
        _ => &[],
    }
}

/// Returns how a declaration is written.
pub(super) fn of(kind: &str) -> &'static str {
    match kind {
        "pipeline" => "pipeline NAME",
        "edition" => "edition 2026",
        "on" => "on push { branches: [\"main\"] }",
        "const" => "const NAME = VALUE",
        "param" => "param NAME: TYPE = DEFAULT",
        "secret" => "secret NAME",
        "credential" => "credential NAME = oidc(…)",
        "registry" => "registry NAME = directory(\"PATH\")",
        "runtime" => "runtime NAME { python: \"3.11\" }",
        "notify" => "notify NAME { slack: URL, on: [GATE.fail] }",
        "target" => "target github { … }",
        "schema" => "schema NAME { COLUMN: TYPE … }",
        "metrics" => "metrics NAME { METRIC: ratio higher … }",
        "source" => "source NAME: TYPE = \"PATH\"",
        "profile" => "profile NAME { set PARAMETER = VALUE }",
        "use" => "use \"FILE\" { NAMES }",
        "allow" => "allow CODE \"REASON\"",
        "external" => "external event \"NAME\"",
        "stage" => "stage NAME { in … out … run … }",
        "action" => "action NAME of RELEASE { run … }",
        "gate" => "gate NAME on EVIDENCE { require … }",
        "register" => "register NAME = MODEL to REGISTRY after GATE",
        "approval" => "approval NAME of SUBJECT { by: [\"PERSON\"] }",
        "promote" => "promote NAME = RELEASE to REGISTRY@POINTER",
        "rollout" => "rollout NAME of RELEASE by canary { … }",
        "monitor" => "monitor NAME { every 1d … }",
        _ => "experiment NAME of RELEASE { … }",
    }
}

/// Returns how a clause is written.
pub(super) fn of_clause(word: &str) -> Option<&'static str> {
    Some(match word {
        "in" => "in NAME = STAGE.OUTPUT",
        "out" => "out NAME: TYPE = \"PATH\"",
        "run" => "run <<< SCRIPT >>>` or `run [\"PROGRAM\", \"ARGUMENT\"]",
        "code" => "code \"PATTERN\", \"PATTERN\"",
        "use" => "use PARAMETER, PARAMETER",
        "needs" => "needs { gpu: 1, memory: 16GiB }",
        "timeout" => "timeout 4h",
        "retry" => "retry 2 on infrastructure",
        "rerun" => "rerun always` or `rerun when CONDITION",
        "runtime" => "runtime NAME",
        "secret" => "secret NAME",
        "status" => "status 0, 1",
        "checkpoint" => "checkpoint \"PATH\"",
        "credentials" => "credentials NAME",
        "inputs" => "inputs readonly",
        "isolation" => "isolation off",
        "pass_env" => "pass_env [\"NAME\"]",
        "permissions" => "permissions { contents: \"write\" }",
        "environment" => "environment \"NAME\"",
        "idempotent" => "idempotent",
        "allow" => "allow CODE \"REASON\"",
        "require" => "require METRIC >= NUMBER",
        "warn" => "warn METRIC >= NUMBER",
        "baseline" => "baseline REGISTRY@POINTER",
        "on" => "on no_baseline: ask APPROVAL",
        "step" => "step 10% for 30m",
        "watch" => "watch SOURCE every 60s { require … }",
        "fail" => "fail after 3 consecutive",
        "service" => "service \"NAME\" at \"ENVIRONMENT\"",
        "promote" => "promote REGISTRY@POINTER",
        "keep" => "keep previous for 7d",
        "first_deploy" => "first_deploy direct` or `first_deploy ask APPROVAL",
        "shift" => "shift <<< SCRIPT >>>",
        "observe" => "observe <<< SCRIPT >>>",
        "rollback" => "rollback <<< SCRIPT >>>",
        "every" => "every 1d",
        "cooldown" => "cooldown 7d",
        "arm" => "arm NAME 50%",
        "set" => "set PARAMETER = VALUE",
        "releases" => "releases true",
        "gates" => "gates blocking",
        _ => return None,
    })
}

/// Joins words as `a`, `b` and `c`.
pub(super) fn quoted_list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}
