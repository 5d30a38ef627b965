//! Every diagnostic's page is run: what it says fails, fails with that code alone; what it says is right, is clean.

use mlpc::diagnostic::catalogue;

use crate::markdown::{blocks, check, completed, workspace};
use crate::sandbox::Ended;

#[test]
fn every_page_shows_its_own_code_and_a_clean_way_out() {
    let mut wrong = String::new();
    for code in catalogue::all() {
        let (name, page) = (code.name(), code.page());
        let mut shown = [0, 0];
        for block in blocks(page) {
            let words: Vec<_> = block.info.split_whitespace().collect();
            let problem = match words[..] {
                ["mlp"] => {
                    shown[1] += 1;
                    let (codes, _) = check(&block.text);
                    (!codes.is_empty()).then(|| format!("is not clean: {codes:?}"))
                }
                ["mlp", "fails", "check"] => {
                    shown[0] += 1;
                    let (codes, _) = check(&block.text);
                    let alone = !codes.is_empty() && codes.iter().all(|found| found == name);
                    (!alone).then(|| format!("gives {codes:?}"))
                }
                ["mlp", "fails", verb, ref rest @ ..] => {
                    shown[0] += 1;
                    fails_with(name, verb, rest, &block.text)
                }
                ["mlp", ..] => Some("has an unknown fence".to_owned()),
                _ => None,
            };
            if let Some(problem) = problem {
                wrong += &format!("{name}.md:{} `{}` {problem}\n", block.line, block.info);
            }
        }
        if !page.starts_with(&format!("# {name}\n\n")) {
            wrong += &format!("{name}.md does not begin with its name\n");
        }
        if shown.contains(&0) {
            wrong += &format!("{name}.md shows {} failing and {} right examples\n", shown[0], shown[1]);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Runs another verb than `check` on a snippet, and looks for the code in what it says.
fn fails_with(name: &str, verb: &str, rest: &[&str], snippet: &str) -> Option<String> {
    let sandbox = workspace(snippet);
    let Ended { code, stdout, stderr } = match verb {
        "compile" => sandbox.mlpc(&[&["compile", "--target"], rest, &["-o", "compiled"]].concat()),
        _ => {
            // Another pipeline beside it is the same one under another name.
            for other in rest.iter().filter(|file| file.ends_with(".mlp") && **file != "main.mlp") {
                let text =
                    completed(snippet).replace("pipeline example", &format!("pipeline {}", &other[..other.len() - 4]));
                sandbox.file(other, &text);
            }
            sandbox.mlpc(&[&[verb], rest].concat())
        }
    };
    let said = stdout + &stderr;
    (!said.contains(name)).then(|| format!("ends with {code} and says:\n{said}"))
}
