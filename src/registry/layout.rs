//! The one layout of all registries: which file stands where, and what is in it. Paths are relative to the
//! registry's root, with `/`; whether that is a folder or a branch is not known here.
//!
//! ```text
//! versions/<id>/model              the model, a file or a folder
//! versions/<id>/with/<name>        what belongs to it
//! versions/<id>/metrics.json       its metrics, as the stage wrote them
//! versions/<id>/metadata.json      where it comes from
//! versions/<id>/requirements.txt   the packages it needs
//! pointers/<name>.json             the truth
//! history.jsonl                    what pointers were set to, a line each
//! rejections.jsonl                 what was rolled back, and allowed again, a line each
//! actions/<run>/…                the journal of actions, a file each
//! <name>/version.txt               derived, for serving code
//! <name>/metrics.json              derived
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ErrorKind, RegistryError};
use super::record::{FORMAT, Pointer, Version};
use crate::host::Digest;

pub(super) const VERSIONS: &str = "versions";
pub(super) const POINTERS: &str = "pointers";
pub(super) const ACTIONS: &str = "actions";
pub(super) const HISTORY: &str = "history.jsonl";
pub(super) const REJECTIONS: &str = "rejections.jsonl";

pub(super) const MODEL: &str = "model";
pub(super) const WITH: &str = "with";
pub(super) const METRICS: &str = "metrics.json";
pub(super) const METADATA: &str = "metadata.json";
pub(super) const REQUIREMENTS: &str = "requirements.txt";

pub(super) fn in_version(id: &str, file: &str) -> String {
    format!("{VERSIONS}/{id}/{file}")
}

pub(super) fn with(id: &str, name: &str) -> String {
    format!("{VERSIONS}/{id}/{WITH}/{name}")
}

pub(super) fn pointer(name: &str) -> String {
    format!("{POINTERS}/{name}.json")
}

pub(super) fn version_txt(name: &str) -> String {
    format!("{name}/version.txt")
}

pub(super) fn metrics_json(name: &str) -> String {
    format!("{name}/{METRICS}")
}

/// Refuses a name that would not be one folder beside the registry's own.
pub(super) fn check_name(name: &str) -> Result<(), RegistryError> {
    if !is_name(name) {
        let message = format!("`{name}` is no name: lower case letters, digits and `_`, a letter first");
        return Err(RegistryError::new(ErrorKind::Unknown, message));
    }
    if [VERSIONS, POINTERS, ACTIONS].contains(&name) {
        let message = format!("`{name}` can't be a pointer: the registry keeps its own files under this name");
        return Err(RegistryError::new(ErrorKind::Unknown, message));
    }
    Ok(())
}

pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

/// Returns the version id for a digest; `digits` is 8 unless two models share these.
pub(super) fn id(day: &str, digest: &Digest, digits: usize) -> String {
    format!("v{day}-{}", &digest.hex()[..digits.min(64)])
}

/// Returns the digits of the digest in an id, or `None` for what is no id.
pub(super) fn digits(id: &str) -> Option<&str> {
    let (day, digits) = id.strip_prefix('v')?.split_once('-')?;
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    let fits = day.len() == 8 && day.bytes().all(|c| c.is_ascii_digit());
    (fits && (8..=64).contains(&digits.len()) && digits.bytes().all(is_hex)).then_some(digits)
}

/// Writes a record as a file.
pub(super) fn encode(record: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(record).expect("records are plain values with text keys");
    bytes.push(b'\n');
    bytes
}

/// Returns the digest of a record of a version without its seal. It is that of the fields as they are written, so that a
/// field that a later program adds is under the seal too.
fn content(bytes: &[u8]) -> Option<Digest> {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    fields.remove("seal");
    serde_json::to_vec(&fields).ok().map(|bytes| Digest::of(&bytes))
}

/// Puts the seal on a version.
pub(super) fn sealed(version: Version) -> Version {
    let seal = content(&encode(&version));
    Version { seal, ..version }
}

/// Reads a version's metadata; it has to be that version's, and as it was written.
pub(super) fn decode_version(path: &str, id: &str, bytes: &[u8]) -> Result<Version, RegistryError> {
    let version: Version = decode(path, bytes)?;
    if version.seal.is_some() && version.seal != content(bytes) {
        return Err(RegistryError::corrupt(format!("`{path}` was changed after it was registered")));
    }
    let fits = digits(&version.id).is_some_and(|digits| version.digest.hex().starts_with(digits));
    if version.id != id || !fits || version.model.digest != version.digest {
        return Err(RegistryError::corrupt(format!("`{path}` is about another version, `{}`", version.id)));
    }
    if let Some(name) = version.with.keys().find(|name| !is_name(name)) {
        return Err(RegistryError::corrupt(format!("`{path}` names an artifact `{name}`, which is no name")));
    }
    Ok(version)
}

/// Reads a pointer; it has to be the one of this name.
pub(super) fn decode_pointer(path: &str, name: &str, bytes: &[u8]) -> Result<Pointer, RegistryError> {
    let pointer: Pointer = decode(path, bytes)?;
    if pointer.name != name {
        return Err(RegistryError::corrupt(format!("`{path}` is about another pointer, `{}`", pointer.name)));
    }
    if digits(&pointer.version).is_none() {
        return Err(RegistryError::corrupt(format!("`{path}` names `{}`, which is no version", pointer.version)));
    }
    Ok(pointer)
}

/// Reads a file of a record a line, such as the history; every line has to be whole.
pub(super) fn decode_lines<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<Vec<T>, RegistryError> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(|(i, line)| decode(&format!("{file}:{}", i + 1), line)).collect()
}

pub(super) fn decode<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, RegistryError> {
    /// The one field that all formats share.
    #[derive(serde::Deserialize)]
    struct Head {
        format: u32,
    }
    let broken = |error: serde_json::Error| RegistryError::corrupt(format!("`{path}` can't be read: {error}"));
    let head: Head = serde_json::from_slice(bytes).map_err(broken)?;
    if head.format != FORMAT {
        let message = format!("`{path}` has format {}; this mlpc knows format {FORMAT}", head.format);
        return Err(RegistryError::corrupt(message));
    }
    serde_json::from_slice(bytes).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_day_and_digits_and_nothing_else_is_one() {
        let digest = Digest::of(b"model");
        let short = id("20260801", &digest, 8);
        assert_eq!(short, format!("v20260801-{}", &digest.hex()[..8]));
        assert_eq!(digits(&short), Some(&digest.hex()[..8]));
        assert_eq!(digits(&id("20260801", &digest, 12)), Some(&digest.hex()[..12]));
        for wrong in ["v1", "v20260801-", "v20260801-abc", "v20260801-ABCDEF01", "../../etc", "v20260801-../../x", ""] {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_stay_one_folder_and_off_the_registrys_own() {
        assert!(check_name("production").is_ok());
        for wrong in
            ["", "..", "a/b", "Production", "-x", ".git", "versions", "pointers", "actions", "a b", "1a", "a\n"]
        {
            assert!(check_name(wrong).is_err(), "{wrong:?}");
        }
        // What the checker refuses is what a registry does.
        assert_eq!(crate::types::REGISTRY_OWN, [VERSIONS, POINTERS, ACTIONS]);
    }

    #[test]
    fn another_format_is_refused_and_said_so() {
        let error = decode_pointer("pointers/p.json", "p", br#"{"format": 9}"#).expect_err("refused");
        assert_eq!(error.to_string(), "`pointers/p.json` has format 9; this mlpc knows format 1");
        assert_eq!(error.exit_code(), 11);
    }
}
