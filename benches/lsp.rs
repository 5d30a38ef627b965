//! `cargo bench --bench lsp`: how long an edit waits for its diagnostics, with the language server in this process. A letter
//! is typed into a stage in the middle and taken back, a tenth of a second after the one before; the median and the worst of all edits.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

mod support;

use std::time::{Duration, Instant};

use lsp_server::{Connection, Message, Notification, Request};
use serde_json::{Value, json};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Between two letters.
const PAUSE: Duration = Duration::from_millis(100);

fn main() {
    println!("| stages | open ms | edit ms, median | worst | hover ms | completion ms |");
    println!("|---:|---:|---:|---:|---:|---:|");
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    for stages in if sizes.is_empty() { vec![1_000, 10_000] } else { sizes } {
        let (server, client) = Connection::memory();
        let served = std::thread::spawn(move || mlpc::lsp::serve(&server));
        measure(&client, stages);
        served.join().expect("the server ends").expect("by the protocol");
    }
}

fn tell(client: &Connection, method: &str, params: Value) {
    client.sender.send(Notification::new(method.to_owned(), params).into()).expect("the server listens");
}

fn ask(client: &Connection, id: i32, method: &str, params: Value) {
    client.sender.send(Request::new(id.into(), method.to_owned(), params).into()).expect("the server listens");
    while !matches!(client.receiver.recv().expect("an answer"), Message::Response(_)) {}
}

/// Waits for the diagnostics of a version.
fn diagnosed(client: &Connection, version: i64) {
    loop {
        if let Message::Notification(told) = client.receiver.recv().expect("the server talks")
            && told.params["version"] == version
        {
            return;
        }
    }
}

/// Makes the folder of a pipeline that has nothing wrong: with the files that its stages name.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files: Vec<String> = (0..7).map(|step| format!("src/step_{step}.py")).collect();
    files.extend(["src/common/tables.py".to_owned(), "data/raw.csv".to_owned()]);
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        std::fs::write(path, "").expect("a file");
    }
    folder
}

fn measure(client: &Connection, stages: usize) {
    let folder = workspace();
    let uri = format!("file://{}/p.mlp", folder.path().display());
    let text = support::pipeline(stages);
    let line = text[..text.len() / 2].matches('\n').count();
    let line = line + text.lines().skip(line).position(|line| line.starts_with("  code ")).expect("a stage follows");
    ask(client, 0, "initialize", json!({ "capabilities": {} }));
    tell(client, "initialized", json!({}));
    let began = Instant::now();
    tell(
        client,
        "textDocument/didOpen",
        json!({ "textDocument": { "uri": uri, "languageId": "mlp", "version": 1, "text": text } }),
    );
    diagnosed(client, 1);
    let opened = began.elapsed().as_secs_f64() * 1e3;
    let mut times = Vec::new();
    for round in 0..20_i64 {
        let typed = round % 2 == 0;
        let end = if typed { 8 } else { 9 };
        let range = json!({ "start": { "line": line, "character": 8 }, "end": { "line": line, "character": end } });
        // Nobody types faster; what was found out of the text before is freed meanwhile.
        std::thread::sleep(PAUSE);
        let change = json!([{ "range": range, "text": if typed { "x" } else { "" } }]);
        let began = Instant::now();
        tell(
            client,
            "textDocument/didChange",
            json!({ "textDocument": { "uri": uri, "version": round + 2 }, "contentChanges": change }),
        );
        diagnosed(client, round + 2);
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": 4 } });
    let mut asked = Vec::new();
    for (id, method) in ["textDocument/hover", "textDocument/completion"].into_iter().enumerate() {
        let began = Instant::now();
        ask(client, id as i32 + 1, method, at.clone());
        asked.push(began.elapsed().as_secs_f64() * 1e3);
    }
    println!(
        "| {stages} | {opened:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
        times[times.len() / 2],
        times[times.len() - 1],
        asked[0],
        asked[1]
    );
    ask(client, 9, "shutdown", Value::Null);
    tell(client, "exit", Value::Null);
}
