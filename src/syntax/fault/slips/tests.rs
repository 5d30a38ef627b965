use crate::diagnostic::edits;
use crate::source::{FileId, SourceFile};
use crate::syntax::{Incremental, parse};

/// Returns what is said of a text: place, message and help of each error.
fn said(text: &str) -> Vec<String> {
    let source = SourceFile::new("main.mlp", text);
    let line = |at: u32| {
        let place = source.line_column(at);
        format!("{}:{}", place.line, place.column)
    };
    let parsed = parse(FileId(0), text);
    let mut live = Incremental::new(FileId(0), "");
    live.edit("", text);
    assert_eq!(live.diagnostics().len(), parsed.diagnostics.len(), "{text}");
    let all = parsed.diagnostics.iter();
    all.map(|one| format!("{} {}; {}", line(one.span().start), one.message, one.help.as_deref().unwrap_or_default()))
        .collect()
}

/// Applies the fixes, which have to leave nothing to say.
fn mended(text: &str) -> String {
    let parsed = parse(FileId(0), text);
    let fixes = edits::of_file(&parsed.diagnostics, FileId(0));
    let mended = edits::apply(text, fixes.into_iter().filter_map(|one| one.fix.as_ref()));
    assert_eq!(said(&mended), [""; 0], "{mended}");
    mended
}

/// Checks what is said of texts: one error each, unless it is one a line.
fn say<const N: usize>(rows: [(&str, &str); N]) {
    for (text, error) in rows {
        assert_eq!(said(text), error.split('\n').collect::<Vec<_>>(), "{text}");
    }
}

fn mend<const N: usize>(rows: [(&str, &str); N]) {
    for (text, wanted) in rows {
        assert_eq!(mended(text), wanted, "{text}");
    }
}

#[test]
fn comments_of_other_languages_cost_one_error_at_their_mark() {
    let help = "begins no comment; comments begin with `#`";
    for (text, place) in [
        ("edition 2026\n// it's {\nstage a {\n  run [\"x\"]\n}", "2:1 `//`"),
        ("// first\nedition 2026", "1:1 `//`"),
        ("/* it's\n   (more */\nedition 2026", "1:1 `/*`"),
        ("/* open\nedition 2026", "1:1 `/*`"),
        ("edition 2026\n-- it's\nparam x: int = 1", "2:1 `--`"),
        ("stage a {\n  in raw // it's\n  run [\"x\"]\n}", "2:10 `//`"),
        ("stage a {\n  -- it's\n  run [\"x\"]\n}", "2:3 `--`"),
        ("stage a {\n  in raw /* b */ run [\"x\"]\n}", "2:10 `/*`"),
        ("param x: int = 1 // one\nparam y: int = 2", "1:18 `//`"),
        ("stage a\n  // when it's time\n  after b { run [\"x\"] }", "2:3 `//`"),
        ("const a = [1, // one\n  2]", "1:15 `//`"),
    ] {
        assert_eq!(said(text), [format!("{place} {help}")], "{text}");
        let words = ["stage", "param", "const", "edition"].map(|word| text.matches(word).count());
        assert_eq!(parse(FileId(0), text).file.items.len(), words.iter().sum::<usize>(), "{text}");
    }
    mend([
        ("// one\nedition 2026", "# one\nedition 2026"),
        ("/// one\nparam x: int", "## one\nparam x: int"),
        ("stage a {\n  /* one */\n  -- two\n  run [\"x\"]\n}", "stage a {\n  # one\n  # two\n  run [\"x\"]\n}"),
        ("/*\n * one\n * two\n */\nedition 2026", "# one\n# two\nedition 2026"),
    ]);
    for right in ["const a = 1 -\n  -- 2", "const a =\n  -- 2", "const a = \"http://x\"", "const a = \"{4 /2}//\""] {
        assert_eq!(said(right), [""; 0], "{right}");
    }
    say([
        ("source x: File = http://foo", "1:22 unexpected `:`; write `source NAME: TYPE = \"PATH\"`"),
        (
            "stage a {\n  code src/**\n  run [\"x\"]\n}",
            "2:12 expected a value, found `*`; write `code \"PATTERN\", \"PATTERN\"`",
        ),
    ]);
}

#[test]
fn python_has_capital_truth() {
    say([
        ("const a = True", "1:11 `True` is no value; write `true`"),
        ("param a: bool = False", "1:17 `False` is no value; write `false`"),
    ]);
    mend([("const a = [True, not False]", "const a = [true, not false]")]);
}

#[test]
fn a_comma_with_nothing_behind_it_goes() {
    say([
        ("stage a {\n  in data = raw,\n  code \"a.py\"\n  run [\"x\"]\n}", "2:16 nothing follows this `,`; remove it"),
        ("stage a {\n  run [\"x\"]\n  use a, b,\n}", "3:11 nothing follows this `,`; remove it"),
        (
            "stage a {\n  timeout 4h,\n  run [\"x\"]\n}",
            "2:13 `,` separates no clauses; remove it: a clause ends where the next one begins",
        ),
        (
            "schema A {\n  a: int,\n  b: int\n}",
            "2:9 `,` separates no columns; remove it: a blank or a new line is enough",
        ),
    ]);
    mend([
        (
            "stage a {\n  in data = raw,\n  code \"a\", \"b\",\n  use a, b,\n  secret c,\n  run [\"x\"],\n}",
            "stage a {\n  in data = raw\n  code \"a\", \"b\"\n  use a, b\n  secret c\n  run [\"x\"]\n}",
        ),
        ("metrics A {\n  a: int,\n  b: int,\n}", "metrics A {\n  a: int\n  b: int\n}"),
    ]);
    // An input may have the name of a clause.
    assert_eq!(said("stage a {\n  in data = raw,\n     code = b.c\n  run [\"x\"]\n}"), [""; 0]);
    say([(
        "stage a {\n  use lr epochs\n  run [\"x\"]\n}",
        "2:10 expected a comma or the end of the list, found `epochs`; write a comma before it",
    )]);
}

#[test]
fn a_range_of_another_language_is_told() {
    let range = "a range is written `1..5`; write";
    for (text, help) in [
        ("param x: int in 1 to 5", "1:17 `1..5`"),
        ("param x: int in 1-500 = 5", "1:17 `1..500`"),
        ("param x: int in -5, 5", "1:17 `-5..5`"),
        ("param x: int in 1.500 = 5", "1:17 `1..500`"),
        ("param x: float in [0.0, 1.0] = 0.5", "1:19 `0.0..1.0`"),
        ("param x: float in (0.0, 1.0) = 0.5", "1:19 `>0.0..<1.0`"),
        ("param x: int in 7", "1:17 both ends, `1..5`, or one of them, `1..`"),
        ("schema A {\n  a: int in 0-9\n  b: int\n}", "2:13 `0..9`"),
    ] {
        let (place, help) = help.split_once(' ').expect("a place");
        assert_eq!(said(text), [format!("{place} {range} {help}")], "{text}");
    }
    mend([
        ("param x: int in 1 to 5 = 2", "param x: int in 1..5 = 2"),
        ("param x: float in [0, 1]", "param x: float in 0..1"),
        ("schema A { a: int in 0-9 }", "schema A { a: int in 0..9 }"),
    ]);
}

#[test]
fn a_word_behind_a_metric_or_column_is_named_itself() {
    say([
        (
            "metrics M {\n  a: ratio maximize\n  b: ratio Lower\n  c: float\n}",
            "2:12 no direction `maximize`: `higher` or `lower`; write `higher`\n\
             3:12 no direction `Lower`: `higher` or `lower`; write `lower`",
        ),
        (
            "metrics M { a: ratio best  b: float }",
            "1:22 no direction `best`: `higher` or `lower`; write `METRIC: TYPE higher` or `METRIC: TYPE lower`",
        ),
        (
            "schema S {\n  a: string nullable\n  b: int required\n}",
            "2:13 `nullable` says nothing of a column; write `?` behind the type: `note: string?`\n\
             3:10 `required` says nothing of a column; write `unique` or `matches \"PATTERN\"`, or nothing",
        ),
        // A column without its colon is that.
        (
            "schema S {\n  a: int\n  b float\n}",
            "3:5 expected `:`, found `float`; write `COLUMN: TYPE`; columns are separated by blanks or lines",
        ),
    ]);
    mend([
        ("metrics M { a: ratio minimize }", "metrics M { a: ratio lower }"),
        ("schema S { a: string nullable b: int }", "schema S { a: string? b: int }"),
    ]);
}

#[test]
fn conditions_of_other_languages_are_told() {
    let equals = "`=` gives a value, `==` compares; write `==`";
    say([
        ("stage a when rounds = 3 {\n  run [\"x\"]\n}", &format!("1:21 {equals}")),
        ("stage a when kind = big {\n  run [\"x\"]\n}", &format!("1:19 {equals}")),
        ("gate g on a.b when kind = big {\n  require c >= 1\n}", &format!("1:25 {equals}")),
        ("register r = a.b to c when kind = \"d\"", &format!("1:33 {equals}")),
        ("stage a if b { run [\"x\"] }", "1:9 `if` begins no condition; write `when`"),
        ("stage a {\n  rerun if b\n  run [\"x\"]\n}", "2:9 `if` begins no condition; write `when`"),
        (
            "stage a {\n  run [\"x\"] if b\n}",
            "2:13 `if` begins no condition; write `when` before the `{`: `stage NAME when CONDITION … {`",
        ),
    ]);
    mend([
        ("stage a when n = 3 { run [\"x\"] }", "stage a when n == 3 { run [\"x\"] }"),
        ("stage a if b { run [\"x\"] }", "stage a when b { run [\"x\"] }"),
        ("stage a { rerun if b  run [\"x\"] }", "stage a { rerun when b  run [\"x\"] }"),
    ]);
    assert_eq!(said("stage a when b = c with { data: d }"), [""; 0]);
    assert_eq!(said("register r when a = b.c to d"), [""; 0]);
}

#[test]
fn words_of_other_tools_are_answered_with_the_clause() {
    say([(
        "stage a {\n  input data = raw\n  output x: File = \"x\"\n  command [\"x\"]\n}",
        "2:3 unknown clause `input` in a stage; did you mean `in`?\n\
         3:3 unknown clause `output` in a stage; did you mean `out`?\n\
         4:3 unknown clause `command` in a stage; did you mean `run`?",
    )]);
    mend([(
        "stage a {\n  input data = raw\n  output x: File = \"x\"\n  run [\"x\"]\n}",
        "stage a {\n  in data = raw\n  out x: File = \"x\"\n  run [\"x\"]\n}",
    )]);
}

#[test]
fn a_half_written_clause_swallows_none() {
    let stage = |line: &str, next: &str| format!("stage a {{\n  in data = raw\n  {line}\n{next}}}");
    for (line, error) in [
        ("out model", "3:12 expected `:` at the end of this `out`; write `out NAME: TYPE = \"PATH\"`"),
        ("out model:", "3:13 expected a type at the end of this `out`; write `out NAME: TYPE = \"PATH\"`"),
        (
            "out model: Model<",
            "3:20 expected a name and `>` at the end of this `out`; write `out NAME: TYPE = \"PATH\"`",
        ),
        ("out model: Model<onnx>", "3:25 expected `=` at the end of this `out`; write `out NAME: TYPE = \"PATH\"`"),
        ("out model: Model =", "3:21 expected a value at the end of this `out`; write `out NAME: TYPE = \"PATH\"`"),
        ("in b =", "3:9 expected a value at the end of this `in`; write `in NAME = STAGE.OUTPUT`"),
        ("in b = c.", "3:12 expected a name at the end of this `in`; write `in NAME = STAGE.OUTPUT`"),
        ("retry 2 on", "3:13 expected a value at the end of this `retry`; write `retry 2 on infrastructure`"),
        ("timeout", "3:3 `timeout` says nothing; write `timeout 4h`"),
    ] {
        for next in
            ["  code \"a.py\"\n  run [\"x\"]\n", "  run [\"x\"]\n", "  run <<< x >>>\n", "  use a, b\n  run [\"x\"]\n"]
        {
            let text = stage(line, next);
            assert_eq!(said(&text), [error], "{text}");
        }
    }
    say([
        (
            "gate g on a.b {\n  require auc >=\n  require f1 >= 0.5\n  warn f1 >=\n}",
            "2:17 expected a value at the end of this `require`; write `require METRIC >= NUMBER`\n\
             4:13 expected a value at the end of this `warn`; write `warn METRIC >= NUMBER`",
        ),
        (
            "stage a {\n  run [\"x\"]\n  out model\n}",
            "3:12 expected `:` at the end of this `out`; write `out NAME: TYPE = \"PATH\"`",
        ),
    ]);
    // What stands there is a name, not the beginning of something.
    say([(
        "stage a {\n  use from\n  code \"a\" \"b\"\n  run [\"x\"]\n}",
        "3:12 expected a comma or the end of the list, found `\"b\"`; write a comma before it",
    )]);
}

#[test]
fn a_colon_begins_no_body() {
    say([
        (
            "stage evaluate:\n  in a\n  run [\"x\"]\n",
            "1:15 `:` begins no body; a body stands in braces: `stage NAME { in … out … run … }`",
        ),
        (
            "gate g on a.b:\n  require auc >= 0.5\n",
            "1:14 `:` begins no body; a body stands in braces: `gate NAME on EVIDENCE { require … }`",
        ),
        ("stage a: {\n  run [\"x\"]\n}", "1:8 `:` begins no body; remove it"),
    ]);
    mend([("stage a: {\n  run [\"x\"]\n}", "stage a {\n  run [\"x\"]\n}")]);
}
