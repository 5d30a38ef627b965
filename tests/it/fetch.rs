//! Sources that a server or a store holds. What comes over a wire is tried in `tests/judges/fetch.sh` and `s3.sh`, on real servers.

use crate::sandbox::Sandbox;

fn reading(source: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let text = format!(
        "pipeline reader\nedition 2026\n\nsource raw: Dataset<csv> = {source}\n\nstage copy {{\n  in   raw\n  rerun always\n  \
         out  data: Dataset<csv> = \"out.csv\"\n  run  <<< cp \"$raw\" \"$data\" >>>\n}}\n"
    );
    sandbox.file("main.mlp", &text);
    sandbox
}

#[test]
fn what_can_not_be_fetched_fails_its_stage() {
    let ended = reading("http(\"http://127.0.0.1:9/raw.csv\")").mlpc(&["run"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let why =
        if cfg!(feature = "remotes") { "cannot ask 127.0.0.1:9" } else { "it was built without the feature `remotes`" };
    assert!(said.contains("the source `raw` can't be fetched: ") && said.contains(why), "{said}");
}

#[test]
fn a_look_ahead_fetches_nothing() {
    let sandbox = reading("http(\"http://127.0.0.1:9/raw.csv\")");
    let ended = sandbox.mlpc(&["plan"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("it says `rerun`"), "{}", ended.stdout);
}

#[test]
fn what_has_no_client_yet_says_what_has_one() {
    let ended = reading("gs(\"gs://bucket/raw.csv\", public: true)").mlpc(&["run"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 1, "{said}");
    assert!(said.contains("is in gs, which mlpc can't fetch from"), "{said}");
}

#[test]
fn an_address_with_a_password_or_without_an_object_is_refused_before_anything_runs() {
    for (source, message) in [
        ("http(\"https://me:secret@example.com/raw.csv\")", "the address holds a name or a password"),
        ("s3(\"s3://bucket/data/\", public: true)", "`s3://bucket/data/` names no object"),
        ("s3(\"s3://bucket\", public: true)", "`s3://bucket` names no object"),
    ] {
        let ended = reading(source).mlpc(&["check"]);
        assert_eq!(ended.code, 2, "{source}: {}", ended.stdout);
        assert!(ended.stderr.contains(message), "{source}: {}", ended.stderr);
    }
}
