//! `.dvc/config` and `.dvc/config.local`: where the cache is, and which remotes there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::import::dvc::config::{Sections, read};

/// The settings of a project: those of a section by its name in lower case, as `core` or `remote "store"`.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    home: PathBuf,
    sections: Sections,
    /// Why a file of settings that is there can't be read.
    unread: Option<String>,
}

impl Config {
    /// Reads the settings; those of this machine alone go before those that are committed.
    pub(super) fn of(root: &Path) -> Self {
        Self::from(root, &["config", "config.local"])
    }

    /// Reads the settings that are committed, as another machine finds them.
    pub(super) fn committed(root: &Path) -> Self {
        Self::from(root, &["config"])
    }

    fn from(root: &Path, names: &[&str]) -> Self {
        let mut config = Self { home: root.join(".dvc"), ..Self::default() };
        for name in names {
            match crate::host::fs::open(&config.home.join(name)).and_then(std::io::read_to_string) {
                Ok(text) => read(&text, &mut config.sections),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    config.unread =
                        Some(format!("`.dvc/{name}` can't be read: {}", crate::host::error::reason(&error)));
                }
            }
        }
        config
    }

    /// Returns itself, if all of its files can be read: what is missing in it may stand in one that can't.
    pub(super) fn whole(self) -> Result<Self, String> {
        match self.unread {
            Some(why) => Err(why),
            None => Ok(self),
        }
    }

    /// Returns a setting.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key).map(String::as_str)
    }

    /// Returns the settings of a remote.
    pub(super) fn remote(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        self.sections.get(&format!("remote \"{}\"", name.to_lowercase()))
    }

    /// Returns the folder of the cache.
    pub(super) fn cache(&self) -> PathBuf {
        self.get("cache", "dir").map_or_else(|| self.home.join("cache"), |dir| self.path(dir))
    }

    /// Returns a path that the settings name: relative to the file that says it.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        match (written.strip_prefix("~/"), std::env::home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.home.join(written),
        }
    }
}

/// Returns the folder of the DVC project that a folder lies in.
pub(super) fn root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".dvc").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_file_wins_and_paths_are_relative_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::create_dir(root.join(".dvc")).expect("made");
        assert_eq!(Config::of(root).cache(), root.join(".dvc/cache"));
        let remote = "[core]\n    remote = X\n['remote \"x\"']\n    dir = no\n    url = s3://a/b # ours\n[cache]\n    dir = ../../shared\n";
        std::fs::write(root.join(".dvc/config"), remote).expect("written");
        assert_eq!(Config::of(root).cache(), root.join(".dvc/../../shared"));
        let local = "[cache]\ndir = /big\n[remote \"x\"]\nsecret_access_key = 'a#b # c' # none of yours\n";
        std::fs::write(root.join(".dvc/config.local"), local).expect("written");
        let config = Config::of(root);
        assert_eq!(config.cache(), PathBuf::from("/big"));
        assert_eq!(config.get("core", "remote"), Some("X"));
        let remote = config.remote("X").expect("there");
        assert_eq!((remote["url"].as_str(), remote["secret_access_key"].as_str()), ("s3://a/b", "a#b # c"));
        assert_eq!(Config::committed(root).remote("x").expect("there").get("secret_access_key"), None);
    }
}
