//! Before a stage runs: its inputs and code are found and hashed, its manifest is written. Nothing is run and nothing
//! is copied.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::context::{Run, Stop};
use super::fetch::{self, Environment};
use super::held::File;
use super::{outside, software};
use crate::cache::{Artifact, CodeFile, CommandLine, InputFile, Key, Kind, Manifest, OutputFile};
use crate::host::Digest;
use crate::host::fs;
use crate::plan::{Command, Input, InputKind, Interpreter, Isolation, Location, OutputKind, Source, Stage, Work};
use crate::types::{self, Context, Names, Origin, Value, companion};

/// Work that is ready to be looked up or run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) manifest: Manifest,
    pub(super) key: Key,
    pub(super) inputs: Vec<Found>,
    pub(super) code: Vec<CodeFile>,
    /// Variables of the work: parameters, inputs and outputs, as the command sees them.
    pub(super) locals: BTreeMap<String, String>,
    /// What is more than the text of a variable.
    pub(super) known: Known,
}

/// Inputs that are more than the text of their variable.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Paths of the inputs that are named together, by that name.
    pub(super) lists: BTreeMap<String, Vec<String>>,
    /// Values, by what makes them: `count.rows`.
    pub(super) values: BTreeMap<String, Value>,
}

/// An input that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) name: String,
    /// What its variable holds; none where it has no variable of its own.
    pub(super) kind: Option<InputKind>,
    /// Where it stands in the stage's folder.
    pub(super) path: String,
    /// The value that it is, with what made it: `count.rows`.
    pub(super) value: Option<(String, Value)>,
    /// `None` for an optional one that is absent.
    pub(super) content: Option<(Artifact, From)>,
}

impl Found {
    /// Tells whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.content.as_ref().is_some_and(|(artifact, _)| artifact.kind == crate::cache::Kind::Tree)
    }

    /// Returns its name in the manifest: legs of one list are told apart by where they stand.
    fn role(&self) -> String {
        match self.kind {
            Some(InputKind::Listed) => format!("{}: {}", self.name, self.path),
            _ => self.name.clone(),
        }
    }
}

/// Where an input's bytes are taken from.
#[derive(Debug, Clone)]
pub(super) enum From {
    Workspace(PathBuf),
    /// From the store; the same bytes were published at this path.
    Store(PathBuf),
    /// From the store too, into which DVC's cache was read, or its remote.
    Dvc,
    /// From the store too, into which it is fetched when somebody reads it.
    Fetched {
        source: String,
        environment: Environment,
    },
    Registry {
        registry: String,
        version: String,
        with: Option<String>,
    },
}

/// What work gets besides what it declares.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) locals: BTreeMap<String, String>,
    pub(super) inputs: Vec<Found>,
}

/// Prepares the stage of the node `name`.
pub(super) fn stage(run: &Run<'_>, name: &str, stage: &Stage) -> Result<Prepared, Stop> {
    let isolation = match stage.isolation {
        // A baseline is always isolated: a script that opens the candidate by name would score that one twice.
        _ if stage.baseline.is_some() => Isolation::Copies,
        isolation => isolation,
    };
    let outputs: Vec<(String, String, String)> = stage
        .outputs
        .iter()
        .map(|output| {
            let ty = match &output.kind {
                OutputKind::Artifact(ty) => ty.to_string(),
                OutputKind::Value { ty, pointer } => format!("{ty} at {pointer}"),
            };
            (output.name.clone(), output.path.clone(), ty)
        })
        .collect();
    work(run, (name, &stage.work), &outputs, isolation, &stage.status, Extra::default())
}

/// Prepares a stage or an action with these outputs.
pub(super) fn work(
    run: &Run<'_>,
    (node, work): (&str, &Work),
    outputs: &[(String, String, String)],
    isolation: Isolation,
    statuses: &[i32],
    extra: Extra,
) -> Result<Prepared, Stop> {
    let mut inputs = work.inputs.iter().map(|input| find(run, (node, work), input)).collect::<Result<Vec<_>, _>>()?;
    let code = code(run, work)?;
    inputs.extend(extra.inputs);
    let mut locals = extra.locals;
    let mut params = BTreeMap::new();
    for name in &work.uses {
        let value = run.bound.params.get(name).map(ToString::to_string).unwrap_or_default();
        params.insert(name.clone(), value.clone());
        locals.insert(name.clone(), value);
    }
    let mut variables = passed(run, work);
    for (name, value) in &work.variables {
        variables.insert(name.clone(), Some(value.to_string()));
        locals.insert(name.clone(), value.to_string());
    }
    let mut known = Known::default();
    for input in &inputs {
        let path = if input.content.is_some() { input.path.clone() } else { String::new() };
        match (&input.kind, &input.value) {
            (Some(InputKind::Listed), _) => {
                known.lists.entry(input.name.clone()).or_default().extend((!path.is_empty()).then_some(path));
            }
            (kind, Some((made, value))) => {
                known.values.insert(made.clone(), value.clone());
                variables.insert(input.name.clone(), Some(value.to_string()));
                if kind.is_some() {
                    locals.insert(input.name.clone(), value.to_string());
                }
            }
            _ => {
                locals.insert(input.name.clone(), path);
            }
        }
    }
    for (name, paths) in &known.lists {
        // What the file of the list holds, in its order.
        variables.insert(name.clone(), Some(paths.join("\n")));
        locals.insert(name.clone(), list_path(name));
    }
    for (name, path, _) in outputs {
        locals.insert(name.clone(), path.clone());
    }
    let manifest = Manifest {
        command: command(run, work, &locals, &known)?,
        params,
        variables,
        inputs: inputs
            .iter()
            .filter(|input| input.value.is_none())
            .map(|input| InputFile {
                role: input.role(),
                path: input.path.clone(),
                content: input.content.as_ref().map(|(artifact, _)| (artifact.digest, artifact.executable)),
            })
            .collect(),
        code: code.clone(),
        outputs: outputs
            .iter()
            .map(|(role, path, ty)| OutputFile { role: role.clone(), path: path.clone(), ty: ty.clone() })
            .collect(),
        runtime: software::key(run, work)?,
        platform: None,
        isolation: match isolation {
            Isolation::Copies => "copies",
            Isolation::ReadOnly => "readonly",
            Isolation::Off => "off",
        }
        .to_owned(),
        secrets: work.secrets.iter().map(|secret| (secret.variable.clone(), secret.secret.clone())).collect(),
        statuses: statuses.to_vec(),
    };
    Ok(Prepared { key: manifest.key(), manifest, inputs, code, locals, known })
}

fn find(run: &Run<'_>, (node, work): (&str, &Work), input: &Input) -> Result<Found, Stop> {
    if let InputKind::Value(ty) = &input.kind {
        let value = value(run, input, ty)?;
        let kind = input.variable().map(|_| input.kind.clone());
        let (name, path) = (input.name.clone(), input.path.clone());
        let value = Some((input.origin.to_string(), value));
        return Ok(Found { name, kind, path, value, content: None });
    }
    let content = match &input.origin {
        Origin::Source(name) => source(run, name, (node, work, input))?,
        Origin::Output { stage, output } => match run.product(stage, output) {
            Some(product) => Some((product.artifact, From::Store(run.workspace().join(&product.path)))),
            None if run.options.alone => {
                let found = from_elsewhere(run, stage, output, &input.path)?;
                if found.is_none() && !input.optional {
                    return Err(not_there(run, stage, output, &input.path));
                }
                found
            }
            None if run.leaves_out(stage) => outside::input(run, (stage, output), input)?,
            None if input.optional => None,
            None => return Err(Stop::Failed(format!("`{}` was not made in this run", input.origin))),
        },
        Origin::Pointer { registry, pointer } => champion(run, node, (registry, pointer), input)?,
    };
    let kind = Some(input.kind.clone());
    Ok(Found { name: input.name.clone(), kind, path: input.path.clone(), value: None, content })
}

/// Returns a value that a stage made: in this run, or on another machine, which handed it on.
fn value(run: &Run<'_>, input: &Input, ty: &types::Type) -> Result<Value, Stop> {
    let missing = || Stop::Failed(format!("`{}` was not made in this run", input.origin));
    let Origin::Output { stage, output } = &input.origin else { return Err(missing()) };
    if let Some(value) = run.product(stage, output).and_then(|product| product.value) {
        return Ok(value);
    }
    if run.leaves_out(stage) {
        return outside::value(run, stage, output);
    }
    if !run.options.alone {
        return Err(missing());
    }
    let path = fs::join_inside(run.workspace(), &value_path(stage, output))?;
    let read = || serde_json::from_slice::<Value>(&fs::read(&path).ok()?).ok();
    read().and_then(|value| ty.fit(&value).ok()).ok_or_else(missing)
}

/// Returns where a value stands that was handed on from another machine.
pub(crate) fn value_path(stage: &str, output: &str) -> String {
    format!(".mlpc/values/{}/{output}.json", crate::cache::file_name(stage))
}

/// Returns where the file of a list stands in the folder of what reads it.
pub(super) fn list_path(name: &str) -> String {
    format!(".mlpc/lists/{name}")
}

fn source(
    run: &Run<'_>,
    name: &str,
    (node, work, input): (&str, &Work, &Input),
) -> Result<Option<(Artifact, From)>, Stop> {
    let declared = run.bound.plan.sources.iter().find(|source| source.name == name);
    let declared = declared.ok_or_else(|| Stop::Failed(format!("the plan has no source `{name}`")))?;
    let path = match &declared.location {
        Location::Path(path) => path,
        Location::Remote { scheme, .. } if scheme == "dvc" => {
            let artifact = super::dvc::read(run, declared, Some(work))?;
            let path = declared.location.path().unwrap_or_default();
            frozen(declared.frozen.as_deref(), name, path, artifact.digest)?;
            of_its_type(declared, path, &artifact)?;
            run.reads.source(name, Some(artifact.digest), node)?;
            return Ok(Some((artifact, From::Dvc)));
        }
        Location::Remote { .. } => {
            let (artifact, from) = fetch::look(run, declared, Some(work))?;
            run.reads.source(name, Some(artifact.digest), node)?;
            return Ok(Some((artifact, from)));
        }
    };
    let full = run.workspace().join(path);
    if !full.exists() {
        if input.optional {
            run.reads.source(name, None, node)?;
            return Ok(None);
        }
        return Err(Stop::Failed(format!("the source `{name}` is not there: no file or folder `{path}`")));
    }
    let artifact = run.memory.look(&full)?;
    frozen(declared.frozen.as_deref(), name, path, artifact.digest)?;
    of_its_type(declared, path, &artifact)?;
    run.reads.source(name, Some(artifact.digest), node)?;
    Ok(Some((artifact, From::Workspace(full))))
}

/// Refuses a source that is a folder where its type wants a file, the other way round, or nothing where it wants something: a folder
/// without a byte, in however many files, is nothing.
pub(super) fn of_its_type(source: &Source, place: &str, is: &Artifact) -> Result<(), Stop> {
    match source.ty.unlike(is.kind == Kind::Tree, is.size == 0) {
        Some(why) => Err(Stop::Failed(format!("the source `{}` {why}: `{place}`", source.name))),
        None => Ok(()),
    }
}

/// Holds a digest against the one that a source is frozen to.
pub(super) fn frozen(frozen: Option<&str>, name: &str, path: &str, is: Digest) -> Result<(), Stop> {
    let Some(frozen) = frozen else { return Ok(()) };
    let frozen: Digest = frozen.parse().map_err(|error: crate::host::Error| Stop::Failed(error.to_string()))?;
    if is == frozen {
        return Ok(());
    }
    Err(Stop::Unsound(format!("the source `{name}` is frozen as `{frozen}`, but `{path}` is `{is}`")))
}

/// Finds what a stage made, for work that gets it under a name of ours without having declared it.
pub(super) fn made(run: &Run<'_>, name: &str, (stage, output): (&str, &str)) -> Result<Found, Stop> {
    let path = published(run, stage, output).unwrap_or_default().to_owned();
    let content = match run.product(stage, output) {
        Some(product) => Some((product.artifact, From::Store(run.workspace().join(&product.path)))),
        None if run.options.alone => from_elsewhere(run, stage, output, &path)?,
        None => return Err(Stop::Failed(format!("`{stage}.{output}` was not made in this run"))),
    };
    if content.is_none() {
        return Err(not_there(run, stage, output, &path));
    }
    Ok(Found { name: name.to_owned(), kind: Some(InputKind::Artifact), path, value: None, content })
}

fn published<'r>(run: &Run<'r>, stage: &str, output: &str) -> Option<&'r str> {
    let made = run.stage(stage)?.outputs.iter().find(|made| made.name == output);
    made.map(|made| made.publish.as_str())
}

/// Takes an input from where its stage would have published it: that stage ran on another machine. `None`: it is not there.
fn from_elsewhere(run: &Run<'_>, stage: &str, output: &str, path: &str) -> Result<Option<(Artifact, From)>, Stop> {
    let full = run.workspace().join(published(run, stage, output).unwrap_or(path));
    if !full.exists() {
        return Ok(None);
    }
    Ok(Some((run.memory.look(&full)?, From::Workspace(full))))
}

fn not_there(run: &Run<'_>, stage: &str, output: &str, path: &str) -> Stop {
    let path = published(run, stage, output).unwrap_or(path);
    Stop::Failed(format!("`{stage}.{output}` is not there: no file or folder `{path}`"))
}

/// Finds what a pointer names. Its bytes are fetched only if somebody reads them.
fn champion(
    run: &Run<'_>,
    node: &str,
    (registry, pointer): (&str, &str),
    input: &Input,
) -> Result<Option<(Artifact, From)>, Stop> {
    let (pointer, with) = companion(pointer);
    let Some(seen) = run.pointer_before(node, registry, pointer)? else {
        if input.optional {
            return Ok(None);
        }
        return Err(Stop::Skip(format!("`{registry}@{pointer}` names no version yet")));
    };
    let unsound = |what: String| Stop::Unsound(format!("`{registry}@{pointer}`: {what}"));
    let version = run.registry(registry)?.version(&seen.version).map_err(|error| unsound(error.to_string()))?;
    let version = version.ok_or_else(|| unsound(format!("there is no version `{}`", seen.version)))?;
    let (stored, digest) = match with {
        None => (&version.model, seen.digest),
        Some(name) => match version.with.get(name) {
            Some(stored) => (stored, stored.digest),
            None => {
                return Err(Stop::Failed(format!(
                    "version `{}` of `{registry}` was registered without `{name}`, which today's code reads",
                    seen.version
                )));
            }
        },
    };
    let kind = if stored.directory { Kind::Tree } else { Kind::File };
    let artifact = Artifact { kind, digest, executable: false, size: stored.bytes };
    let with = with.map(str::to_owned);
    Ok(Some((artifact, From::Registry { registry: registry.to_owned(), version: seen.version, with })))
}

fn code(run: &Run<'_>, work: &Work) -> Result<Vec<CodeFile>, Stop> {
    let mut files = Vec::new();
    for path in run.code.files(&work.code)?.into_keys() {
        let artifact = run.memory.look(&run.workspace().join(&path))?;
        run.reads.file(&path, File { digest: artifact.digest, executable: artifact.executable })?;
        files.push(CodeFile { path, digest: artifact.digest, executable: artifact.executable });
    }
    Ok(files)
}

fn passed(run: &Run<'_>, work: &Work) -> BTreeMap<String, Option<String>> {
    let value =
        |name: &String| run.setup.caller.get(&OsString::from(name)).map(|value| value.to_string_lossy().into_owned());
    work.pass_env.iter().map(|name| (name.clone(), value(name))).collect()
}

/// Writes down what is executed; arguments are what the command will see.
fn command(run: &Run<'_>, work: &Work, locals: &BTreeMap<String, String>, known: &Known) -> Result<CommandLine, Stop> {
    match &work.command {
        Command::Script { interpreter, text } => {
            let interpreter = script_command(*interpreter).join(" ");
            Ok(CommandLine::Script { interpreter, text: text.clone() })
        }
        Command::Arguments(list) => {
            let mut scoped = locals.clone();
            // The value of a secret must not get into the manifest.
            scoped.extend(work.secrets.iter().map(|secret| (secret.variable.clone(), format!("${}", secret.variable))));
            arguments(run, list, &scoped, known).map(CommandLine::Arguments).map_err(Stop::Failed)
        }
    }
}

/// Evaluates an argument list.
pub(super) fn arguments(
    run: &Run<'_>,
    list: &[types::Expr],
    locals: &BTreeMap<String, String>,
    known: &Known,
) -> Result<Vec<String>, String> {
    let scope = Scope { run, locals, known };
    let mut arguments = Vec::with_capacity(list.len());
    for expr in list {
        match types::evaluate(expr, &scope)? {
            Value::List(items) => arguments.extend(items.iter().map(Value::to_string)),
            value => arguments.push(value.to_string()),
        }
    }
    Ok(arguments)
}

/// Returns the program and the options that read a script; the script's file follows.
pub(super) fn script_command(interpreter: Interpreter) -> &'static [&'static str] {
    match interpreter {
        Interpreter::Bash => &["bash", "--noprofile", "--norc", "-euo", "pipefail"],
        Interpreter::Sh => &["sh", "-eu"],
        Interpreter::Python => &["python"],
    }
}

struct Scope<'s> {
    run: &'s Run<'s>,
    locals: &'s BTreeMap<String, String>,
    known: &'s Known,
}

impl Names for Scope<'_> {
    fn param(&self, name: &str) -> Option<Value> {
        self.run.bound.params.get(name).cloned()
    }

    fn local(&self, name: &str) -> Option<Value> {
        if let Some(paths) = self.known.lists.get(name) {
            return Some(Value::List(paths.iter().cloned().map(Value::String).collect()));
        }
        self.locals.get(name).map(|text| Value::String(text.clone()))
    }

    fn context(&self, context: Context) -> Option<Value> {
        let bound = self.run.bound;
        Some(Value::String(match context {
            Context::Event => bound.event.clone(),
            Context::Branch => bound.branch.clone(),
            Context::Profile => bound.profile.clone().unwrap_or_default(),
        }))
    }

    fn output(&self, stage: &str, output: &str) -> Option<Value> {
        let known = self.known.values.get(&format!("{stage}.{output}")).cloned();
        known.or_else(|| self.run.product(stage, output)?.value)
    }
}
