//! The formatter: one indentation, one blank line at most, one way to set commas and braces, the author's own alignment
//! within a line. It moves tokens and never drops one; comments stay on their lines and raw text is not touched.

use super::ast::File;
use super::split;
use super::tokens::{Kind, Token, tokens};
use crate::diagnostic::Diagnostic;
use crate::source::FileId;

/// Blanks of one level.
const STEP: usize = 2;

/// Words that go on with a clause at the beginning of a line.
const GOES_ON: [&str; 13] =
    ["and", "or", "of", "over", "as", "always", "for", "against", "ungated", "recorded", "when", "after", "with"];

/// Kinds of declaration whose body holds clauses.
const CLAUSES: [&str; 7] = ["stage", "action", "gate", "rollout", "monitor", "experiment", "profile"];

/// Formats a file. One that has faults is left alone, and they are returned.
pub fn format(file: FileId, text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = super::parse(file, text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    let starts = split::split(file, text, &mut Vec::new()).into_iter().map(|chunk| chunk.start as usize).collect();
    let text_without_bom = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - text_without_bom.len();
    let tokens: Vec<_> = tokens(text_without_bom)
        .into_iter()
        .map(|token| Token { start: token.start + shift, end: token.end + shift, ..token })
        .collect();
    let mut writer = Writer {
        text,
        starts,
        out: String::with_capacity(text.len() + 16),
        open: Vec::new(),
        before: None,
        item: Anchor::default(),
        clause: Vec::new(),
        keyword: "",
        clause_word: "",
        derived: false,
    };
    writer.write(&tokens);
    Ok(writer.out)
}

/// Tells whether two trees are the same apart from where their nodes stand.
#[must_use]
pub fn same_tree(left: &File, right: &File) -> bool {
    serde_json::to_value(left).ok() == serde_json::to_value(right).ok()
}

/// Where the line that begins a declaration or clause stood, and where it stands now.
#[derive(Clone, Copy, Default)]
struct Anchor {
    was: usize,
    is: usize,
}

/// An open bracket.
struct Opened<'t> {
    bracket: &'t str,
    /// Indentation of the line that it stands on.
    indent: usize,
    /// Its lines begin clauses.
    clauses: bool,
}

struct Writer<'t> {
    text: &'t str,
    /// Where declarations begin, ascending.
    starts: Vec<usize>,
    out: String,
    open: Vec<Opened<'t>>,
    /// The last token of code.
    before: Option<Token>,
    item: Anchor,
    /// The clause begun last, for each open bracket.
    clause: Vec<Anchor>,
    keyword: &'t str,
    /// The first word of the clause that was begun last.
    clause_word: &'t str,
    /// The declaration binds by `=`, so that its braces hold a record.
    derived: bool,
}

impl<'t> Writer<'t> {
    fn write(&mut self, tokens: &[Token]) {
        let mut blank = false;
        for line in tokens.split_inclusive(|token| token.kind == Kind::Newline) {
            let line = match line {
                [rest @ .., end] if end.kind == Kind::Newline => rest,
                whole => whole,
            };
            let Some(&first) = line.first() else {
                blank = !self.out.is_empty();
                continue;
            };
            if std::mem::take(&mut blank) {
                self.out.push('\n');
            }
            let indent = self.indent(first);
            self.line(line, indent);
            self.out.push('\n');
        }
    }

    fn line(&mut self, line: &[Token], indent: usize) {
        push_blanks(&mut self.out, indent);
        let mut previous: Option<Token> = None;
        for &token in line {
            if let Some(previous) = previous {
                let gap = self.gap(previous, token);
                push_blanks(&mut self.out, gap);
            }
            self.token(token, indent);
            previous = Some(token);
        }
    }

    fn token(&mut self, token: Token, indent: usize) {
        let written = token.text(self.text);
        match token.kind {
            Kind::Open => {
                let clauses = written == "{" && self.opens_clauses();
                // The body of a declaration whose head goes over several lines belongs to its first line.
                let indent = if written == "{" && self.open.is_empty() { 0 } else { indent };
                self.open.push(Opened { bracket: written, indent, clauses });
                self.clause.push(Anchor::default());
            }
            Kind::Close => {
                self.open.pop();
                self.clause.pop();
            }
            Kind::Punct if written == "=" && self.open.is_empty() => self.derived = true,
            _ => {}
        }
        match token.kind {
            Kind::Raw if written.contains('\n') => self.block(written, indent),
            Kind::Comment => self.out.push_str(written.trim_end()),
            _ => self.out.push_str(written),
        }
        if token.is_code() {
            self.before = Some(token);
        }
    }

    /// Writes a block as it is; the marks around its text are not part of it.
    fn block(&mut self, written: &str, indent: usize) {
        // As many CRs as stand before a line's end: one that stayed would be the next round's.
        let mut lines = written.split('\n').map(|line| line.trim_end_matches('\r')).peekable();
        let mut first = true;
        while let Some(line) = lines.next() {
            if first {
                self.out.push_str(line.trim_end());
            } else if lines.peek().is_none() {
                self.out.push('\n');
                push_blanks(&mut self.out, indent);
                self.out.push_str(line.trim());
            } else {
                self.out.push('\n');
                self.out.push_str(line);
            }
            first = false;
        }
    }

    /// Tells whether a brace that comes next holds clauses.
    fn opens_clauses(&self) -> bool {
        match self.open.as_slice() {
            [] => CLAUSES.contains(&self.keyword) && !self.derived,
            [outer] if outer.clauses => matches!(self.keyword, "rollout" | "experiment") && self.clause_word == "watch",
            _ => false,
        }
    }

    /// Returns the indentation of the line that `first` begins, and remembers where it stood.
    fn indent(&mut self, first: Token) -> usize {
        let line = self.text[..first.start].rfind('\n').map_or(0, |at| at + 1);
        let lead = self.text[line..first.start].trim_start_matches('\u{feff}');
        let was = lead.bytes().map(|byte| if byte == b'\t' { STEP } else { usize::from(byte == b' ') }).sum();
        let word = first.text(self.text);
        let Some(top) = self.open.last() else {
            if first.kind == Kind::Comment {
                return 0;
            }
            if self.starts.binary_search(&first.start).is_ok() {
                self.item = Anchor { was, is: 0 };
                self.keyword = word;
                self.derived = false;
                return 0;
            }
            return if word == "{" { 0 } else { was.saturating_sub(self.item.was).max(STEP) };
        };
        if first.kind == Kind::Close {
            return top.indent;
        }
        let base = top.indent + STEP;
        if first.kind == Kind::Comment || top.bracket != "{" {
            return base;
        }
        let goes_on = self.goes_on(first, top.clauses);
        let Some(anchor) = self.clause.last_mut() else { return base };
        if goes_on {
            return (was + anchor.is).saturating_sub(anchor.was).max(base + STEP);
        }
        *anchor = Anchor { was, is: base };
        self.clause_word = word;
        base
    }

    /// Tells whether a line in braces goes on with the clause or field before it.
    fn goes_on(&self, first: Token, clauses: bool) -> bool {
        let word = first.text(self.text);
        let begins = match first.kind {
            Kind::Punct => return true,
            Kind::Word => GOES_ON.contains(&word) && !self.is_key(first),
            Kind::Raw => return true,
            _ => false,
        };
        let Some(before) = self.before else { return false };
        let open = match before.text(self.text) {
            "," => clauses,
            // Not `..`: its upper bound stands on the same line, or there is none.
            "=" | ":" | "|" | "+" | "-" | "*" | "/" | "==" | "!=" | "<=" | ">=" | "<" | ">" | "." => true,
            "and" | "or" | "not" => before.kind == Kind::Word,
            _ => false,
        };
        begins || open
    }

    fn is_key(&self, word: Token) -> bool {
        self.text[word.end..].trim_start_matches([' ', '\t']).starts_with(':')
    }

    /// Returns how many blanks stand between two tokens of a line.
    fn gap(&self, left: Token, right: Token) -> usize {
        let between = &self.text[left.end..right.start];
        let blanks = between.bytes().filter(|&byte| byte == b' ').count();
        let written = if between.is_empty() { 0 } else { blanks.max(1) };
        let (before, after) = (left.text(self.text), right.text(self.text));
        if right.kind == Kind::Comment {
            return written.max(1);
        }
        match (before, after) {
            ("{", "}") | ("(", ")") | ("[", "]") => 0,
            (_, "," | ")" | "]") => 0,
            (_, ":") if matches!(left.kind, Kind::Word | Kind::Str) => 0,
            ("(" | "[", _) => 0,
            _ if is_spaced(before) || is_spaced(after) => written.max(1),
            (_, "{") if left.kind != Kind::Open => written.max(1),
            ("{" | "," | ":", _) | (_, "}") => written.max(1),
            _ => written,
        }
    }
}

/// Operators that always stand between blanks.
fn is_spaced(operator: &str) -> bool {
    matches!(operator, "=" | "==" | "!=" | "<=" | ">=")
}

fn push_blanks(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;

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
        pipeline  p

        stage   a
          after b, c
            when x == 1 {
          # why
          in data = b.x,
             more = c.y # here
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
            include_str!("../../tests/fixtures/flagship/main.mlp"),
            "rollout r of x by canary {\n  watch t every 60s {\n    require a <= 1%,\n      b\n  }\n}\n",
        ] {
            if let Ok(formatted) = format(FileId(0), text) {
                assert_eq!(formatted, text);
            }
        }
    }
}
