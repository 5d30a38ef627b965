//! pip, where there is no uv: what it would install, from its own report, and the installing of exactly that.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::lock::Package;
use super::python::Interpreter;
use super::tools::Tools;
use crate::host::{Error, Result, fs};

/// The first pip that can install into another environment and report what it would do.
const LEAST: (u32, u32) = (22, 3);

#[derive(Deserialize)]
struct Report {
    install: Vec<Install>,
}

#[derive(Deserialize)]
struct Install {
    download_info: Download,
    is_direct: bool,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Download {
    url: String,
    archive_info: Option<Archive>,
}

#[derive(Deserialize)]
struct Archive {
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
}

/// A pip to work with: that of the interpreter, or one that its `ensurepip` unpacks into a folder of ours.
pub(super) struct Pip {
    python: PathBuf,
    _helper: Option<tempfile::TempDir>,
}

impl Pip {
    pub(super) fn of(tools: &Tools<'_>, interpreter: &Interpreter) -> Result<Self> {
        if version(tools, &interpreter.program).is_some_and(|version| version >= LEAST) {
            return Ok(Self { python: interpreter.program.clone(), _helper: None });
        }
        let helper = tempfile::tempdir().map_err(|error| Error::new(format!("no temporary folder: {error}")))?;
        let folder = helper.path().join("pip");
        let venv = ["-m", "venv"].map(OsStr::new);
        let made = tools.run(tools.workspace, &[interpreter.program.as_os_str(), venv[0], venv[1], folder.as_os_str()]);
        let python = folder.join("bin/python");
        if made.is_ok() && version(tools, &python).is_some_and(|version| version >= LEAST) {
            return Ok(Self { python, _helper: Some(helper) });
        }
        let program = interpreter.program.display();
        let least = format!("{}.{}", LEAST.0, LEAST.1);
        Err(Error::new(format!("`{program}` has no pip of {least} or later: install uv, or upgrade its pip")))
    }

    pub(super) fn run(&self, tools: &Tools<'_>, folder: &Path, arguments: &[&OsStr]) -> Result<String> {
        let argv: Vec<&OsStr> = [self.python.as_os_str(), OsStr::new("-m"), OsStr::new("pip")]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        tools.run(folder, &argv)
    }
}

fn version(tools: &Tools<'_>, python: &Path) -> Option<(u32, u32)> {
    let argv = [python.as_os_str(), OsStr::new("-m"), OsStr::new("pip"), OsStr::new("--version")];
    let text = tools.run(tools.workspace, &argv).ok()?;
    let mut parts = text.split_whitespace().nth(1)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next().and_then(|part| part.parse().ok()).unwrap_or(0)))
}

/// Returns what a requirements file comes to on this machine.
pub(super) fn lock(tools: &Tools<'_>, interpreter: &Interpreter, file: &Path) -> Result<Vec<Package>> {
    let pip = Pip::of(tools, interpreter)?;
    let folder = fs::parent(file);
    let out = tempfile::tempdir().map_err(|error| Error::new(format!("no temporary folder: {error}")))?;
    let report = out.path().join("report.json");
    let flags = ["install", "--dry-run", "--ignore-installed", "--quiet", "--report"];
    let mut arguments: Vec<&OsStr> = flags.iter().map(OsStr::new).collect();
    arguments.extend([report.as_os_str(), OsStr::new("--requirement")]);
    arguments.push(file.file_name().unwrap_or(file.as_os_str()));
    pip.run(tools, folder, &arguments)?;
    let report: Report = serde_json::from_str(&fs::read_text(&report)?)
        .map_err(|error| Error::new(format!("what pip reports can't be read: {error}")))?;
    report.install.iter().map(|install| package(install, folder)).collect()
}

fn package(install: &Install, folder: &Path) -> Result<Package> {
    let Metadata { name, version } = &install.metadata;
    let hash = install.download_info.archive_info.as_ref().and_then(|archive| archive.hashes.get("sha256"));
    let Some(hash) = hash else {
        let url = &install.download_info.url;
        let message = format!("`{name}` comes from `{url}`, which has no digest, so it can't be locked");
        return Err(Error::new(format!("{message}: build a wheel of it, or list its files under `code`")));
    };
    let url = &install.download_info.url;
    let package = match (install.is_direct, url.strip_prefix("file://")) {
        (false, _) => format!("{}=={version}", normal(name)),
        (true, None) => format!("{} @ {url}", normal(name)),
        (true, Some(path)) => {
            let path = PathBuf::from(decoded(path));
            let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
            let inside = path.strip_prefix(folder).or_else(|_| path.strip_prefix(&real));
            let inside = inside.map_err(|_| {
                Error::new(format!("`{}` is outside of the folder of the requirements file", path.display()))
            })?;
            format!("./{}", inside.display())
        }
    };
    Ok(Package { package, hashes: vec![format!("sha256:{hash}")] })
}

/// Package names are compared without case, with `-` for every run of `-`, `_` and `.`.
fn normal(name: &str) -> String {
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_lowercase()
}

fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(text: &str) -> Result<Package> {
        package(&serde_json::from_str(text).expect("an entry of a report"), Path::new("/w"))
    }

    #[test]
    fn a_report_becomes_exact_requirements() {
        let hash = "0".repeat(64);
        let of = |url: &str, direct: bool| {
            let text = format!(
                r#"{{"download_info": {{"url": "{url}", "archive_info": {{"hashes": {{"sha256": "{hash}"}}}}}}, "is_direct": {direct},
                    "metadata": {{"name": "My_Tool", "version": "1.0"}}}}"#
            );
            install(&text)
        };
        let shown = |url, direct| of(url, direct).map(|one| one.package).expect("locked");
        assert_eq!(shown("https://x/y.whl", false), "my-tool==1.0");
        assert_eq!(shown("https://x/y.whl", true), "my-tool @ https://x/y.whl");
        assert_eq!(shown("file:///w/a%20b/my.whl", true), "./a b/my.whl");
        assert!(of("file:///elsewhere/my.whl", true).is_err());
    }

    #[test]
    fn what_has_no_digest_is_refused() {
        let text = r#"{"download_info": {"url": "file:///w/lib", "dir_info": {}}, "is_direct": true,
                       "metadata": {"name": "lib", "version": "1.0"}}"#;
        let error = install(text).expect_err("a folder").to_string();
        assert!(error.contains("build a wheel"), "{error}");
    }
}
