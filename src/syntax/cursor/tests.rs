use super::*;

/// The place of `|`.
fn at(text: &str) -> Place<'static> {
    let offset = text.find('|').expect("a mark");
    let text: &'static str = text.replacen('|', "", 1).leak();
    cursor(text, offset).place
}

/// What stands already where `|` is.
fn taken(text: &str) -> Vec<&'static str> {
    let offset = text.find('|').expect("a mark");
    let text: &'static str = text.replacen('|', "", 1).leak();
    cursor(text, offset).taken
}

#[test]
fn what_may_stand_once_is_taken_where_it_stands() {
    for (text, words) in [
        ("stage a {\n  use x\n  timeout 1h\n  |\n  run <<< x >>>\n  use y\n}", &["timeout", "run"][..]),
        ("stage a {\n  timeout 1h\n  time|\n}\nstage b {\n  retry 2 on oom\n}", &["timeout"]),
        ("stage a {\n  use x,\n      timeout\n  |\n}", &[]),
        (
            "rollout r of x by canary {\n  keep previous for 7d\n  watch t every 60s {\n    fail after 3 total\n    |\n  }\n}",
            &["fail"],
        ),
        ("rollout r of x by canary {\n  watch t every 60s {\n    fail after 3 total\n  }\n  |\n}", &["watch"]),
        ("stage a {\n  use z\n  use x, y, |\n  secret s\n}", &["z", "x", "y"]),
        ("stage a {\n  use x, y|, z\n}", &["x", "z"]),
        ("stage a {\n  credentials aws, |\n}", &["aws"]),
        ("on manual { x, | }", &["x"]),
        ("on pull_request { comment: [a, b.c, | ], profile: p }", &["a"]),
        ("stage a after b, c[\"n\"], | {\n}", &["b"]),
        ("stage a {\n  in x = |\n}", &[]),
        ("on push { branches: [\"main\"], |\n  paths: [\"a\"] }", &["branches", "paths"]),
        ("on manual { x, profile: p, | }", &["x", "profile"]),
        ("approval a of b { by: [\"a\"], ti| }", &["by"]),
        ("target argo { image: \"x\", code: { repo: \"y\", | } }", &["repo"]),
        ("metrics M { a: ratio higher |\n}", &["ratio", "higher", "higher", "lower"]),
        ("gate g on a.b {\n  require regression(auc, relative, |)\n}", &["auc", "relative"]),
        ("pipeline p\nedition 2026\n|", &["pipeline", "edition"]),
        ("|\npipeline p\n", &["pipeline"]),
        ("pipeline p\nedi|", &["pipeline"]),
    ] {
        assert_eq!(taken(text), words, "{text}");
    }
}

#[test]
fn a_place_is_told_from_the_tokens_before_it() {
    let value = |keyword, clause| Place::Value { keyword, clause };
    for (text, place) in [
        ("|", Place::Declaration),
        ("sta|", Place::Declaration),
        ("pipeline p\n\nst|\nstage a {\n}\n", Place::Declaration),
        ("on pu|", Place::Trigger),
        ("stage a {\n  |", Place::Clause("stage")),
        ("stage a {\n  co|\n}\n", Place::Clause("stage")),
        ("stage a {\n  in x = y\n  o|\n  run [x]\n}", Place::Clause("stage")),
        ("stage a {\n  in x = |", value("stage", "in")),
        ("stage a {\n  in x = y,\n     z = q|", value("stage", "in")),
        ("stage a {\n  in x = b.t|\n}", Place::Member("b")),
        ("stage a {\n  in x = b[\"n\", *].|\n}", Place::Member("b")),
        ("stage a {\n  use |\n}", value("stage", "use")),
        ("stage a {\n  out x: D|\n}", Place::Type),
        ("stage a {\n  out x: Metrics<|\n}", Place::Argument("Metrics")),
        ("source x: Dataset<|", Place::Argument("Dataset")),
        ("stage a {\n  run <<<\n    echo \"$x|\"\n  >>>\n}", Place::Variable),
        ("stage a {\n  run <<<\n    ec|\n  >>>\n}", Place::Free),
        ("gate g on b.|", Place::Member("b")),
        ("gate g on |", value("gate", "on")),
        ("gate g on b.r {\n  require a|\n}", value("gate", "require")),
        ("gate g on b.r {\n  baseline models@|\n}", Place::Pointer("models")),
        ("rollout r of x by canary {\n  watch |\n}", value("rollout", "watch")),
        ("rollout r of x by canary {\n  watch t |\n}", Place::Free),
        ("rollout r of x by canary {\n  watch t every |\n}", value("rollout", "every")),
        ("rollout r of x by canary {\n  watch t every 60| {\n  }\n}", Place::Free),
        ("stage a {\n  timeout 4|\n}", Place::Free),
        ("rollout r of x by canary {\n  watch t every 60s {\n    |\n  }\n}", Place::Clause("watch")),
        ("rollout r of x by canary {\n  watch t every 60s {\n    require c|\n  }\n}", value("rollout", "require")),
        ("register r = |", value("register", "=")),
        ("register r = a.m to |", value("register", "to")),
        ("stage a after |", value("stage", "after")),
        ("param x: |", Place::Type),
        ("# a com|", Place::Free),
        ("on manual { |", value("on", "manual")),
        ("on push { |", Place::Words(forms::fields("push"))),
        ("on pull_request { comment: |", value("on", "comment")),
        ("on pull_request { comment: [a, |] }", value("on", "comment")),
        ("on pull_request { branches: [|] }", value("on", "")),
        ("on push { branches: [\"main\"], pr|", Place::Words(forms::fields("push"))),
        ("on push { profile: |", value("on", "profile")),
        ("on event \"e\" { |", Place::Words(&["profile"])),
        ("approval a of b { |", Place::Words(&["by", "environment", "timeout"])),
        ("runtime py { |", Place::Words(forms::fields("runtime"))),
        ("gate g on b.r {\n  on |", Place::Words(&["no_baseline", "unscorable"])),
        ("gate g on b.r {\n  on no_baseline: |", Place::Words(&forms::OUTCOMES)),
        ("gate g on b.r {\n  on unscorable: |", Place::Words(&forms::UNSCORABLE)),
        ("gate g on b.r {\n  on no_baseline: ask |", value("gate", "ask")),
        ("stage a {\n  needs { |", Place::Words(&["cpu", "memory", "gpu"])),
        ("stage a {\n  in x = train[|", Place::Leg { base: "train", nth: 0 }),
        ("stage a {\n  in x = train[\"n\", |", Place::Leg { base: "train", nth: 1 }),
        ("stage a {\n  run [\"x\", |", value("stage", "run")),
        ("target |", value("target", "target")),
        ("target argo { |", Place::Setting { target: "argo", record: "" }),
        ("target argo {\n  image: \"x\"\n  |\n}", Place::Setting { target: "argo", record: "" }),
        ("target github { runners: { |", Place::Setting { target: "github", record: "runners" }),
        ("target github { workflow: { env: { |", Place::Free),
        ("on schedule {\n  cron: \"0 6 * * *\"\n  |\n}", Place::Words(forms::fields("schedule"))),
        ("stage a {\n  needs {\n    cpu: 1\n    |\n  }\n}", Place::Words(forms::fields("needs"))),
        ("metrics M { a: |", Place::Type),
        ("metrics M { a: ratio |", Place::Words(forms::traits("metrics"))),
        ("metrics M {\n  a: float in |", Place::Free),
        ("metrics M {\n  a: ratio higher\n  |", Place::Free),
        ("gate g on b.r {\n  require regression(|", Place::Measured { kind: "regression", first: true }),
        ("gate g on b.r {\n  require gap(recall by |", value("gate", "require")),
        (
            "rollout r of x by canary {\n  watch t every 60s {\n    require regression(a, |",
            Place::Measured { kind: "regression", first: false },
        ),
        ("rollout r of x by canary {\n  watch t every 60s {\n    on no_data: |", Place::Words(&forms::WATCHED)),
        ("use \"gates/co|", Place::Path { typed: "gates/co", module: true }),
        ("use \"gates/common.mlp\" { da|", Place::Listed("gates/common.mlp")),
        ("stage a {\n  code \"src/|\"", Place::Path { typed: "src/", module: false }),
        ("stage a {\n  code \"src/a.py\", \"|\"", Place::Path { typed: "", module: false }),
        ("stage a {\n  out x: File = \"o|\"", Place::Free),
    ] {
        assert_eq!(at(text), place, "{text}");
    }
}
