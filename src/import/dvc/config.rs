//! `.dvc/config`: what its text says, and what jobs need to fetch from the remote that it names.

use std::collections::BTreeMap;

use crate::import::{Files, Note, Remark};

/// Values by their section, as `core` or `remote "store"`, and their key; all names in lower case.
pub(crate) type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// Adds the values of a text, over those that are there.
pub(crate) fn read(text: &str, sections: &mut Sections) {
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        let bare = line.split_once(" #").map_or(line, |(line, _)| line.trim_end());
        if let Some(name) = bare.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.trim().trim_matches('\'').to_lowercase();
            if let Some(plain) = section.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
                section = plain.to_owned();
            }
        } else if !line.starts_with(['#', ';'])
            && let Some((name, value)) = line.split_once('=')
        {
            let values = sections.entry(section.clone()).or_default();
            values.insert(name.trim().to_lowercase(), plain(value.trim()).to_owned());
        }
    }
}

/// Takes a value out of its quotes, or a comment from behind it.
fn plain(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

/// Says what jobs elsewhere need, to fetch the sources of a pipeline that DVC keeps.
pub(super) fn note(files: &dyn Files) -> Note {
    const FILE: &str = ".dvc/config";
    let written = files.read(FILE).unwrap_or_default();
    let mut sections = Sections::new();
    read(&written, &mut sections);
    let name = sections.get("core").and_then(|core| core.get("remote"));
    let section = name.map(|name| format!("remote \"{}\"", name.to_lowercase()));
    let url = section.and_then(|section| sections.get(&section)?.get("url"));
    let (Some(name), Some(url)) = (name, url) else {
        let text = "no remote has the data that DVC keeps: `dvc remote add -d NAME URL` and `dvc push`, so that jobs elsewhere can fetch it";
        return Note { file: FILE.to_owned(), line: 1, remark: Remark::Step, text: text.to_owned() };
    };
    let line = written.lines().position(|line| line.contains(url.as_str())).unwrap_or(0);
    let needs = match url.split_once("://").map_or("", |(scheme, _)| scheme) {
        "s3" => {
            "wants a key of AWS: before you add a `target`, declare `credential aws = oidc(\"aws\", …)`, and add `credentials aws` to each stage that reads \
             a source `dvc(…)`; or say `dvc(…, public: true)` where anybody may read it"
        }
        "http" | "https" => "wants no key: before you add a `target`, say `dvc(…, public: true)`",
        "" | "file" => {
            "is a folder, which jobs elsewhere have only where it is mounted: before you add a `target`, name one that they reach; and say \
             `dvc(…, public: true)`, as it wants no key"
        }
        _ => "is of a kind that `mlpc` does not fetch from: here and in jobs the data comes by `dvc pull`",
    };
    let text = format!("the remote `{name}` (`{url}`) {needs}");
    Note { file: FILE.to_owned(), line: u32::try_from(line + 1).unwrap_or(1), remark: Remark::Step, text }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Folder;
    use super::*;

    #[test]
    fn the_kind_of_the_remote_says_what_jobs_need() {
        let of = |config: &str| {
            let note = note(&Folder::of(&[(".dvc/config", config)]));
            (note.line, note.text)
        };
        let remote = |url: &str| of(&format!("[core]\n    remote = Store\n['remote \"store\"']\n    url = {url}\n"));
        let (line, text) = remote("s3://team/dvc");
        assert!(line == 4 && text.contains("`credentials aws`"), "{line}: {text}");
        assert!(remote("https://data.example.com").1.contains("wants no key"));
        assert!(remote("../../store").1.contains("where it is mounted"));
        assert!(remote("gs://team/dvc").1.contains("by `dvc pull`"));
        assert!(of("").1.starts_with("no remote has the data"));
        assert!(of("[core]\nremote = gone\n").1.starts_with("no remote has the data"));
    }
}
