//! What the formatter does to texts, and what it may not depend on.

use super::*;
use crate::syntax::parse;

fn formatted(text: &str) -> String {
    format(FileId(0), text).expect("the text is without a fault")
}

#[test]
fn text_of_which_lines_end_in_several_crs_is_formatted_once_and_for_all() {
    let text = "const a = <<<\n  x\r\r\r\n  y\r\r\n>>>\n";
    let once = formatted(text);
    assert_eq!(once, "const a = <<<\n  x\n  y\n>>>\n");
    assert_eq!(formatted(&once), once);
    let tree = |text: &str| crate::syntax::parse(FileId(0), text).file;
    assert!(same_tree(&tree(text), &tree(&once)));
}

#[test]
fn indentation_commas_braces_and_blank_lines_become_one() {
    insta::assert_snapshot!(formatted(
        "\u{feff}\r\n\npipeline  p\r\n\n\n\nstage   a\n after b , c\n    when x==1{\n# why\n\tin data=b.x,\n\t   more = c.y # here\n   run [\n\"python\",\"a\"\n  ,data\n]\nneeds {gpu :1,memory:2GiB}   \n\n\n out x:File\n of more\n  = ( \"p\" )\n}\non manual {}"
    ), @r#"
    pipeline p

    stage a
      after b, c
      when x == 1 {
      # why
      in  data = b.x,
          more = c.y  # here
      run [
        "python", "a"
        , data
      ]
      needs { gpu: 1, memory: 2GiB }

      out x: File
        of more
        = ("p")
    }
    on manual {}
    "#);
}

#[test]
fn what_follows_an_open_range_is_a_line_of_its_own() {
    let text = "schema S {\n  a: int in 0..\n  b: int\n}\n";
    assert_eq!(formatted(text), text);
}

#[test]
fn raw_text_stays_as_it_is() {
    let script = "\n  if x; then   \n\n\n      # y,z\n  fi\n";
    let text = format!("stage a {{\nrun sh <<<EOF  {script}        EOF>>>\n  run <<<  a,b   >>>\n}}\n");
    let expected = format!("stage a {{\n  run sh <<<EOF{script}  EOF>>>\n  run <<<  a,b   >>>\n}}\n");
    assert_eq!(formatted(&text), expected);
}

#[test]
fn a_file_with_a_fault_is_left_alone() {
    let faults = format(FileId(0), "stage a { cod \"x\" }\nstage  b { }").expect_err("`cod` is no clause");
    assert_eq!(faults.len(), 1);
}

#[test]
fn a_formatted_file_stays() {
    for text in [
        include_str!("../../../tests/fixtures/flagship/main.mlp"),
        "rollout r of x by canary {\n  watch t every 60s {\n    require a <= 1%,\n      b\n  }\n}\n",
    ] {
        if let Ok(formatted) = format(FileId(0), text) {
            assert_eq!(formatted, text);
        }
    }
}

const TEXTS: [&str; 6] = [
    include_str!("../../../tests/fixtures/flagship/main.mlp"),
    include_str!("../../../tests/fixtures/whole-language/main.mlp"),
    include_str!("../../../tests/fixtures/scenarios/main.mlp"),
    include_str!("../../../targets/github/fixtures/everything/pipeline.mlp"),
    include_str!("../../../examples/managed-clouds/pipeline.mlp"),
    ODD,
];

/// What the others have no example of.
const ODD: &str = "\
param low: int in ..5 = -1
schema S { a: string? unique   b: float in ..1 }
param high: float in >0.0..<1.0 = 1 - -2 * (3 - 4)
const all = [[1, -2], { a: 1, b: \"x\", c: [] }]

stage s when not (low < 3) and high <= 0.5 or event one_of [\"push\", \"manual\"] {
  allow tested-on-training-data \"it is meant\"
  in   a = b[\"x\", *].c?, d = e ungated
  code \"a\",
       \"b\"
  out  x: Model<onnx>? of a over d as test = \"x\"
  needs { gpu: 1,
    memory: 2GiB, cpu: 0.5 }
  run  python <<< pass >>>
}

gate g on s.x {
  require a.b < -1
  require rows between (low)..2x against \"f\"
  warn    psi(*, except: [\"c\"]) < 0.1
  require nulls(*) == 0
}
";

/// A series of numbers that looks like chance.
fn chance(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(2) | 1;
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    }
}

/// Sets other blanks wherever a text has some between two tokens, or before the first of a line.
fn stretched(text: &str, seed: u64) -> String {
    let mut next = chance(seed);
    let mut out = String::new();
    let mut end = 0;
    for token in tokens(text) {
        if token.start > end {
            for _ in 0..=next(9) {
                out.push(if next(5) == 0 { '\t' } else { ' ' });
            }
        }
        out.push_str(token.text(text));
        end = token.end;
    }
    out
}

#[test]
fn blanks_between_tokens_change_nothing() {
    for text in TEXTS {
        let once = formatted(text);
        for seed in 0..25 {
            let stretched = stretched(text, seed);
            assert_eq!(formatted(&stretched), once, "{stretched}");
        }
    }
}

#[test]
fn a_blank_more_or_less_that_keeps_the_tree_changes_nothing() {
    let mut tried = 0;
    for text in TEXTS {
        for chunk in split::split(FileId(0), text, &mut Vec::new()) {
            let text = &text[chunk.start as usize..chunk.end as usize];
            let (once, tree) = (formatted(text), parse(FileId(0), text).file);
            for pair in tokens(text).windows(2) {
                if pair.iter().any(|token| token.kind == Kind::Newline) || pair[1].kind == Kind::Comment {
                    continue;
                }
                // Two words without a blank are another word, whatever the grammar makes of it.
                let wordy = |token: Token| matches!(token.kind, Kind::Word | Kind::Number);
                if pair.iter().all(|&token| wordy(token)) {
                    continue;
                }
                let blank = if pair[0].end == pair[1].start { " " } else { "" };
                let other = [&text[..pair[0].end], blank, &text[pair[1].start..]].concat();
                let parsed = parse(FileId(0), &other);
                if parsed.diagnostics.is_empty() && same_tree(&parsed.file, &tree) {
                    assert_eq!(formatted(&other), once, "{other}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn what_stands_in_lines_that_belong_together_stands_in_columns() {
    insta::assert_snapshot!(formatted(
        "on push {branches: [\"main\"]}\non event \"e\" {a: string}\non pull_request {branches: [\"main\"]}\n\nparam a: int = 1\n## A long one.\nparam long_name: float in 0.0..1.0 = 0.5\n\nparam apart: bool = true\nsource s: File = \"s\"\n\nmetrics M {\na: ratio higher\nlonger: duration lower from \"/p\" unit ms # why\n\nb: float lower from \"/b\" # because\n}\nprofile p { set a = 2 set long_name = 0.1 }\nstage t {\nuse a,\nlong_name\nout x: File = \"x\"\nout longer: Model<onnx> = \"m\"\nrun <<< x >>>\ncode \"c\"\n}\ngate g on t.x {\nrequire a >= 1\nrequire m.longer >= 2\nwarn psi(*) < 0.1\nrequire psi(a, alpha: 1%) < 0.2\nrequire size(t.x) < 1MB\nrequire a - b <= 1\n}\n"
    ), @r#"
    on push         { branches: ["main"] }
    on event "e" { a: string }
    on pull_request { branches: ["main"] }

    param a:         int               = 1
    ## A long one.
    param long_name: float in 0.0..1.0 = 0.5

    param apart: bool = true
    source s: File = "s"

    metrics M {
      a:      ratio    higher
      longer: duration lower from "/p" unit ms  # why

      b: float lower from "/b"  # because
    }
    profile p { set a = 2   set long_name = 0.1 }
    stage t {
      use  a,
           long_name
      out  x:      File = "x"
      out  longer: Model<onnx> = "m"
      run <<< x >>>
      code "c"
    }
    gate g on t.x {
      require a        >= 1
      require m.longer >= 2
      warn    psi(*)            < 0.1
      require psi(a, alpha: 1%) < 0.2
      require size(t.x) < 1MB
      require a - b <= 1
    }
    "#);
}
