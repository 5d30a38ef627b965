//! The language server as an editor meets it: the program, driven over its protocol.

mod offers;
mod outside;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

struct Client {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: i64,
    /// Diagnostics that came while an answer was waited for.
    told: Vec<Value>,
}

impl Client {
    fn start(encodings: &[&str], root: &str) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_mlpc"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = server.stdin.take();
        let output = BufReader::new(server.stdout.take().expect("its output"));
        let mut client = Self { server, input, output, next: 0, told: Vec::new() };
        let answer = client.ask(
            "initialize",
            json!({
                "processId": null,
                "rootUri": null,
                "workspaceFolders": [{ "uri": root, "name": "work" }],
                "capabilities": { "general": { "positionEncodings": encodings } },
            }),
        );
        assert_eq!(answer["capabilities"]["positionEncoding"], *encodings.first().unwrap_or(&"utf-16"));
        client.tell("initialized", json!({}));
        client
    }

    fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    fn send_text(&mut self, text: &str) {
        let input = self.input.as_mut().expect("the server listens");
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server reads");
        input.flush().expect("the server reads");
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("a header") > 0, "the server went away");
            match line.trim() {
                "" => break,
                header => {
                    if let Some(value) = header.strip_prefix("Content-Length: ") {
                        length = value.parse().expect("a length");
                    }
                }
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Sends a request and returns the whole answer.
    fn asked(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.receive();
            if message["id"] == id {
                return message;
            }
            assert_eq!(message["method"], "textDocument/publishDiagnostics", "{message}");
            self.told.push(message["params"].clone());
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.asked(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Waits for the diagnostics of a version.
    fn diagnostics(&mut self, version: i64) -> Vec<Value> {
        loop {
            let at = self.told.iter().position(|told| told["version"] == version);
            if let Some(at) = at {
                let told = self.told.remove(at);
                return told["diagnostics"].as_array().expect("a list").clone();
            }
            let message = self.receive();
            assert_eq!(message["method"], "textDocument/publishDiagnostics", "{message}");
            self.told.push(message["params"].clone());
        }
    }

    /// Waits for the next diagnostics of a file; returns code, line from 1 and first line of the message of each.
    fn told_of(&mut self, uri: &str) -> Vec<String> {
        let told = loop {
            if let Some(at) = self.told.iter().position(|told| told["uri"] == uri) {
                break self.told.remove(at);
            }
            let message = self.receive();
            assert_eq!(message["method"], "textDocument/publishDiagnostics", "{message}");
            self.told.push(message["params"].clone());
        };
        let line = |one: &Value| {
            let message = one["message"].as_str().and_then(|text| text.lines().next()).unwrap_or_default();
            let line = one["range"]["start"]["line"].as_u64().map_or(0, |line| line + 1);
            format!("{} {line} {message}", one["code"].as_str().unwrap_or_default())
        };
        told["diagnostics"].as_array().expect("a list").iter().map(line).collect()
    }

    fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "languageId": "mlp", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.diagnostics(1)
    }

    fn change(&mut self, uri: &str, version: i64, changes: Value) -> Vec<Value> {
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
        self.diagnostics(version)
    }

    fn ends(mut self) {
        let answer = self.asked("shutdown", Value::Null);
        assert!(answer.get("error").is_none(), "{answer}");
        self.tell("exit", Value::Null);
        drop(self.input.take());
        assert!(self.server.wait().expect("it ends").success());
    }
}

const URI: &str = "file:///work/p.mlp";

const TEXT: &str = "pipeline example
edition 2026

## How many rounds.
param epochs: int in 1..500 = 20
const twice = 2 + 3
metrics Evaluation { accuracy: ratio higher }
source raw: Dataset<csv> = \"raw.csv\"
registry models = directory(\"registry\")

## Makes the model.
stage train {
  in  data = raw
  use epochs
  out model: Model<pickle> = \"m.pkl\"
  run <<< fit \"$data\" \"$epochs\" \"$model\" >>>
}

stage evaluate {
  in  model = train.model, data = raw
  out report: Metrics<Evaluation> of model over data as validation = \"r.json\"
  run [\"python\", \"e.py\", model, data, report, \"{twice}\"]
}

gate quality on evaluate.report { require accuracy >= 85% }
register release = train.model to models after quality
promote live = release to models@production
";

/// The position of the first letter of the `nth` occurrence of `word`.
fn position(text: &str, word: &str, nth: usize) -> Value {
    let (at, _) = text.match_indices(word).nth(nth).unwrap_or_else(|| panic!("`{word}` stands there"));
    let line = text[..at].matches('\n').count();
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": text[start..at].encode_utf16().count() })
}

fn place(word: &str, nth: usize) -> Value {
    json!({ "textDocument": { "uri": URI }, "position": position(TEXT, word, nth) })
}

fn opened() -> Client {
    let mut client = Client::start(&[], "file:///nowhere");
    let told = client.open(URI, TEXT);
    assert_eq!(told, Vec::<Value>::new());
    client
}

fn lines(locations: &Value) -> Vec<u64> {
    let mut lines: Vec<u64> = locations
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["range"]["start"]["line"].as_u64().expect("a line") + 1)
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn diagnostics_follow_what_is_typed() {
    let mut client = opened();
    let start = position(TEXT, "raw\n  use", 0);
    let end = json!({ "line": start["line"], "character": start["character"].as_u64().expect("a column") + 3 });
    let told = client.change(URI, 2, json!([{ "range": { "start": start, "end": end }, "text": "rww" }]));
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["code"], "unknown-name");
    assert_eq!(told[0]["range"], json!({ "start": start, "end": end }));
    assert_eq!(told[0]["severity"], 1);
    assert_eq!(told[0]["relatedInformation"][0]["location"]["range"]["start"], position(TEXT, "raw", 0));
    let told = client.change(URI, 3, json!([{ "range": { "start": start, "end": end }, "text": "raw" }]));
    assert_eq!(told, Vec::<Value>::new());
    let told = client.change(URI, 4, json!([{ "text": "stage" }]));
    assert!(!told.is_empty());
    let told = client.change(URI, 5, json!([{ "text": TEXT }]));
    assert_eq!(told, Vec::<Value>::new());
    client.ends();
}

#[test]
fn of_very_many_diagnostics_some_are_sent_and_the_rest_is_counted() {
    let mut client = opened();
    let unused: String = (0..700).map(|index| format!("param p{index}: int = 1\n")).collect();
    let told = client.change(URI, 2, json!([{ "text": format!("{TEXT}\n{unused}") }]));
    assert_eq!(told.len(), 501);
    let rest = told[500]["message"].as_str().expect("a text");
    assert_eq!(rest, "200 more are not shown; `mlpc check --format json` has them all");
    client.ends();
}

#[test]
fn hover_shows_the_declaration_the_doc_and_the_value() {
    let mut client = opened();
    let mut hover = |word, nth| {
        let hover = client.ask("textDocument/hover", place(word, nth));
        hover["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(hover("epochs\n", 0), @r"
    ```mlp
    param epochs: int in 1..500 = 20
    ```

    `int in 1..500`, `20` unless given

    How many rounds.
    ");
    insta::assert_snapshot!(hover("twice}", 0), @r"
    ```mlp
    const twice = 2 + 3
    ```

    `int`: `5`
    ");
    insta::assert_snapshot!(hover("model, data, report", 0), @r"
    ```mlp
    in  model = train.model, data = raw
    ```

    `train.model`: `Model<pickle>` at `m.pkl`
    ");
    insta::assert_snapshot!(hover("report {", 0), @r#"
    ```mlp
    out report: Metrics<Evaluation> = "r.json"
    ```

    of `model` over `data` as `validation`, in stage `evaluate`
    "#);
    insta::assert_snapshot!(hover("accuracy >=", 0), @r"
    ```mlp
    accuracy: ratio higher
    ```

    metric of `Evaluation`
    ");
    assert!(hover("require", 0).contains("require METRIC >= NUMBER"));
    client.ends();
}

#[test]
fn definition_and_references_follow_a_name_into_scripts() {
    let mut client = opened();
    assert_eq!(lines(&client.ask("textDocument/definition", place("model, data = raw\n", 0))), [15]);
    assert_eq!(lines(&client.ask("textDocument/definition", place("epochs", 2))), [5]);
    let references = |client: &mut Client, mut params: Value, own: bool| {
        params["context"] = json!({ "includeDeclaration": own });
        lines(&client.ask("textDocument/references", params))
    };
    assert_eq!(references(&mut client, place("epochs", 0), true), [5, 14, 16]);
    assert_eq!(references(&mut client, place("epochs", 0), false), [14, 16]);
    assert_eq!(references(&mut client, place("model: Model", 0), true), [15, 16, 20, 26]);
    assert_eq!(references(&mut client, place("accuracy", 0), true), [7, 25]);
    assert_eq!(references(&mut client, place("quality", 0), true), [25, 26]);
    client.ends();
}

#[test]
fn renaming_changes_every_place_and_refuses_what_clashes() {
    let mut client = opened();
    let rename = |client: &mut Client, mut params: Value, new: &str| {
        params["newName"] = json!(new);
        client.asked("textDocument/rename", params)
    };
    let answer = rename(&mut client, place("epochs", 0), "rounds");
    let edits = answer["result"]["changes"][URI].as_array().expect("edits").clone();
    assert_eq!(edits.len(), 3, "{answer}");
    let renamed = applied(TEXT, &edits);
    assert_eq!(renamed, TEXT.replace("epochs", "rounds"));
    let told = client.change(URI, 2, json!([{ "text": renamed }]));
    assert_eq!(told, Vec::<Value>::new());
    client.change(URI, 3, json!([{ "text": TEXT }]));
    for (new, why) in
        [("twice", "is taken"), ("Epochs", "is not spelt"), ("not", "is not spelt"), ("a b", "is not spelt")]
    {
        let answer = rename(&mut client, place("epochs", 0), new);
        assert!(answer["error"]["message"].as_str().is_some_and(|said| said.contains(why)), "{new}: {answer}");
    }
    let answer = rename(&mut client, place("data = raw", 0), "model");
    assert!(answer["error"]["message"].as_str().is_some_and(|said| said.contains("is taken")), "{answer}");
    client.ends();
}

/// Where a name is used in a way that the server does not follow, it says so, and changes nothing.
#[test]
fn a_renaming_that_would_leave_errors_is_refused() {
    let text = "pipeline p\nedition 2026\nschema Rows { label: int in 0..1 }\nsource rows: Dataset<csv, Rows> = \"rows.csv\"\n\
                param epochs: int = 3\nprofile smoke { set epochs = 1 }\n\
                stage fit {\n  in rows\n  use epochs\n  rerun when profile == \"smoke\"\n  out m: File = \"m\"\n  \
                run <<< fit \"$rows\" \"$epochs\" \"$m\" >>>\n}\nstage again = fit with { rows: rows, m: \"m2\" }\n\
                gate fine on rows {\n  require classes(label) >= 2\n}\n";
    // Also in what was never saved.
    for uri in [URI, "untitled:pipeline"] {
        refuses(uri, text);
    }
}

fn refuses(uri: &str, text: &str) {
    let mut client = Client::start(&[], "file:///nowhere");
    client.open(uri, text);
    let rename = |client: &mut Client, word: &str, nth: usize, new: &str| {
        let at = json!({ "textDocument": { "uri": uri }, "position": position(text, word, nth), "newName": new });
        client.asked("textDocument/rename", at)
    };
    for (word, nth, new) in [("label", 0, "target"), ("smoke", 0, "quick")] {
        let answer = rename(&mut client, word, nth, new);
        if let Some(edits) = answer["result"]["changes"][uri].as_array() {
            let renamed = applied(text, edits);
            let told = client.change(uri, 2, json!([{ "text": renamed }]));
            assert!(told.iter().all(|one| one["severity"] != 1), "{word}: {told:?}");
            client.change(uri, 3, json!([{ "text": text }]));
        } else {
            let said = answer["error"]["message"].as_str().unwrap_or_default();
            assert!(said.contains("it is used where it would not be renamed"), "{word}: {answer}");
        }
    }
    let answer = rename(&mut client, "epochs", 0, "rounds");
    assert_eq!(answer["result"]["changes"][uri].as_array().map(Vec::len), Some(4), "{answer}");
    client.change(uri, 4, json!([{ "text": format!("{text}gate {{\n") }]));
    let answer = rename(&mut client, "epochs", 0, "rounds");
    assert!(answer["error"]["message"].as_str().is_some_and(|said| said.contains("mend its faults first")), "{answer}");
    client.ends();
}

/// A variable of a script is followed where the shell reads it, and not where it is another program's or the script's own.
#[test]
fn renaming_follows_the_shell() {
    let text = "pipeline p\nedition 2026\nparam rate: int = 3\nstage fit {\n  use rate\n  out m: File = \"m\"\n  run <<<\n    \
                awk '{ print $rate }' f; echo \\$rate \"${#rate}\" ${rate:-1} > \"$m\"\n    cat <<'EOF'\n    $rate\n    EOF\n    \
                cat <<EOF\n    it's $rate\n    EOF\n  >>>\n}\n";
    let mut client = Client::start(&[], "file:///nowhere");
    client.open(URI, text);
    let rename = |client: &mut Client| {
        let at = json!({ "textDocument": { "uri": URI }, "position": position(text, "rate", 0), "newName": "speed" });
        client.asked("textDocument/rename", at)
    };
    let answer = rename(&mut client);
    let renamed = applied(text, answer["result"]["changes"][URI].as_array().expect("edits"));
    let wanted = text
        .replace("param rate", "param speed")
        .replace("use rate", "use speed")
        .replace("${#rate}\" ${rate:-1}", "${#speed}\" ${speed:-1}")
        .replace("it's $rate", "it's $speed");
    assert_eq!(renamed, wanted);
    client.change(URI, 2, json!([{ "text": text.replace("awk", "rate=2; echo $rate; awk") }]));
    let answer = rename(&mut client);
    assert!(
        answer["error"]["message"].as_str().is_some_and(|said| said.contains("a script sets a variable")),
        "{answer}"
    );
    client.ends();
}

/// Applies edits of ASCII texts.
fn applied(text: &str, edits: &[Value]) -> String {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let offset = |at: &Value| {
        let line = at["line"].as_u64().expect("a line") as usize;
        starts.get(line).map_or(text.len(), |start| start + at["character"].as_u64().expect("a column") as usize)
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().expect("a text"))
        })
        .collect();
    edits.sort_unstable();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

#[test]
fn completion_knows_where_it_is() {
    let mut client = opened();
    let mut version = 1;
    let mut labels = |typed: &str| {
        let offset = typed.find('|').expect("a mark");
        let text = typed.replacen('|', "", 1);
        version += 1;
        client.change(URI, version, json!([{ "text": text }]));
        let at = position(typed, "|", 0);
        assert!(offset <= text.len());
        let items = client.ask("textDocument/completion", json!({ "textDocument": { "uri": URI }, "position": at }));
        let items = items.as_array().expect("a list");
        items.iter().map(|item| item["label"].as_str().expect("a label").to_owned()).collect::<Vec<_>>()
    };
    assert!(labels(&format!("{TEXT}\n|")).contains(&"rollout".to_owned()));
    assert_eq!(labels(&TEXT.replace("data = raw\n  use", "data = raw, more = evaluate.|\n  use")), ["report"]);
    assert_eq!(labels(&TEXT.replace("use epochs", "use |")), ["epochs"]);
    assert_eq!(labels(&format!("{TEXT}\non push {{ |")), ["branches", "paths", "profile"]);
    assert_eq!(labels(&format!("{TEXT}\non pull_request {{ profile: smoke, |")), ["branches", "comment", "paths"]);
    assert_eq!(labels(&format!("{TEXT}\non pull_request {{ comment: [quality, |] }}")), ["evaluate", "train"]);
    assert_eq!(labels(&format!("{TEXT}\non pull_request {{ comment: [evaluate.|] }}")), ["report"]);
    assert_eq!(labels(&format!("{TEXT}\non manual {{ |")), ["epochs", "profile"]);
    assert_eq!(labels(&format!("{TEXT}\nprofile smoke {{ }}\non push {{ profile: |")), ["smoke"]);
    assert_eq!(labels(&format!("{TEXT}\napproval go of train.model {{ |")), ["by", "environment", "timeout"]);
    assert_eq!(labels(&format!("{TEXT}\ntarget |")), ["argo", "github"]);
    let asked = "approval go of train.model\ngate g on evaluate.report {\n  on no_baseline: ask |\n}";
    assert_eq!(labels(&format!("{TEXT}\n{asked}")), ["go"]);
    assert_eq!(labels(&format!("{TEXT}\n{}", asked.replace("ask |", "|"))), ["ask", "fail", "pass"]);
    let looped = "const where = [\"nord\", \"sued\"]\nstage s for w in where, n in [1, 2] { run <<< true >>> }\n";
    assert_eq!(labels(&format!("{TEXT}\n{looped}stage t {{\n  in x = s[|\n}}")), ["\"nord\"", "\"sued\"", "*"]);
    assert_eq!(labels(&format!("{TEXT}\n{looped}stage t {{\n  in x = s[\"nord\", |\n}}")), ["*", "1", "2"]);
    let clauses = labels(&TEXT.replace("  use epochs\n", "  |\n"));
    assert!(clauses.contains(&"retry".to_owned()) && !clauses.contains(&"require".to_owned()), "{clauses:?}");
    assert!(labels(&TEXT.replace("$data", "$|")).contains(&"epochs".to_owned()));
    assert!(labels(&TEXT.replace("require accuracy", "require |")).contains(&"accuracy".to_owned()));
    assert!(labels(&TEXT.replace("after quality", "after |")).contains(&"quality".to_owned()));
    assert!(labels(&TEXT.replace("model: Model<pickle>", "model: |")).contains(&"Dataset".to_owned()));
    assert_eq!(labels(&TEXT.replace("models@production", "models@|")), ["production"]);
    let formats = labels(&TEXT.replace("Model<pickle>", "Model<|>"));
    assert!(formats.contains(&"onnx".to_owned()) && !formats.contains(&"File".to_owned()), "{formats:?}");
    let clauses = labels(&TEXT.replace("  use epochs\n", "  use epochs\n  timeout 1h\n  |\n"));
    let offered = |word: &str| clauses.contains(&word.to_owned());
    assert!(offered("use") && offered("retry") && !offered("timeout") && !offered("run"), "{clauses:?}");
    let more = TEXT.replace("param epochs", "param rate: float = 0.1\nparam epochs");
    assert_eq!(labels(&more.replace("use epochs", "use epochs, |")), ["rate"]);
    assert_eq!(labels(&more.replace("use epochs", "use ra|, epochs")), ["rate"]);
    assert_eq!(labels(&TEXT.replace("use epochs", "timeout 4|")), Vec::<String>::new());
    let watch = |every: &str| format!("{TEXT}\nrollout shifted of release by canary {{\n  watch {every}\n}}\n");
    assert_eq!(labels(&watch("|")), ["raw"]);
    assert_eq!(labels(&watch("raw every |")), ["epochs", "twice"]);
    assert_eq!(labels(&watch("raw every 60| {\n  }")), Vec::<String>::new());
    let given = labels(&format!(
        "{TEXT}\nregister shipped = train.model to models\naction deploy of shipped {{\n  run <<<\n    deploy $|\n  >>>\n}}\n"
    ));
    assert!(
        ["digest", "model", "previous", "version"].iter().all(|name| given.contains(&(*name).to_owned())),
        "{given:?}"
    );
    assert_eq!(labels("# sta|"), Vec::<String>::new());
    client.ends();
}

#[test]
fn symbols_are_the_declarations_with_what_is_in_them() {
    let sandbox = Sandbox::new();
    sandbox.file("other/gates.mlp", "param from_a_closed_file: int = 1\n");
    let root = format!("file://{}", sandbox.path().display());
    let mut client = Client::start(&[], &root);
    client.open(URI, TEXT);
    let outline = client.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": URI } }));
    let names: Vec<&str> = outline.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    let all = [
        "example",
        "epochs",
        "twice",
        "Evaluation",
        "raw",
        "models",
        "train",
        "evaluate",
        "quality",
        "release",
        "live",
    ];
    assert_eq!(names, all);
    assert_eq!(outline[6]["children"][0]["name"], "model");
    let found = client.ask("workspace/symbol", json!({ "query": "frmclosed" }));
    assert_eq!(found[0]["name"], "from_a_closed_file");
    assert!(found[0]["location"]["uri"].as_str().is_some_and(|uri| uri.ends_with("/other/gates.mlp")), "{found}");
    let found = client.ask("workspace/symbol", json!({ "query": "evl" }));
    assert_eq!(found.as_array().map(Vec::len), Some(2), "{found}");
    client.ends();
}

#[test]
fn formatting_and_fixes_are_edits_that_do_what_the_commands_do() {
    let mut client = opened();
    let odd =
        TEXT.replace("  use epochs\n", "      use epochs   \n\n\n").replace("stage evaluate {", "stage evaluate{");
    client.change(URI, 2, json!([{ "text": odd }]));
    let options = json!({ "textDocument": { "uri": URI }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = client.ask("textDocument/formatting", options.clone());
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", &odd);
    assert_eq!(sandbox.mlpc(&["fmt", "p.mlp"]).code, 0);
    assert_eq!(applied(&odd, edits.as_array().expect("edits")), sandbox.read("p.mlp"));

    let slips = TEXT.replace("data = raw\n  use", "data = rww\n  use").replace("\"$epochs\"", "\"$epchs\"");
    let told = client.change(URI, 3, json!([{ "text": slips }]));
    let codes: Vec<&str> = told.iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(codes, ["unknown-name", "unused-in-command", "unknown-variable"]);
    assert_eq!(client.ask("textDocument/formatting", options.clone()), json!([]));
    let range = told[0]["range"].clone();
    let params = json!({ "textDocument": { "uri": URI }, "range": range, "context": { "diagnostics": [] } });
    let actions = client.ask("textDocument/codeAction", params);
    assert_eq!(actions[0]["title"], "write `raw` instead of `rww`");
    assert_eq!(actions[0]["diagnostics"][0]["code"], "unknown-name");
    assert_eq!(actions[1]["kind"], "source.fixAll");
    let all = actions[1]["edit"]["changes"][URI].as_array().expect("edits");
    assert_eq!(applied(&slips, all), TEXT);
    client.change(URI, 4, json!([{ "text": "stage {" }]));
    assert_eq!(client.ask("textDocument/formatting", options), Value::Null);
    client.ends();
}

#[test]
fn positions_are_counted_as_agreed_and_line_ends_may_be_crlf() {
    let text = "\u{feff}pipeline example\r\nedition 2026\r\nstage a {\r\n  out t: File = \"é😀.txt\" of x\r\n  run [t]\r\n}\r\n";
    for (encoding, column) in [("utf-16", 26), ("utf-8", 29)] {
        let mut client = Client::start(&[encoding], "file:///nowhere");
        let told = client.open(URI, text);
        let start = &told[0]["range"]["start"];
        assert_eq!((start["line"].as_u64(), start["character"].as_u64()), (Some(3), Some(column)), "{told:?}");
        let range =
            json!({ "start": { "line": 3, "character": column - 1 }, "end": { "line": 3, "character": column + 4 } });
        let told = client.change(URI, 2, json!([{ "range": range, "text": "" }]));
        assert_eq!(told, Vec::<Value>::new());
        client.ends();
    }
}

#[test]
fn files_of_a_workspace_are_one_and_unsaved_text_counts() {
    let sandbox = Sandbox::new();
    sandbox.file("gates/common.mlp", "## Shared.\nparam limit: float = 0.5\n");
    let root = format!("file://{}", sandbox.path().display());
    let (pipeline, module) = (format!("{root}/p.mlp"), format!("{root}/gates/common.mlp"));
    let mut client = Client::start(&[], &root);
    let text = "pipeline p\nedition 2026\nuse \"gates/common.mlp\" { limit }\nconst twice = limit\n";
    client.open(&pipeline, text);
    let at = json!({ "textDocument": { "uri": pipeline }, "position": position(text, "limit", 1) });
    let found = client.ask("textDocument/definition", at.clone());
    assert_eq!((found[0]["uri"].as_str(), found[0]["range"]["start"]["line"].as_u64()), (Some(&*module), Some(1)));
    client.open(&module, "\n\nparam limit: float = 0.5\n");
    let found = client.ask("textDocument/definition", at.clone());
    assert_eq!(found[0]["range"]["start"]["line"], 2, "the text that is being typed, not the file");
    let mut rename = at;
    rename["newName"] = json!("bound");
    let answer = client.ask("textDocument/rename", rename);
    assert_eq!(answer["changes"][&pipeline].as_array().map(Vec::len), Some(2), "{answer}");
    assert_eq!(answer["changes"][&module].as_array().map(Vec::len), Some(1), "{answer}");
    client.ends();
}

#[test]
fn what_comes_from_a_module_is_known_as_what_is_declared_here() {
    let sandbox = Sandbox::new();
    let shared = "metrics Quality { auc: ratio higher }\n## Splits rows.\nstage prepare {\n  out train: Dataset<csv> = \"train.csv\"\n  \
                  out report: Metrics<Quality> = \"q.json\"\n  run <<< touch \"$train\" \"$report\" >>>\n}\nparam rounds: int = 3\n";
    sandbox.file("gates/common.mlp", shared).file("src/a.py", "").file("src/b.py", "");
    let root = format!("file://{}", sandbox.path().display());
    let (pipeline, module) = (format!("{root}/p.mlp"), format!("{root}/gates/common.mlp"));
    let text = "pipeline p\nedition 2026\nuse \"gates/common.mlp\" { prepare, Quality }\nexternal event \"again\"\n\
                on event \"again\" { reason: string }\nstage fit {\n  in rows = prepare.train\n  out m: File = \"m\"\n  \
                run <<< cp \"$rows\" \"$m\" >>>\n}\ngate fine on prepare.report {\n  require auc >= 0.5\n}\n";
    let mut client = Client::start(&[], &root);
    client.open(&pipeline, text);
    let at = |text: &str, word: &str, nth: usize| json!({ "textDocument": { "uri": pipeline }, "position": position(text, word, nth) });
    // Hover shows the declaration, with where it stands.
    let hover = |client: &mut Client, word: &str, nth: usize| {
        let shown = client.ask("textDocument/hover", at(text, word, nth));
        shown["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    let shown = hover(&mut client, "prepare", 1);
    for wanted in ["stage prepare {", "Splits rows.", "from `gates/common.mlp`"] {
        assert!(shown.contains(wanted), "{shown}");
    }
    assert!(hover(&mut client, "train", 0).contains("out train: Dataset<csv> = \"train.csv\""));
    assert!(hover(&mut client, "auc", 0).contains("metric of `Quality`"));
    // Definition leads to the module.
    for (word, nth, line) in [("prepare", 1, 2), ("train", 0, 3), ("auc", 0, 0)] {
        let found = client.ask("textDocument/definition", at(text, word, nth));
        let place = (found[0]["uri"].as_str(), found[0]["range"]["start"]["line"].as_u64());
        assert_eq!(place, (Some(&*module), Some(line)), "{word}: {found}");
    }
    // Renaming an output or a metric changes both files.
    for (word, new, here, there) in [("train", "rows_in", 1, 2), ("auc", "area", 1, 1)] {
        let mut rename = at(text, word, 0);
        rename["newName"] = json!(new);
        let answer = client.ask("textDocument/rename", rename);
        let edits = |uri: &str| answer["changes"][uri].as_array().map_or(0, Vec::len);
        assert_eq!((edits(&pipeline), edits(&module)), (here, there), "{word}: {answer}");
    }
    assert_eq!(client.receive()["method"], "window/showMessage", "of the metric");
    // Completion offers them.
    let mut version = 1;
    let mut labels = |typed: &str| {
        version += 1;
        client.change(&pipeline, version, json!([{ "text": typed.replacen('|', "", 1) }]));
        let items = client.ask("textDocument/completion", at(typed, "|", 0));
        let items = items.as_array().expect("a list").iter();
        items.map(|item| item["label"].as_str().expect("a label").to_owned()).collect::<Vec<_>>()
    };
    assert!(labels(&text.replace("prepare.train", "|")).contains(&"prepare".to_owned()));
    assert_eq!(labels(&text.replace("prepare.train", "prepare.|")), ["report", "train"]);
    assert_eq!(labels(&text.replace("m: File", "m: Metrics<|>")), ["Quality"]);
    assert!(labels(&text.replace("require auc", "require |")).contains(&"auc".to_owned()));
    assert!(labels(&text.replace("stage fit {", "stage fit after | {")).contains(&"prepare".to_owned()));
    assert_eq!(labels(&text.replace("prepare, Quality", "prepare, Quality, |")), ["rounds"]);
    assert_eq!(labels(&text.replace("gates/common.mlp", "|")), ["gates/", "src/"]);
    assert_eq!(labels(&text.replace("gates/common.mlp", "gates/|")), ["common.mlp"]);
    assert_eq!(labels(&text.replace("  out m:", "  code \"src/a.py\", \"src/|\"\n  out m:")), ["a.py", "b.py"]);
    client.ends();
}

#[test]
fn what_a_comment_names_is_renamed_with_its_declaration() {
    let mut client = opened();
    let text = format!("{TEXT}on pull_request {{ comment: [quality, evaluate.report] }}\n");
    client.change(URI, 2, json!([{ "text": text }]));
    for (word, at, new) in [("quality", place("quality", 0), "good"), ("report", place("report: Metrics", 0), "page")] {
        let mut params = at;
        params["newName"] = json!(new);
        let answer = client.ask("textDocument/rename", params);
        let edits = answer["changes"][URI].as_array().expect("edits").clone();
        let renamed = applied(&text, &edits);
        let last = renamed.lines().last().expect("the trigger");
        assert!(last.contains(new) && !last.contains(word), "{renamed}");
    }
    client.ends();
}

#[test]
fn renaming_a_parameter_renames_the_fields_of_events_that_set_it_and_says_so() {
    let mut client = opened();
    let more = "external event \"retrain\"\non event \"retrain\" { epochs: int, reason: string }\non manual { epochs }\n\
                profile smoke { set epochs = 1 }\n";
    let text = format!("{TEXT}{more}");
    client.change(URI, 2, json!([{ "text": text }]));
    let mut params = place("epochs", 0);
    params["newName"] = json!("rounds");
    let answer = client.ask("textDocument/rename", params);
    let edits = answer["changes"][URI].as_array().expect("edits").clone();
    assert_eq!(applied(&text, &edits), text.replace("epochs", "rounds"));
    let message = client.receive();
    assert_eq!(message["method"], "window/showMessage");
    let said = "`epochs` is now `rounds` in the payload of `retrain` too: tell who sends it";
    assert_eq!(message["params"]["message"], said);
    client.ends();
}

#[test]
fn an_unsaved_module_is_what_the_pipeline_is_checked_with() {
    let sandbox = Sandbox::new();
    let good = "source raw: Dataset<csv> = \"raw.csv\"\ngate fine on raw { require rows >= 1 }\n";
    sandbox.file("gates/common.mlp", good);
    let root = format!("file://{}", sandbox.path().display());
    let (pipeline, module) = (format!("{root}/p.mlp"), format!("{root}/gates/common.mlp"));
    let mut client = Client::start(&[], &root);
    let none: [&str; 0] = [];
    let document = |uri: &str, text: &str| json!({ "uri": uri, "languageId": "mlp", "version": 1, "text": text });
    let text = "pipeline p\nedition 2026\n\nuse \"gates/common.mlp\" { fine }\n";
    client.tell("textDocument/didOpen", json!({ "textDocument": document(&pipeline, text) }));
    assert_eq!(client.told_of(&pipeline), none);
    client.tell("textDocument/didOpen", json!({ "textDocument": document(&module, good) }));
    assert_eq!((client.told_of(&module), client.told_of(&pipeline)), (vec![], vec![]));
    // Typed, not saved: both files say it, each at its own place.
    let typed = |client: &mut Client, version: i64, text: &str| {
        let document = json!({ "uri": module, "version": version });
        let changes = json!([{ "text": text }]);
        client.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
        (client.told_of(&module), client.told_of(&pipeline))
    };
    let (there, here) = typed(&mut client, 2, &good.replace("rows", "rwos"));
    assert_eq!(there.len(), 1, "{there:?}");
    assert!(here.len() == 1 && here[0].contains(" 4 in `") && here[0].contains("common.mlp`: "), "{here:?}");
    let (there, here) = typed(&mut client, 3, &good.replace("gate fine", "gate good"));
    assert!(there.is_empty() && here.len() == 1 && here[0].starts_with("unknown-name 4 "), "{there:?} {here:?}");
    assert_eq!(typed(&mut client, 4, good), (vec![], vec![]));
    // Closed without being saved, the file counts again.
    let _ = typed(&mut client, 5, "source raw: Dataset<csv> = \"raw.csv\"\n");
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": module } }));
    assert_eq!((client.told_of(&module), client.told_of(&pipeline)), (vec![], vec![]));
    client.ends();
}

#[test]
fn what_the_folder_tells_is_told_and_told_anew_when_it_moved() {
    let sandbox = Sandbox::new();
    sandbox.file("src/train.py", "").file("configs/model.yaml", "train:\n  lr: 3\n");
    sandbox.file("mlpc.lock", "not a lock");
    let root = format!("file://{}", sandbox.path().display());
    let pipeline = format!("{root}/p.mlp");
    let text = r#"pipeline p
edition 2026

param lr: float in >0.0..1.0 from "configs/model.yaml" at "/train/lr"
runtime py { python: "3.11", requirements: "requirements.txt" }

stage train {
  code "src/train.py", "src/model.py"
  use  lr
  out  model: Model<pickle> = "model.pkl"
  run <<< python src/train.py "$lr" "$model" >>>
}

target github {
  raw: {
    train: <<<
      env:
        OMP_NUM_THREADS: 4
      needs: [other]
    >>>
  }
}
target gitlab { }
"#;
    let mut client = Client::start(&[], &root);
    client.open(&pipeline, text);
    // `check` says the same at the same places.
    sandbox.file("p.mlp", text);
    let checked = sandbox.mlpc(&["check", "--format", "json"]);
    let json: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    let place = |one: &Value| (one["code"].clone(), one["labels"][0]["start"]["line"].clone());
    let said: Vec<_> = json["diagnostics"].as_array().expect("a list").iter().map(place).collect();
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": pipeline } }));
    let told = client.told_of(&pipeline);
    let places = |told: &[String]| {
        let words = told.iter().map(|line| line.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>());
        words.map(|words| (json!(words[0]), json!(words[1].parse::<u64>().expect("a line")))).collect::<Vec<_>>()
    };
    assert_eq!(places(&told), said);
    let codes = ["param-file 4", "not-locked 5", "nothing-matches 8", "raw-owned 19", "unknown-name 23"];
    assert!(told.iter().zip(codes).all(|(line, code)| line.starts_with(code)) && told.len() == codes.len(), "{told:?}");
    // Mended around the text, which stays as it is.
    sandbox.file("src/model.py", "").file("configs/model.yaml", "train:\n  lr: 0.5\n");
    std::fs::remove_file(sandbox.path().join("mlpc.lock")).expect("removed");
    client.tell("workspace/didChangeWatchedFiles", json!({ "changes": [] }));
    let told = client.told_of(&pipeline);
    assert!(
        told.len() == 2 && told[0].starts_with("raw-owned 19") && told[1].starts_with("unknown-name 23"),
        "{told:?}"
    );
    client.ends();
}

#[test]
fn what_makes_no_sense_is_refused_and_the_server_lives() {
    let mut client = opened();
    let nonsense = [
        ("textDocument/hover", json!({})),
        ("no/such/method", json!([])),
        (
            "textDocument/rename",
            json!({ "textDocument": { "uri": URI }, "position": { "line": 0, "character": 0 }, "newName": "x" }),
        ),
    ];
    for (method, params) in nonsense {
        assert!(client.asked(method, params).get("error").is_some(), "{method}");
    }
    client.tell(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": "file:///unknown", "version": 2 }, "contentChanges": [{ "text": "" }] }),
    );
    client.tell("textDocument/didOpen", json!(3));
    client.tell("$/setTrace", json!({}));
    let far = json!({ "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 });
    let range = json!({ "start": far, "end": { "line": 0, "character": 0 } });
    client.change(URI, 2, json!([{ "range": range, "text": "\u{0}{{{<<<\"" }]));
    for method in ["textDocument/hover", "textDocument/definition", "textDocument/completion"] {
        client.ask(method, json!({ "textDocument": { "uri": URI }, "position": far }));
    }
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": URI } }));
    client.ends();
}

#[test]
fn half_an_emoji_is_one_unit_of_the_text() {
    let mut client = opened();
    // No text of ours can hold half a pair, so that `HALF` is put in its place.
    let mut change = |version: i64, from: (u32, u32), to: (u32, u32), text: &str, half: &str| {
        let place = |(line, character)| json!({ "line": line, "character": character });
        let range = json!({ "start": place(from), "end": place(to) });
        let message = json!({
            "jsonrpc": "2.0",
            "method": "textDocument/didChange",
            "params": {
                "textDocument": { "uri": URI, "version": version },
                "contentChanges": [{ "range": range, "text": text }],
            },
        });
        client.send_text(&message.to_string().replace("HALF", half));
        client.diagnostics(version)
    };
    assert_eq!(change(2, (0, 0), (0, 0), "# aHALFb\n", "\\ud83d"), Vec::<Value>::new());
    assert_eq!(change(3, (0, 4), (0, 4), "HALF", "\\ude00"), Vec::<Value>::new());
    let told = change(4, (0, 3), (1, 0), "b\nx", "");
    assert_eq!(told.first().map(|told| told["range"]["start"].clone()), Some(json!({ "line": 1, "character": 0 })));
    assert_eq!(change(5, (0, 0), (1, 1), "", ""), Vec::<Value>::new());
    client.ends();
}
