//! Requirements files, as far as mlpc has to understand them: what they ask for, without comments, with the files that they
//! include, so that a change is noticed; and the options that say where packages are found.

use std::path::{Path, PathBuf};

use crate::host::{Digest, Error, Result, fs};

/// How deep files may include each other.
const DEPTH: usize = 16;

/// Returns the digest of what a requirements file asks for. Comments and blank lines change nothing.
pub(super) fn digest(workspace: &Path, path: &str) -> Result<Digest> {
    let file = fs::join_inside(workspace, path)?;
    let mut meaning = Vec::new();
    read(&file, fs::parent(&file), 0, &mut meaning)?;
    let mut text = String::new();
    for line in meaning {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(Digest::of(text.as_bytes()))
}

/// Returns the options that say where packages are found. One with a password in it is refused: the lock is committed.
pub(super) fn options(file: &Path) -> Result<Vec<String>> {
    let mut meaning = Vec::new();
    read(file, fs::parent(file), 0, &mut meaning)?;
    let known =
        ["-i ", "--index-url", "--extra-index-url", "-f ", "--find-links", "--no-index", "--trusted-host", "--pre"];
    let options: Vec<String> =
        meaning.into_iter().filter(|line| known.iter().any(|known| line.starts_with(known.trim_end()))).collect();
    for option in &options {
        let host = option.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
        if host.contains('@') {
            let message = format!("`{}` names an index with a password in it", file.display());
            return Err(Error::new(format!("{message}: give it to pip or uv in their own settings or variables")));
        }
    }
    Ok(options)
}

fn read(file: &Path, folder: &Path, depth: usize, meaning: &mut Vec<String>) -> Result<()> {
    if depth > DEPTH {
        return Err(Error::new(format!("`{}`: requirements files include each other too deep", file.display())));
    }
    let text = fs::read_text(file)?.replace("\r\n", "\n").replace("\\\n", " ");
    for line in text.lines() {
        let line = strip_comment(line).split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            continue;
        }
        if let Some(other) = included(&line) {
            read(&fs::parent(file).join(other), folder, depth + 1, meaning)?;
            continue;
        }
        if let Some(local) = local_file(&line, folder) {
            // A wheel that is built anew under its old name is another requirement.
            meaning.push(format!("{line} {}", Digest::of_file(&local)?));
            continue;
        }
        meaning.push(line);
    }
    Ok(())
}

/// A comment begins a line or stands behind white space; `#` in a URL does not.
fn strip_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    match line.find(" #").into_iter().chain(line.find("\t#")).min() {
        Some(at) => &line[..at],
        None => line,
    }
}

fn included(line: &str) -> Option<&str> {
    let names = ["-r", "--requirement", "-c", "--constraint"];
    let name = names.iter().find(|name| {
        line.strip_prefix(**name)
            .is_some_and(|rest| rest.starts_with([' ', '=']) || (name.len() == 2 && !rest.is_empty()))
    })?;
    Some(line[name.len()..].trim_start_matches([' ', '=']))
}

fn local_file(line: &str, folder: &Path) -> Option<PathBuf> {
    let name = line.split([' ', ';']).next()?;
    let path = folder.join(name);
    (name.contains('/') || name.ends_with(".whl") || name.ends_with(".gz"))
        .then_some(path)
        .filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    fn of(files: &[(&str, &str)]) -> Digest {
        digest(folder(files).path(), "requirements.txt").expect("read")
    }

    #[test]
    fn comments_and_spaces_change_nothing_and_everything_else_does() {
        let plain = of(&[("requirements.txt", "six==1.16.0\n")]);
        assert_eq!(plain, of(&[("requirements.txt", "# six\n\n  six==1.16.0   # why\r\n")]));
        assert_ne!(plain, of(&[("requirements.txt", "six==1.17.0\n")]));
        assert_ne!(plain, of(&[("requirements.txt", "six==1.16.0\n--pre\n")]));
    }

    #[test]
    fn included_files_and_local_wheels_belong_to_it() {
        let included = |text: &str| of(&[("requirements.txt", "-r base.txt\n"), ("base.txt", text)]);
        assert_eq!(included("six\n"), of(&[("requirements.txt", "six\n")]));
        assert_ne!(included("six\n"), included("seven\n"));
        let wheel = |bytes: &str| of(&[("requirements.txt", "./a.whl\n"), ("a.whl", bytes)]);
        assert_ne!(wheel("a"), wheel("b"));
        assert!(digest(folder(&[("requirements.txt", "-r requirements.txt\n")]).path(), "requirements.txt").is_err());
    }

    #[test]
    fn an_index_with_a_password_is_refused() {
        let text = "--index-url https://me:secret@pypi.example/simple\nsix\n";
        let folder = folder(&[("requirements.txt", text), ("fine.txt", "-i https://pypi.example/simple\nsix\n")]);
        let error = options(&folder.path().join("requirements.txt")).expect_err("refused").to_string();
        assert!(!error.contains("secret"), "{error}");
        assert_eq!(options(&folder.path().join("fine.txt")).expect("read"), ["-i https://pypi.example/simple"]);
    }
}
