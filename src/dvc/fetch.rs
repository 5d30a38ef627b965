//! Objects that the cache lacks, fetched from DVC's remote into the cache, as `dvc fetch` would leave them. Each is written aside,
//! hashed, made read-only and only then put under its name: DVC takes what is read-only there for whole, and so do we. The list of a
//! folder comes last, so that a list in the cache has its files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::cache::{Lacks, Objects, is, names};
use super::fault::Fault;
use super::pinned::Pinned;
use super::remote::{Place, Remote};
use crate::cache::remote::{Client, Progress, side_by_side};
use crate::host::{Context, Error, fs};

/// The mode of DVC's objects.
const MODE: u32 = 0o444;

/// The bytes that the list of a folder may have, which nothing pins: some ten million lines.
const LIST: u64 = 1 << 30;

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
        let lacks = objects.missing(pinned)?;
        if lacks == Lacks::Nothing {
            return Ok(Brought::default());
        }
        let server = self.open()?;
        fs::create_dirs(self.parts)?;
        let came = Came { fetch: self, server: &server, objects, pinned, count: <_>::default() };
        match lacks {
            Lacks::Nothing => {}
            Lacks::Whole if pinned.folder => {
                let list = came.get(&pinned.md5, ".dir")?;
                let files = objects.absent(pinned, &list).map_err(Fault::of_what_came)?;
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
    pinned: &'a Pinned,
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
        let [name, other] = names(md5, suffix, self.pinned.legacy);
        let most = self.most(suffix);
        if let Err(why) = self.ask(&name, &part, most)? {
            // Objects keep the layout of the DVC that pushed them.
            self.ask(&other, &part, most)?.map_err(|_| Fault::Failed(why.to_string()))?;
        }
        if !is(&part, md5, self.pinned.legacy)? {
            fs::remove(&part)?;
            return Err(Fault::Unsound(format!("what came as {md5}{suffix} has another md5")));
        }
        Ok(part)
    }

    /// Returns how many bytes an object may have at most: a file no more than what was pinned, of which it may be a part.
    fn most(&self, suffix: &str) -> u64 {
        match self.pinned.size {
            _ if !suffix.is_empty() => LIST,
            // Text that was hashed with Unix line ends may have others.
            Some(size) if self.pinned.legacy => size.saturating_mul(2),
            Some(size) => size,
            None => u64::MAX,
        }
    }

    /// Asks for a name; the inner `Err` says that there is nothing.
    fn ask(&self, name: &str, part: &Path, most: u64) -> Result<Result<(), Error>, Fault> {
        let go_on = |waits: Option<&str>| (self.fetch.watch)(waits);
        let too_much = AtomicBool::new(false);
        let takes = |done: u64| {
            too_much.fetch_or(done > most, Ordering::Relaxed);
            done <= most
        };
        let done = match self.server {
            Server::Folder(folder) => copy(&folder.join(name), part, &|done| takes(done) && go_on(None)),
            Server::Client(client) => client.fetch(name, part, &|progress: Progress<'_>| {
                takes(progress.done) && go_on(progress.waits.then_some(progress.host))
            }),
        };
        match done {
            Err(_) if too_much.into_inner() => {
                // The file goes, or the next try would go on with it.
                fs::remove(self.fetch.parts)?;
                Err(Fault::Unsound(format!("`{name}` is longer than the {most} bytes that it may have")))
            }
            // What a client says of a stop is no reason.
            Err(_) if !go_on(None) => Err(Fault::Interrupted),
            done => Ok(done?),
        }
    }

    /// Puts what was fetched under its name, at once and for good.
    fn put(&self, part: &Path, md5: &str, suffix: &str) -> Result<(), Fault> {
        let place = self.objects.place(md5, suffix, self.pinned.legacy);
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
fn copy(from: &Path, part: &Path, go_on: &dyn Fn(u64) -> bool) -> Result<Result<(), Error>, Error> {
    let mut source = match fs::open(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Err(Error::new(format!("it holds no `{}`", from.display()))));
        }
        file => file.cannot("read", from)?,
    };
    fs::remove(part)?;
    let mut out = std::fs::File::create(part).cannot("write", part)?;
    let (mut buffer, mut done) = (vec![0; 1 << 20], 0);
    loop {
        if !go_on(done) {
            return Err(Error::new("interrupted"));
        }
        match source.read(&mut buffer).cannot("read", from)? {
            0 => return Ok(Ok(())),
            count => {
                out.write_all(&buffer[..count]).cannot("write", part)?;
                done += count as u64;
            }
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
    fn what_never_ends_or_is_longer_than_it_was_pinned_is_not_read_to_its_end() {
        let project = Project::new();
        let md5 = project.put("files/md5", "0123456789", "");
        let object = project.folder.path().join("store/files/md5").join(&md5[..2]).join(&md5[2..]);
        let pinned = Pinned { size: Some(9), ..project.pin(&md5, false) };
        assert!(matches!(project.bring(&pinned), Err(Fault::Unsound(why)) if why.contains("longer than the 9 bytes")));
        std::fs::remove_file(&object).expect("removed");
        // A link to a pipe that nobody writes to would be waited for, one to a device read for ever.
        for kind in ["/dev/zero", "pipe"] {
            let target = project.folder.path().join(kind);
            if !target.exists() {
                rustix::fs::mkfifoat(rustix::fs::CWD, &target, rustix::fs::Mode::RWXU).expect("made");
            }
            std::os::unix::fs::symlink(&target, &object).expect("linked");
            let got = project.bring(&project.pin(&md5, false));
            assert!(matches!(&got, Err(Fault::Failed(why)) if why.contains("a pipe or a device")), "{got:?}");
            std::fs::remove_file(&object).expect("removed");
        }
        assert_eq!(project.cached(), Vec::<String>::new());
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
