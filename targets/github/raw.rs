//! Raw blocks in GitHub's own words: what a job takes beside what the pipeline says, and what it never takes.

use serde::Deserialize;
use serde_yaml::Value as Yaml;

use super::model::{Entries, Job, Noted, Service, Step, Workflow, variables};
use crate::diagnostic::{Diagnostic, codes};
use crate::targets::Site;
use crate::targets::raw::{self, Block, Declared, Fault, Owned, Reader, Seg};
use crate::types::Value;

/// What a block adds to a job.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobPiece {
    /// Variables of every step.
    #[serde(default, deserialize_with = "variables")]
    env: Entries<String>,
    /// Containers that run beside the job.
    #[serde(default)]
    services: Entries<Service>,
    /// Steps behind the checkout and before what the declaration does.
    #[serde(default)]
    before: Vec<Step>,
    /// Steps behind everything else.
    #[serde(default)]
    after: Vec<Step>,
}

/// What a block adds to the whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WorkflowPiece {
    /// The title of a run.
    run_name: Option<String>,
    /// Variables of every job.
    #[serde(default, deserialize_with = "variables")]
    env: Entries<String>,
}

/// What the pipeline says of a job, and where.
const JOB: &[Owned] = &[
    (&["name"], "write a `##` comment over the declaration: its first line becomes the job's title"),
    (&["needs"], "say what it reads with `in`, and what else it waits for with `after`"),
    (&["if"], "write `when` in the declaration; a step of `before` or `after` may have an `if`"),
    (&["runs-on"], "write `runners: { default: …, gpu: … }` in `target github`"),
    (&["permissions"], "write `permissions { … }` in an action; a stage reads the code, and no more"),
    (
        &["environment"],
        "write `environment \"…\"` in an action; in front of a person's decision there is an `approval`",
    ),
    (&["concurrency"], "leave it out: what must not run at once is kept apart already"),
    (&["timeout-minutes"], "write `timeout 4h` in the declaration; a step of your own may have one"),
    (&["outputs"], "write `out` in the declaration: digests and values travel with it"),
    (&["steps"], "write `before:` or `after:`, lists of steps around its own"),
    (&["strategy"], "write `for x in …` in the declaration: each leg is a job with its own outputs"),
    (&["continue-on-error"], "leave it out: what failed must not let go on what waits for it"),
    (&["container"], "declare `runtime NAME { image: \"…\" }`, and name it in the stage"),
    (&["defaults"], "say `shell` and `working-directory` in your steps"),
    (&["uses"], "declare what the other workflow does as stages, or call it by a workflow of its own"),
    (&["with"], "say `with` in a step"),
    (&["secrets"], "declare `secret NAME`, and name it in the stage"),
];

/// What the pipeline says of the file, and where.
const WORKFLOW: &[Owned] = &[
    (&["on", "pull_request_target"], "never: it runs the code of a stranger with the rights of this repository"),
    (&["on"], "write `on push`, `on schedule`, … in the pipeline"),
    (&["name"], "the `pipeline` line names it"),
    (&["permissions"], "leave it out: each job gets the least that it needs"),
    (&["concurrency"], "leave it out: what must not run at once is kept apart already"),
    (&["defaults"], "say `shell` and `working-directory` in your steps"),
    (&["jobs"], "write `raw: { train: <<< … >>> }` for the job of the stage `train`"),
];

/// Ids of steps that the job's own outputs are made from.
const IDS: [&str; 2] = ["mlpc", "run"];

/// Contexts that hold what a run was given, and no text of a script.
const EXPRESSIONS: [&str; 6] = ["env", "with", "if", "working-directory", "run-name", "credentials"];

/// The raw blocks of the settings, read.
#[derive(Default)]
pub(super) struct Additions<'a> {
    workflow: Option<(Block<'a>, WorkflowPiece)>,
    jobs: Vec<(&'a str, Block<'a>, JobPiece)>,
}

/// Reads the raw blocks.
pub(super) fn read<'a>(
    settings: &'a Value,
    declared: &Declared,
    site: &Site<'_>,
    found: &mut Vec<Diagnostic>,
) -> Additions<'a> {
    let mut reader = Reader { target: "github", declared, site, found: Vec::new() };
    let blocks = reader.blocks(settings);
    let workflow = blocks.workflow.and_then(|block| {
        let piece = reader.piece(&block, WORKFLOW, |value| look(value, declared))?;
        Some((block, piece))
    });
    let mut jobs = Vec::new();
    for (name, block) in blocks.pieces {
        if let Some(piece) = reader.piece::<JobPiece>(&block, JOB, |value| look(value, declared)) {
            jobs.push((name, block, piece));
        }
    }
    found.append(&mut reader.found);
    Additions { workflow, jobs }
}

/// Finds what the types can't tell: what is not pinned, expressions in scripts, names that are ours.
fn look(value: &Yaml, declared: &Declared) -> Vec<Fault> {
    let mut faults = Vec::new();
    raw::texts(value, &mut |at, text, is_key| {
        let keys: Vec<&str> =
            at.iter().filter_map(|seg| if let Seg::Key(key) = seg { Some(&**key) } else { None }).collect();
        let mut fault = |code, message: String, help: &str, needle| {
            faults.push(Fault { at: at.to_vec(), needle, code, message, help: help.to_owned() });
        };
        if is_key {
            if let [.., "env", name] = keys[..]
                && keys.first() != Some(&"services")
                && let Some(why) = taken(name)
            {
                fault(codes::RAW_OWNED, format!("the variable `{name}` is {why}"), "choose another name", "");
            }
            return;
        }
        match keys[..] {
            ["before" | "after", "uses"] => {
                if let Some(fix) = unpinned(text) {
                    let message = format!("the action `{text}` may be another one tomorrow");
                    fault(codes::RAW_UNPINNED, message, &fix, "");
                }
            }
            ["before" | "after", "id"] if IDS.contains(&text) => {
                let message = format!("a step of the job's own has the id `{text}`");
                fault(codes::RAW_OWNED, message, "choose another id", "");
            }
            ["services", _, "image"] if !raw::is_pinned(text) => {
                let unpinned = raw::unpinned_image(at, text);
                fault(unpinned.code, unpinned.message, &unpinned.help, "");
            }
            _ => {}
        }
        if text.contains("${{") {
            let script = matches!(keys[..], [.., "with", "script"]);
            if script || !keys.iter().any(|key| EXPRESSIONS.contains(key)) {
                let what = keys.last().copied().unwrap_or_default();
                let message = format!("GitHub would put a value into the text of `{what}` before anything reads it");
                let help = "give the value as a variable, `env: { NAME: ${{ … }} }`, and read `\"$NAME\"`";
                fault(codes::RAW_EXPRESSION, message, help, "${{");
            } else if let Some(message) = undeclared(text, declared) {
                fault(
                    codes::RAW_EXPRESSION,
                    message,
                    "declare `secret NAME` in the pipeline, and write `secrets.NAME` in upper case",
                    "${{",
                );
            }
        }
    });
    for word in ["before", "after"] {
        let steps = value.get(word).and_then(Yaml::as_sequence);
        for (index, step) in steps.into_iter().flatten().enumerate() {
            let what = match (step.get("uses").is_some(), step.get("run").is_some()) {
                (true, true) => "both",
                (false, false) => "neither",
                _ => continue,
            };
            // A list has no key to point at: the step's first one stands for it.
            let first = step.as_mapping().and_then(|entries| entries.keys().next()).and_then(Yaml::as_str);
            let mut at = vec![Seg::Key(word.to_owned()), Seg::Item(index)];
            at.extend(first.map(|key| Seg::Key(key.to_owned())));
            faults.push(Fault {
                at,
                needle: "",
                code: codes::RAW_BLOCK,
                message: format!("a step has `uses` or `run`, and this one {what}"),
                help: "write one of them".to_owned(),
            });
        }
    }
    faults
}

/// Says whose a variable is that no block may set.
fn taken(name: &str) -> Option<&'static str> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if begins(&["MLPC_"]) {
        return Some("how the jobs tell `mlpc` what to do");
    }
    if begins(&["GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_"]) || name == "CI" {
        return Some("GitHub's");
    }
    if begins(&["GIT_CONFIG"]) || ["LD_PRELOAD", "BASH_ENV", "ENV", "PATH", "NODE_OPTIONS"].contains(&name) {
        return Some("read by every program of the job, `mlpc` among them");
    }
    None
}

/// Returns what to write instead of an action that is not at a commit.
fn unpinned(action: &str) -> Option<String> {
    if action.starts_with("./") && !action.contains("..") {
        return None;
    }
    if let Some(image) = action.strip_prefix("docker://") {
        return (!raw::is_pinned(image)).then(|| "name the image's digest: `docker://NAME@sha256:…`".to_owned());
    }
    let (name, version) = action.split_once('@').unwrap_or((action, ""));
    if name.split('/').count() >= 2 && raw::is_hex(version, 40) {
        return None;
    }
    let repository: Vec<&str> = name.splitn(3, '/').take(2).collect();
    Some(match super::pins::find(&repository.join("/")) {
        Some((version, sha)) => format!("write `{name}@{sha} # {version}`"),
        None => format!("write the commit behind that version: `{name}@<40 hex digits>`, and the version behind a `#`"),
    })
}

/// Says which secret of an expression the pipeline does not declare.
fn undeclared(text: &str, declared: &Declared) -> Option<String> {
    for inside in text.split("${{").skip(1).map(|rest| rest.split("}}").next().unwrap_or(rest)) {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        for (index, _) in inside.match_indices("secrets") {
            // `needs.x.outputs.secrets` and `my_secrets` are other things.
            if inside[..index].ends_with(|c: char| word(c) || c == '.') {
                continue;
            }
            let rest = &inside[index + "secrets".len()..];
            let Some(name) = rest.strip_prefix('.') else {
                if rest.starts_with(word) {
                    continue;
                }
                return Some("all secrets at once are no one's need".to_owned());
            };
            let name = &name[..name.find(|c: char| !word(c)).unwrap_or(name.len())];
            if name != name.to_uppercase() || !declared.has_secret(&name.to_lowercase()) {
                return Some(format!("the pipeline declares no secret for `secrets.{name}`"));
            }
        }
    }
    None
}

impl Additions<'_> {
    /// Adds what the block of a declaration says to its job, behind the first `setup` steps; returns a line that says so.
    pub(super) fn job(&self, name: &str, setup: usize, job: &mut Job) -> Option<String> {
        let (_, block, piece) = self.jobs.iter().find(|(other, _, _)| *other == name)?;
        let own = format!("raw: {name}");
        job.env = piece.env.clone();
        job.services = piece.services.clone();
        let step = |step: &Step| {
            let mut step = step.clone();
            if let Some(uses) = &mut step.uses {
                uses.end = block.comment(&uses.value);
            }
            Noted::new(step).before(own.clone())
        };
        job.steps.splice(setup..setup, piece.before.iter().map(step));
        job.steps.extend(piece.after.iter().map(step));
        Some(format!("with `{own}` of the target"))
    }

    /// Adds what the block of the whole file says.
    pub(super) fn workflow(&self, workflow: &mut Workflow) {
        let Some((_, piece)) = &self.workflow else { return };
        let noted = |text: &String| Noted::new(text.clone()).before("`workflow` of the target");
        workflow.run_name = piece.run_name.as_ref().map(noted);
        workflow.env.0.extend(piece.env.0.iter().map(|(name, text)| (name.clone(), noted(text))));
    }

    /// Finds variables that a step of the generated file would hide.
    pub(super) fn hidden(
        &self,
        workflow: &Workflow,
        name_of: impl Fn(&str) -> Vec<String>,
        reader: &mut Reader<'_, '_>,
    ) {
        let sets = |ids: Option<&[String]>, name: &str| {
            let jobs = workflow.jobs.value.0.iter().filter(|(id, _)| ids.is_none_or(|ids| ids.contains(id)));
            let mut steps = jobs.flat_map(|(_, job)| &job.value.steps);
            steps.any(|step| !step.before.iter().any(|line| line.starts_with("raw: ")) && step.value.env.has(name))
        };
        let mut one = |block: &Block<'_>, env: &Entries<String>, ids: Option<&[String]>| {
            for (name, _) in env.0.iter().filter(|(name, _)| sets(ids, name)) {
                let at = raw::path(&["env", name]);
                let message = format!("the variable `{name}` would be hidden by one of the same name in a step");
                let (code, help) = (codes::RAW_OWNED, "choose another name".to_owned());
                reader.fault(block, Fault { at, needle: "", code, message, help });
            }
        };
        for (name, block, piece) in &self.jobs {
            one(block, &piece.env, Some(&name_of(name)));
        }
        if let Some((block, piece)) = &self.workflow {
            one(block, &piece.env, None);
        }
    }
}
