//! What an editor is offered and shown in records, requirements and behind triggers.

use serde_json::json;

use super::{Client, TEXT, URI, opened, position};
use crate::sandbox::Sandbox;

/// Returns what is proposed at `|`.
fn labels(client: &mut Client, version: &mut i64, typed: &str) -> Vec<String> {
    *version += 1;
    client.change(URI, *version, json!([{ "text": typed.replacen('|', "", 1) }]));
    let at = json!({ "textDocument": { "uri": URI }, "position": position(typed, "|", 0) });
    let items = client.ask("textDocument/completion", at);
    let items = items.as_array().expect("a list").iter();
    items.map(|item| item["label"].as_str().expect("a label").to_owned()).collect()
}

#[test]
fn what_stands_already_is_not_proposed_again() {
    let mut client = opened();
    let mut version = 1;
    let mut behind = |more: &str| labels(&mut client, &mut version, &format!("{TEXT}\n{more}"));
    assert_eq!(behind("on schedule { cron: \"17 6 * * 1\", timezone: \"UTC\", | }"), ["profile"]);
    assert_eq!(behind("on push { branches: [\"main\"], | }"), ["paths", "profile"]);
    assert_eq!(behind("on push { |, branches: [\"main\"] }"), ["paths", "profile"]);
    assert_eq!(behind("approval go of train.model { by: [\"a\"], timeout: 1h, | }"), ["environment"]);
    assert_eq!(behind("approval go of train.model { by: [\"a\"], time|: 1h }"), ["environment", "timeout"]);
    let gate = "gate g on evaluate.report {\n  on no_baseline: pass\n  on |\n}";
    assert_eq!(behind(gate), ["unscorable"]);
    let begins = behind("|");
    assert!(begins.contains(&"stage".to_owned()), "{begins:?}");
    assert!(!begins.contains(&"pipeline".to_owned()) && !begins.contains(&"edition".to_owned()), "{begins:?}");
    let edition = TEXT.replace("edition 2026", "edi|");
    let begins = labels(&mut client, &mut version, &edition);
    assert!(begins.contains(&"edition".to_owned()) && !begins.contains(&"pipeline".to_owned()), "{begins:?}");
    client.ends();
}

#[test]
fn fields_of_records_are_proposed_on_new_lines_and_in_the_settings_of_targets() {
    let mut client = opened();
    let mut version = 1;
    let mut behind = |more: &str| labels(&mut client, &mut version, &format!("{TEXT}\n{more}"));
    assert_eq!(behind("on schedule {\n  cron: \"17 6 * * 1\"\n  |\n}"), ["profile", "timezone"]);
    assert_eq!(behind("stage s {\n  needs {\n    cpu: 1\n    |\n  }\n  run <<< true >>>\n}"), ["gpu", "memory"]);
    let argo = behind("target argo { | }");
    assert!(["code", "image", "namespace", "raw"].iter().all(|word| argo.contains(&(*word).to_owned())), "{argo:?}");
    assert_eq!(behind("target argo {\n  image: \"x\"\n  code: { repo: \"y\", | }\n}"), ["revision", "secret"]);
    let github = behind("target github { runners: { default: \"x\" }, | }");
    assert_eq!(github, ["cache", "install", "raw", "steps", "workflow"]);
    assert_eq!(behind("target github { runners: { | } }"), ["default", "gpu"]);
    assert_eq!(behind("metrics More { auc: ratio | }"), ["from", "higher", "lower", "n", "unit"]);
    assert_eq!(behind("metrics More {\n  auc: ratio lower |\n  f1: ratio higher\n}"), ["from", "n", "unit"]);
    assert_eq!(behind("metrics More {\n  auc: ratio lower\n  |\n}"), Vec::<String>::new());
    assert_eq!(behind("schema Rows {\n  id: string |\n}"), ["matches", "unique"]);
    client.ends();
}

#[test]
fn a_measure_is_offered_what_it_measures() {
    let mut client = opened();
    let mut version = 1;
    let mut inside = |typed: &str| {
        let more = format!("schema Rows {{ age: int }}\ngate g on evaluate.report {{\n  {typed}\n}}\n");
        labels(&mut client, &mut version, &format!("{TEXT}\n{more}"))
    };
    assert_eq!(inside("require regression(|"), ["accuracy"]);
    assert_eq!(inside("require regression(|) <= 2%"), ["accuracy"]);
    assert!(inside("require regression(accuracy, |)").contains(&"relative".to_owned()));
    assert!(!inside("require regression(accuracy, relative, |)").contains(&"relative".to_owned()));
    assert_eq!(inside("require schema(|)"), ["Rows"]);
    assert_eq!(inside("require psi(|)"), ["*", "age"]);
    client.ends();
}

#[test]
fn hover_tells_how_a_word_of_a_record_a_situation_or_a_measure_is_written() {
    let more = "on schedule { cron: \"17 6 * * 1\", timezone: \"UTC\" }\n\
                approval go of train.model { by: [\"a\"], environment: \"e\", timeout: 24h }\n\
                gate g on evaluate.report {\n  require regression(accuracy) <= 2%\n  baseline models@production\n  on no_baseline: ask go\n}\n\
                use \"x.mlp\" { y }\n";
    let mut client = opened();
    let text = format!("{TEXT}{more}");
    client.change(URI, 2, json!([{ "text": text }]));
    let mut hover = |word: &str| {
        let at = json!({ "textDocument": { "uri": URI }, "position": position(&text, word, 0) });
        client.ask("textDocument/hover", at)["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    for (word, written) in [
        ("on schedule", "on push { branches: [\"main\"] }"),
        ("schedule", "on schedule { cron: \"17 6 * * 1\", timezone: \"UTC\" }"),
        ("cron", "cron: \"17 6 * * 1\""),
        ("environment:", "environment: \"NAME\""),
        ("timeout:", "timeout: 24h"),
        ("regression", "require regression(auc_roc, relative) <= 2%"),
        ("baseline models", "baseline REGISTRY@POINTER"),
        ("on no_baseline", "on no_baseline: ask APPROVAL"),
        ("no_baseline", "on no_baseline: ask APPROVAL"),
        ("ask go", "ask APPROVAL"),
        ("higher", "NAME: TYPE higher"),
        ("use \"", "use \"FILE\" { NAMES }"),
    ] {
        let shown = hover(word);
        assert!(shown.starts_with(&format!("```mlp\n{written}\n```")), "{word}: {shown}");
    }
    client.ends();
}

#[test]
fn hover_shows_what_the_file_of_a_parameter_says_now() {
    let sandbox = Sandbox::new();
    sandbox.file("configs/train.yaml", "a: 1.0\n");
    let uri = format!("file://{}/p.mlp", sandbox.path().display());
    let text = "pipeline p\nedition 2026\nparam alpha: float from \"configs/train.yaml\" at \"/a\"\n\
                param beta: float from \"configs/train.yaml\" at \"/b\"\n\
                stage fit {\n  use alpha, beta\n  out m: File = \"m\"\n  run <<< fit $alpha $beta > $m >>>\n}\n";
    let mut client = Client::start(&[], "file:///nowhere");
    client.open(&uri, text);
    let hover = |client: &mut Client, word: &str| {
        let at = json!({ "textDocument": { "uri": uri }, "position": position(text, word, 0) });
        client.ask("textDocument/hover", at)["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    let shown = hover(&mut client, "alpha,");
    assert!(shown.ends_with("`float`, `1` unless given: `configs/train.yaml` at `/a`"), "{shown}");
    sandbox.file("configs/train.yaml", "a: 2.5\n");
    let shown = hover(&mut client, "alpha,");
    assert!(shown.contains("`2.5` unless given"), "{shown}");
    let shown = hover(&mut client, "beta\n");
    assert!(shown.ends_with("`float`, what `configs/train.yaml` says at `/b` unless given"), "{shown}");
    client.ends();
}
