//! The `register` and `promote` nodes of a plan, done with the files as they stand in a workspace. Asks no gate:
//! whoever calls has made sure that the node may run, and says which version the gates compared with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::committed::STATUS;
use super::error::{ErrorKind, RegistryError};
use super::record::{Artifact, Candidate, GateNumber, Metadata, Outcome, Promotion, Registered};
use super::{Registry, open};
use crate::host::git::Git;
use crate::host::{Clock, Digest, fs};
use crate::plan::{self, Bound, NodeKind, OutputKind, RuntimeKind};
use crate::types::{Origin, Value};

type Result<T> = std::result::Result<T, RegistryError>;

/// What a run knows when it releases.
#[derive(Debug, Clone)]
pub struct Release<'a> {
    /// The bound plan.
    pub bound: &'a Bound,
    /// The folder of the pipeline.
    pub workspace: &'a Path,
    /// The run's id.
    pub run: &'a str,
    /// The clock.
    pub clock: Clock,
}

/// What a run knows of a model that it registers.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// The digest that was measured; other bytes at the model's path are refused.
    pub model: Option<Digest>,
    /// The digests of what is registered beside it and of its metrics, by origin (`train.encoder`), where the run made or read
    /// them; other bytes at their paths are refused.
    pub made: BTreeMap<String, Digest>,
    /// The digests of what went in, by name.
    pub inputs: BTreeMap<String, String>,
    /// The digests of the gate reports that admitted it, by gate.
    pub gates: BTreeMap<String, String>,
    /// Who let it in: login and time, by approval.
    pub approvals: BTreeMap<String, String>,
    /// What gates computed of its predictions.
    pub numbers: Vec<GateNumber>,
    /// The commit that the files are of, where the run was told it and has made sure; else git is asked.
    pub commit: Option<String>,
    /// Anything else worth keeping.
    pub notes: BTreeMap<String, String>,
}

impl Release<'_> {
    /// Opens a registry of the plan.
    pub fn open(&self, registry: &str) -> Result<Box<dyn Registry>> {
        let declared = self.bound.plan.registry(registry);
        let declared = declared.ok_or_else(|| unknown(format!("the plan has no registry `{registry}`")))?;
        open(registry, &declared.location, self.workspace, self.clock.clone())
    }

    /// Does the register node `node`.
    pub fn register(&self, node: &str, provenance: Provenance) -> Result<Registered> {
        let NodeKind::Register(register) = self.kind(node)? else {
            return Err(unknown(format!("`{node}` is no register node")));
        };
        let metrics = register.metrics.as_ref().map(|origin| self.output(origin).map(|(path, _)| path)).transpose()?;
        let mut made = BTreeMap::new();
        for origin in register.with.iter().chain(&register.metrics) {
            if let Some(digest) = provenance.made.get(&origin.to_string()) {
                made.insert(self.output(origin)?.0, *digest);
            }
        }
        let mut with = BTreeMap::new();
        for origin in &register.with {
            let name = match origin {
                Origin::Output { output, .. } => output,
                Origin::Source(name) | Origin::Pointer { registry: name, .. } => name,
            };
            with.insert(name.clone(), self.artifact(origin)?);
        }
        let (code_commit, notes) = match provenance.commit {
            Some(commit) => (Some(commit), provenance.notes),
            None => self.commit(provenance.notes),
        };
        let metadata = Metadata {
            run: self.run.to_owned(),
            pipeline: self.bound.plan.pipeline.clone(),
            plan: self.bound.digest.clone(),
            params: self.bound.params.iter().map(|(name, value)| (name.clone(), natural(value))).collect(),
            inputs: provenance.inputs,
            code_commit,
            gates: provenance.gates,
            approvals: provenance.approvals,
            numbers: provenance.numbers,
            notes,
        };
        // A list of packages that is gone since then is not worth losing the model for; it is in the commit.
        let requirements = register.model.stage().and_then(|stage| self.requirements(stage));
        let requirements = requirements.and_then(|path| fs::read_text(&path).ok());
        let candidate = Candidate {
            model: self.artifact(&register.model)?,
            digest: provenance.model,
            metrics,
            with,
            made,
            requirements,
            metadata,
        };
        self.open(&register.registry)?.register(&candidate)
    }

    /// Does the promote node `node`: moves its pointer to `version` if it stands at `expected`, the version that the
    /// gates compared with, or that it named when the run began if none compared.
    pub fn promote(&self, node: &str, version: &str, expected: Option<&str>) -> Result<Outcome> {
        let NodeKind::Promote(promote) = self.kind(node)? else {
            return Err(unknown(format!("`{node}` is no promote node")));
        };
        self.open(&promote.registry)?.promote(&Promotion {
            pointer: promote.pointer.clone(),
            version: version.to_owned(),
            expected: expected.map(str::to_owned),
            run: self.run.to_owned(),
        })
    }

    /// Says why what the register node `node` has registered may not be released: a person rolled back from these bytes.
    pub fn rejected(&self, node: &str, digest: &Digest) -> Result<Option<String>> {
        for other in &self.bound.plan.nodes {
            let NodeKind::Promote(promote) = &other.kind else { continue };
            if promote.release != node || self.bound.skipped.contains_key(&other.name) {
                continue;
            }
            if let Some(rejection) = self.open(&promote.registry)?.rejection(&promote.pointer, digest)? {
                return Ok(Some(rejection.told(&promote.registry)));
            }
        }
        Ok(None)
    }

    fn kind(&self, node: &str) -> Result<&NodeKind> {
        let found = self.bound.plan.node(node);
        found.map(|node| &node.kind).ok_or_else(|| unknown(format!("the plan has no node `{node}`")))
    }

    fn artifact(&self, origin: &Origin) -> Result<Artifact> {
        let (path, published) = self.output(origin)?;
        let file = published.rsplit('/').next().unwrap_or(&published).to_owned();
        Ok(Artifact { path, file })
    }

    /// Finds the file or folder that an origin names: where it is, and its path in the workspace.
    fn output(&self, origin: &Origin) -> Result<(PathBuf, String)> {
        let relative = match origin {
            Origin::Output { stage, output } => self.bound.plan.stage(stage).and_then(|stage| {
                let found = stage.outputs.iter().find(|found| found.name == *output)?;
                matches!(found.kind, OutputKind::Artifact(_)).then(|| found.publish.clone())
            }),
            Origin::Source(name) => {
                self.bound.plan.sources.iter().find(|source| source.name == *name).and_then(|source| {
                    match &source.location {
                        plan::Location::Path(path) => Some(path.clone()),
                        plan::Location::Remote { .. } => None,
                    }
                })
            }
            Origin::Pointer { .. } => None,
        };
        let relative = relative.ok_or_else(|| unknown(format!("`{origin}` is no file of this pipeline")))?;
        Ok((fs::join_inside(self.workspace, &relative)?, relative))
    }

    fn requirements(&self, stage: &str) -> Option<PathBuf> {
        let runtime = self.bound.plan.stage(stage)?.work.runtime.as_deref()?;
        let runtime = self.bound.plan.runtimes.iter().find(|declared| declared.name == runtime)?;
        match &runtime.kind {
            RuntimeKind::Python { requirements: Some(path), .. } => fs::join_inside(self.workspace, path).ok(),
            _ => None,
        }
    }

    /// Returns the commit of the workspace, with a note where files differ from it.
    fn commit(&self, mut notes: BTreeMap<String, String>) -> (Option<String>, BTreeMap<String, String>) {
        let git = Git::at(self.workspace);
        let commit = git.line(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok().filter(|line| !line.is_empty());
        if commit.is_some() && !git.run(&[STATUS.as_slice(), &["--", "."]].concat()).is_ok_and(|lines| lines.is_empty())
        {
            notes.insert("code".to_owned(), "with changes that were not committed".to_owned());
        }
        (commit, notes)
    }
}

fn unknown(message: String) -> RegistryError {
    RegistryError::new(ErrorKind::Unknown, message)
}

/// Writes a parameter as a person reads it.
fn natural(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) | Value::Ratio(value) => (*value).into(),
        Value::Duration(_) | Value::Bytes(_) | Value::String(_) => value.to_string().into(),
        Value::List(values) => values.iter().map(natural).collect(),
        Value::Record(fields) => fields.iter().map(|(name, value)| (name.clone(), natural(value))).collect(),
    }
}
