//! Objects that the cache lacks, fetched from DVC's remote into the cache, as `dvc fetch` would leave them. Each is written aside,
//! hashed, made read-only and only then put under its name: DVC takes what is read-only there for whole, and so do we. The list of a
//! folder comes last, so that a list in the cache has its files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::{Lacks, Objects, is, names};
use super::pinned::Pinned;
use super::remote::{Place, Remote};
use crate::cache::remote::{Client, Progress, side_by_side};
use crate::host::{Context, Error, fs};

/// The mode of DVC's objects.
const MODE: u32 = 0o444;

/// How something could not be fetched.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there, or the remote did not give it.
    Failed(String),
    /// What came is not what it was said to be.
    Unsound(String),
    /// The user wants us to stop.
    Interrupted,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What was fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    /// How many objects.
    pub objects: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// How something is fetched.
pub struct Fetch<'a> {
    /// The remote that is asked.
    pub remote: &'a Remote,
    /// The variables that its client reads, as [`Remote::environment`] and a credential make them.
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// Nothing is signed.
    pub public: bool,
    /// A folder for what is on its way; nobody else fetches into it at the time.
    pub parts: &'a Path,
    /// Is told when the remote is waited for, and says whether to go on.
    pub watch: &'a (dyn Fn(Option<&str>) -> bool + Sync),
}

/// Who is asked, once it is opened.
enum Server {
    Folder(PathBuf),
    Client(Client),
}

impl Fetch<'_> {
    /// Fetches what a cache lacks of something.
    pub fn bring(&self, objects: &Objects, pinned: &Pinned) -> Result<Brought, Fault> {
        let lacks = objects.missing(pinned).map_err(Fault::Failed)?;
        if lacks == Lacks::Nothing {
            return Ok(Brought::default());
        }
        let server = self.open()?;
        fs::create_dirs(self.parts)?;
        let came = Came { fetch: self, server: &server, objects, legacy: pinned.legacy, count: <_>::default() };
        match lacks {
            Lacks::Nothing => {}
            Lacks::Whole if pinned.folder => {
                let list = came.get(&pinned.md5, ".dir")?;
                let files = objects.absent(pinned, &list).map_err(Fault::Unsound)?;
                side_by_side(&files, |md5| came.keep(md5, ""))?;
                came.put(&list, &pinned.md5, ".dir")?;
            }
            Lacks::Whole => came.keep(&pinned.md5, "")?,
            Lacks::Files(files) => side_by_side(&files, |md5| came.keep(md5, ""))?,
        }
        let [objects, bytes] = &came.count;
        let brought = Brought { objects: objects.load(Ordering::Relaxed), bytes: bytes.load(Ordering::Relaxed) };
        fs::remove(self.parts)?;
        Ok(brought)
    }

    fn open(&self) -> Result<Server, Fault> {
        match &self.remote.place {
            // A share that is not mounted looks like one that lost all.
            Place::Folder(folder) if !folder.is_dir() => {
                Err(Fault::Failed(format!("there is no folder `{}`: make it, or mount it", folder.display())))
            }
            Place::Folder(folder) => Ok(Server::Folder(folder.clone())),
            Place::Address(url) => {
                let public = self.public || self.remote.public;
                if let Some(why) = self.remote.without_keys(self.environment).filter(|_| !public) {
                    return Err(Fault::Failed(why));
                }
                Ok(Server::Client(Client::open(url, public, self.environment)?))
            }
        }
    }
}

/// What comes of one fetch, in any lane.
struct Came<'a> {
    fetch: &'a Fetch<'a>,
    server: &'a Server,
    objects: &'a Objects,
    legacy: bool,
    /// Objects and bytes.
    count: [AtomicU64; 2],
}

impl Came<'_> {
    /// Fetches an object, and puts it into the cache.
    fn keep(&self, md5: &str, suffix: &str) -> Result<(), Fault> {
        let part = self.get(md5, suffix)?;
        self.put(&part, md5, suffix)
    }

    /// Fetches an object, and hashes it; returns where it stands aside.
    fn get(&self, md5: &str, suffix: &str) -> Result<PathBuf, Fault> {
        let part = self.fetch.parts.join(format!("{md5}{suffix}"));
        let [name, other] = names(md5, suffix, self.legacy);
        if let Err(why) = self.ask(&name, &part)? {
            // Objects keep the layout of the DVC that pushed them.
            self.ask(&other, &part)?.map_err(|_| Fault::Failed(why.to_string()))?;
        }
        if !is(&part, md5, self.legacy).map_err(Fault::Failed)? {
            fs::remove(&part)?;
            return Err(Fault::Unsound(format!("what came as {md5}{suffix} has another md5")));
        }
        Ok(part)
    }

    /// Asks for a name; the inner `Err` says that there is nothing.
    fn ask(&self, name: &str, part: &Path) -> Result<Result<(), Error>, Fault> {
        let go_on = |waits: Option<&str>| (self.fetch.watch)(waits);
        let done = match self.server {
            Server::Folder(folder) => copy(&folder.join(name), part, &|| go_on(None)),
            Server::Client(client) => {
                client.fetch(name, part, &|progress: Progress<'_>| go_on(progress.waits.then_some(progress.host)))
            }
        };
        match done {
            // What a client says of a stop is no reason.
            Err(_) if !go_on(None) => Err(Fault::Interrupted),
            done => Ok(done?),
        }
    }

    /// Puts what was fetched under its name, at once and for good.
    fn put(&self, part: &Path, md5: &str, suffix: &str) -> Result<(), Fault> {
        let place = self.objects.place(md5, suffix, self.legacy);
        let folder = fs::parent(&place);
        let file = std::fs::File::open(part).cannot("read", part)?;
        let bytes = file.metadata().cannot("read", part)?.len();
        if !folder.is_dir() {
            fs::create_dirs(folder)?;
            if self.objects.shared {
                fs::set_mode(folder, 0o2775)?;
            }
        }
        fs::set_mode(part, MODE)?;
        file.sync_all().cannot("write", part)?;
        match std::fs::rename(part, &place) {
            Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => across(part, &place)?,
            done => done.cannot("write", &place)?,
        }
        let [objects, all] = &self.count;
        objects.fetch_add(1, Ordering::Relaxed);
        all.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}

/// Moves a file to another file system: written beside its place, and renamed there.
fn across(part: &Path, place: &Path) -> Result<(), Error> {
    let mut beside = tempfile::Builder::new()
        .prefix(".mlpc-")
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(fs::parent(place))
        .cannot("write", place)?;
    let mut from = std::fs::File::open(part).cannot("read", part)?;
    std::io::copy(&mut from, &mut beside).cannot("write", place)?;
    fs::set_mode(beside.path(), MODE)?;
    beside.as_file().sync_all().cannot("write", place)?;
    beside.persist(place).cannot("write", place)?;
    fs::remove(part)
}

/// Copies a file of a remote that is a folder; the inner `Err` says that there is none.
fn copy(from: &Path, part: &Path, go_on: &dyn Fn() -> bool) -> Result<Result<(), Error>, Error> {
    let mut source = match std::fs::File::open(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Err(Error::new(format!("it holds no `{}`", from.display()))));
        }
        file => file.cannot("read", from)?,
    };
    fs::remove(part)?;
    let mut out = std::fs::File::create(part).cannot("write", part)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        if !go_on() {
            return Err(Error::new("interrupted"));
        }
        match source.read(&mut buffer).cannot("read", from)? {
            0 => return Ok(Ok(())),
            count => out.write_all(&buffer[..count]).cannot("write", part)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use md5::{Digest as _, Md5};

    use super::super::cache::hex;
    use super::*;

    struct Project {
        folder: tempfile::TempDir,
    }

    impl Project {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::create_dir_all(folder.path().join(".dvc")).expect("made");
            std::fs::create_dir_all(folder.path().join("store")).expect("made");
            let config = "[core]\nremote = store\n['remote \"store\"']\nurl = ../store\n";
            std::fs::write(folder.path().join(".dvc/config"), config).expect("written");
            Self { folder }
        }

        fn put(&self, below: &str, text: &str, suffix: &str) -> String {
            let md5 = hex(&Md5::digest(text.as_bytes()));
            let path =
                self.folder.path().join("store").join(below).join(&md5[..2]).join(format!("{}{suffix}", &md5[2..]));
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
            md5
        }

        fn pin(&self, md5: &str, folder: bool) -> Pinned {
            Pinned {
                md5: md5.to_owned(),
                folder,
                legacy: false,
                executable: false,
                below: String::new(),
                said_by: "x.dvc".into(),
                root: self.folder.path().to_owned(),
                remote: None,
                size: None,
                imported: false,
            }
        }

        fn bring(&self, pinned: &Pinned) -> Result<Brought, Fault> {
            let remote = Remote::of(pinned).expect("a remote");
            let parts = self.folder.path().join("parts");
            let environment = BTreeMap::new();
            let fetch =
                Fetch { remote: &remote, environment: &environment, public: false, parts: &parts, watch: &|_| true };
            fetch.bring(&Objects::of(&pinned.root), pinned)
        }

        fn cached(&self) -> Vec<String> {
            let mut found = Vec::new();
            let mut open = vec![self.folder.path().join(".dvc/cache")];
            while let Some(folder) = open.pop() {
                for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.is_dir() {
                        open.push(path);
                    } else {
                        let mode = entry.metadata().expect("there").permissions().mode() & 0o777;
                        assert_eq!(mode, MODE, "{}", path.display());
                        found.push(
                            path.strip_prefix(self.folder.path().join(".dvc/cache"))
                                .expect("inside")
                                .display()
                                .to_string(),
                        );
                    }
                }
            }
            found.sort();
            found
        }
    }

    #[test]
    fn what_is_missing_comes_into_the_cache_as_dvc_leaves_it() {
        let project = Project::new();
        let new = project.put("files/md5", "one", "");
        let old = project.put("", "two", "");
        assert_eq!(project.bring(&project.pin(&new, false)), Ok(Brought { objects: 1, bytes: 3 }));
        // Pushed by an older DVC than the one that pinned it.
        assert_eq!(project.bring(&project.pin(&old, false)), Ok(Brought { objects: 1, bytes: 3 }));
        assert_eq!(project.bring(&project.pin(&new, false)), Ok(Brought::default()));
        let mut expected = [&new, &old].map(|md5| format!("files/md5/{}/{}", &md5[..2], &md5[2..]));
        expected.sort();
        assert_eq!(project.cached(), expected);
        let legacy = Pinned { legacy: true, ..project.pin(&project.put("", "a\n", ""), false) };
        project.bring(&legacy).expect("there");
        assert!(project.cached().contains(&format!("{}/{}", &legacy.md5[..2], &legacy.md5[2..])));
        assert!(!project.folder.path().join("parts").exists());
    }

    #[test]
    fn a_folder_comes_with_its_files_and_its_list_comes_last() {
        let project = Project::new();
        let files: Vec<String> = (0..40).map(|n| project.put("files/md5", &format!("file {n}"), "")).collect();
        let lines: Vec<String> =
            files.iter().enumerate().map(|(n, md5)| format!(r#"{{"md5": "{md5}", "relpath": "a/{n}"}}"#)).collect();
        let list = project.put("files/md5", &format!("[{}]", lines.join(", ")), ".dir");
        let lost = project.folder.path().join("store/files/md5").join(&files[7][..2]).join(&files[7][2..]);
        std::fs::rename(&lost, project.folder.path().join("aside")).expect("moved");
        assert!(
            matches!(project.bring(&project.pin(&list, true)), Err(Fault::Failed(why)) if why.contains(&files[7][2..]))
        );
        assert!(!project.cached().iter().any(|name| name.ends_with(".dir")), "{:?}", project.cached());
        std::fs::rename(project.folder.path().join("aside"), &lost).expect("moved");
        project.bring(&project.pin(&list, true)).expect("there");
        assert_eq!(project.cached().len(), 41);
        let objects = Objects::of(project.folder.path());
        let to = project.folder.path().join("out");
        objects.copy(&project.pin(&list, true), "d", Path::new("/nowhere"), &to).expect("whole");
        assert_eq!(std::fs::read_to_string(to.join("a/7")).expect("there"), "file 7");
        // One file of a folder needs no other.
        let other = Project::new();
        for n in [3, 4] {
            other.put("files/md5", &format!("file {n}"), "");
        }
        other.put("files/md5", &format!("[{}]", lines.join(", ")), ".dir");
        let part = Pinned { below: "a/3".into(), ..other.pin(&list, true) };
        assert_eq!(other.bring(&part).map(|brought| brought.objects), Ok(2));
    }

    #[test]
    fn what_is_altered_or_gone_leaves_nothing() {
        let project = Project::new();
        let md5 = project.put("files/md5", "honest", "");
        let object = project.folder.path().join("store/files/md5").join(&md5[..2]).join(&md5[2..]);
        std::fs::write(&object, "hacked").expect("written");
        assert!(matches!(project.bring(&project.pin(&md5, false)), Err(Fault::Unsound(why)) if why.contains(&md5)));
        let evil = project.put("files/md5", r#"[{"md5": "../../../../etc/passwd", "relpath": "x"}]"#, ".dir");
        assert!(matches!(project.bring(&project.pin(&evil, true)), Err(Fault::Unsound(why)) if why.contains("no md5")));
        let gone = project.bring(&project.pin(&"0".repeat(32), false));
        assert!(matches!(gone, Err(Fault::Failed(why)) if why.contains("it holds no")));
        assert_eq!(project.cached(), Vec::<String>::new());
        std::fs::remove_dir_all(project.folder.path().join("store")).expect("removed");
        let unmounted = project.bring(&project.pin(&md5, false));
        assert!(matches!(unmounted, Err(Fault::Failed(why)) if why.contains("mount it")));
    }
}
