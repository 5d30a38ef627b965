//! Names that mean something outside of the files: renaming refuses them, or says who else has to follow.

use serde_json::{Value, json};

use super::{Client, TEXT, URI, applied, position};

/// Asks for a renaming in a text.
fn rename(client: &mut Client, text: &str, (word, nth): (&str, usize), new: &str) -> Value {
    let at = json!({ "textDocument": { "uri": URI }, "position": position(text, word, nth), "newName": new });
    client.asked("textDocument/rename", at)
}

#[test]
fn a_pointer_and_a_registry_that_is_kept_by_its_name_are_not_renamed() {
    let gate = "gate fine on evaluate.report {\n  require accuracy >= 50%\n  require regression(accuracy) <= 2%\n  baseline models@production\n  \
                on no_baseline: pass\n}\n";
    let text = format!("{TEXT}{gate}");
    let mut client = Client::start(&[], "file:///nowhere");
    client.open(URI, &text);
    for nth in [0, 1] {
        let answer = rename(&mut client, &text, ("production", nth), "live_one");
        let said = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains("`production` is kept in the registry `models`"), "{answer}");
        assert!(said.contains("write its name by hand"), "{answer}");
    }
    // In a folder nothing is called by the registry's name.
    let answer = rename(&mut client, &text, ("models", 0), "released");
    let renamed = applied(&text, answer["result"]["changes"][URI].as_array().expect("edits"));
    assert_eq!(renamed, text.replace("models", "released"));
    // In a branch its folder is, also where a profile alone puts it there.
    let branch = "git(\"mlpc-registry\")";
    let shared = format!("{text}profile shared {{ set models = {branch} }}\n");
    for (version, text) in [(2, text.replace("directory(\"registry\")", branch)), (3, shared)] {
        client.change(URI, version, json!([{ "text": text }]));
        let answer = rename(&mut client, &text, ("models", 0), "released");
        let said = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains("the registry `models` is kept under this name"), "{answer}");
    }
    client.ends();
}

#[test]
fn renaming_what_is_called_so_outside_says_who_has_to_follow() {
    let text = "pipeline p\nedition 2026\non call { rate }\nparam rate: float = 0.5\nsecret hub_token\n\
                schema Rows { label: int in 0..1 }\nmetrics Quality {\n  auc: ratio higher\n  f1: ratio higher from \"/scores/f1\"\n}\n\
                source rows: Dataset<csv, Rows> = \"rows.csv\"\n\
                stage fit {\n  in rows\n  use rate\n  secret hub_token\n  out report: Metrics<Quality> = \"q.json\"\n  \
                run <<< fit \"$rows\" \"$hub_token\" \"$rate\" > \"$report\" >>>\n}\n\
                gate fine on fit.report { require auc >= 0.5\n require f1 >= 0.5 }\n";
    let mut client = Client::start(&[], "file:///nowhere");
    client.open(URI, text);
    let mut told = |word: &str, new: &str| {
        let answer = rename(&mut client, text, (word, 0), new);
        let renamed = applied(text, answer["result"]["changes"][URI].as_array().expect("edits"));
        assert_eq!(renamed.matches(new).count(), text.matches(word).count(), "{renamed}");
        let message = client.receive();
        assert_eq!(message["method"], "window/showMessage", "{message}");
        message["params"]["message"].as_str().expect("a text").to_owned()
    };
    assert_eq!(
        told("hub_token", "hf_key"),
        "`hub_token` is now looked for as `hf_key`: rename the variable and GitHub's secret `HUB_TOKEN` to `HF_KEY`, and the \
         key `hub_token` of Argo's Secret to `hf_key`"
    );
    assert_eq!(
        told("auc", "area"),
        "`auc` is now read at `/area` of the file: let what writes it follow, or keep the place with `from \"/auc\"`"
    );
    assert_eq!(told("label", "target"), "`label` is now `target` in the data too: let what writes it follow");
    assert_eq!(told("rate", "speed"), "`rate` is now `speed` in `on call` too: tell whose workflows call this one");
    // What has a place of its own is nobody else's.
    let answer = rename(&mut client, text, ("f1", 0), "balance");
    assert!(answer["result"]["changes"][URI].is_array(), "{answer}");
    client.ends();
}
