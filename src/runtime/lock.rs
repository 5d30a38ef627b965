//! `mlpc.lock`: what every runtime is, exactly. JSON in one canonical form, so that it is the same on every machine and a review
//! shows what changed; anything else in it is an error, never skipped.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::host::{Digest, Error, Result, fs};

/// Version of the file.
const FORMAT: u32 = 1;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    format: u32,
    /// Runtimes by name.
    pub runtimes: BTreeMap<String, Locked>,
}

impl Default for LockFile {
    fn default() -> Self {
        Self { format: FORMAT, runtimes: BTreeMap::new() }
    }
}

/// One runtime, as it was locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Locked {
    /// An interpreter with packages.
    Python {
        /// The version that was asked for.
        asked: String,
        /// The exact version.
        version: String,
        /// The packages, where a requirements file is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        packages: Option<Packages>,
    },
    /// An image.
    Image {
        /// Its reference, as declared.
        image: String,
        /// The digest of its manifest, `sha256:…`.
        digest: String,
    },
    /// An image that is built here.
    Dockerfile {
        /// Path of the Dockerfile.
        path: String,
        /// Digest of the Dockerfile and of what it copies.
        digest: Digest,
        /// Digests of the images it begins from, by their references.
        from: BTreeMap<String, String>,
    },
}

/// What a requirements file came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// The requirements file.
    pub requirements: String,
    /// Digest of what it asks for, so that a change is noticed.
    pub digest: Digest,
    /// Who chose the versions: `pip` or `uv`.
    pub tool: String,
    /// Options of the requirements file that say where packages are found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The packages, by name.
    pub locked: Vec<Package>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// An exact requirement: `six==1.16.0`, or the path of a wheel.
    pub package: String,
    /// Digests of the files that may be installed for it, `sha256:…`.
    pub hashes: Vec<String>,
}

impl LockFile {
    /// Reads the file; `None` if there is none.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        match fs::read_text(path) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the text of the file. What this program would not have written is refused.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.replace("\r\n", "\n");
        let wrong = |why: String| Error::new(format!("`mlpc.lock` can't be read: {why}; `mlpc lock` writes it anew"));
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let format = value.get("format").and_then(serde_json::Value::as_u64);
        if format != Some(u64::from(FORMAT)) {
            return Err(wrong("it is of another format".to_owned()));
        }
        let file: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        for (name, locked) in &file.runtimes {
            locked.check().map_err(|why| wrong(format!("`{name}`: {why}")))?;
        }
        if file.text() != text {
            return Err(wrong("it is not as `mlpc lock` writes it".to_owned()));
        }
        Ok(file)
    }

    /// Returns the text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Maps are sorted, lists keep the order of names: the same everywhere.
        let mut text = serde_json::to_string_pretty(self).expect("a lock file is plain data");
        text.push('\n');
        text
    }
}

impl Locked {
    /// Returns what a key holds of it: exact versions and digests, not how they were asked for.
    #[must_use]
    pub fn key(&self) -> BTreeMap<String, String> {
        match self {
            Self::Python { version, packages, .. } => {
                let mut parts = BTreeMap::from([("python".to_owned(), version.clone())]);
                parts.extend(packages.as_ref().map(|found| ("packages".to_owned(), found.content().to_string())));
                parts
            }
            Self::Image { digest, .. } => [("image".to_owned(), digest.clone())].into(),
            Self::Dockerfile { digest, from, .. } => {
                let bases = from.values().cloned().collect::<Vec<_>>().join(" ");
                [("dockerfile".to_owned(), digest.to_string()), ("from".to_owned(), bases)].into()
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let sha256 = |text: &str| match text.strip_prefix("sha256:") {
            Some(hex) if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(()),
            _ => Err(format!("`{text}` is no `sha256:` digest")),
        };
        match self {
            Self::Python { version, packages, .. } => {
                if version.split('.').count() < 3 {
                    return Err(format!("`{version}` is no exact version"));
                }
                for package in packages.iter().flat_map(|packages| &packages.locked) {
                    package.hashes.iter().try_for_each(|hash| sha256(hash))?;
                    if package.hashes.is_empty() || package.package.trim_start().starts_with('-') {
                        return Err(format!("`{}` is not pinned by a digest", package.package));
                    }
                }
                Ok(())
            }
            Self::Image { digest, .. } => sha256(digest),
            Self::Dockerfile { from, .. } => from.values().try_for_each(|digest| sha256(digest)),
        }
    }
}

impl Packages {
    /// Returns the digest of what is installed: packages and nothing else.
    #[must_use]
    pub fn content(&self) -> Digest {
        Digest::of(self.lines().as_bytes())
    }

    /// Returns the lines that an installer reads.
    #[must_use]
    pub fn lines(&self) -> String {
        let line = |package: &Package| {
            let hashes: String = package.hashes.iter().map(|hash| format!(" --hash={hash}")).collect();
            format!("{}{hashes}\n", package.package)
        };
        self.locked.iter().map(line).collect()
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python { version, packages: None, .. } => write!(f, "Python {version}"),
            Self::Python { version, packages: Some(packages), .. } => {
                let count = packages.locked.len();
                write!(f, "Python {version} with {count} package{}", if count == 1 { "" } else { "s" })
            }
            Self::Image { image, digest } => write!(f, "`{image}` at {digest}"),
            Self::Dockerfile { path, digest, .. } => write!(f, "the image of `{path}`, {}", &digest.hex()[..12]),
        }
    }
}
