//! The folder of a stage: a place of its own that holds its declared inputs and code and nothing else, a private home,
//! and the environment that its command sees.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::{Run, Stop};
use super::prepare::{self, From, Prepared};
use super::{fetch, software};
use crate::cache::{Artifact, Folders, Restored, Room, Take, folders_above};
use crate::host::fs::{self, join_inside};
use crate::host::process::Spec;
use crate::host::tree::Tree;
use crate::host::{Context, Digest};
use crate::plan::{Command, FIXED, Interpreter, Work};
use crate::runtime::Provided;

/// How long a stage may take to end by itself when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Variables of the caller that every stage sees and no key holds.
const PASSED: [&str; 10] = [
    "PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CUDA_VISIBLE_DEVICES",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// A stage's folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where the command runs.
    pub(super) work: PathBuf,
    /// What holds the work, the private home and the private temporary folder.
    room: Room,
    /// The work is the workspace itself.
    pub(super) shared: bool,
}

/// How a script reaches its interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// As an argument, where it is not too long.
    AsText,
    /// In a file, where a person will find it.
    InFile,
}

/// An argument may have 128 KiB.
const LONG: usize = 100 << 10;

impl Folder {
    /// Makes the folder of a stage and puts inputs and code in it.
    pub(super) fn make(run: &Run<'_>, node: &str, prepared: &Prepared, outputs: &[&str]) -> Result<Self, Stop> {
        let shared = prepared.manifest.isolation == "off";
        let folders = if shared { Folders::new() } else { folders(prepared, outputs) };
        let room = run.store.scratch().enter(node, &folders)?;
        let work = if shared { run.workspace().to_owned() } else { room.path().join("work") };
        let folder = Self { work, room, shared };
        match shared {
            true => super::dvc::stand_ready(run, prepared)?,
            false => folder.fill(run, prepared)?,
        }
        // A folder that is an input took the place of what stood there.
        if shared || prepared.inputs.iter().any(|input| input.is_folder()) {
            for path in outputs {
                fs::create_dirs(fs::parent(&join_inside(&folder.work, path)?))?;
            }
        }
        for (name, paths) in &prepared.known.lists {
            let text: String = paths.iter().map(|path| format!("{path}\n")).collect();
            let file = folder.list(name);
            fs::create_dirs(fs::parent(&file))?;
            fs::write_atomic(&file, text.as_bytes())?;
        }
        Ok(folder)
    }

    /// Returns what holds the work, the private home and the private temporary folder.
    pub(super) fn root(&self) -> &Path {
        self.room.path()
    }

    /// Gives the folder back, with all that is left in it.
    pub(super) fn leave(self, run: &Run<'_>) -> Result<(), Stop> {
        Ok(run.store.scratch().leave(self.room)?)
    }

    /// Returns where the file of a list stands. In the workspace itself nothing is ours to write.
    fn list(&self, name: &str) -> PathBuf {
        let base = if self.shared { self.root() } else { &self.work };
        base.join(prepare::list_path(name))
    }

    fn fill(&self, run: &Run<'_>, prepared: &Prepared) -> Result<(), Stop> {
        for file in &prepared.code {
            let target = join_inside(&self.work, &file.path)?;
            copy_exactly(&run.workspace().join(&file.path), &target, &file.digest, file.executable)?;
        }
        for input in &prepared.inputs {
            let Some((artifact, from)) = &input.content else { continue };
            let target = join_inside(&self.work, &input.path)?;
            // A file may be both code and input.
            fs::remove(&target)?;
            match from {
                From::Store(published) => {
                    if run.store.write_to(artifact, &target)? == Restored::Missing {
                        fs::remove(&target)?;
                        again(run, artifact, published, &target).map_err(|why| lost(&input.name, why))?;
                    }
                }
                From::Dvc => {
                    if run.store.write_to(artifact, &target)? == Restored::Missing {
                        return Err(lost(&input.name, "run again to make it anew".to_owned()));
                    }
                }
                From::Fetched { source, environment } => {
                    fetch::bring(run, source, artifact, environment)?;
                    if run.store.write_to(artifact, &target)? == Restored::Missing {
                        return Err(lost(&input.name, "run again to fetch it anew".to_owned()));
                    }
                }
                From::Workspace(path) if artifact.kind == crate::cache::Kind::File => {
                    copy_exactly(path, &target, &artifact.digest, artifact.executable)?;
                }
                From::Workspace(path) => {
                    fs::copy_tree(path, &target)?;
                    let copied = Tree::scan(&target, &|file, _| Digest::of_file(file))?;
                    check(copied.digest() == artifact.digest, path)?;
                }
                From::Registry { registry, version, with } => {
                    if run.store.write_to(artifact, &target)? == Restored::Missing {
                        fs::remove(&target)?;
                        champion(run, registry, version, with.as_deref(), artifact)?;
                        run.store.write_to(artifact, &target)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns what is to be run, with the environment that the stage declared.
    pub(super) fn spec(&self, run: &Run<'_>, work: &Work, prepared: &Prepared, script: Script) -> Result<Spec, Stop> {
        let mut locals = prepared.locals.clone();
        for secret in &work.secrets {
            let value = run.secrets.get(&secret.secret).cloned().unwrap_or_default();
            locals.insert(secret.variable.clone(), value);
        }
        if self.shared {
            let lists = prepared.known.lists.keys();
            locals.extend(lists.map(|name| (name.clone(), self.list(name).to_string_lossy().into_owned())));
        }
        let provided = software::provide(run, work)?;
        let mut env = self.environment(run);
        if let Some(Provided::Programs(folder)) = &provided {
            let path = env.get(OsStr::new("PATH")).cloned().unwrap_or_default();
            let folders = std::iter::once(folder.clone()).chain(std::env::split_paths(&path));
            env.insert("PATH".into(), std::env::join_paths(folders).map_err(|error| Stop::Failed(error.to_string()))?);
        }
        env.extend(super::ambient::variables(run, work));
        env.extend(
            prepared
                .manifest
                .variables
                .iter()
                .filter(|(name, _)| !name.contains('.'))
                .filter_map(|(name, value)| Some((OsString::from(name), OsString::from(value.as_ref()?)))),
        );
        env.extend(locals.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
        let argv = match &work.command {
            Command::Arguments(list) => {
                prepare::arguments(run, list, &locals, &prepared.known).map_err(Stop::Failed)?
            }
            Command::Script { interpreter: Interpreter::Python, text } => {
                python(text, provided.is_some() || has_program(&env, "python"))
            }
            Command::Script { interpreter, text } => self.script(*interpreter, text, script)?,
        };
        if argv.is_empty() {
            return Err(Stop::Failed("`run` says nothing to run".into()));
        }
        let timeout = work.timeout.map(|nanoseconds| Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0)));
        Ok(Spec {
            argv: argv.into_iter().map(OsString::from).collect(),
            folder: self.work.clone(),
            env,
            timeout,
            grace: GRACE,
        })
    }

    /// A shell that gets its script as text becomes the last of its commands, where one that reads a file waits for it.
    fn script(&self, interpreter: Interpreter, text: &str, script: Script) -> Result<Vec<String>, Stop> {
        let mut argv: Vec<String> = prepare::script_command(interpreter).iter().map(|&part| part.to_owned()).collect();
        if script == Script::AsText && text.len() < LONG {
            // The last is the name that its messages begin with.
            argv.extend(["-c".to_owned(), text.to_owned(), "script".to_owned()]);
            return Ok(argv);
        }
        let file = self.root().join("script");
        std::fs::write(&file, text).cannot("write", &file)?;
        argv.push(file.to_string_lossy().into_owned());
        Ok(argv)
    }

    fn environment(&self, run: &Run<'_>) -> BTreeMap<OsString, OsString> {
        let caller = &run.setup.caller;
        let passed = |name: &OsString| {
            let name = name.to_string_lossy();
            PASSED.contains(&name.as_ref()) || name.starts_with("NVIDIA_")
        };
        let mut env: BTreeMap<_, _> =
            caller.iter().filter(|(name, _)| passed(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        env.extend(FIXED.map(|(name, value)| (name.into(), value.into())));
        env.insert("HOME".into(), self.root().join("home").into());
        env.insert("TMPDIR".into(), self.root().join("tmp").into());
        env
    }
}

/// Returns the folders that stand in a stage's folder when its command begins.
fn folders(prepared: &Prepared, outputs: &[&str]) -> Folders {
    let mut folders = Folders::new();
    let code = prepared.code.iter().map(|file| file.path.as_str());
    let inputs = prepared.inputs.iter().filter(|input| input.content.is_some()).map(|input| input.path.as_str());
    code.chain(inputs).chain(outputs.iter().copied()).for_each(|path| folders_above(Path::new(path), &mut folders));
    folders
}

/// Given as text, so that modules are looked for where the stage runs and not beside a file of ours.
fn python(text: &str, has_python: bool) -> Vec<String> {
    let program = if has_python { "python" } else { "python3" };
    [program, "-c", text].map(str::to_owned).to_vec()
}

fn has_program(env: &BTreeMap<OsString, OsString>, name: &str) -> bool {
    let path = env.get(&OsString::from("PATH")).cloned().unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// Brings what the store has lost back into it, from where it was published, and puts it where it is wanted.
fn again(run: &Run<'_>, artifact: &Artifact, published: &Path, target: &Path) -> Result<(), String> {
    let shown = published.strip_prefix(run.workspace()).unwrap_or(published).display();
    if !super::outputs::is_there(run, published, artifact) {
        return Err(format!("`{shown}` is no longer what was made; `mlpc run --force` makes it anew"));
    }
    let kept = run.store.put(published, Take::Copy).map_err(|error| error.to_string())?;
    let restored = run.store.write_to(artifact, target).map_err(|error| error.to_string())?;
    match kept == *artifact && restored == Restored::Done {
        true => Ok(()),
        false => Err(format!("`{shown}` changed while it was read; run again")),
    }
}

fn lost(input: &str, why: String) -> Stop {
    Stop::Failed(format!("the cache has lost the input `{input}`: {why}"))
}

/// Copies a file of the workspace, which has to be the one that was hashed.
fn copy_exactly(from: &Path, to: &Path, digest: &Digest, executable: bool) -> Result<(), Stop> {
    check(Digest::copy(from, to, executable)? == *digest, from)
}

fn check(same: bool, path: &Path) -> Result<(), Stop> {
    if same {
        return Ok(());
    }
    Err(Stop::Failed(format!("`{}` changed while the stage was being prepared; run again", path.display())))
}

/// Brings the model of a version, or what was registered with it, into the store; what comes is hashed before
/// anything reads it.
fn champion(run: &Run<'_>, registry: &str, version: &str, with: Option<&str>, artifact: &Artifact) -> Result<(), Stop> {
    let temporary = run.store.scratch().fresh("champion");
    let opened = run.registry(registry)?;
    let fetched = match with {
        Some(name) => opened.fetch_with(version, name, &temporary),
        None => opened.fetch(version, &temporary),
    };
    fetched.map_err(|error| Stop::Unsound(format!("version `{version}` of `{registry}` can't be fetched: {error}")))?;
    let got = run.store.put(&temporary, Take::Move)?;
    fs::remove(&temporary)?;
    if got.digest == artifact.digest {
        return Ok(());
    }
    let (is, said) = (got.digest, artifact.digest);
    Err(Stop::Unsound(format!("version `{version}` of `{registry}` should be `{said}` and is `{is}`")))
}
