//! What people write first when they come from other tools, and the help they get: each line of it is the line to write.

use crate::markdown::check;

const HEAD: &str = "source raw: Dataset<csv> = \"data/raw.csv\"\n";

#[test]
fn first_tries_are_answered_with_the_line_to_write() {
    let tries = [
        (
            "stage a { in raw\n after b\n out x: File = \"x\"\n run <<< cp \"$raw\" \"$x\" >>> }",
            "write it before the `{`: `stage NAME after … {`",
        ),
        (
            "stage a { in raw  out x: File = \"x\"  secret API_KEY  run <<< cp \"$raw\" \"$x\" >>> }",
            "declare `secret api_key`, and write `secret api_key as \"API_KEY\"` here",
        ),
        (
            "stage a { in raw  out train: File = \"x\"  run <<< cp \"$raw\" \"$train\" >>> }\n\
             stage b { in data = a.train  out y: File = \"y\"  run <<< cp \"$data$train\" \"$y\" >>> }",
            "write `$data`",
        ),
        ("stage a { in b.c  out x: File = \"x\"  run <<< cp \"$raw\" \"$x\" >>> }", "write `in NAME = STAGE.OUTPUT`"),
        (
            "stage a { in raw  out x: File = \"x\"  run python src/a.py }",
            "write `run <<< SCRIPT >>>` or `run [\"PROGRAM\", \"ARGUMENT\"]`",
        ),
        ("source other = \"data/other.csv\"", "write `source NAME: TYPE = \"PATH\"`"),
        (
            "stage a { in raw  out x: File = \"x\"  run [\"cp\", \"$raw\", x] }",
            "write `raw`, without quotes: names in the list are the values",
        ),
        ("stage a { in raw  out x: File = \"x\"  run [\"cp\", raw, x, \"--as=${raw}\"] }", "write `{raw}` in `\"…\"`"),
        (
            "const note = \"at ${{ github.sha }}\"",
            "write `\\{` where the brace is meant as such, or put the text into `'…'`, where it is",
        ),
        ("approval a of raw { by: [\"bo\"], timeout: 24 }", "glue a unit to it: `24h`"),
        ("approval a of raw { by: [\"@bo\"], timeout: 1h }", "write `\"bo\"`"),
        ("approval a of raw { by: [\"bo\", \"\"], timeout: 1h }", "name logins: `by: [\"alice\"]`"),
        ("approval a of raw { by: [\"bo\", \"Bo\"], timeout: 1h }", "keep one: logins are one whatever their case"),
        (
            "param note: string = None",
            "what may be absent has `?` behind its type and no default: `param NAME: string?`",
        ),
        ("param full: bool = False", "write `false`"),
        (
            "metrics M { auc: ratio higher from \"val_auc\" }\n\
             stage a { in raw  out r: Metrics<M> = \"r.json\"  run <<< cp \"$raw\" \"$r\" >>> }",
            "write where the number stands: `from \"/val_auc\"`",
        ),
        ("param rounds: int from \"params.yaml\" at \"$.train.rounds\"", "write `\"/train/rounds\"`"),
        (
            "metrics M { auc: ratio higher }\nsource a: Metrics<M> = \"a.json\"\ngate g on a { require max(auc) >= 0.5 }",
            "there are `regression(m)`, `improvement(m)` and `size(artifact)`, and over several runs `mean(m)`, \
             `lower(m, 95%)`, `upper(m, 95%)`, `stddev(m)` and `ci(m, 95%)`",
        ),
        (
            "metrics M { auc: ratio higher }\nsource a: Metrics<M> = \"a.json\"\ngate g on a { require avg(auc) >= 0.5 }",
            "did you mean `mean(…)`?",
        ),
        (
            "metrics M { auc: ratio higher }\nsource a: Metrics<M> = \"a.json\"\n\
             gate g on a { require auc >= baseline.auc }",
            "compare with it: `regression(auc) <= 1%` or `improvement(auc) >= 0.1%`",
        ),
        (
            "metrics M { auc: ratio higher }\nsource a: Metrics<M> = \"a.json\"\nsource b: Metrics<M> = \"b.json\"\n\
             gate g on one = a, two = b { require auc >= 0.5 }",
            "write `one.auc` or `two.auc`",
        ),
    ];
    let mut wrong = String::new();
    for (text, help) in tries {
        let (codes, ended) = check(&format!("{HEAD}{text}"));
        let said: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
        if !helps(&said).iter().any(|told| told == help) {
            wrong += &format!("{text}\nwants: {help}\ngets {codes:?}: {:?}\n\n", helps(&said));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // A list that calls a shell itself holds a script.
    let (codes, _) =
        check(&format!("{HEAD}stage a {{ in raw  out x: File = \"x\"  run [\"sh\", \"-euc\", \"cp $raw $x\"] }}"));
    assert_eq!(codes, Vec::<String>::new());
}

#[test]
fn every_trigger_names_its_profile() {
    let shared = "profile shared { releases true }\nparam rounds: int = 1\n\
                  stage a { in raw  use rounds  out x: File = \"x\"  run <<< head -n \"$rounds\" \"$raw\" > \"$x\" >>> }\n";
    let codes = |triggers: &str| check(&format!("{HEAD}{shared}{triggers}")).0;
    let none: [&str; 0] = [];
    assert_eq!(
        codes(
            "external event \"retrain\"\non manual { rounds, profile: shared }\non event \"retrain\" { reason: string, profile: shared }"
        ),
        none
    );
    assert_eq!(codes("on manual { profile: shared\n rounds }"), none);
    assert_eq!(codes("on manual { profile: shared, profile: shared }"), ["duplicate-clause"]);
    assert_eq!(codes("on manual { rounds, profile: shred }"), ["unknown-name"]);
    assert_eq!(codes("external event \"retrain\"\non event \"retrain\" { profile: [string] }"), ["wrong-type"]);
}

#[test]
fn a_baseline_of_what_was_not_made_yet_says_what_to_run() {
    let sandbox = crate::sandbox::Sandbox::new();
    let stage = "stage a { in raw  out x: Dataset<csv> = \"x.csv\"  run <<< cp \"$raw\" \"$x\" >>> }";
    sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\n{HEAD}{stage}"));
    let ended = sandbox.mlpc(&["baseline", "a.x", "--out", "b.json"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("`a.x` was not made yet"), "{ended:?}");
    assert!(ended.stderr.contains("help: run `mlpc run a` first"), "{ended:?}");
}

fn helps(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => {
            let own = fields.get("help").and_then(|help| help.as_str()).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(helps)).collect()
        }
        serde_json::Value::Array(items) => items.iter().flat_map(helps).collect(),
        _ => Vec::new(),
    }
}
