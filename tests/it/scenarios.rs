//! What teams do: every line of the book's page names a declaration, which stands where it says.

use mlpc::compile::compile;
use mlpc::source::{FileId, Sources};
use mlpc::syntax::fmt;

use crate::sandbox::repository;

/// Returns the cells of the page's rows, without the heads of its tables.
fn rows() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(repository().join("book/src/scenarios.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what |"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
        .collect()
}

#[test]
fn every_declaration_of_the_page_stands_where_it_says() {
    let rows = rows();
    assert!(rows.len() > 80, "{}", rows.len());
    let mut wrong = String::new();
    for row in &rows {
        let [what, file, declaration, state] = &row[..] else { panic!("a row has four cells: {row:?}") };
        if state == "not yet" {
            assert!(file.is_empty() && declaration.is_empty(), "{what}: what is not yet stands nowhere");
            continue;
        }
        assert!(["runs", "checked"].contains(&&**state), "{what}: {state}");
        let text = std::fs::read_to_string(repository().join(file)).unwrap_or_default();
        // Columns are aligned in a file, and not in a table.
        let plain = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.lines().any(|line| plain(line).starts_with(&plain(declaration))) {
            wrong += &format!("{what}: {file} has no line `{declaration}`\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_no_example_has_a_place_for_is_clean_and_formatted() {
    let text = std::fs::read_to_string(repository().join("tests/fixtures/scenarios/main.mlp")).expect("the fixture");
    let sources = Sources::single("main.mlp", text.clone());
    let compiled = compile(&sources);
    assert!(compiled.plan.is_some(), "{}", crate::compile::listed(&sources, &compiled.diagnostics));
    assert_eq!(compiled.diagnostics.len(), 0, "{}", crate::compile::listed(&sources, &compiled.diagnostics));
    assert_eq!(fmt::format(FileId(0), &text).ok().as_deref(), Some(text.as_str()));
}
