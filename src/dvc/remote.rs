//! The remotes of a DVC project, as its settings name them: which one has an output, and how it is reached. Asks nobody.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::config::Config;
use super::pinned::{Pinned, normal};

/// The kinds of remotes that DVC has and mlpc has no client for.
const FOREIGN: [(&str, &str); 9] = [
    ("gs", "Google Cloud Storage"),
    ("azure", "Azure Blob Storage"),
    ("gdrive", "Google Drive"),
    ("oss", "Alibaba Cloud OSS"),
    ("ssh", "SSH"),
    ("hdfs", "HDFS"),
    ("webhdfs", "HDFS over HTTP"),
    ("webdav", "WebDAV"),
    ("webdavs", "WebDAV"),
];

/// A remote that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// Its address, for people.
    pub shown: String,
    /// Where it is.
    pub(super) place: Place,
    /// Anybody may read it, as its settings say.
    pub(super) public: bool,
    settings: BTreeMap<String, String>,
}

/// Where a remote is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A folder, which may be a mounted share.
    Folder(PathBuf),
    /// The address of a server or a store, as [`Client`](crate::cache::remote::Client) takes it.
    Address(String),
}

impl Remote {
    /// Finds the remote that has an output as this machine reaches it. `Err` says why there is none that can be asked.
    pub fn of(pinned: &Pinned) -> Result<Self, String> {
        find(&Config::of(&pinned.root).whole()?, pinned)
    }

    /// As [`Remote::of`], with what is committed alone, as another machine finds it.
    pub fn committed(pinned: &Pinned) -> Result<Self, String> {
        find(&Config::committed(&pinned.root).whole()?, pinned)
    }

    /// It is a folder outside of a project: no other machine has it, unless it is mounted there too.
    #[must_use]
    pub fn is_of_this_machine(&self, project: &Path) -> bool {
        matches!(&self.place, Place::Folder(folder) if !normal(folder).starts_with(normal(project)))
    }

    /// It asks for a key, as far as its settings tell.
    #[must_use]
    pub fn asks_for_a_key(&self) -> bool {
        self.shown.starts_with("s3://") && !self.public
    }

    /// Returns the variables that its client reads: the caller's, with what the settings say of keys and certificates over them.
    pub fn environment(&self, caller: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
        let mut all = caller.clone();
        let given = |key: &str| self.settings.get(key).filter(|value| !value.is_empty());
        if let (Some(id), Some(secret)) = (given("access_key_id"), given("secret_access_key")) {
            all.insert("AWS_ACCESS_KEY_ID".into(), id.into());
            all.insert("AWS_SECRET_ACCESS_KEY".into(), secret.into());
            match given("session_token") {
                Some(token) => all.insert("AWS_SESSION_TOKEN".into(), token.into()),
                None => all.remove(OsStr::new("AWS_SESSION_TOKEN")),
            };
        }
        if let Some(path) = given("ssl_verify").filter(|value| !is_true(value)) {
            all.insert("SSL_CERT_FILE".into(), path.into());
        }
        all
    }

    /// Says how keys are given to it where none are known and its settings lead elsewhere than we read.
    pub(super) fn without_keys(&self, environment: &BTreeMap<OsString, OsString>) -> Option<String> {
        let known = environment.get(OsStr::new("AWS_ACCESS_KEY_ID")).is_some_and(|id| !id.is_empty());
        if known || self.public || !self.asks_for_a_key() {
            return None;
        }
        let profile = self.settings.get("profile").map_or("default", String::as_str);
        let names =
            ["profile", "credentialpath", "configpath"].into_iter().find(|key| self.settings.contains_key(*key))?;
        Some(format!(
            "its keys are named by `{names}`, and mlpc reads them from the environment alone: \
             `eval \"$(aws configure export-credentials --profile {profile} --format env)\"`"
        ))
    }
}

fn find(config: &Config, pinned: &Pinned) -> Result<Remote, String> {
    if pinned.imported {
        return Err(format!("`{}` imports it from another repository, whose remote has it", pinned.said_by));
    }
    let named = pinned.remote.as_deref().or_else(|| config.get("core", "remote"));
    let name = named.ok_or_else(|| "`.dvc/config` names no remote (`dvc remote add -d NAME URL`)".to_owned())?;
    let (url, settings) = resolve(config, name, 0)?;
    let not_spoken = |what: &str| Err(format!("the remote `{name}` {what}, which mlpc does not speak"));
    let is = |key: &str| settings.get(key).is_some_and(|value| is_true(value));
    if is("worktree") || is("version_aware") {
        return not_spoken("keeps versions of files in the place of objects");
    }
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if let Some((_, kind)) = FOREIGN.iter().find(|(foreign, _)| *foreign == scheme) {
        return not_spoken(&format!("is on {kind} (`{scheme}://`)"));
    }
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    if !["", "file"].contains(&scheme) && (authority.contains('@') || url.contains(['?', '#'])) {
        return Err(format!("the address of the remote `{name}` holds more than a server and a path"));
    }
    if settings.get("ssl_verify").is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        return Err(format!(
            "the remote `{name}` says `ssl_verify = false`, and mlpc asks no server that it can't check"
        ));
    }
    let mut public = is("allow_anonymous_login");
    let place = match scheme {
        "" | "file" => Place::Folder(config.path(rest)),
        "http" | "https" => {
            if let Some(auth) = settings.get("auth") {
                return not_spoken(&format!("asks for a password (`auth = {auth}`)"));
            }
            public = true;
            Place::Address(format!("{}/", url.trim_end_matches('/')))
        }
        "s3" => {
            if let Some(key) =
                ["sse_customer_key", "sse_customer_algorithm"].iter().find(|key| settings.contains_key(**key))
            {
                return not_spoken(&format!("is encrypted with a key of its own (`{key}`)"));
            }
            let fields = [("region", "region"), ("endpoint", "endpointurl")];
            let fields = fields.iter().filter_map(|(ours, theirs)| Some(format!("{ours}={}", settings.get(*theirs)?)));
            let query = fields.collect::<Vec<_>>().join("&");
            let mark = if query.is_empty() { "" } else { "?" };
            Place::Address(format!("{url}{mark}{query}"))
        }
        _ => return not_spoken(&format!("is of the kind `{scheme}://`")),
    };
    Ok(Remote { name: name.to_owned(), shown: url, place, public, settings })
}

/// Finds the address of a remote, and its settings: one may stand on another, `remote://server/below`.
fn resolve(config: &Config, name: &str, depth: usize) -> Result<(String, BTreeMap<String, String>), String> {
    let absent = || format!("`.dvc/config` has no remote `{name}`");
    let mut settings = config.remote(name).ok_or_else(absent)?.clone();
    let url = settings.remove("url").ok_or_else(|| format!("`.dvc/config` gives the remote `{name}` no `url`"))?;
    let Some(rest) = url.strip_prefix("remote://") else { return Ok((url, settings)) };
    if depth > 8 {
        return Err(format!("the remote `{name}` stands on itself"));
    }
    let (base, below) = rest.split_once('/').unwrap_or((rest, ""));
    let (base, mut all) = resolve(config, base, depth + 1)?;
    all.append(&mut settings);
    Ok((format!("{}/{}", base.trim_end_matches('/'), below.trim_start_matches('/')), all))
}

fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &str, named: Option<&str>) -> Result<Remote, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".dvc")).expect("made");
        std::fs::write(folder.path().join(".dvc/config"), config).expect("written");
        found_in(folder.path(), named)
    }

    fn found_in(root: &std::path::Path, named: Option<&str>) -> Result<Remote, String> {
        let pinned = Pinned {
            md5: "0".repeat(32),
            folder: false,
            legacy: false,
            executable: false,
            below: String::new(),
            said_by: "x.dvc".into(),
            root: root.to_owned(),
            remote: named.map(str::to_owned),
            size: None,
            imported: false,
        };
        Remote::of(&pinned)
    }

    #[test]
    fn settings_that_cannot_be_read_are_not_taken_for_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(".dvc/config");
        let asked = || found_in(folder.path(), None).expect_err("refused");
        std::fs::create_dir_all(&file).expect("made");
        assert!(asked().contains("`.dvc/config` can't be read"), "{}", asked());
        std::fs::remove_dir(&file).expect("removed");
        std::fs::write(&file, b"[core]\nremote = \xff\n").expect("written");
        assert!(asked().contains("`.dvc/config` can't be read"), "{}", asked());
        std::fs::remove_file(&file).expect("removed");
        assert!(asked().contains("names no remote"), "{}", asked());
    }

    fn address(config: &str) -> String {
        match found(config, None).expect("a remote").place {
            Place::Address(url) => url,
            Place::Folder(path) => path.display().to_string(),
        }
    }

    #[test]
    fn a_remote_is_reached_as_its_settings_say() {
        let of = |rest: &str| format!("[core]\nremote = x\n['remote \"x\"']\n{rest}\n");
        assert_eq!(address(&of("url = s3://b/p")), "s3://b/p");
        assert_eq!(
            address(&of("url = s3://b/p\nendpointurl = http://127.0.0.1:9\nregion = eu-west-1")),
            "s3://b/p?region=eu-west-1&endpoint=http://127.0.0.1:9"
        );
        assert_eq!(address(&of("url = https://data.example.com/dvc")), "https://data.example.com/dvc/");
        assert_eq!(address(&of("url = /mnt/dvc")), "/mnt/dvc");
        assert_eq!(address(&of("url = file:///mnt/dvc")), "/mnt/dvc");
        assert!(address(&of("url = ../../store")).ends_with("/.dvc/../../store"));
        assert_eq!(
            address(&format!("{}['remote \"y\"']\nurl = s3://b\nregion = r\n", of("url = remote://y/p"))),
            "s3://b/p?region=r"
        );
        let other = found(&format!("{}['remote \"y\"']\nurl = /y\n", of("url = /x")), Some("y")).expect("a remote");
        assert_eq!((other.name.as_str(), other.place), ("y", Place::Folder("/y".into())));
    }

    #[test]
    fn what_can_not_be_asked_is_named() {
        let of =
            |rest: &str| found(&format!("[core]\nremote = x\n['remote \"x\"']\n{rest}\n"), None).expect_err("refused");
        for (settings, said) in [
            ("url = gs://b/p", "is on Google Cloud Storage (`gs://`), which mlpc does not speak"),
            ("url = azure://c/p", "Azure Blob Storage"),
            ("url = ssh://host/p", "SSH"),
            ("url = tape://x", "of the kind `tape://`"),
            ("url = https://h/p\nauth = basic", "asks for a password (`auth = basic`)"),
            ("url = https://me:pass@h/p", "holds more than a server and a path"),
            ("url = https://h/p\nssl_verify = false", "no server that it can't check"),
            ("url = s3://b\nversion_aware = true", "keeps versions of files"),
            ("url = s3://b\nsse_customer_key = k", "encrypted with a key of its own"),
            ("url = remote://x", "stands on itself"),
            ("region = eu", "no `url`"),
        ] {
            let error = of(settings);
            assert!(error.contains(said), "{settings}: {error}");
        }
        assert!(found("", None).expect_err("none").contains("names no remote"));
        assert!(found("[core]\nremote = y\n", None).expect_err("none").contains("has no remote `y`"));
    }

    #[test]
    fn keys_of_the_settings_go_before_those_around() {
        let config = "[core]\nremote = x\n['remote \"x\"']\nurl = s3://b\n";
        let around = BTreeMap::from([("AWS_SESSION_TOKEN".into(), "theirs".into())]);
        let keys = found(&format!("{config}access_key_id = i\nsecret_access_key = s\n"), None).expect("a remote");
        let env = keys.environment(&around);
        assert_eq!(env.get(OsStr::new("AWS_ACCESS_KEY_ID")), Some(&OsString::from("i")));
        assert_eq!(env.get(OsStr::new("AWS_SESSION_TOKEN")), None);
        let named = found(&format!("{config}profile = ml\n"), None).expect("a remote");
        assert!(named.without_keys(&around).expect("a way").contains("--profile ml"));
        assert_eq!(named.without_keys(&keys.environment(&around)), None);
    }
}
