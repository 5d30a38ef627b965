//! The manifest of a piece of work: what is declared and locked, never what is observed. It is written once, part by
//! part; one reader hashes the parts into the key, another keeps them, so that an explanation can't differ from the
//! key.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::host::Digest;

/// Version of the manifest; part of every key.
const FORMAT: &str = "1";

/// The key of a result: the digest of its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(pub Digest);

impl Key {
    /// Returns the key of what was kept of a manifest.
    #[must_use]
    pub fn of(parts: &[Part]) -> Self {
        let mut hashing = Hashing(blake3::Hasher::new());
        for part in parts {
            let fields: Vec<_> = part.fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
            hashing.part(&part.kind, &part.name, &fields);
        }
        Self(hashing.0.finalize().into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

/// What decides whether two pieces of work are the same work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What is executed.
    pub command: CommandLine,
    /// Used parameters with their values as JSON.
    pub params: BTreeMap<String, String>,
    /// Further variables (of loops, let through by `pass_env`), `None` where the caller has none.
    pub variables: BTreeMap<String, Option<String>>,
    /// What is read.
    pub inputs: Vec<InputFile>,
    /// The code.
    pub code: Vec<CodeFile>,
    /// What comes out.
    pub outputs: Vec<OutputFile>,
    /// The software.
    pub runtime: RuntimeKey,
    /// The machine that was asked for, where the work says so.
    pub platform: Option<String>,
    /// How far the work is kept apart from the workspace.
    pub isolation: String,
    /// Variables that hold secrets, with the secrets' names; never values.
    pub secrets: BTreeMap<String, String>,
    /// Exit statuses that count as success.
    pub statuses: Vec<i32>,
}

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// A program and its arguments.
    Arguments(Vec<String>),
    /// A script.
    Script {
        /// The interpreter with its options.
        interpreter: String,
        /// The text.
        text: String,
    },
}

/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// The name in the stage.
    pub role: String,
    /// Where it stands in the stage's folder.
    pub path: String,
    /// Its content, with `true` for an executable; `None` for an optional that is absent.
    pub content: Option<(Digest, bool)>,
}

/// A file of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFile {
    /// Path in the workspace.
    pub path: String,
    /// Digest of its content.
    pub digest: Digest,
    /// The executable bit.
    pub executable: bool,
}

/// An output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// The name in the stage.
    pub role: String,
    /// Where the work writes it.
    pub path: String,
    /// Its type, as it is written.
    pub ty: String,
}

/// The software as it was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeKey {
    /// Nothing is locked: whatever this machine has. Not shared beyond it.
    Host,
    /// Exact versions and digests, by name.
    Locked(BTreeMap<String, String>),
}

/// One part of a manifest as it is kept: what `mlpc why` compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The kind of part: `command`, `param`, `input`, `code`, …
    pub kind: String,
    /// Which one of its kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it says, by field.
    pub fields: Vec<(String, String)>,
}

/// Reads a manifest part by part.
trait Reader {
    fn part(&mut self, kind: &str, name: &str, fields: &[(&str, &str)]);
}

impl Manifest {
    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> Key {
        let mut hashing = Hashing(blake3::Hasher::new());
        self.write(&mut hashing);
        Key(hashing.0.finalize().into())
    }

    /// Returns the parts, to be kept beside the result.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let mut keeping = Keeping(Vec::new());
        self.write(&mut keeping);
        keeping.0
    }

    /// Tells whether a result may be used on other machines.
    #[must_use]
    pub fn is_shareable(&self) -> bool {
        self.runtime != RuntimeKey::Host
    }

    fn write(&self, to: &mut impl Reader) {
        to.part("format", "", &[("version", FORMAT)]);
        match &self.command {
            CommandLine::Arguments(arguments) => {
                let numbered: Vec<String> = (0..arguments.len()).map(|index| index.to_string()).collect();
                let fields = numbered.iter().map(String::as_str).zip(arguments.iter().map(String::as_str));
                to.part("command", "", &fields.collect::<Vec<_>>());
            }
            CommandLine::Script { interpreter, text } => {
                to.part("command", "", &[("interpreter", interpreter), ("script", text)]);
            }
        }
        for (name, value) in &self.params {
            to.part("param", name, &[("value", value)]);
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => to.part("variable", name, &[("value", value)]),
                None => to.part("variable", name, &[]),
            }
        }
        for input in sorted(&self.inputs, |input| &input.role) {
            let digest = input.content.as_ref().map(|(digest, _)| digest.to_string());
            let executable = input.content.is_some_and(|(_, executable)| executable);
            let content = [("digest", digest.as_deref().unwrap_or("absent")), ("executable", yes(executable))];
            to.part("input", &input.role, &[("path", &input.path), content[0], content[1]]);
        }
        for file in sorted(&self.code, |file| &file.path) {
            let digest = file.digest.to_string();
            to.part("code", &file.path, &[("digest", &digest), ("executable", yes(file.executable))]);
        }
        for output in sorted(&self.outputs, |output| &output.role) {
            to.part("output", &output.role, &[("path", &output.path), ("type", &output.ty)]);
        }
        match &self.runtime {
            RuntimeKey::Host => {
                let host = [("os", std::env::consts::OS), ("arch", std::env::consts::ARCH)];
                to.part("runtime", "host", &host);
            }
            RuntimeKey::Locked(parts) => {
                let fields: Vec<_> = parts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                to.part("runtime", "locked", &fields);
            }
        }
        if let Some(platform) = &self.platform {
            to.part("platform", "", &[("value", platform)]);
        }
        to.part("isolation", "", &[("value", &self.isolation)]);
        for (variable, secret) in &self.secrets {
            to.part("secret", variable, &[("name", secret)]);
        }
        let mut statuses = self.statuses.clone();
        statuses.sort_unstable();
        statuses.dedup();
        let statuses: Vec<String> = statuses.iter().map(i32::to_string).collect();
        to.part("status", "", &[("value", &statuses.join(" "))]);
    }
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// The order in which things were declared is no part of what they mean.
fn sorted<T>(items: &[T], name: impl Fn(&T) -> &String) -> Vec<&T> {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_by(|a, b| name(a).cmp(name(b)));
    items
}

struct Hashing(blake3::Hasher);

impl Hashing {
    /// Length first, so that no two different rows of texts run together to the same bytes.
    fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }
}

impl Reader for Hashing {
    fn part(&mut self, kind: &str, name: &str, fields: &[(&str, &str)]) {
        self.text(kind);
        self.text(name);
        self.0.update(&(fields.len() as u64).to_le_bytes());
        for (field, value) in fields {
            self.text(field);
            self.text(value);
        }
    }
}

struct Keeping(Vec<Part>);

impl Reader for Keeping {
    fn part(&mut self, kind: &str, name: &str, fields: &[(&str, &str)]) {
        let fields = fields.iter().map(|&(field, value)| (field.to_owned(), value.to_owned())).collect();
        self.0.push(Part { kind: kind.to_owned(), name: name.to_owned(), fields });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Manifest {
        Manifest {
            command: CommandLine::Script { interpreter: "bash".into(), text: "python x.py".into() },
            params: BTreeMap::from([("epochs".into(), "20".into())]),
            variables: BTreeMap::new(),
            inputs: vec![
                InputFile { role: "data".into(), path: "d.csv".into(), content: Some((Digest::of(b"d"), false)) },
                InputFile { role: "old".into(), path: "m.pkl".into(), content: None },
            ],
            code: vec![CodeFile { path: "x.py".into(), digest: Digest::of(b"x"), executable: false }],
            outputs: vec![OutputFile { role: "model".into(), path: "m".into(), ty: "Model".into() }],
            runtime: RuntimeKey::Host,
            platform: None,
            isolation: "copies".into(),
            secrets: BTreeMap::from([("TOKEN".into(), "token".into())]),
            statuses: vec![0],
        }
    }

    #[test]
    fn every_part_is_in_the_key() {
        let changes: [fn(&mut Manifest); 16] = [
            |m| m.command = CommandLine::Script { interpreter: "sh".into(), text: "python x.py".into() },
            |m| m.command = CommandLine::Script { interpreter: "bash".into(), text: "python x.py ".into() },
            |m| m.command = CommandLine::Arguments(vec!["python".into(), "x.py".into()]),
            |m| _ = m.params.insert("epochs".into(), "21".into()),
            |m| _ = m.params.insert("lr".into(), "21".into()),
            |m| _ = m.variables.insert("epochs".into(), None),
            |m| m.inputs[0].content = Some((Digest::of(b"e"), false)),
            |m| m.inputs[0].content = Some((Digest::of(b"d"), true)),
            |m| m.inputs[0].path = "e.csv".into(),
            |m| m.inputs[1].content = Some((Digest::of(b""), false)),
            |m| m.code[0].executable = true,
            |m| m.outputs[0].ty = "File".into(),
            |m| m.runtime = RuntimeKey::Locked(BTreeMap::new()),
            |m| m.isolation = "off".into(),
            |m| _ = m.secrets.insert("TOKEN".into(), "other".into()),
            |m| m.statuses = vec![0, 1],
        ];
        let mut keys = vec![sample().key()];
        for change in changes {
            let mut changed = sample();
            change(&mut changed);
            keys.push(changed.key());
        }
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), changes.len() + 1);
    }

    #[test]
    fn the_order_of_declarations_is_not_in_the_key_but_that_of_arguments_is() {
        let mut turned = sample();
        turned.inputs.reverse();
        assert_eq!(turned.key(), sample().key());
        let key = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
            Manifest { command: CommandLine::Arguments(arguments), ..sample() }.key()
        };
        assert_ne!(key(&["a", "b"]), key(&["b", "a"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["a", ""]), key(&["a"]));
    }

    #[test]
    fn what_is_kept_hashes_to_the_key() {
        let mut again = Hashing(blake3::Hasher::new());
        for part in sample().parts() {
            let fields: Vec<_> = part.fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
            again.part(&part.kind, &part.name, &fields);
        }
        assert_eq!(Key(again.0.finalize().into()), sample().key());
    }
}
