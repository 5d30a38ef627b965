//! Where declarations begin and end, and what is said where brackets do not fit.

use super::*;

/// Cuts a text; returns the declarations, and the code and place of each fault.
fn cut(text: &str) -> (Vec<&str>, Vec<(&'static str, u32)>) {
    let mut diagnostics = Vec::new();
    let chunks = split(FileId(0), text, &mut diagnostics);
    let faults = diagnostics.iter().map(|diagnostic| (diagnostic.code.name(), diagnostic.span().start)).collect();
    (chunks.iter().map(|chunk| &text[chunk.start as usize..chunk.end as usize]).collect(), faults)
}

#[test]
fn a_declaration_goes_on_over_lines_that_are_indented_bracketed_or_begin_with_its_words() {
    let items = [
        "stage a for x in l\n  when y\nafter b\n{\n run <<< x >>> }",
        "const b =\nc",
        "const d = [\ne,\nf\n]",
        "gate g\n  on a.b { }",
        "param p: int\n  # why\n  from 'x'\n  at 'y'",
        "secret s",
        "secret t",
    ];
    assert_eq!(cut(&items.join("\n")), (items.to_vec(), vec![]));
    assert_eq!(cut(&items.join("\r\n\r\n# c\r\n")), (items.to_vec(), vec![]));
}

#[test]
fn an_indented_declaration_is_one_where_it_looks_like_one() {
    assert_eq!(cut("  const a = 1\n  const b = 2\n   stage c {}").0, ["const a = 1", "const b = 2", "stage c {}"]);
}

#[test]
fn brackets_quotes_and_hashes_in_text_count_for_nothing() {
    let items = [
        "const a = \"} # \\\" {f(\"}\", '}')} (\"",
        "const b = '} # \\'",
        "const c = <<< } # ' >>>",
        "stage d { run <<<\n } ' \"\nstage e of things\nfor x in y\nuse strict\n >>>\n# }\n}",
        "stage f { run <<<EOF\n>>>\nstage g {\n EOF>>>\n}",
    ];
    assert_eq!(cut(&items.join("\n")), (items.to_vec(), vec![]));
}

#[test]
fn docs_before_a_declaration_are_its_own_and_others_are_nobodys() {
    let text = "## one\n\n# plain\n## two\nconst a = 1\n## lost\n  + 2\nconst b = 3\n## end\n";
    let chunks = split(FileId(0), text, &mut Vec::new());
    let docs: Vec<_> =
        chunks.iter().map(|chunk| chunk.docs.map(|(start, end)| &text[start as usize..end as usize])).collect();
    assert_eq!(docs, [Some("## one\n\n# plain\n## two"), None]);
}

#[test]
fn an_unclosed_bracket_ends_at_the_next_declaration() {
    assert_eq!(
        cut("stage a {\n needs {\n}\nstage b {}"),
        (vec!["stage a {\n needs {\n}", "stage b {}"], vec![("unclosed", 8)])
    );
    assert_eq!(cut("stage a { f( }\nstage b {}").1, [("unclosed", 11)]);
    assert_eq!(cut("const a = )\nconst b = 1").1, [("unclosed", 10)]);
    assert_eq!(cut("}\n}\nconst b = 1").1.len(), 1);
    assert_eq!(cut("stage a {\n \"x\n}\nstage b {}").0, ["stage a {\n \"x\n}", "stage b {}"]);
}

#[test]
fn unclosed_raw_text_ends_at_the_next_declaration_unless_its_tag_comes() {
    let text = "stage a {\n run <<<\n  x\nfor i in 1; do\nstage b {}\nstage c { run <<<\n y\n>>>\n}";
    let (items, faults) = cut(text);
    assert_eq!(items.len(), 3, "{items:?}");
    assert_eq!(faults, [("unclosed", 15)]);
    assert_eq!(cut("stage a { run <<<X\nstage b {}\nX>>>\n}").1, []);
    assert_eq!(cut("stage a { run <<<X\nstage b {}\nY>>>\n").1, [("unclosed", 14)]);
    assert_eq!(cut("stage a { run <<< x }\nstage b {}").0.len(), 2);
}

#[test]
fn a_merge_conflict_is_one_fault_with_both_ends() {
    let text = "<<<<<<< a\nconst x = 1\n||||||| b\n=======\nconst x = 2\n>>>>>>> c\nconst y = 3\n";
    let mut diagnostics = Vec::new();
    let chunks = split(FileId(0), text, &mut diagnostics);
    assert_eq!(chunks.len(), 3);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].labels.len(), 2);
}

#[test]
fn a_nul_is_refused_in_code_and_in_text() {
    for text in ["const a = \0", "const a = '\0'", "const a = <<<\n\0\n>>>"] {
        assert_eq!(cut(&format!("{text}\nconst b = 1")).1.len(), 1, "{text:?}");
    }
}

#[test]
fn an_edited_text_is_cut_again_around_the_edit() {
    let was = "const a = 1\n\n## of b\nstage b {\n  run <<<T\n    x\n  T>>>\n}\nconst c = 3\nconst d = 4\n## of e\nconst e = 5\n";
    let mut faults = Vec::new();
    let chunks = split(FileId(0), was, &mut faults);
    assert_eq!((chunks.len(), faults.len()), (5, 0));
    // How many declarations there are, where they need not be looked for from the beginning.
    let edited = |old: &str, new: &str| {
        let before = was.find(old).expect("it stands there");
        let is = was.replacen(old, new, 1);
        let by = is.len() as i64 - was.len() as i64;
        let again = again(FileId(0), &is, Edited { chunks: &chunks, before, behind: before + new.len(), by })?;
        let mut faults = Vec::new();
        assert_eq!((&again, faults.len()), (&split(FileId(0), &is, &mut faults), 0), "{is}");
        Some(again.len())
    };
    assert_eq!(edited("3", "33"), Some(5));
    assert_eq!(edited("const d", "const new = 0\nconst d"), Some(6), "one more");
    assert_eq!(edited("const d = 4\n", ""), Some(4), "one less");
    assert_eq!(edited("const d = 4", "or d"), Some(4), "it goes on with the one before");
    assert_eq!(edited("## of e", "# of e"), Some(5), "the next one has no text of its own any more");
    assert_eq!(
        edited("    x", "    x\n  T>>>\n  y <<<T"),
        Some(5),
        "the raw text is closed earlier, and another one opened"
    );
    assert_eq!(edited("  T>>>", "  T"), None, "a block that is not closed is looked for in the whole file");
    assert_eq!(edited("3", "\0"), None);
    assert_eq!(edited("a = 1", "a = 2"), None, "the first two are near the beginning anyway");
}
