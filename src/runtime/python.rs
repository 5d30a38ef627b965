//! Python: the interpreter of a version, and the lock of what a requirements file asks for. With uv where it is, else with pip.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::lock::{Locked, Package, Packages};
use super::tools::Tools;
use super::{pip, requirements};
use crate::host::{Error, Result, fs};

/// Prints the exact version and the interpreter itself, whatever shim or environment it was called through.
const PROBE: &str = "import platform, sys; print('mlpc', platform.python_version(), \
                     getattr(sys, '_base_executable', '') or sys.executable, sep='\\t')";

/// An interpreter of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interpreter {
    pub(super) program: PathBuf,
    pub(super) version: String,
}

/// Locks a Python runtime.
pub(super) fn lock(
    tools: &Tools<'_>,
    name: &str,
    asked: &str,
    path: Option<&str>,
    before: Option<&Locked>,
) -> Result<Locked> {
    if asked.is_empty() || !asked.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Error::new(format!(
            "the runtime `{name}` asks for Python `{asked}`; write a version such as `3.11`"
        )));
    }
    let interpreter = find(tools, asked)?;
    let packages = path.map(|path| packages(tools, &interpreter, path, before)).transpose()?;
    Ok(Locked::Python { asked: asked.to_owned(), version: interpreter.version, packages })
}

fn packages(tools: &Tools<'_>, interpreter: &Interpreter, path: &str, before: Option<&Locked>) -> Result<Packages> {
    let file = fs::join_inside(tools.workspace, path)?;
    if !file.is_file() {
        return Err(Error::new(format!("there is no requirements file `{path}`")));
    }
    let digest = requirements::digest(tools.workspace, path)?;
    let options = requirements::options(&file)?;
    let uv = tools.find("uv");
    let (tool, mut locked) = match &uv {
        Some(uv) => ("uv", compile_with_uv(tools, uv, interpreter, &file)?),
        None => ("pip", pip::lock(tools, interpreter, &file)?),
    };
    locked.sort_by(|a, b| a.package.cmp(&b.package));
    if let Some(Locked::Python { packages: Some(before), .. }) = before
        && tool == "pip"
    {
        // pip knows the digests of this platform alone; those that were locked on another one stay.
        for package in &mut locked {
            let known = before.locked.iter().find(|known| known.package == package.package);
            package.hashes.extend(known.into_iter().flat_map(|known| known.hashes.iter().cloned()));
        }
    }
    for package in &mut locked {
        package.hashes.sort();
        package.hashes.dedup();
    }
    Ok(Packages { requirements: path.to_owned(), digest, tool: tool.to_owned(), options, locked })
}

/// Finds the interpreter of a version, exact or not; uv may bring it.
pub(super) fn find(tools: &Tools<'_>, asked: &str) -> Result<Interpreter> {
    let short: Vec<&str> = asked.split('.').take(2).collect();
    let names = [format!("python{}", short.join(".")), "python3".to_owned(), "python".to_owned()];
    let mut others = Vec::new();
    for name in &names {
        for program in tools.path().into_iter().map(|folder| folder.join(name)).filter(|program| program.is_file()) {
            match probe(tools, &program) {
                Some(found) if is_version(asked, &found.version) => return Ok(found),
                Some(found) => others.push(found.version),
                None => {}
            }
        }
    }
    if let Some(uv) = tools.find("uv") {
        let word = |text: &'static str| OsStr::new(text);
        let find = [uv.as_os_str(), word("python"), word("find"), word("--no-project"), OsStr::new(asked)];
        if tools.run(tools.workspace, &find).is_err() {
            tools.say(format!("uv installs Python {asked}"));
            tools.run(tools.workspace, &[uv.as_os_str(), word("python"), word("install"), OsStr::new(asked)])?;
        }
        let found = tools.run(tools.workspace, &find)?;
        let found = found.lines().map(Path::new).find(|line| line.is_absolute()).and_then(|path| probe(tools, path));
        if let Some(found) = found.filter(|found| is_version(asked, &found.version)) {
            return Ok(found);
        }
    }
    others.sort();
    others.dedup();
    let have = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    let way = if short.len() < asked.split('.').count() {
        "install it (uv brings it by itself), or lock another one: `mlpc lock`"
    } else {
        "install it, or uv, which brings it by itself; or ask for another one"
    };
    Err(Error::new(format!("there is no Python {asked} on this machine ({have} in PATH): {way}")))
}

/// `3.11` is every 3.11.x, `3.11.7` is itself.
fn is_version(asked: &str, version: &str) -> bool {
    version == asked || version.strip_prefix(asked).is_some_and(|rest| rest.starts_with('.'))
}

fn probe(tools: &Tools<'_>, program: &Path) -> Option<Interpreter> {
    let argv = [program.as_os_str(), OsStr::new("-I"), OsStr::new("-c"), OsStr::new(PROBE)];
    let text = tools.run(tools.workspace, &argv).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("mlpc\t"))?;
    let (version, program) = line.split_once('\t')?;
    Some(Interpreter { program: PathBuf::from(program), version: version.to_owned() })
}

/// For all platforms at once, with the digests of all their files.
fn compile_with_uv(tools: &Tools<'_>, uv: &Path, interpreter: &Interpreter, file: &Path) -> Result<Vec<Package>> {
    let folder = fs::parent(file);
    let out = tempfile::tempdir().map_err(|error| Error::new(format!("no temporary folder: {error}")))?;
    let out = out.path().join("locked.txt");
    let flags = ["--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--python"];
    let mut argv = vec![uv.as_os_str(), OsStr::new("pip"), OsStr::new("compile")];
    argv.extend(flags.map(OsStr::new));
    argv.extend([interpreter.program.as_os_str(), OsStr::new("--output-file"), out.as_os_str()]);
    argv.push(file.file_name().unwrap_or(file.as_os_str()));
    tools.run(folder, &argv)?;
    parse_compiled(&fs::read_text(&out)?)
}

/// Reads what uv wrote: an exact requirement a line, its digests behind it.
fn parse_compiled(text: &str) -> Result<Vec<Package>> {
    let text = text.replace("\\\n", " ");
    let mut packages = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '-'])) {
        let mut parts = line.split(" --hash=");
        let package = parts.next().unwrap_or_default().trim().to_owned();
        let hashes: Vec<String> = parts.map(|hash| hash.trim().to_owned()).collect();
        if hashes.is_empty() {
            return Err(Error::new(format!("`{package}` has no digest, so it can't be locked: build a wheel of it")));
        }
        packages.push(Package { package, hashes });
    }
    let editable = text.lines().find(|line| line.trim_start().starts_with("-e "));
    match editable {
        None => Ok(packages),
        Some(line) => Err(Error::new(format!("`{}` can't be locked: build a wheel of it", line.trim()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_version_is_every_patch_and_no_other() {
        for (asked, version, same) in [
            ("3.11", "3.11.7", true),
            ("3.1", "3.11.7", false),
            ("3.11.7", "3.11.7", true),
            ("3.11.7", "3.11.70", false),
            ("3", "3.12.1", true),
        ] {
            assert_eq!(is_version(asked, version), same, "{asked} {version}");
        }
    }

    #[test]
    fn what_uv_wrote_is_read_with_markers_and_digests() {
        let text = "six==1.16.0 ; sys_platform == 'linux' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n./a.whl --hash=sha256:cc\n";
        let packages = parse_compiled(text).expect("read");
        let shown: Vec<_> = packages.iter().map(|one| (one.package.as_str(), one.hashes.len())).collect();
        assert_eq!(shown, [("six==1.16.0 ; sys_platform == 'linux'", 2), ("./a.whl", 1)]);
        assert!(parse_compiled("./folder\n").is_err());
        assert!(parse_compiled("-e ./folder\n").is_err());
    }
}
