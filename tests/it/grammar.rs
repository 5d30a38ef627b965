//! The book's page about the grammar is made from the grammar that the parser is made from.
//!
//! `BLESS=1 cargo test grammar` writes the page. Trivia, look-ahead and the rules that only name a failure are left out, and a rule
//! that comes down to one literal stands where it is used.

use std::collections::BTreeMap;

use crate::sandbox::repository;

const PAGE: &str = "book/src/language/grammar.md";

/// What a rule matches, as far as a reader wants to know it.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Nothing,
    Literal(String),
    Name(String),
    Any(Vec<Shape>),
    All(Vec<Shape>),
    Repeated(Box<Shape>, char),
    Except(Box<Shape>),
}

struct Rule {
    group: String,
    name: String,
    doc: String,
    shape: Shape,
}

/// Reads expressions of pest's notation.
struct Reader<'t> {
    tokens: Vec<&'t str>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { tokens: tokens(text), at: 0 }
    }

    fn takes(&mut self, token: &str) -> bool {
        let there = self.tokens.get(self.at) == Some(&token);
        self.at += usize::from(there);
        there
    }

    fn choice(&mut self) -> Shape {
        let mut ways = vec![self.sequence()];
        while self.takes("|") {
            ways.push(self.sequence());
        }
        // A way that is empty text is a way that may be left out.
        let all = ways.len();
        ways.retain(|way| *way != Shape::Literal("\"\"".into()));
        let perhaps = ways.len() < all;
        ways.retain(|way| *way != Shape::Nothing);
        let shape = one(ways, Shape::Any);
        if perhaps && shape != Shape::Nothing { Shape::Repeated(Box::new(shape), '?') } else { shape }
    }

    fn sequence(&mut self) -> Shape {
        let mut parts = vec![self.repeated()];
        while self.takes("~") {
            parts.push(self.repeated());
        }
        // A look-ahead tells something only where it stands before "anything".
        let mut told = Vec::new();
        let mut but = None;
        for part in parts {
            match part {
                Shape::Except(what) => but = Some(what),
                Shape::Name(name) if name == "ANY" => {
                    told.extend([but.take().map_or_else(|| Shape::Name("any".into()), Shape::Except)])
                }
                Shape::Nothing => {}
                part => {
                    but = None;
                    told.push(part);
                }
            }
        }
        one(told, Shape::All)
    }

    fn repeated(&mut self) -> Shape {
        if self.takes("!") {
            return Shape::Except(Box::new(self.repeated()));
        }
        if self.takes("&") {
            // What the next part begins with: it says nothing that the part does not say.
            self.repeated();
            return Shape::Nothing;
        }
        let mut shape = self.primary();
        while let Some(sign) = ["*", "+", "?"].into_iter().find(|sign| self.takes(sign)) {
            let sign = sign.chars().next().expect("one character");
            if shape != Shape::Nothing {
                shape = Shape::Repeated(Box::new(shape), sign);
            }
        }
        shape
    }

    fn primary(&mut self) -> Shape {
        let token = self.tokens[self.at];
        self.at += 1;
        if token == "(" {
            let inner = self.choice();
            assert!(self.takes(")"), "a parenthesis is not closed");
            return inner;
        }
        if self.takes("(") {
            // PUSH remembers what it matched.
            let inner = self.choice();
            assert!(self.takes(")"), "PUSH is not closed");
            return inner;
        }
        if token.starts_with('\'') && self.takes("..") {
            let last = self.tokens[self.at];
            self.at += 1;
            if token == last {
                return Shape::Literal(format!("\"{}\"", token.trim_matches('\'')));
            }
            return Shape::Name(format!("{token}..{last}"));
        }
        match token {
            "sp" | "blank" | "PEEK" | "XID_CONTINUE" if self.before() == Some("!") || token != "XID_CONTINUE" => {
                Shape::Nothing
            }
            _ if token.starts_with("need_") && !NODES.contains(&token) => Shape::Nothing,
            "POP" => Shape::Name("tag?".into()),
            "XID_START" => Shape::Name("letter".into()),
            "XID_CONTINUE" => Shape::Name("letter_or_digit".into()),
            "ASCII_DIGIT" => Shape::Name("digit".into()),
            _ if token.starts_with('"') => Shape::Literal(token.into()),
            _ => Shape::Name(token.into()),
        }
    }

    fn before(&self) -> Option<&'t str> {
        self.at.checked_sub(2).and_then(|at| self.tokens.get(at)).copied()
    }
}

/// Rules that begin like the names of failures and are none.
const NODES: [&str; 2] = ["need_record", "need_names"];

fn one(mut parts: Vec<Shape>, many: fn(Vec<Shape>) -> Shape) -> Shape {
    match parts.len() {
        0 => Shape::Nothing,
        1 => parts.remove(0),
        _ => many(parts),
    }
}

fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut left = text.trim_start();
    while let Some(first) = left.chars().next() {
        let length = match first {
            '"' | '\'' => {
                let mut escaped = false;
                let ends = |(_, c): &(usize, char)| {
                    let end = *c == first && !escaped;
                    escaped = *c == '\\' && !escaped;
                    end
                };
                left.char_indices().skip(1).find(ends).map_or(left.len(), |(at, _)| at + 1)
            }
            '.' => 2,
            c if c == '_' || c.is_alphanumeric() => {
                left.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(left.len())
            }
            _ => 1,
        };
        found.push(&left[..length]);
        left = left[length..].trim_start();
    }
    found
}

fn rules(grammar: &str) -> Vec<Rule> {
    let mut found: Vec<Rule> = Vec::new();
    let (mut group, mut doc) = (String::new(), String::new());
    let mut lines = grammar.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("// ---- ") {
            group = title.trim_end_matches('-').trim().to_owned();
        } else if let Some(text) = line.strip_prefix("/// ") {
            doc += text;
            doc.push('\n');
        } else if let Some((name, body)) =
            line.split_once('=').filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            let mut body = body.trim().trim_start_matches(['_', '@', '$', '!']).to_owned();
            while !body.ends_with('}') || body.ends_with("\"}") {
                body += lines.next().expect("a rule ends");
                body = body.trim_end().to_owned();
            }
            let inner = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).expect("braces around a rule");
            let mut reader = Reader::new(inner);
            let shape = reader.choice();
            assert_eq!(reader.at, reader.tokens.len(), "`{}` was not read whole", name.trim());
            found.push(Rule {
                group: group.clone(),
                name: name.trim().to_owned(),
                doc: std::mem::take(&mut doc),
                shape,
            });
        }
    }
    found
}

/// Puts rules without a line of their own where they are used: those that come down to literals, and those that one place names.
fn inlined(rules: Vec<Rule>) -> Vec<Rule> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    rules.iter().for_each(|rule| count(&rule.shape, &mut uses));
    let short = |rule: &Rule| {
        rule.doc.is_empty()
            && match &rule.shape {
                Shape::Nothing | Shape::Literal(_) | Shape::Name(_) => true,
                Shape::Any(ways) if ways.iter().all(|way| matches!(way, Shape::Literal(_))) => true,
                _ => uses.get(&rule.name) == Some(&1),
            }
    };
    let small: BTreeMap<String, Shape> =
        rules.iter().filter(|rule| short(rule)).map(|rule| (rule.name.clone(), rule.shape.clone())).collect();
    let mut kept: Vec<Rule> = rules.into_iter().filter(|rule| !small.contains_key(&rule.name)).collect();
    for rule in &mut kept {
        while let Some(next) = replaced(&rule.shape, &small) {
            rule.shape = next;
        }
    }
    kept
}

fn count(shape: &Shape, uses: &mut BTreeMap<String, usize>) {
    match shape {
        Shape::Name(name) => *uses.entry(name.clone()).or_default() += 1,
        Shape::Any(parts) | Shape::All(parts) => parts.iter().for_each(|part| count(part, uses)),
        Shape::Repeated(part, _) | Shape::Except(part) => count(part, uses),
        Shape::Nothing | Shape::Literal(_) => {}
    }
}

/// Returns the shape with small rules replaced, if it names any.
fn replaced(shape: &Shape, small: &BTreeMap<String, Shape>) -> Option<Shape> {
    let many = |parts: &[Shape]| {
        let new: Vec<_> = parts.iter().map(|part| replaced(part, small)).collect();
        new.iter().any(Option::is_some).then(|| {
            let told = new.into_iter().zip(parts).map(|(new, old)| new.unwrap_or_else(|| old.clone()));
            told.filter(|part| *part != Shape::Nothing).collect::<Vec<_>>()
        })
    };
    match shape {
        Shape::Name(name) => small.get(name).cloned(),
        Shape::Any(parts) => many(parts).map(|parts| one(parts, Shape::Any)),
        Shape::All(parts) => many(parts).map(|parts| one(parts, Shape::All)),
        Shape::Repeated(part, sign) => replaced(part, small).map(|part| Shape::Repeated(Box::new(part), *sign)),
        Shape::Except(part) => replaced(part, small).map(|part| Shape::Except(Box::new(part))),
        Shape::Nothing | Shape::Literal(_) => None,
    }
}

/// Returns the shape as text; `tight` is a place where a choice or a sequence needs parentheses.
fn shown(shape: &Shape, tight: bool) -> String {
    let text = match shape {
        Shape::Nothing => String::new(),
        Shape::Literal(text) | Shape::Name(text) => text.clone(),
        Shape::Any(ways) => ways.iter().map(|way| shown(way, false)).collect::<Vec<_>>().join(" | "),
        Shape::All(parts) => {
            parts.iter().map(|part| shown(part, matches!(part, Shape::Any(_)))).collect::<Vec<_>>().join(" ")
        }
        Shape::Repeated(part, sign) => format!("{}{sign}", shown(part, true)),
        Shape::Except(what) => format!("(any but {})", shown(what, false)),
    };
    if tight && matches!(shape, Shape::Any(_) | Shape::All(_)) { format!("({text})") } else { text }
}

/// Returns a rule on lines of at most 110 characters, broken between its words.
fn laid(name: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = format!("{name} =");
    let indent = " ".repeat(name.len() + 2);
    for word in words(text) {
        if line.len() + 1 + word.len() > 110 {
            lines += &format!("{line}\n");
            line.clone_from(&indent);
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}

/// Cuts at blanks outside of literals.
fn words(text: &str) -> Vec<&str> {
    let (mut found, mut from, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        let escaped = text[..at].ends_with('\\') && !text[..at].ends_with("\\\\");
        inside ^= c == '"' && !escaped;
        if c == ' ' && !inside {
            found.push(&text[from..at]);
            from = at + 1;
        }
    }
    found.push(&text[from..]);
    found
}

fn page() -> String {
    let grammar = std::fs::read_to_string(repository().join("grammar/mlp.pest")).expect("the grammar");
    let mut text = HEAD.to_owned();
    let mut group = String::new();
    let mut undocumented = Vec::new();
    for rule in inlined(rules(&grammar)) {
        if rule.shape == Shape::Nothing || HIDDEN.contains(&rule.name.as_str()) {
            continue;
        }
        if rule.doc.is_empty() {
            undocumented.push(rule.name.clone());
        }
        if rule.group != group {
            text += if group.is_empty() { "" } else { "```\n\n" };
            text += &format!("## {}\n\n```text\n", rule.group);
            group.clone_from(&rule.group);
        } else {
            text.push('\n');
        }
        text.extend(rule.doc.lines().map(|line| format!("# {line}\n")));
        text += &laid(&rule.name, &shown(&rule.shape, false));
    }
    assert!(undocumented.is_empty(), "these rules of grammar/mlp.pest have no `///` line: {undocumented:?}");
    text + "```\n"
}

/// What is said in words beside it: blanks, what a raw block is made of, what the next part begins with.
const HIDDEN: [&str; 8] =
    ["sp", "blank", "closing", "line", "prefix_sign", "postfix_sign", "range_sign", "closing_sign"];

const HEAD: &str = "# Grammar

Made from `grammar/mlp.pest`, the grammar that the parser is made from, by a test that fails when this page is out of date.

Blanks, newlines and comments may stand between any two parts and are not shown. `a b` is one after the other, `a | b` one of them, `a?` perhaps, `a*` any number,
`a+` at least one. `letter` and `letter_or_digit` are Unicode's; `any` is any character. A word ends where letters, digits and `_` end: `into` is no `in`.

The grammar takes a little more than the language has: which unit fits, which part belongs to which node, and what may be said twice is judged afterwards, where the
message can say more than \"unexpected\".

";

#[test]
fn the_page_about_the_grammar_is_made_from_it() {
    let made = page();
    let file = repository().join(PAGE);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &made).expect("the page is written");
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).find(|(kept, made)| kept != made);
    assert!(kept == made, "{PAGE} is out of date, first at {differs:?}: BLESS=1 cargo test grammar");
}

#[test]
fn a_rule_is_shown_without_what_only_the_parser_needs() {
    let told = |text: &str| {
        inlined(rules(text)).iter().map(|rule| laid(&rule.name, &shown(&rule.shape, false))).collect::<String>()
    };
    assert_eq!(
        told(
            "x = ${ \"in\" ~ !XID_CONTINUE ~ sp* ~ (y ~ (sp* ~ \",\" ~ sp* ~ y)*)? ~ close }\nclose = _{ \"}\" | need_y }"
        ),
        "x = \"in\" (y (\",\" y)*)? \"}\"\n"
    );
    assert_eq!(
        told("x = @{ \"'\" ~ (!(\"'\" | \"\\n\") ~ ANY)* ~ \"'\" }"),
        "x = \"'\" (any but \"'\" | \"\\n\")* \"'\"\n"
    );
    assert_eq!(
        told("/// Twice.\nx = @{ ('a'..'z' | \"_\")+ ~ y }\ny = { x? | \" b\" }"),
        "x = ('a'..'z' | \"_\")+ (x? | \" b\")\n"
    );
}
