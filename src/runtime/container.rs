//! Images: pinned by digest, fetched or built by docker or podman, and the call that runs a command in one.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::lock::Locked;
use super::tools::Tools;
use crate::host::{Digest, Error, Result, fs};

/// A container engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    program: PathBuf,
}

/// An image that the engine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    engine: Engine,
    /// What names it, by digest.
    reference: String,
}

impl Image {
    /// Returns the call that runs a command in the image: these folders are there under the same paths, the variables are taken
    /// from the environment of the call itself, so that no value of a secret is an argument. Files can be read there and not written.
    #[must_use]
    pub fn call(
        &self,
        argv: &[OsString],
        work: &Path,
        (folders, files): (&[&Path], &[&Path]),
        variables: &[&OsStr],
        name: &str,
    ) -> Vec<OsString> {
        let user = format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let fixed = ["run", "--rm", "--init", "--pull=never", "--user", &user, "--name", name, "--entrypoint", ""];
        let mut call = vec![self.engine.program.clone().into_os_string()];
        call.extend(fixed.map(OsString::from));
        let shared = folders.iter().map(|folder| (folder, "")).chain(files.iter().map(|file| (file, ":ro")));
        for (path, end) in shared {
            let mut volume = OsString::from("--volume=");
            volume.push(path);
            volume.push(":");
            volume.push(path);
            volume.push(end);
            call.push(volume);
        }
        for variable in variables {
            call.extend([OsString::from("--env"), (*variable).to_owned()]);
        }
        call.extend([OsString::from("--workdir"), work.into(), self.reference.clone().into()]);
        call.extend(argv.iter().cloned());
        call
    }

    /// Returns the name of the engine that has it.
    #[must_use]
    pub fn engine(&self) -> &str {
        self.engine.program.file_name().and_then(OsStr::to_str).unwrap_or_default()
    }

    /// Returns the call that ends a container which the engine was not told to end.
    #[must_use]
    pub fn removal(&self, name: &str) -> Vec<OsString> {
        let mut call = vec![self.engine.program.clone().into_os_string()];
        call.extend(["rm", "--force", name].map(OsString::from));
        call
    }
}

fn engine(tools: &Tools<'_>, name: &str) -> Result<Engine> {
    for program in ["docker", "podman"] {
        if let Some(program) = tools.find(program) {
            let probe =
                [program.as_os_str(), OsStr::new("version"), OsStr::new("--format"), OsStr::new("{{.Server.Version}}")];
            let alone = [program.as_os_str(), OsStr::new("version")];
            if tools.run(tools.workspace, &probe).is_ok()
                || (program.ends_with("podman") && tools.run(tools.workspace, &alone).is_ok())
            {
                return Ok(Engine { program });
            }
        }
    }
    let message = format!("the runtime `{name}` is an image, and this machine has no container engine that answers");
    Err(Error::new(format!("{message}: start docker or podman, or run the stage where its image is (`mlpc compile`)")))
}

/// Returns a reference without its tag or digest.
fn bare(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

fn pinned(image: &str) -> Option<&str> {
    image.split_once('@').map(|(_, digest)| digest)
}

/// Returns the digest that an image has now.
pub(super) fn resolve(tools: &Tools<'_>, name: &str, image: &str) -> Result<String> {
    if let Some(digest) = pinned(image) {
        return Ok(digest.to_owned());
    }
    let engine = engine(tools, name)?;
    let program = engine.program.as_os_str();
    let word = |text: &'static str| OsStr::new(text);
    // Podman's name for what was built here, which no registry has.
    if !image.starts_with("localhost/") {
        tools.run(tools.workspace, &[program, word("pull"), word("--quiet"), OsStr::new(image)])?;
    }
    let format = word("{{range .RepoDigests}}{{.}}\n{{end}}");
    let found = tools.run(
        tools.workspace,
        &[program, word("image"), word("inspect"), word("--format"), format, OsStr::new(image)],
    )?;
    let digests: Vec<(&str, &str)> = found.lines().filter_map(|line| line.trim().split_once('@')).collect();
    let own = digests.iter().find(|(repository, _)| repository.ends_with(bare(image))).or(digests.first());
    match own {
        Some((_, digest)) => Ok((*digest).to_owned()),
        None => Err(Error::new(format!("`{image}` has no digest: it was never pushed; push it, or use `dockerfile`"))),
    }
}

/// Makes sure that the engine has the image of this digest; a tag that moved on changes nothing.
pub(super) fn pull(tools: &Tools<'_>, name: &str, image: &str, digest: &str) -> Result<Image> {
    let engine = engine(tools, name)?;
    let reference = format!("{}@{digest}", bare(image));
    let program = engine.program.as_os_str();
    let word = |text: &'static str| OsStr::new(text);
    if tools.run(tools.workspace, &[program, word("image"), word("inspect"), OsStr::new(&reference)]).is_err() {
        tools.say(format!("fetching the runtime `{name}`: {reference}"));
        tools.run(tools.workspace, &[program, word("pull"), word("--quiet"), OsStr::new(&reference)])?;
    }
    Ok(Image { engine, reference })
}

/// What an image is built from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    text: String,
    files: BTreeMap<String, PathBuf>,
    from: BTreeSet<String>,
    digests: BTreeMap<String, Digest>,
}

impl Recipe {
    pub(super) fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(&self.text);
        for (path, digest) in &self.digests {
            add(path);
            add(&digest.to_string());
        }
        Digest::from(hasher.finalize())
    }
}

/// Reads a Dockerfile: the files beside it that it copies, the images that it begins from.
pub(super) fn context(workspace: &Path, path: &str) -> Result<Recipe> {
    let file = fs::join_inside(workspace, path)?;
    let text = fs::read_text(&file)?.replace("\r\n", "\n");
    let folder = fs::parent(&file);
    let mut recipe = Recipe { text, files: BTreeMap::new(), from: BTreeSet::new(), digests: BTreeMap::new() };
    let mut stages = BTreeSet::new();
    for line in recipe.text.replace("\\\n", " ").lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((&instruction, rest)) = words.split_first() else { continue };
        let flags = rest.iter().take_while(|word| word.starts_with("--")).count();
        let (flags, rest) = rest.split_at(flags);
        match instruction.to_uppercase().as_str() {
            "FROM" => {
                let image = rest.first().copied().unwrap_or_default();
                if image.contains('$') {
                    return Err(Error::new(format!("`{path}` begins from `{image}`: a variable can't be locked")));
                }
                if image != "scratch" && !stages.contains(image) {
                    recipe.from.insert(image.to_owned());
                }
                stages.extend(rest.get(2).map(|name| (*name).to_owned()));
            }
            "COPY" | "ADD" if !flags.iter().any(|flag| flag.starts_with("--from=")) => {
                for source in &rest[..rest.len().saturating_sub(1)] {
                    copied(folder, path, source, &mut recipe.files)?;
                }
            }
            _ => {}
        }
    }
    for (name, file) in &recipe.files {
        recipe.digests.insert(name.clone(), Digest::of_file(file)?);
    }
    Ok(recipe)
}

/// A pattern or a URL would make the image depend on what nobody named.
fn copied(folder: &Path, dockerfile: &str, source: &str, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    if source.contains(['*', '?', '[', '$']) || source.contains("://") {
        return Err(Error::new(format!(
            "`{dockerfile}` copies `{source}`: name files and folders, so that they can be locked"
        )));
    }
    let source = source.trim_start_matches("./").trim_end_matches('/');
    let path = fs::join_inside(folder, source).map_err(|_| {
        Error::new(format!("`{dockerfile}` copies `{source}`, which is not a file or folder beside it"))
    })?;
    if path.is_dir() {
        for entry in fs::sorted_entries(&path)? {
            copied(folder, dockerfile, &format!("{source}/{}", entry.file_name().to_string_lossy()), files)?;
        }
        return Ok(());
    }
    files.insert(source.to_owned(), path);
    Ok(())
}

/// Locks an image that is built: its recipe and the images it begins from.
pub(super) fn lock(tools: &Tools<'_>, name: &str, path: &str) -> Result<Locked> {
    let recipe = context(tools.workspace, path)?;
    let mut from = BTreeMap::new();
    for image in &recipe.from {
        from.insert(image.clone(), resolve(tools, name, image)?);
    }
    Ok(Locked::Dockerfile { path: path.to_owned(), digest: recipe.digest(), from })
}

/// Builds the image of a recipe, unless the engine has it.
pub(super) fn build(
    tools: &Tools<'_>,
    name: &str,
    path: &str,
    digest: &Digest,
    from: &BTreeMap<String, String>,
) -> Result<Image> {
    let engine = engine(tools, name)?;
    let recipe = context(tools.workspace, path)?;
    if recipe.digest() != *digest {
        return Err(Error::new(format!("`{path}`, or what it copies, changed: run `mlpc lock`")));
    }
    let text = rewritten(&recipe.text, from);
    let whole = Digest::of(format!("{digest}\n{text}").as_bytes()).hex();
    let reference = format!("mlpc-runtime:{}", &whole[..32]);
    let program = engine.program.as_os_str();
    let word = |text: &'static str| OsStr::new(text);
    if tools.run(tools.workspace, &[program, word("image"), word("inspect"), OsStr::new(&reference)]).is_ok() {
        return Ok(Image { engine, reference });
    }
    let folder = tempfile::tempdir().map_err(|error| Error::new(format!("no temporary folder: {error}")))?;
    for (relative, file) in &recipe.files {
        let to = folder.path().join(relative);
        fs::create_dirs(fs::parent(&to))?;
        fs::copy_file(file, &to)?;
    }
    let dockerfile = folder.path().join(".mlpc.Dockerfile");
    fs::write_atomic(&dockerfile, text.as_bytes())?;
    tools.say(format!("building the runtime `{name}` from `{path}`"));
    let mut argv = vec![program, word("build"), word("--quiet"), word("--tag"), OsStr::new(&reference), word("--file")];
    argv.extend([dockerfile.as_os_str(), folder.path().as_os_str()]);
    tools.run(tools.workspace, &argv)?;
    Ok(Image { engine, reference })
}

/// Returns the Dockerfile with its images named by digest.
fn rewritten(text: &str, from: &BTreeMap<String, String>) -> String {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let is_from = words.next().is_some_and(|word| word.eq_ignore_ascii_case("from"));
        let image = words.find(|word| !word.starts_with("--")).unwrap_or_default();
        match from.get(image) {
            Some(digest) if is_from => line.replacen(image, &format!("{}@{digest}", bare(image)), 1),
            _ => line.to_owned(),
        }
    };
    text.lines().map(|one| line(one) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lose_their_tag_and_no_port() {
        for (image, name) in [
            ("python:3.11-slim", "python"),
            ("registry.example:5000/ml/train", "registry.example:5000/ml/train"),
            ("registry.example:5000/ml/train:v1", "registry.example:5000/ml/train"),
            ("python:3.11@sha256:aa", "python"),
        ] {
            assert_eq!(bare(image), name);
        }
    }

    #[test]
    fn a_recipe_is_its_text_and_what_it_copies() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("Dockerfile", "FROM python:3.11 AS base\nCOPY r.txt /r.txt\nFROM base\nCOPY --from=base /r.txt /s.txt\n");
        write("r.txt", "six");
        write("other.txt", "x");
        let before = context(folder.path(), "Dockerfile").expect("read");
        assert_eq!(before.from.iter().collect::<Vec<_>>(), ["python:3.11"]);
        write("other.txt", "y");
        assert_eq!(context(folder.path(), "Dockerfile").expect("read").digest(), before.digest());
        write("r.txt", "seven");
        assert_ne!(context(folder.path(), "Dockerfile").expect("read").digest(), before.digest());
        for wrong in ["FROM $BASE\n", "FROM x\nCOPY *.txt /\n", "FROM x\nADD https://x/y /\n", "FROM x\nCOPY ../x /\n"]
        {
            write("Dockerfile", wrong);
            assert!(context(folder.path(), "Dockerfile").is_err(), "{wrong}");
        }
    }

    #[test]
    fn images_to_begin_from_are_named_by_digest() {
        let from = BTreeMap::from([("python:3.11".to_owned(), "sha256:aa".to_owned())]);
        let text = "FROM --platform=linux/amd64 python:3.11 AS base\nRUN echo python:3.11\nFROM base\n";
        let expected = "FROM --platform=linux/amd64 python@sha256:aa AS base\nRUN echo python:3.11\nFROM base\n";
        assert_eq!(rewritten(text, &from), expected);
    }
}
