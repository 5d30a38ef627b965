//! Why two keys differ: the parts of their manifests, compared, in words.

use std::fmt;

use serde::Serialize;

use super::manifest::Part;

/// One part that differs between two manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The kind of part: `command`, `param`, `input`, `code`, …
    pub kind: String,
    /// Which one of its kind; may be empty.
    pub name: String,
    /// What it said before, if it was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it says now, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// Compares two manifests; the order is that of the new one, then what is gone.
#[must_use]
pub fn changes(old: &[Part], new: &[Part]) -> Vec<Change> {
    let find = |parts: &[Part], like: &Part| {
        parts.iter().find(|part| part.kind == like.kind && part.name == like.name).cloned()
    };
    let mut changes = Vec::new();
    for part in new {
        match find(old, part) {
            Some(before) if before.fields == part.fields => {}
            Some(before) => {
                let (old, new) = differing(&before, part);
                changes.push(Change {
                    kind: part.kind.clone(),
                    name: part.name.clone(),
                    old: Some(old),
                    new: Some(new),
                });
            }
            None => {
                let new = Some(whole(part));
                changes.push(Change { kind: part.kind.clone(), name: part.name.clone(), old: None, new });
            }
        }
    }
    for part in old.iter().filter(|part| find(new, part).is_none()) {
        let old = Some(whole(part));
        changes.push(Change { kind: part.kind.clone(), name: part.name.clone(), old, new: None });
    }
    let command = |parts: &[Part]| parts.iter().find(|part| part.kind == "command").cloned();
    if let (Some(before), Some(now)) = (command(old), command(new))
        && is_told_by_values(&before, &now, &changes)
    {
        changes.retain(|change| change.kind != "command");
    }
    changes
}

/// Tells whether nothing of a list of arguments differs but values that are told by themselves.
fn is_told_by_values(old: &Part, new: &Part, changes: &[Change]) -> bool {
    let told = |before: &String, after: &String| {
        changes.iter().any(|change| {
            matches!(change.kind.as_str(), "param" | "variable")
                && change.old.as_ref() == Some(before)
                && change.new.as_ref() == Some(after)
        })
    };
    let pairs = || old.fields.iter().zip(&new.fields);
    old.fields.len() == new.fields.len()
        && old.fields != new.fields
        && pairs().all(|((before, _), (after, _))| before == after)
        && pairs().all(|((_, before), (_, after))| before == after || told(before, after))
}

fn whole(part: &Part) -> String {
    let said = part.fields.iter().filter(|(field, value)| (field.as_str(), value.as_str()) != ("executable", "no"));
    said.map(|(field, value)| shown(field, value)).collect::<Vec<_>>().join(" ")
}

/// Returns what differs between two versions of a part: for texts of several lines the first line that does.
fn differing(old: &Part, new: &Part) -> (String, String) {
    let same_fields = old.fields.len() == new.fields.len()
        && old.fields.iter().zip(&new.fields).all(|((before, _), (after, _))| before == after);
    if !same_fields {
        return (whole(old), whole(new));
    }
    let pairs = old.fields.iter().zip(&new.fields).filter(|((_, before), (_, after))| before != after);
    let (before, after): (Vec<_>, Vec<_>) =
        pairs.map(|((field, before), (_, after))| first_difference(field, before, after)).unzip();
    (before.join(" "), after.join(" "))
}

fn first_difference(field: &str, old: &str, new: &str) -> (String, String) {
    if !old.contains('\n') && !new.contains('\n') {
        return (shown(field, old), shown(field, new));
    }
    let (mut before, mut after) = (old.lines(), new.lines());
    loop {
        match (before.next(), after.next()) {
            (None, None) => return ("without a line end".to_owned(), "with a line end".to_owned()),
            (a, b) if a == b => {}
            (a, b) => return (a.unwrap_or("(end)").trim().to_owned(), b.unwrap_or("(end)").trim().to_owned()),
        }
    }
}

/// Digests are told apart by their first digits; a lone yes or no says nothing.
fn shown(field: &str, value: &str) -> String {
    match value.strip_prefix("blake3:") {
        None if field == "executable" => if value == "yes" { "executable" } else { "not executable" }.to_owned(),
        Some(hex) if hex.len() == 64 => hex[..12].to_owned(),
        _ => value.to_owned(),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind.as_str() {
            "param" => "parameter",
            other => other,
        };
        match self.name.is_empty() {
            true => write!(f, "{kind}")?,
            false => write!(f, "{kind} `{}`", self.name)?,
        }
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, " changed: {old} -> {new}"),
            (None, Some(new)) => write!(f, " is new: {new}"),
            (Some(old), None) => write!(f, " is gone: {old}"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::sample;
    use super::*;
    use crate::cache::{CommandLine, Manifest};

    fn told(change: impl FnOnce(&mut Manifest)) -> Vec<String> {
        let mut new = sample();
        change(&mut new);
        changes(&sample().parts(), &new.parts()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_part_that_changed_is_named_with_both_values() {
        assert!(told(|_| ()).is_empty());
        assert_eq!(
            told(|m| _ = m.params.insert("epochs".into(), "30".into())),
            ["parameter `epochs` changed: 20 -> 30"]
        );
        let digest = crate::host::Digest::of(b"y");
        let expected =
            format!("code `x.py` changed: {} -> {}", &crate::host::Digest::of(b"x").hex()[..12], &digest.hex()[..12]);
        assert_eq!(told(|m| m.code[0].digest = digest), [expected]);
    }

    #[test]
    fn parts_come_and_go() {
        let told = told(|m| {
            m.params.clear();
            m.params.insert("lr".into(), "0.1".into());
        });
        assert_eq!(told, ["parameter `lr` is new: 0.1", "parameter `epochs` is gone: 20"]);
    }

    #[test]
    fn what_comes_and_goes_is_told_without_bare_answers() {
        let told = told(|m| _ = m.code.pop());
        assert_eq!(told, [format!("code `x.py` is gone: {}", &crate::host::Digest::of(b"x").hex()[..12])]);
    }

    #[test]
    fn the_executable_bit_is_named() {
        assert_eq!(told(|m| m.code[0].executable = true), ["code `x.py` changed: not executable -> executable"]);
    }

    #[test]
    fn a_parameter_in_the_arguments_is_told_once() {
        let arguments = |epochs: &str, seed: &str| {
            let words = ["train.py", "--epochs", epochs, "--seed", seed];
            let command = CommandLine::Arguments(words.map(str::to_owned).to_vec());
            let mut manifest = Manifest { command, ..sample() };
            manifest.params.insert("epochs".into(), epochs.into());
            manifest.parts()
        };
        let told =
            |new: Vec<Part>| changes(&arguments("20", "1"), &new).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(told(arguments("30", "1")), ["parameter `epochs` changed: 20 -> 30"]);
        let both = ["command changed: 20 1 -> 30 2", "parameter `epochs` changed: 20 -> 30"];
        assert_eq!(told(arguments("30", "2")), both);
    }

    #[test]
    fn of_a_script_the_first_line_that_differs_is_shown() {
        let script = |text: &str| CommandLine::Script { interpreter: "bash".into(), text: text.into() };
        let old = Manifest { command: script("a\nb\nc\n"), ..sample() };
        let new = Manifest { command: script("a\nx\nc\n"), ..sample() };
        let told = changes(&old.parts(), &new.parts());
        assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), ["command changed: b -> x"]);
    }
}
