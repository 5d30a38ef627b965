//! From the files that a stage read to the lines that it needs. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::plan::{Bound, Location, Node, NodeKind, Stage};
use crate::types::Origin;

/// What is to be done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is declared, and needed.
    Keep,
    /// It is needed, but not declared.
    Add,
    /// It is declared, but nothing of it was read in this run.
    Remove,
}

/// A line of a stage, or of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// As it stands in the pipeline's file.
    pub text: String,
    /// What is to be done with it.
    pub change: Change,
}

/// What is known of the workspace.
pub(super) struct Known<'k> {
    /// Files that the stage read, as it sees them.
    pub(super) read: &'k BTreeSet<String>,
    /// Files that it wanted to read and that were not there.
    pub(super) missed: &'k BTreeSet<String>,
    /// The files that each of the stage's `code` patterns means.
    pub(super) code: &'k [(String, BTreeSet<String>)],
    /// The files of the workspace that may be code.
    pub(super) may_be_code: &'k BTreeSet<String>,
}

/// Extensions of what is data, also where it stands under version control.
const DATA: [&str; 13] =
    ["csv", "tsv", "parquet", "jsonl", "ndjson", "npy", "npz", "pkl", "feather", "arrow", "h5", "zip", "gz"];

/// Returns the lines of a stage: what it needs first, in the order of its declaration, then what it lacks, then what it
/// does not need.
pub(super) fn lines(bound: &Bound, node: &Node, stage: &Stage, known: &Known<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut unread = Vec::new();
    let mut explained = BTreeSet::new();
    let mut say = |text: String, read: bool| {
        let line = Line { text, change: if read { Change::Keep } else { Change::Remove } };
        if read { lines.push(line) } else { unread.push(line) }
    };
    for input in stage.work.inputs.iter().filter(|input| !input.path.is_empty()) {
        let of_it: Vec<&String> = known.read.iter().filter(|path| covers(&input.path, path)).collect();
        let is_value = matches!(input.kind, crate::plan::InputKind::Value(_));
        say(declared(&input.name, &input.origin), is_value || !of_it.is_empty());
        explained.extend(of_it);
        explained.extend(known.missed.iter().filter(|path| covers(&input.path, path)));
    }
    for (pattern, files) in known.code {
        let of_it: Vec<&String> = known.read.intersection(files).collect();
        say(format!("code \"{pattern}\""), !of_it.is_empty());
        explained.extend(of_it);
    }
    let own = |path: &String| stage.outputs.iter().any(|output| covers(&output.path, path));
    let names: BTreeSet<&str> = names(stage).collect();
    let mut added = BTreeSet::new();
    let wanted = known.read.iter().map(|path| (path, true)).chain(known.missed.iter().map(|path| (path, false)));
    for (path, there) in wanted.filter(|(path, _)| !explained.contains(path) && !own(path)) {
        let lacks = lacks(bound, node, &names, path, known.may_be_code.contains(path));
        // What is not there, and nobody makes, is looked for in passing.
        if there || matches!(lacks, Lacks::Input(_)) {
            added.insert((lacks.order(), lacks.lines()));
        }
    }
    lines.extend(added.into_iter().flat_map(|(_, texts)| texts).map(|text| Line { text, change: Change::Add }));
    lines.extend(unread);
    lines
}

/// What a stage lacks, to have a file.
pub(in crate::exec) enum Lacks {
    /// An input that reads what is declared elsewhere: `in   data = prepare.train`.
    Input(String),
    /// A pattern of its code.
    Code(String),
    /// A source that nobody declares yet, and the input that reads it: its name and its path.
    Source(String, String),
}

impl Lacks {
    fn order(&self) -> u8 {
        match self {
            Self::Input(_) => 0,
            Self::Code(_) => 1,
            Self::Source(..) => 2,
        }
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Input(line) => vec![line.clone()],
            Self::Code(path) => vec![format!("code \"{path}\"")],
            Self::Source(name, path) => vec![format!("source {name}: File = \"{path}\""), format!("in   {name}")],
        }
    }

    /// Says which lines are to be added to a stage.
    pub(in crate::exec) fn told(&self, stage: &str) -> String {
        match self {
            Self::Input(line) => format!("add `{}` to `{stage}`", line.replacen("in   ", "in ", 1)),
            Self::Code(path) => format!("add `code \"{path}\"` to `{stage}`"),
            Self::Source(name, path) => {
                format!("declare `source {name}: File = \"{path}\"`, and add `in {name}` to `{stage}`")
            }
        }
    }
}

/// Returns what a stage lacks for a file of the workspace that is `code` where neither its name nor a declaration says otherwise.
pub(in crate::exec) fn lacking(bound: &Bound, node: &Node, stage: &Stage, path: &str, code: bool) -> Lacks {
    lacks(bound, node, &names(stage).collect(), path, code)
}

fn lacks(bound: &Bound, node: &Node, names: &BTreeSet<&str>, path: &str, code: bool) -> Lacks {
    if let Some(origin) = origin(bound, node, path) {
        return Lacks::Input(declared(&free(names, &origin), &origin));
    }
    let data = path.rsplit_once('.').is_some_and(|(_, extension)| DATA.contains(&extension));
    match code && !data {
        true => Lacks::Code(path.to_owned()),
        false => Lacks::Source(identifier(path), path.to_owned()),
    }
}

/// Tells whether a path is that of a file or folder, or stands in it.
fn covers(of: &str, path: &str) -> bool {
    path.strip_prefix(of.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the source or the output of another stage that a path belongs to: the one that says most of it.
fn origin(bound: &Bound, node: &Node, path: &str) -> Option<Origin> {
    let mut found: BTreeMap<usize, Origin> = BTreeMap::new();
    for other in bound.plan.nodes.iter().filter(|other| other.name != node.name) {
        let NodeKind::Stage(stage) = &other.kind else { continue };
        if stage.baseline.is_some() {
            continue;
        }
        for output in stage.outputs.iter().filter(|output| covers(&output.path, path)) {
            found.entry(output.path.len()).or_insert_with(|| Origin::output(&other.name, &output.name));
        }
    }
    for source in &bound.plan.sources {
        if let Location::Path(of) = &source.location
            && covers(of, path)
        {
            found.entry(of.len()).or_insert_with(|| Origin::Source(source.name.clone()));
        }
    }
    found.pop_last().map(|(_, origin)| origin)
}

/// `in   data = prepare.train`, or `in   raw` where the name says it all.
fn declared(name: &str, origin: &Origin) -> String {
    match origin {
        Origin::Source(source) if source == name => format!("in   {name}"),
        Origin::Output { stage, output } => format!("in   {name} = {}.{output}", leg(stage)),
        other => format!("in   {name} = {other}"),
    }
}

/// `train[nord,1]` as it is written: `train["nord", 1]`.
fn leg(stage: &str) -> String {
    let Some((name, values)) = stage.strip_suffix(']').and_then(|stage| stage.split_once('[')) else {
        return stage.to_owned();
    };
    let value = |value: &str| if value.parse::<i64>().is_ok() { value.to_owned() } else { format!("\"{value}\"") };
    format!("{name}[{}]", values.split(',').map(value).collect::<Vec<_>>().join(", "))
}

/// Returns the names that a stage has given already.
fn names(stage: &Stage) -> impl Iterator<Item = &str> {
    let inputs = stage.work.inputs.iter().map(|input| input.name.as_str());
    let secrets = stage.work.secrets.iter().map(|secret| secret.variable.as_str());
    inputs
        .chain(stage.outputs.iter().map(|output| output.name.as_str()))
        .chain(stage.work.uses.iter().map(String::as_str))
        .chain(secrets)
}

/// Returns a name for an input that the stage has not given yet.
fn free(names: &BTreeSet<&str>, origin: &Origin) -> String {
    match origin {
        Origin::Output { stage, output } if names.contains(output.as_str()) => {
            format!("{}_{output}", stage.split('[').next().unwrap_or(stage))
        }
        Origin::Output { output, .. } => output.clone(),
        Origin::Source(name) | Origin::Pointer { registry: name, .. } => name.clone(),
    }
}

/// Makes a name of a file's name: `data/raw-2024.csv` is `raw_2024`.
fn identifier(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').find(|part| !part.is_empty()).unwrap_or("data");
    let plain: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_alphabetic()) { plain } else { format!("data_{plain}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Selection, bind};
    use crate::source::{SourceFile, Sources};

    const TEXT: &str = r#"pipeline p
edition 2026

source raw: File = "data/raw.csv"
source pages: Dir = "data/pages"

stage prepare {
  in  raw
  out train: File = "out/train.csv"
  out notes: Dir = "out/notes"
  run <<< cp "$raw" "$train"; mkdir "$notes" >>>
}

stage train {
  in   train = prepare.train, pages
  code "src/train.py", "src/old.py", "lib/**"
  out  model: File = "out/model.pkl"
  run <<< python3 src/train.py >>>
}
"#;

    #[test]
    fn files_become_the_lines_that_declare_them() {
        let mut sources = Sources::default();
        sources.add(SourceFile::new("p.mlp", TEXT));
        let compiled = crate::compile::compile(&sources);
        let plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let bound = bind(&plan, &Selection::default()).expect("bound");
        let node = bound.plan.node("train").expect("is there");
        let NodeKind::Stage(stage) = &node.kind else { panic!("a stage") };
        let set = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect::<BTreeSet<String>>();
        let read = [
            "src/train.py",
            "out/train.csv",
            "lib/a.py",
            "src/util.py",
            "data/raw.csv",
            "conf.yaml",
            "models/base-1.bin",
            "out/model.pkl",
            "extra/rows.csv",
        ];
        let code = [
            ("src/train.py".to_owned(), set(&["src/train.py"])),
            ("src/old.py".to_owned(), set(&["src/old.py"])),
            ("lib/**".to_owned(), set(&["lib/a.py", "lib/b.py"])),
        ];
        let known = Known {
            read: &set(&read),
            missed: &set(&["out/notes/x.txt", "nowhere.txt"]),
            code: &code,
            may_be_code: &set(&["src/util.py", "conf.yaml", "extra/rows.csv"]),
        };
        let shown = lines(&bound, node, stage, &known).into_iter().map(|line| {
            let mark = match line.change {
                Change::Keep => ' ',
                Change::Add => '+',
                Change::Remove => '-',
            };
            format!("{mark} {}", line.text)
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "  in   train = prepare.train",
                "  code \"src/train.py\"",
                "  code \"lib/**\"",
                "+ in   notes = prepare.notes",
                "+ in   raw",
                "+ code \"conf.yaml\"",
                "+ code \"src/util.py\"",
                "+ source base_1: File = \"models/base-1.bin\"",
                "+ in   base_1",
                "+ source rows: File = \"extra/rows.csv\"",
                "+ in   rows",
                "- in   pages",
                "- code \"src/old.py\"",
            ]
        );
    }

    #[test]
    fn legs_are_written_as_in_the_file() {
        assert_eq!([leg("train"), leg("train[nord,1]")], ["train", "train[\"nord\", 1]"]);
        assert_eq!([identifier("a/2024.csv"), identifier(".env"), identifier("A b.x")], ["data_2024", "env", "a_b"]);
    }
}
