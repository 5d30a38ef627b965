//! Remotes: places where results are shared between machines, and where sources are fetched from. One file per kind; a remote knows
//! names and bytes, and nothing of results. What comes from one is hashed before anything reads it.

#[cfg(feature = "remotes")]
mod agent;
mod client;
mod directory;
#[cfg(feature = "remotes")]
mod download;
mod lanes;
#[cfg(feature = "remotes")]
mod s3;
mod shared;
#[cfg(feature = "remotes")]
mod sign;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use client::Client;
pub use lanes::side_by_side;
pub use shared::{Answer, Envelope, Saved, Shared, Writer};

use crate::host::{Error, Result, fs};

/// The variable that names the remote; it goes before the setting of the workspace.
pub const REMOTE: &str = "MLPC_REMOTE";

/// The variable that has runs save what they made: `trusted` or `other`.
pub const WRITE: &str = "MLPC_REMOTE_WRITE";

/// Variables with the keys of the remote alone, which go before those of the provider's own programs: who sets them keeps the remote's
/// keys from the commands that stages run.
const KEYS: [(&str, &str); 3] = [
    ("MLPC_REMOTE_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"),
    ("MLPC_REMOTE_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"),
    ("MLPC_REMOTE_SESSION_TOKEN", "AWS_SESSION_TOKEN"),
];

/// Where bytes are kept under names.
pub trait Remote: fmt::Debug + Send + Sync {
    /// Writes what stands under a name to a path where nothing stands; `false` if there is nothing. No more than `limit` bytes
    /// are taken.
    fn get(&self, name: &str, to: &Path, limit: u64) -> Result<bool>;

    /// Keeps a file under a name; `false` if something is there already and `replace` does not say otherwise.
    fn put(&self, name: &str, from: &Path, replace: bool) -> Result<bool>;

    /// Returns how many bytes stand under a name.
    fn size(&self, name: &str) -> Result<Option<u64>>;

    /// Lists all names that begin so, in order.
    fn list(&self, prefix: &str) -> Result<Vec<String>>;
}

/// The part of a remote that a result stands in: each has write rights of its own, so that what is said of an entry depends on a
/// credential and not on the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Written by jobs of refs that the pipeline names; read by all.
    Trusted,
    /// Written by anybody else; read by laptops, and never by what leads to a release.
    Other,
}

impl Trust {
    /// Returns the first part of its names.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Other => "other",
        }
    }
}

impl std::str::FromStr for Trust {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "trusted" => Ok(Self::Trusted),
            "other" => Ok(Self::Other),
            _ => Err(Error::new(format!("`{WRITE}` is `{text}`; it is `trusted` or `other`"))),
        }
    }
}

/// Where the remote of a workspace is, and whether runs write to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its address.
    pub url: String,
    /// The part that runs save into.
    pub write: Option<Trust>,
}

impl Settings {
    /// Reads the settings: those of the caller's environment go before those of the workspace.
    pub fn of(state: &Path, caller: &BTreeMap<OsString, OsString>) -> Result<Option<Self>> {
        let variable =
            |name: &str| caller.get(OsStr::new(name)).and_then(|value| value.to_str()).filter(|it| !it.is_empty());
        let url = match variable(REMOTE) {
            Some(url) => url.to_owned(),
            None => match fs::read_text(&state.join("remote")) {
                Ok(text) => text.trim().to_owned(),
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        let write = variable(WRITE).map(str::parse).transpose()?;
        Ok(Some(Self { url, write }))
    }
}

/// Opens a remote by its address: `s3://bucket/prefix?region=…&endpoint=…`, or a folder.
pub fn open(url: &str, workspace: &Path, caller: &BTreeMap<OsString, OsString>) -> Result<Box<dyn Remote>> {
    match url.split_once("://") {
        Some(("s3", rest)) => open_s3(rest, &with_own_keys(caller)),
        Some(("file", path)) => Ok(Box::new(directory::Directory::open(Path::new(path))?)),
        Some((scheme, _)) => Err(Error::new(format!("`{url}`: a remote is a folder or `s3://…`, and not `{scheme}`"))),
        None => Ok(Box::new(directory::Directory::open(&workspace.join(url))?)),
    }
}

/// Puts the remote's own keys in the places of the provider's, all of them or none.
fn with_own_keys(caller: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let own = |name: &str| caller.get(OsStr::new(name)).filter(|value| !value.is_empty()).cloned();
    let mut all = caller.clone();
    if KEYS.iter().any(|(name, _)| own(name).is_some()) {
        for (name, theirs) in KEYS {
            match own(name) {
                Some(value) => all.insert(theirs.into(), value),
                None => all.remove(OsStr::new(theirs)),
            };
        }
    }
    all
}

/// What is fetched, for a source.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// `http://…`, `https://…` or `s3://bucket/key?region=…&endpoint=…`.
    pub url: &'a str,
    /// The version of an object that is meant.
    pub version: Option<&'a str>,
    /// Anybody may read it: nothing is signed.
    pub public: bool,
    /// What comes is compared with a digest afterwards.
    pub sure: bool,
    /// What the server said of the bytes that are here already.
    pub known: Option<&'a Tag>,
}

/// What a server says of the state of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Downloaded {
    /// The server has what is here.
    Unchanged,
    /// All of it came.
    Whole(Tag),
}

/// How far a download is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Who sends.
    pub host: &'a str,
    /// Bytes that are here.
    pub done: u64,
    /// Bytes in all, where the server says.
    pub total: Option<u64>,
    /// A try failed, and another one is about to be made.
    pub waits: bool,
}

/// Fetches a file to `part`, where the rest of an earlier try may stand; what is there after an error is for the next try. `watch` is
/// told how far it is, and says whether to go on.
#[cfg(feature = "remotes")]
pub fn download(
    wanted: &Wanted<'_>,
    part: &Path,
    caller: &BTreeMap<OsString, OsString>,
    watch: &dyn Fn(Progress<'_>) -> bool,
) -> Result<Downloaded> {
    download::download(wanted, part, caller, watch)
}

/// Says that this build fetches nothing.
#[cfg(not(feature = "remotes"))]
pub fn download(
    _: &Wanted<'_>,
    _: &Path,
    _: &BTreeMap<OsString, OsString>,
    _: &dyn Fn(Progress<'_>) -> bool,
) -> Result<Downloaded> {
    Err(fetches_nothing())
}

#[cfg(not(feature = "remotes"))]
fn fetches_nothing() -> Error {
    let message = "this build of mlpc fetches nothing: it was built without the feature `remotes`";
    Error::new(format!("{message}; `cargo install --features remotes`, or put the data in the workspace"))
}

/// Returns the SHA-256 of a file in hex.
#[cfg(feature = "remotes")]
pub fn sha256(path: &Path) -> Result<String> {
    s3::sha256_of(path)
}

/// Says that this build has no SHA-256.
#[cfg(not(feature = "remotes"))]
pub fn sha256(_: &Path) -> Result<String> {
    Err(Error::new("this build of mlpc has no SHA-256: it was built without the feature `remotes`"))
}

#[cfg(feature = "remotes")]
fn open_s3(rest: &str, caller: &BTreeMap<OsString, OsString>) -> Result<Box<dyn Remote>> {
    Ok(Box::new(s3::S3::open(rest, caller)?))
}

#[cfg(not(feature = "remotes"))]
fn open_s3(_: &str, _: &BTreeMap<OsString, OsString>) -> Result<Box<dyn Remote>> {
    let message = "this build of mlpc has no S3: it was built without the feature `remotes`";
    Err(Error::new(format!("{message}; `cargo install --features remotes`, or use a folder")))
}
