//! What holds for any text at all: parsing ends without a panic, places are on character boundaries, trees do not
//! depend on line ends, and one fault hides no neighbour.

use mlpc::source::FileId;
use mlpc::syntax::{self, Parsed};
use proptest::prelude::*;

#[path = "../../benches/support/mod.rs"]
mod generated;

const FLAGSHIP: &str = include_str!("../fixtures/flagship/main.mlp");
const WHOLE: &str = include_str!("../fixtures/whole-language/main.mlp");

/// Pieces that the language is made of, sound and unsound.
const PIECES: [&str; 72] = [
    "stage",
    "gate",
    "param",
    "on",
    "in",
    "out",
    "run",
    "x",
    "train",
    "é",
    "=",
    ":",
    ",",
    ".",
    "..",
    "@",
    "?",
    "*",
    "-",
    "<",
    ">",
    "<=",
    "==",
    "|",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\"a{",
    "}b\"",
    "'",
    "\\",
    "<<<",
    "<<<EOF",
    ">>>",
    "EOF>>>",
    "\n",
    "\r\n",
    "\n\n",
    " ",
    "\t",
    "#",
    "## doc",
    "1",
    "0.5",
    "2%",
    "16GiB",
    "1e",
    "not",
    "and",
    "or",
    "between",
    "for",
    "when",
    "after",
    "require",
    "profile smoke { set a = 1 }",
    "stage a { run <<< x >>> }",
    "<<<<<<<",
    "=======",
    ">>>>>>>",
    "\u{feff}",
    "\0",
    "“",
    "𝒳",
    "pipeline p",
    "use \"f\" { a }",
    "\\{",
    "watch t every 1s {",
];

/// Checks every place that a tree or a diagnostic names.
fn check_places(text: &str, parsed: &Parsed) {
    for diagnostic in &parsed.diagnostics {
        let places = diagnostic.labels.iter().map(|label| label.span).chain(diagnostic.fix.iter().map(|fix| fix.span));
        for span in places {
            assert!(text.get(span.range()).is_some(), "{span:?} of {diagnostic:?} in {text:?}");
        }
        assert!(!diagnostic.message.is_empty() && diagnostic.help.is_some(), "{diagnostic:?} offers no way out");
    }
    // A tree has hundreds of places and its debug form shows them all.
    let debug = format!("{:?}", parsed.file);
    let numbers = |part: &str| -> Vec<usize> {
        part.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    for part in debug.split("Span { ").skip(1) {
        let place = numbers(part.split('}').next().unwrap_or_default());
        assert!(text.get(place[1]..place[2]).is_some(), "{place:?} in {text:?}");
    }
}

fn parse(text: &str) -> Parsed {
    let parsed = syntax::parse(FileId(0), text);
    check_places(text, &parsed);
    parsed
}

fn tree(text: &str) -> serde_json::Value {
    serde_json::to_value(syntax::parse(FileId(0), text).file).expect("a tree is a plain value")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_text_is_parsed_without_a_panic(text in "\\PC*") {
        parse(&text);
    }

    #[test]
    fn any_bytes_are_parsed_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces_are_parsed_without_a_panic(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..80)) {
        parse(&pieces.concat());
        parse(&pieces.join(" "));
    }

    #[test]
    fn a_damaged_file_is_parsed_without_a_panic(
        at in 0..FLAGSHIP.len(), length in 0..60usize, piece in prop::sample::select(&PIECES[..]),
    ) {
        let end = (at + length).min(FLAGSHIP.len());
        parse(&format!("{}{piece}{}", &FLAGSHIP[..at], &FLAGSHIP[end..]));
    }
}

#[test]
fn a_file_cut_anywhere_is_parsed_and_keeps_what_was_whole() {
    let mut most = 0;
    for end in (0..FLAGSHIP.len()).step_by(7) {
        let items = parse(&FLAGSHIP[..end]).file.items.len();
        assert!(items + 1 >= most, "cut at {end}: {items} declarations after {most}");
        most = most.max(items);
    }
}

#[test]
fn line_ends_tabs_and_a_bom_change_no_tree() {
    for text in [FLAGSHIP, WHOLE] {
        let expected = tree(text);
        assert_eq!(tree(&text.replace('\n', "\r\n")), expected);
        assert_eq!(tree(&format!("\u{feff}{text}")), expected);
        assert_eq!(tree(&text.replace("\n  ", "\n\t")), tree(&text.replace("\n  ", "\n ")));
    }
}

#[test]
fn one_broken_declaration_hides_no_other() {
    let whole = parse(FLAGSHIP);
    let names: Vec<_> = whole.file.items.iter().filter_map(|item| item.name()).map(|name| name.text.clone()).collect();
    for item in &whole.file.items {
        // The keyword loses a letter; the rest of the file has to be read as before.
        let at = item.span.start as usize;
        let broken = format!("{}{}", &FLAGSHIP[..at], &FLAGSHIP[at + 1..]);
        let parsed = parse(&broken);
        assert_eq!(parsed.diagnostics.len(), 1, "{:?}", parsed.diagnostics);
        let left: Vec<_> = parsed.file.items.iter().filter_map(|item| item.name()).map(|name| &name.text).collect();
        let expected: Vec<_> = names.iter().filter(|name| item.name().is_none_or(|own| own.text != **name)).collect();
        assert_eq!(left, expected);
    }
}

#[test]
fn an_unclosed_brace_costs_its_declaration_alone() {
    let text = "stage a {\n  needs { gpu: 1\n}\n\nstage b { run <<< x >>> }\nstage c { run <<<\n  x\n  >>> }\n";
    let parsed = parse(text);
    let codes: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.code.name()).collect();
    assert_eq!(codes, ["unclosed", "unclosed"]);
    assert_eq!(parsed.broken.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(
        parsed.file.items.iter().filter_map(|item| item.name()).map(|name| name.as_str()).collect::<Vec<_>>(),
        ["b"]
    );
}

#[test]
fn deep_and_long_texts_are_refused_and_not_followed() {
    for (text, code) in [
        (format!("const a = {}1{}", "(".repeat(100_000), ")".repeat(100_000)), "nesting-too-deep"),
        (format!("const a = {}", "[".repeat(100_000)), "nesting-too-deep"),
        (format!("const a = {}true", "not ".repeat(100_000)), "nesting-too-deep"),
        (format!("const a = {}1", "-".repeat(100_000)), "nesting-too-deep"),
        (format!("const a = 1{}", " + 1".repeat(100_000)), "nesting-too-deep"),
        (format!("const a = x{}", ".y".repeat(100_000)), "nesting-too-deep"),
        (format!("const a = x{}", "?".repeat(100_000)), "nesting-too-deep"),
        (format!("param a: {}int{}", "[".repeat(64), "]".repeat(64)), ""),
        (format!("param a: {}int", "Model<".repeat(100_000)), "syntax"),
        (format!("const a = {}1{}", "(".repeat(64), ")".repeat(64)), ""),
        (format!("const a = {}", "\"{".repeat(100_000)), "nesting-too-deep"),
        (format!("const a = 1{}", ")".repeat(100_000)), "unclosed"),
    ] {
        let parsed = syntax::parse(FileId(0), &text);
        let codes: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.code.name()).collect();
        let expected: Vec<_> = Some(code).into_iter().filter(|code| !code.is_empty()).collect();
        assert_eq!(codes, expected, "{}", &text[..30]);
    }
}

#[test]
fn ten_thousand_faults_are_all_counted() {
    for (line, code) in [
        ("stage a { cod \"x\" }\n", "unknown-clause"),
        ("stagee a { code \"x\" }\n", "unknown-declaration"),
        ("stage a { code \"x\n", "unclosed"),
        ("stage a {\n", "unclosed"),
        ("param a: int = 5y\n", "unknown-unit"),
        ("<<<<<<< a\n", "merge-conflict"),
    ] {
        let parsed = syntax::parse(FileId(0), &line.repeat(10_000));
        let counted = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.code.name() == code).count();
        assert_eq!(counted, 10_000, "{line:?}");
    }
}

/// Formats what has no fault; checks what has to hold of it.
fn check_format(text: &str) {
    let Ok(once) = syntax::fmt::format(FileId(0), text) else { return };
    let twice = syntax::fmt::format(FileId(0), &once).expect("a formatted file has no new fault");
    assert_eq!(once, twice, "formatting is not stable for {text:?}");
    let (before, after) = (syntax::parse(FileId(0), text), syntax::parse(FileId(0), &once));
    assert!(syntax::fmt::same_tree(&before.file, &after.file), "{text}\nbecame another file:\n{once}");
    let comments = |text: &str| text.matches('#').count();
    assert_eq!(comments(text), comments(&once));
}

/// Moves every line, and sets other blanks where the text has one.
fn disturb(text: &str, seed: u64) -> String {
    let mut state = seed | 1;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut raw = false;
    let mut depth = 0i32;
    let mut out = String::new();
    for line in text.lines() {
        if raw || depth == 0 {
            out.push_str(line);
        } else {
            out.push_str(&[" ", "", "\t", "      "][next(4) as usize].repeat(next(3) as usize + usize::from(raw)));
            let quoted = line.contains(['"', '\'', '<', '#']);
            out.push_str(&if quoted {
                line.trim().to_owned()
            } else {
                line.trim().replace(", ", [",", " ,  "][next(2) as usize])
            });
        }
        raw = (raw || line.ends_with("<<<")) && line.trim() != ">>>";
        if !raw {
            depth += line.matches(['{', '[']).count() as i32 - line.matches(['}', ']']).count() as i32;
        }
        out.push_str(["\n", "\n", "\r\n", " \n", "\n\n\n"][next(if raw { 2 } else { 5 }) as usize]);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn formatting_is_stable_and_keeps_the_tree(seed in any::<u64>()) {
        for text in [FLAGSHIP, WHOLE] {
            check_format(&disturb(text, seed));
        }
    }

    #[test]
    fn formatting_any_pieces_is_stable(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12)) {
        check_format(&format!("stage a {{\nrun <<< x >>>\n}}\nconst a = {}", pieces.join(" ")));
        check_format(&pieces.join(" "));
    }
}

#[test]
fn disturbed_files_are_formatted_and_not_refused() {
    for seed in 0..20 {
        for text in [FLAGSHIP, WHOLE] {
            let disturbed = disturb(text, seed);
            let formatted = syntax::fmt::format(FileId(0), &disturbed);
            assert!(formatted.is_ok(), "{:?}\n{disturbed}", formatted.err());
        }
    }
}

#[test]
fn a_file_that_two_threads_parse_is_read_in_order() {
    let text = generated::pipeline(1_000)
        .replace("stage s17 {", "stage s17 { cod \"x\"")
        .replace("stage s990 {", "stage s990 { cod \"x\"");
    let parsed = parse(&text);
    assert_eq!(parsed.diagnostics.len(), 2);
    assert!(parsed.diagnostics[0].span().start < parsed.diagnostics[1].span().start);
    let starts: Vec<_> = parsed.file.items.iter().map(|item| item.span.start).collect();
    assert!(starts.is_sorted());
    assert_eq!(starts.len(), 1_000 + 100 + 6, "stages, gates, and what stands before them");
    let clean = generated::pipeline(60);
    assert_eq!(syntax::fmt::format(FileId(0), &clean).as_deref(), Ok(clean.as_str()));
}
