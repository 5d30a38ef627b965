//! `.dvc/config` and `.dvc/config.local`: where the cache is.

use std::path::{Path, PathBuf};

/// Returns the folder of the DVC project that a folder lies in.
pub(super) fn root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".dvc").is_dir())
}

/// Returns the folder of the cache of a project.
pub(super) fn cache(root: &Path) -> PathBuf {
    let home = root.join(".dvc");
    ["config.local", "config"]
        .into_iter()
        .filter_map(|name| std::fs::read_to_string(home.join(name)).ok())
        .find_map(|text| value(&text, "cache", "dir"))
        // Relative to the file that says it.
        .map_or_else(|| home.join("cache"), |dir| home.join(dir))
}

/// Returns a value of an INI file.
fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let mut inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name.trim().trim_matches(['\'', '"']) == section;
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            found = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_file_wins_and_paths_are_relative_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::create_dir(root.join(".dvc")).expect("made");
        assert_eq!(cache(root), root.join(".dvc/cache"));
        let remote = "[core]\n    remote = x\n['remote \"x\"']\n    dir = no\n[cache]\n    dir = ../../shared\n";
        std::fs::write(root.join(".dvc/config"), remote).expect("written");
        assert_eq!(cache(root), root.join(".dvc/../../shared"));
        std::fs::write(root.join(".dvc/config.local"), "[cache]\ndir = /big\n").expect("written");
        assert_eq!(cache(root), PathBuf::from("/big"));
    }
}
