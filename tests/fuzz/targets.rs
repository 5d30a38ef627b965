//! What holds for any input; a claim that does not hold panics.

use lsp_server::{Connection, Message, Notification, Request};
use mlpc::compile;
use mlpc::diagnostic::{Diagnostic, edits};
use mlpc::gate::{BaselineFile, json, junit};
use mlpc::import::{self, Files, dvc};
use mlpc::source::{FileId, Sources};
use mlpc::syntax::{self, Incremental, cursor};
use serde_json::json as value;

use crate::corpus::Kind;
use crate::mutate::Random;

/// Gives an input to everything that reads its kind.
pub(crate) fn try_all(kind: Kind, input: &[u8], random: &mut Random) {
    let text = String::from_utf8_lossy(input).into_owned();
    match kind {
        Kind::Mlp => mlp(&text, random),
        Kind::Json => {
            if let Ok(read) = json::parse(input) {
                for pointer in ["", "/auc", "/latency/p99_ms", "/a~1b/0", "//", "/s~2"] {
                    let _ = read.at(pointer);
                }
            }
            let _ = BaselineFile::from_json(&text, "baseline", "models", "production");
        }
        Kind::Junit => {
            let _ = junit::count(input);
        }
        Kind::Dvc => imported(&text),
        Kind::Lock => {
            let _ = mlpc::runtime::LockFile::parse(&text);
        }
    }
}

fn mlp(text: &str, random: &mut Random) {
    let parsed = syntax::parse(FileId(0), text);
    let boundary =
        |at: u32| assert!(text.is_char_boundary(at as usize), "a place at byte {at} is inside of a character");
    for item in &parsed.file.items {
        boundary(item.span.start);
        boundary(item.span.end);
    }
    places(text, &parsed.diagnostics);
    if parsed.diagnostics.iter().all(|one| !one.is_error()) {
        let formatted = syntax::fmt::format(FileId(0), text).expect("what parses formats");
        let again = syntax::fmt::format(FileId(0), &formatted).expect("what is formatted parses");
        assert_eq!(formatted, again, "formatting twice changes something");
        let tree = syntax::parse(FileId(0), &formatted).file;
        assert!(syntax::fmt::same_tree(&parsed.file, &tree), "formatting changes the tree to\n{formatted}");
    }
    let sources = Sources::single("fuzz.mlp", text);
    let compiled = compile::compile(&sources);
    places(text, &compiled.diagnostics);
    let taken = edits::of_file(&compiled.diagnostics, FileId(0));
    let _ = edits::apply(text, taken.iter().filter_map(|one| one.fix.as_ref()));
    let at = boundary_before(text, random.below(text.len() + 1));
    let found = cursor::cursor(text, at);
    assert!(found.word.end == at && text.is_char_boundary(found.word.start), "the word at {at} is {:?}", found.word);
    let cut = boundary_before(text, random.below(text.len() + 1));
    let shorter = format!("{}{}", &text[..cut.min(at)], &text[cut.max(at)..]);
    let mut tree = Incremental::new(FileId(0), text);
    tree.edit(text, &shorter);
    let fresh = syntax::parse(FileId(0), &shorter);
    assert!(format!("{:?}", tree.parsed()) == format!("{fresh:?}"), "an edit gives another tree than a parse");
    if random.below(8) == 0 {
        served(text, &shorter, random);
    }
}

fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn places(text: &str, diagnostics: &[Diagnostic]) {
    for one in diagnostics {
        assert!(!one.message.is_empty(), "`{}` says nothing", one.code.name());
        let fix = one.fix.iter().map(|fix| fix.span);
        for span in one.labels.iter().map(|label| label.span).chain(fix) {
            assert!(span.start <= span.end, "`{}` is at {span:?}", one.code.name());
            assert!(text.get(span.range()).is_some(), "`{}` is at {span:?}, inside of a character", one.code.name());
        }
    }
}

/// Opens the text in a language server, changes it and asks for everything at some place.
fn served(text: &str, then: &str, random: &mut Random) {
    let (server, client) = Connection::memory();
    let uri = "file:///fuzz/p.mlp";
    let line = random.below(text.lines().count() + 1);
    let at = value!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": random.below(60) }, "newName": "renamed",
        "context": { "includeDeclaration": true, "diagnostics": [] }, "options": { "tabSize": 2, "insertSpaces": true },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": line, "character": 3 } }, "query": "a" });
    let tell = |method: &str, params| {
        client.sender.send(Notification::new(method.to_owned(), params).into()).expect("the server listens")
    };
    let ask = |id: i32, method: &str, params| {
        client.sender.send(Request::new(id.into(), method.to_owned(), params).into()).expect("the server listens");
    };
    ask(0, "initialize", value!({ "capabilities": {} }));
    tell("initialized", value!({}));
    tell(
        "textDocument/didOpen",
        value!({ "textDocument": { "uri": uri, "languageId": "mlp", "version": 1, "text": text } }),
    );
    let methods = [
        "hover",
        "completion",
        "definition",
        "references",
        "rename",
        "prepareRename",
        "documentSymbol",
        "codeAction",
        "formatting",
    ];
    for (id, method) in methods.iter().enumerate() {
        ask(id as i32 + 1, &format!("textDocument/{method}"), at.clone());
    }
    tell(
        "textDocument/didChange",
        value!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": then }] }),
    );
    for (id, method) in methods.iter().enumerate() {
        ask(id as i32 + 100, &format!("textDocument/{method}"), at.clone());
    }
    ask(1000, "shutdown", value!(null));
    tell("exit", value!(null));
    mlpc::lsp::serve(&server).expect("the conversation is by the protocol");
    drop(server);
    let answers = client.receiver.iter().filter(|message| matches!(message, Message::Response(_))).count();
    assert_eq!(answers, 2 + 2 * methods.len(), "every request is answered");
}

/// A project of one file, beside parameters that it may name.
struct Project<'t>(&'t str);

impl Files for Project<'_> {
    fn read(&self, path: &str) -> Option<String> {
        match path {
            "dvc.yaml" => Some(self.0.to_owned()),
            "params.yaml" => Some("seed: 1\nmodel: { lr: 0.1 }\n".to_owned()),
            _ => None,
        }
    }

    fn kind(&self, path: &str) -> Option<import::Kind> {
        self.read(path).map(|_| import::Kind::File)
    }

    fn below(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn imported(text: &str) {
    if let Ok(imported) = dvc::import(&Project(text), "dvc.yaml", "fuzz") {
        let _ = compile::compile(&Sources::single("fuzz.mlp", imported.text));
    }
}
