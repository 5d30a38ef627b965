//! What DVC says the bytes at a path are: by the `.dvc` file of the path or of a folder around it, else by `dvc.lock`.

use std::path::{Component, Path, PathBuf};

use serde_yaml::Value;

use super::config;

/// What the bytes at a path have to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The digest, 32 hex digits.
    pub md5: String,
    /// It is a folder.
    pub folder: bool,
    /// Digests of text were taken with Unix line ends: DVC 2 and before.
    pub legacy: bool,
    /// The file is executable.
    pub executable: bool,
    /// Where in that folder the path leads; empty for all of it.
    pub below: String,
    /// The file that says so, from the project's root.
    pub said_by: String,
    /// The project's root.
    pub root: PathBuf,
    /// The remote that has it, where it is not that of the project.
    pub remote: Option<String>,
    /// How many bytes there are, where that is said.
    pub size: Option<u64>,
    /// It was imported from another repository, whose remote has it.
    pub imported: bool,
}

/// Finds what DVC says of a path of the workspace; `Err` is what to tell the user.
pub fn pinned(workspace: &Path, path: &str) -> Result<Pinned, String> {
    // The folders above it count, too.
    let workspace = &std::path::absolute(workspace.join(".")).map_err(|error| error.to_string())?;
    let root = config::root(workspace)
        .ok_or_else(|| format!("`{}` lies in no DVC project: no folder `.dvc` here or above", workspace.display()))?;
    let target = normal(&workspace.join(path));
    let mut at = target.as_path();
    // A `.dvc` file of the path itself, or of a folder that it lies in.
    while at.starts_with(root) && at != root {
        let mut file = at.as_os_str().to_owned();
        file.push(".dvc");
        if Path::new(&file).is_file() {
            return by_dvc_file(root, Path::new(&file), &target);
        }
        let Some(parent) = at.parent() else { break };
        at = parent;
    }
    let mut folder = target.parent();
    while let Some(here) = folder.filter(|folder| folder.starts_with(root)) {
        if let Some(found) = by_lock(root, here, &target)? {
            return Ok(found);
        }
        folder = here.parent();
    }
    Err(format!(
        "DVC does not know `{path}`: there is no `{path}.dvc`, and no `dvc.lock` names it; `dvc add {path}` makes one"
    ))
}

fn by_dvc_file(root: &Path, file: &Path, target: &Path) -> Result<Pinned, String> {
    let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let value = read(file).map_err(|error| format!("`{shown}` can't be read: {error}"))?;
    let base = folder_of(file.parent().unwrap_or(root), value.get("wdir"));
    let outs = value.get("outs").and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default();
    let found = out(root, &base, outs, target, &shown)?;
    let deps = value.get("deps").and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default();
    let imported = deps.iter().any(|dep| dep.get("repo").is_some());
    found
        .map(|found| Pinned { imported, ..found })
        .ok_or_else(|| format!("`{shown}` says nothing of `{}`", target.display()))
}

fn by_lock(root: &Path, folder: &Path, target: &Path) -> Result<Option<Pinned>, String> {
    let file = folder.join("dvc.lock");
    if !file.is_file() {
        return Ok(None);
    }
    let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
    let lock = read(&file).map_err(|error| format!("`{shown}` can't be read: {error}"))?;
    // The paths of a stage are relative to its `wdir`, which the lock file does not hold.
    let file = folder.join("dvc.yaml");
    let stages = match std::fs::symlink_metadata(&file) {
        Ok(_) => read(&file).map_err(|error| {
            format!("`{}` can't be read: {error}", file.strip_prefix(root).unwrap_or(&file).display())
        })?,
        Err(_) => Value::Null,
    };
    // Before 2.0 the stages stood at the top.
    let listed = lock.get("stages").unwrap_or(&lock);
    let Value::Mapping(listed) = listed else { return Ok(None) };
    for (name, stage) in listed {
        let name = name.as_str().unwrap_or_default();
        let entry = name.split('@').next().unwrap_or(name);
        let entry = stages.get("stages").and_then(|stages| stages.get(name).or_else(|| stages.get(entry)));
        let wdir = entry.and_then(|entry| entry.get("wdir").or_else(|| entry.get("do")?.get("wdir")));
        let base = folder_of(folder, wdir);
        let outs = stage.get("outs").and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default();
        if let Some(found) = out(root, &base, outs, target, &shown)? {
            let remote = entry.and_then(|entry| remote_of(entry, &base, target));
            return Ok(Some(Pinned { remote, ..found }));
        }
    }
    Ok(None)
}

/// Returns the remote that `dvc.yaml` names for an output: the lock file holds none.
fn remote_of(stage: &Value, base: &Path, target: &Path) -> Option<String> {
    let stage = stage.get("do").unwrap_or(stage);
    let lists = ["outs", "metrics", "plots"].into_iter().filter_map(|list| stage.get(list)?.as_sequence());
    lists.flatten().filter_map(Value::as_mapping).flatten().find_map(|(path, settings)| {
        target.strip_prefix(normal(&base.join(path.as_str()?))).ok()?;
        settings.get("remote")?.as_str().map(str::to_owned)
    })
}

fn folder_of(folder: &Path, wdir: Option<&Value>) -> PathBuf {
    match wdir.and_then(Value::as_str) {
        Some(wdir) => normal(&folder.join(wdir)),
        None => folder.to_owned(),
    }
}

/// Finds the output that is `target` or holds it.
fn out(root: &Path, base: &Path, outs: &[Value], target: &Path, shown: &str) -> Result<Option<Pinned>, String> {
    for out in outs {
        let Some(path) = out.get("path").and_then(Value::as_str) else { continue };
        let path = normal(&base.join(path));
        let Ok(below) = target.strip_prefix(&path) else { continue };
        let Some(md5) = out.get("md5").and_then(Value::as_str) else {
            let path = path.strip_prefix(root).unwrap_or(&path).display();
            return Err(format!(
                "`{shown}` holds no md5 of `{path}`: only data that DVC keeps in its cache can be read"
            ));
        };
        let (hex, folder) = md5.strip_suffix(".dir").map_or((md5, false), |hex| (hex, true));
        if hex.len() != 32 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!("`{shown}` holds `{md5}`, which is no md5"));
        }
        if !folder && !below.as_os_str().is_empty() {
            continue;
        }
        return Ok(Some(Pinned {
            md5: hex.to_owned(),
            folder,
            legacy: out.get("hash").and_then(Value::as_str) != Some("md5"),
            executable: out.get("isexec").and_then(Value::as_bool).unwrap_or(false),
            below: below.to_string_lossy().into_owned(),
            said_by: shown.to_owned(),
            root: root.to_owned(),
            remote: out.get("remote").and_then(Value::as_str).map(str::to_owned),
            size: out.get("size").and_then(Value::as_u64),
            imported: false,
        }));
    }
    Ok(None)
}

fn read(file: &Path) -> Result<Value, String> {
    let reason = |error| crate::host::error::reason(&error);
    let text = std::io::read_to_string(crate::host::fs::open(file).map_err(reason)?).map_err(reason)?;
    serde_yaml::from_str(&text).map_err(|error| error.to_string())
}

/// Takes `.` and `..` out of an absolute path.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut made = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                made.pop();
            }
            part => made.push(part),
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "22a1a2931c8370d3aeedd7183606fd7f";

    fn project(files: &[(&str, String)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".dvc")).expect("made");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    #[test]
    fn a_path_is_known_by_its_own_file_or_by_that_of_a_folder_around_it() {
        let folder = project(&[
            ("data/raw.csv.dvc", format!("outs:\n- md5: {A}\n  hash: md5\n  path: raw.csv\n")),
            ("data/images.dvc", format!("outs:\n- md5: {A}.dir\n  path: images\n")),
        ]);
        let file = pinned(folder.path(), "data/raw.csv").expect("known");
        assert_eq!(
            (file.md5.as_str(), file.folder, file.legacy, file.said_by.as_str()),
            (A, false, false, "data/raw.csv.dvc")
        );
        let inside = pinned(folder.path(), "data/images/a/b.png").expect("known");
        assert_eq!((inside.folder, inside.legacy, inside.below.as_str()), (true, true, "a/b.png"));
        let unknown = pinned(folder.path(), "data/other").expect_err("unknown");
        assert!(unknown.contains("dvc add data/other"), "{unknown}");
    }

    #[test]
    fn what_a_stage_made_is_known_by_the_lock_file_and_its_folder() {
        let lock = format!(
            "schema: '2.0'\nstages:\n  fit@a:\n    cmd: x\n    outs:\n    - path: ../out/m.pkl\n      hash: md5\n      md5: {A}\n"
        );
        let stages = "stages:\n  fit:\n    foreach: [a]\n    do:\n      wdir: work\n      cmd: x\n".to_owned();
        let folder = project(&[("sub/dvc.lock", lock), ("sub/dvc.yaml", stages)]);
        let found = pinned(&folder.path().join("sub"), "out/m.pkl").expect("known");
        assert_eq!((found.md5.as_str(), found.said_by.as_str()), (A, "sub/dvc.lock"));
    }

    #[test]
    fn the_remote_of_an_output_is_where_its_declaration_says() {
        let lock = format!("stages:\n  fit:\n    outs:\n    - path: m.pkl\n      md5: {A}\n      size: 7\n");
        let folder = project(&[
            ("dvc.lock", lock),
            ("dvc.yaml", "stages:\n  fit:\n    cmd: x\n    outs:\n    - m.pkl:\n        remote: models\n".to_owned()),
            ("a.dvc", format!("outs:\n- md5: {A}\n  path: a\n  remote: raw\n")),
            ("b.dvc", format!("deps:\n- path: b\n  repo: {{url: x}}\nouts:\n- md5: {A}\n  path: b\n")),
        ]);
        let of = |path: &str| pinned(folder.path(), path).expect("known");
        assert_eq!((of("m.pkl").remote.as_deref(), of("m.pkl").size), (Some("models"), Some(7)));
        assert_eq!(of("a").remote.as_deref(), Some("raw"));
        assert!(of("b").imported && !of("a").imported);
    }

    #[test]
    fn what_is_no_md5_is_not_believed() {
        let folder = project(&[
            ("a.dvc", "outs:\n- md5: ../../etc\n  path: a\n".to_owned()),
            ("b.dvc", "outs:\n- etag: x\n  path: b\n".to_owned()),
        ]);
        assert!(pinned(folder.path(), "a").expect_err("no digest").contains("which is no md5"));
        assert!(pinned(folder.path(), "b").expect_err("no digest").contains("holds no md5"));
    }
}
