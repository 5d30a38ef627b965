//! `allow CODE "REASON"` and `--deny warnings`.

use mlpc::compile::compile;
use mlpc::diagnostic::{Diagnostic, Severity};
use mlpc::source::{FileId, Sources};
use mlpc::syntax::{ast, fmt, parse};

use crate::sandbox::Sandbox;

/// A stage whose script `sh` runs with a pipe, with more clauses before it.
fn piped(name: &str, clauses: &str) -> String {
    format!(
        "stage {name} {{\n{clauses}  out n: File = \"{name}.txt\"\n  run sh <<< cat words.txt | wc -l > \"$n\" >>>\n}}\n"
    )
}

fn file(rest: &str) -> String {
    format!("pipeline example\nedition 2026\n{rest}")
}

/// Returns code, line and message of everything that is said.
fn said(rest: &str) -> Vec<String> {
    let sources = Sources::single("p.mlp", file(rest));
    let line = |one: &Diagnostic| sources.file(FileId(0)).line_column(one.span().start).line;
    compile(&sources)
        .diagnostics
        .iter()
        .map(|one| format!("{} {} {}", line(one), one.code.name(), one.message))
        .collect()
}

/// Returns the codes alone, with the lines.
fn codes(rest: &str) -> Vec<String> {
    said(rest).iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_clause_covers_its_declaration_and_no_other() {
    let allow = "  allow pipe-in-sh \"empty is none\"\n";
    assert_eq!(codes(&piped("a", "")), ["5 pipe-in-sh"]);
    assert_eq!(codes(&piped("a", allow)), [""; 0]);
    assert_eq!(codes(&(piped("a", allow) + &piped("b", ""))), ["10 pipe-in-sh"]);
}

#[test]
fn a_declaration_covers_the_file_wherever_it_stands() {
    let two = piped("a", "") + &piped("b", "");
    for text in [format!("allow pipe-in-sh 'meant'\n{two}"), format!("{two}allow pipe-in-sh 'meant'\n")] {
        assert_eq!(codes(&text), [""; 0], "{text}");
    }
    assert_eq!(
        codes(&format!("allow unset-variable 'meant'\n{two}")),
        ["3 unused-allow", "6 pipe-in-sh", "10 pipe-in-sh"]
    );
}

#[test]
fn the_narrowest_allow_is_the_one_that_is_used() {
    let text = "allow pipe-in-sh 'all'\n".to_owned() + &piped("a", "  allow pipe-in-sh 'this'\n");
    assert_eq!(said(&text), ["3 unused-allow nothing in this file gives `pipe-in-sh`"]);
    assert_eq!(codes(&(text + &piped("b", ""))), [""; 0]);
}

#[test]
fn every_body_takes_the_clause_and_reports_it_unused() {
    let allow = "allow pipe-in-sh 'x'";
    let told = |text: &str| -> (Vec<String>, usize, bool) {
        let compiled = compile(&Sources::single("p.mlp", text));
        let codes = compiled.diagnostics.iter().map(|one| one.code.name().to_owned());
        let (unused, others): (Vec<String>, Vec<String>) = codes.partition(|code| code == "unused-allow");
        (others, unused.len(), compiled.has_errors())
    };
    let cloud = include_str!("../../examples/managed-clouds/pipeline.mlp");
    let canary = include_str!("../../examples/fraud-canary/pipeline.mlp");
    let beside = include_str!("../fixtures/beside/main.mlp");
    let bodies = [("stage", cloud), ("gate", cloud), ("action", cloud), ("rollout", canary), ("monitor", beside)];
    for (keyword, whole) in bodies {
        let (before, at) = whole
            .match_indices(&format!("\n{keyword} "))
            .map(|(at, _)| whole.split_at(at))
            .find(|(_, at)| at.lines().nth(1).is_some_and(|line| line.ends_with('{')))
            .unwrap_or_else(|| panic!("it has a `{keyword}`"));
        let text = format!("{before}{}", at.replacen("{\n", &format!("{{\n  {allow}\n"), 1));
        let parsed = parse(FileId(0), &text);
        assert_eq!(parsed.diagnostics, [], "{keyword}");
        let (others, unused, wrong) = told(&text);
        assert_eq!(others, told(whole).0, "{keyword}");
        assert_eq!(unused, usize::from(!wrong), "{keyword}");
        let formatted = fmt::format(FileId(0), &text).expect("no faults");
        assert!(formatted.contains(&format!("\n  {allow}\n")), "{keyword}");
        assert!(fmt::same_tree(&parsed.file, &parse(FileId(0), &formatted).file), "{keyword}");
    }
}

#[test]
fn the_tree_holds_code_and_reason() {
    let text = "allow   nothing-matches   \"made later\"\nstage a {\n allow pipe-in-sh 'x'\n}\n";
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.diagnostics, []);
    let [ast::Item { kind: ast::ItemKind::Allow(allow), .. }, ast::Item { kind: ast::ItemKind::Stage(stage), .. }] =
        parsed.file.items.as_slice()
    else {
        panic!("{:?}", parsed.file)
    };
    assert_eq!((allow.code.as_str(), allow.reason.plain()), ("nothing-matches", Some("made later")));
    let ast::StageBody::Clauses(clauses) = &stage.body else { panic!("clauses") };
    assert!(matches!(&clauses[0].kind, ast::StageClause::Allow(allow) if allow.code.as_str() == "pipe-in-sh"));
}

#[test]
fn what_is_wrong_with_an_allow_is_said() {
    let stage = piped("a", "");
    let with = |allow: &str| said(&format!("{allow}\n{stage}"));
    insta::assert_snapshot!(
        [
            with("allow unused-name 'x'"),
            with("allow unused-allow 'x'"),
            with("allow pipe-in-sj 'x'"),
            with("allow zebra 'x'"),
            with("allow pipe-in-sh ' '"),
            with("allow pipe-in-sh \"{a}\""),
            with("allow pipe-in-sh"),
            with("allow 'x'"),
            with("allow pipe-in-sh 'x'\nallow pipe-in-sh 'y'"),
            said(&piped("a", "  allow pipe-in-sh 'x'\n  allow pipe-in-sh 'y'\n")),
        ]
        .map(|lines| lines.join("\n"))
        .join("\n--\n"),
        @r"
        3 allow-of-error `unused-name` is an error, and only warnings and notes can be allowed
        6 pipe-in-sh a program that fails before a pipe goes unnoticed in `sh`
        --
        3 allow-of-error `unused-allow` can't be allowed: it is about allows
        6 pipe-in-sh a program that fails before a pipe goes unnoticed in `sh`
        --
        3 unknown-name no code `pipe-in-sj`
        6 pipe-in-sh a program that fails before a pipe goes unnoticed in `sh`
        --
        3 unknown-name no code `zebra`
        6 pipe-in-sh a program that fails before a pipe goes unnoticed in `sh`
        --
        3 missing-clause `allow` needs a reason
        --
        3 missing-clause `allow` needs a reason
        --
        3 syntax expected a string at the end of this `allow`
        6 pipe-in-sh a program that fails before a pipe goes unnoticed in `sh`
        --
        3 syntax expected the code of a warning, found `'x'`
        6 pipe-in-sh a program that fails before a pipe goes unnoticed in `sh`
        --
        4 duplicate-clause `pipe-in-sh` is allowed already
        --
        5 duplicate-clause `pipe-in-sh` is allowed already
        "
    );
}

#[test]
fn an_error_stays_and_keeps_unused_allows_quiet() {
    let text = "allow pipe-in-sh 'x'\nstage a {\n  in b\n  out n: File = \"n\"\n  run <<< cp \"$b\" \"$n\" >>>\n}\n";
    assert_eq!(codes(text), ["5 unknown-name"]);
}

#[test]
fn a_plan_is_the_same_with_and_without() {
    let digest = |rest: &str| {
        let compiled = compile(&Sources::single("p.mlp", file(rest)));
        compiled.plan.expect("no errors").digest()
    };
    let bare = digest(&piped("a", ""));
    assert_eq!(digest(&piped("a", "  allow pipe-in-sh 'meant'\n")), bare);
    assert_eq!(digest(&format!("{}allow pipe-in-sh 'meant'\n", piped("a", ""))), bare);
    assert_ne!(digest(&piped("a", "  timeout 1h\n")), bare);
}

#[test]
fn check_covers_what_the_workspace_tells_and_fix_removes_what_covers_nothing() {
    let sandbox = Sandbox::new();
    let stage = "stage a {\n  code \"lib.py\"\n  out n: File = \"n\"\n  run <<< echo 1 > \"$n\" >>>\n  allow nothing-matches \"made by the build\" # later\n}\n";
    sandbox.file("p.mlp", &file(&format!("allow pipe-in-sh 'x'\n{stage}")));
    let ended = sandbox.mlpc(&["check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("unused-allow") && !ended.stderr.contains("lib.py"), "{ended:?}");
    let fixed = sandbox.mlpc(&["check", "--fix", "--deny", "warnings"]);
    assert_eq!(fixed.code, 0, "{fixed:?}");
    assert_eq!(sandbox.read("p.mlp"), file(stage));
    // The file is there now: the allow is left over.
    sandbox.file("lib.py", "x = 1\n");
    let denied = sandbox.mlpc(&["check", "--deny", "warnings"]);
    assert_eq!(denied.code, 2, "{denied:?}");
    assert!(denied.stderr.contains("nothing in this declaration gives `nothing-matches`"), "{denied:?}");
    assert_eq!(sandbox.mlpc(&["check", "--fix", "--deny", "warnings"]).code, 0);
    assert_eq!(sandbox.read("p.mlp"), file(&stage.replace("  allow nothing-matches \"made by the build\" #", "   #")));
}

#[test]
fn warnings_are_denied_and_notes_and_allowed_ones_are_not() {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", &file(&piped("a", "")));
    assert_eq!(sandbox.mlpc(&["check"]).code, 0);
    let denied = sandbox.mlpc(&["check", "--deny", "warnings"]);
    assert_eq!((denied.code, denied.stdout.as_str()), (2, ""), "{denied:?}");
    assert!(denied.stderr.contains("a warning is left, and `--deny warnings` lets none pass"), "{denied:?}");
    sandbox.file("p.mlp", &file(&piped("a", "  allow pipe-in-sh 'meant'\n")));
    let fine = sandbox.mlpc(&["check", "--deny", "warnings"]);
    assert_eq!((fine.code, fine.stderr.as_str()), (0, ""), "{fine:?}");
}

#[test]
fn a_target_says_nothing_that_is_allowed() {
    let sandbox = Sandbox::new();
    let text = |allow: &str| file(&format!("{allow}on schedule {{ cron: \"0 4 * * *\" }}\n{}", piped("a", "")));
    let warned = |allow: &str| {
        sandbox.file("p.mlp", &text(allow));
        let ended = sandbox.mlpc(&["compile", "--target", "github", "-o", "out"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stderr.contains("cron-on-the-hour")
    };
    assert!(warned(""));
    assert!(!warned("allow cron-on-the-hour 'a quiet hour'\n"));
}

#[test]
fn codes_that_can_be_allowed_are_those_of_warnings_and_notes() {
    for code in mlpc::diagnostic::catalogue::all() {
        let found = codes(&format!("allow {} 'x'\n{}", code.name(), piped("a", "")));
        let refused = found.contains(&"3 allow-of-error".to_owned());
        assert_eq!(refused, code.severity() == Severity::Error || code.name() == "unused-allow", "{found:?}");
    }
}
