//! Raw blocks: pieces of a platform's own format, for what the language has no word for. A block is read into the
//! target's typed model and added to what is generated; it never takes the place of anything.
//!
//! What they have in common stands here: where a block is, how a fault in it is found again in the pipeline's text, and
//! which declarations take one. What a platform takes, each target says itself.

mod find;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_yaml::Value as Yaml;

use super::Site;
use crate::diagnostic::{Code, Diagnostic, codes, nearest};
use crate::model::{self, Model};
use crate::plan::{NodeKind, Plan};
use crate::source::Span;
use crate::types::Value;

pub(super) use find::{Path, Seg, path};

/// What raw blocks may name: what a pipeline declares.
#[derive(Debug, Default)]
pub struct Declared {
    /// The keyword of every declaration that is a node.
    nodes: BTreeMap<String, &'static str>,
    /// Its secrets.
    secrets: BTreeSet<String>,
}

impl Declared {
    /// Collects what a model declares.
    #[must_use]
    pub fn of_model(model: &Model) -> Self {
        let name = |node: &model::Node| match &node.leg {
            Some(leg) => leg.of.clone(),
            None => node.name.value.clone(),
        };
        Self {
            nodes: model.nodes.iter().map(|(_, node)| (name(node), node.keyword)).collect(),
            secrets: model.secrets.iter().map(|(_, secret)| secret.name.value.clone()).collect(),
        }
    }

    /// Collects what a plan declares.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let own = |node: &&crate::plan::Node| !matches!(&node.kind, NodeKind::Stage(stage) if stage.baseline.is_some());
        Self {
            nodes: plan.nodes.iter().filter(own).map(|node| (declared(node).to_owned(), node.kind.keyword())).collect(),
            secrets: plan.secrets.iter().map(|secret| secret.name.clone()).collect(),
        }
    }

    /// Tells whether a secret of this name is declared.
    pub(super) fn has_secret(&self, name: &str) -> bool {
        self.secrets.contains(name)
    }
}

/// Returns the declaration that a node comes from: a leg's loop, the stage that a baseline repeats.
pub(super) fn declared(node: &crate::plan::Node) -> &str {
    match (&node.kind, &node.leg) {
        (_, Some(leg)) => &leg.of,
        (NodeKind::Stage(stage), None) => stage.baseline.as_ref().map_or(&node.name, |run| &run.stage),
        _ => &node.name,
    }
}

/// A raw text of a target's settings.
#[derive(Debug, Clone)]
pub(super) struct Block<'a> {
    /// Its place among those of the site.
    key: String,
    /// The text, without the indentation that all its lines have.
    text: &'a str,
}

impl Block<'_> {
    /// Returns the comment behind a value: the version of an action that is named by its commit.
    pub(super) fn comment(&self, value: &str) -> Option<String> {
        let rest = self.text.lines().find_map(|line| line.split_once(value).map(|(_, rest)| rest))?;
        let comment = rest.trim_start_matches(['"', '\'']).trim().strip_prefix('#')?.trim();
        (!comment.is_empty()).then(|| comment.to_owned())
    }
}

/// The raw texts of a target.
#[derive(Debug, Default)]
pub(super) struct Blocks<'a> {
    /// `workflow: <<< … >>>`
    pub(super) workflow: Option<Block<'a>>,
    /// `raw: { train: <<< … >>> }`, by declaration.
    pub(super) pieces: Vec<(&'a str, Block<'a>)>,
}

/// A fault inside of a block.
pub(super) struct Fault {
    /// Where: the key, or the item of a list.
    pub(super) at: Path,
    /// What to look for behind that place, where a text has several lines.
    pub(super) needle: &'static str,
    /// The code.
    pub(super) code: Code,
    /// What is wrong.
    pub(super) message: String,
    /// The way out.
    pub(super) help: String,
}

/// A place that is not the block's to fill: its path, and what says it instead.
pub(super) type Owned = (&'static [&'static str], &'static str);

/// Collects what there is to say of the blocks of a target.
pub(super) struct Reader<'a, 's> {
    /// The target's name.
    pub(super) target: &'static str,
    /// What may be named.
    pub(super) declared: &'a Declared,
    /// Where things stand.
    pub(super) site: &'a Site<'s>,
    /// What was found.
    pub(super) found: Vec<Diagnostic>,
}

impl Reader<'_, '_> {
    /// Returns the blocks of the settings. A name that takes none is reported.
    pub(super) fn blocks<'v>(&mut self, settings: &'v Value) -> Blocks<'v> {
        let mut blocks = Blocks::default();
        let Value::Record(fields) = settings else { return blocks };
        for (key, value) in fields {
            match (key.as_str(), value) {
                ("workflow", Value::String(text)) => blocks.workflow = Some(self.block("workflow", text)),
                ("workflow", _) => {
                    self.setting("`workflow` is not a text", "write `workflow: <<<`, lines of YAML, and `>>>`");
                }
                ("raw", Value::Record(pieces)) => {
                    for (name, value) in pieces {
                        let Value::String(text) = value else {
                            let help = format!("write `{name}: <<<`, lines of YAML, and `>>>`");
                            self.setting(&format!("what `raw` holds for `{name}` is not a text"), &help);
                            continue;
                        };
                        let block = self.block(&format!("raw.{name}"), text);
                        if self.takes(name, &block) {
                            blocks.pieces.push((name, block));
                        }
                    }
                }
                ("raw", _) => {
                    self.setting("`raw` is not a record", "write `raw: { train: <<<`, lines of YAML, and `>>> }`");
                }
                _ => {}
            }
        }
        blocks
    }

    fn block<'v>(&self, key: &str, text: &'v str) -> Block<'v> {
        Block { key: format!("target {} {key}", self.target), text }
    }

    fn setting(&mut self, message: &str, help: &str) {
        let span = self.site.span(&format!("target {}", self.target));
        self.found.push(Diagnostic::new(codes::TARGET_SETTING, span, message).help(help));
    }

    /// Tells whether a declaration takes a block: what runs a command of the user's does.
    fn takes(&mut self, name: &str, block: &Block<'_>) -> bool {
        let nodes = &self.declared.nodes;
        let takers = || nodes.iter().filter(|(_, word)| matches!(**word, "stage" | "action")).map(|(name, _)| name);
        let (message, help) = match nodes.get(name) {
            Some(&("stage" | "action")) => return true,
            Some(word) => (
                format!("{} `{name}` runs nothing of yours, and takes no raw block", with_article(word)),
                "leave it out; `workflow: <<< … >>>` is for all".to_owned(),
            ),
            None => (
                format!("no stage or action `{name}`"),
                match nearest(name, takers().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name a stage or an action of this pipeline".to_owned(),
                },
            ),
        };
        let span = self.line(block, 1, 1);
        self.found.push(Diagnostic::new(codes::TARGET_SETTING, span, message).help(help));
        false
    }

    /// Reads a block into the target's model; `look` finds what its types can't tell.
    pub(super) fn piece<T: DeserializeOwned>(
        &mut self,
        block: &Block<'_>,
        owned: &[Owned],
        look: impl Fn(&Yaml) -> Vec<Fault>,
    ) -> Option<T> {
        let before = self.found.len();
        let value: Yaml = match serde_yaml::from_str(block.text) {
            Ok(value) => value,
            Err(error) => {
                self.unread(block, &error, "this is no YAML");
                return None;
            }
        };
        if !value.is_mapping() {
            let span = self.line(block, 1, 1);
            let help = "write `KEY: VALUE` lines, or leave the block out";
            self.found.push(Diagnostic::new(codes::RAW_BLOCK, span, "the block is no map of YAML").help(help));
            return None;
        }
        for (keys, help) in owned {
            let at = path(keys);
            if find::get(&value, &at).is_some() {
                let code = codes::RAW_OWNED;
                let message = format!("`{}` is not for a raw block to say", keys.join("."));
                self.fault(block, Fault { at, needle: "", code, message, help: (*help).to_owned() });
            }
        }
        if self.found.len() > before {
            return None;
        }
        let read: T = match serde_yaml::from_str(block.text) {
            Ok(read) => read,
            Err(error) => {
                self.unread(block, &error, &format!("{} does not take this", title(self.target)));
                return None;
            }
        };
        for fault in look(&value) {
            self.fault(block, fault);
        }
        (self.found.len() == before).then_some(read)
    }

    /// Reports a fault at its line.
    pub(super) fn fault(&mut self, block: &Block<'_>, fault: Fault) {
        let (line, column) = find::place(block.text, &fault.at).unwrap_or((1, 1));
        let lines = block.text.lines().skip(line - 1);
        let below = if fault.needle.is_empty() { None } else { lines.clone().position(|l| l.contains(fault.needle)) };
        let span = match below {
            None | Some(0) => self.line(block, line, column),
            Some(more) => {
                let blanks = block.text.lines().nth(line + more - 1).map_or(0, |l| l.len() - l.trim_start().len());
                self.line(block, line + more, blanks + 1)
            }
        };
        self.found.push(Diagnostic::new(fault.code, span, fault.message).help(fault.help));
    }

    fn unread(&mut self, block: &Block<'_>, error: &serde_yaml::Error, what: &str) {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
        let said = error.to_string();
        // Its own count of lines begins at the block.
        let said = said.split(" at line ").next().unwrap_or(&said);
        let help = "correct it; the block is read as the platform reads the file it becomes a part of";
        let span = self.line(block, line, column);
        self.found.push(Diagnostic::new(codes::RAW_BLOCK, span, format!("{what}: {said}")).help(help));
    }

    /// Returns where a line of the block stands in the source, from this column to its end. Both count from 1.
    fn line(&self, block: &Block<'_>, line: usize, column: usize) -> Span {
        let top = self.site.span(&block.key);
        if top == Span::default() {
            return self.site.span(&format!("target {}", self.target));
        }
        // What is missing at the end is missed behind the last line.
        let last = block.text.trim_end().lines().count().max(1);
        let (line, column) = if line > last { (last, 1) } else { (line, column) };
        let blank = block.text.lines().take_while(|line| line.trim().is_empty()).count();
        let file = self.site.sources.file(top.file);
        let first = file.line_index(top.start);
        let before = (top.start - file.line_starts()[first]) as usize;
        let Some(&start) = file.line_starts().get((first + line).saturating_sub(1 + blank)) else { return top };
        let whole = file.text()[start as usize..].lines().next().unwrap_or_default();
        let text = whole.get(before..).unwrap_or_default();
        let text = text.split(">>>").next().unwrap_or(text).trim_end();
        let skip: usize = text.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        let start = start as usize + whole.len().min(before);
        Span::new(top.file, (start + skip) as u32, (start + text.len()) as u32)
    }
}

/// Calls `each` with every text of a tree and where it is; keys are texts, too.
pub(super) fn texts(value: &Yaml, each: &mut impl FnMut(&[Seg], &str, bool)) {
    fn walk(value: &Yaml, at: &mut Path, each: &mut impl FnMut(&[Seg], &str, bool)) {
        match value {
            Yaml::String(text) => each(at, text, false),
            Yaml::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    at.push(Seg::Item(index));
                    walk(item, at, each);
                    at.pop();
                }
            }
            Yaml::Mapping(entries) => {
                for (key, value) in entries {
                    let Some(key) = key.as_str() else { continue };
                    at.push(Seg::Key(key.to_owned()));
                    each(at, key, true);
                    walk(value, at, each);
                    at.pop();
                }
            }
            _ => {}
        }
    }
    walk(value, &mut Vec::new(), each);
}

/// Tells whether an image is named by its digest.
pub(super) fn is_pinned(image: &str) -> bool {
    image.rsplit_once("@sha256:").is_some_and(|(name, digest)| !name.is_empty() && is_hex(digest, 64))
}

/// Tells whether a text is a digest of this length, in lower case.
pub(super) fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// Makes the fault of an image that can become another one.
pub(super) fn unpinned_image(at: &[Seg], image: &str) -> Fault {
    Fault {
        at: at.to_vec(),
        needle: "",
        code: codes::RAW_UNPINNED,
        message: format!("the image `{image}` may be another one tomorrow"),
        help: "name its digest: `NAME@sha256:…`, as `docker buildx imagetools inspect` shows it".to_owned(),
    }
}

fn title(target: &str) -> &str {
    match target {
        "github" => "GitHub",
        "argo" => "Argo",
        other => other,
    }
}

fn with_article(word: &str) -> String {
    format!("{} {word}", if word.starts_with(['a', 'e', 'o']) { "an" } else { "a" })
}
