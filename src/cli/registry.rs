//! `mlpc registry`: looks at the registries of a pipeline, repairs what is derived from them, and rolls back.

mod by_hand;

use by_hand::{AllowArgs, RollbackArgs};
use clap::Subcommand;
use jiff::Timestamp;

use super::project::{self, PipelineArgs};
use super::render::Format;
use super::{Exit, Verb};
use crate::host::{Clock, Out};
use crate::plan::{RegistryLocation, Setting};
use crate::registry::{self, Reach, Registry, RegistryError};

/// Show what a registry holds, which version a pointer named when; roll back; repair what is derived
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc registry show models\n  mlpc registry history models production\n  \
                        mlpc registry rollback models@production --reason \"wrong totals\"\n  \
                        mlpc registry fsck models --profile shared")]
pub(super) struct RegistryVerb {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The registry as this profile has it
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// How to write it
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Pointers, the versions that they name and their metrics
    Show {
        /// The registry; may be left out where there is one
        registry: Option<String>,
    },
    /// Every version that a pointer named, the newest first
    History {
        /// The registry, or `REGISTRY@POINTER`
        registry: String,
        /// The pointer
        #[arg(default_value = "production")]
        pointer: String,
        /// What it named at this time, and why: `2026-08-01T12:00:00Z`; a date is its first moment in UTC
        #[arg(long, value_name = "TIME", value_parser = time)]
        at: Option<Timestamp>,
    },
    /// Moves a pointer back to what it named before; what it names now is not released again until it is allowed
    Rollback(RollbackArgs),
    /// Lets a version that was rolled back be released again
    Allow(AllowArgs),
    /// Verifies every digest and writes the layouts for serving code anew where they differ
    Fsck {
        /// The registry; may be left out where there is one
        registry: Option<String>,
    },
}

impl Verb for RegistryVerb {
    const NAME: &'static str = "registry";

    fn run(self, out: &Out) -> Exit {
        let loaded = match project::load(out, &self.pipeline) {
            Ok(loaded) => loaded,
            Err(exit) => return exit,
        };
        let wanted = match &self.action {
            Action::Show { registry } | Action::Fsck { registry } => registry.as_deref(),
            Action::History { registry, .. } => Some(registry.as_str()),
            Action::Rollback(RollbackArgs { pointer, .. }) | Action::Allow(AllowArgs { pointer, .. }) => {
                Some(pointer.as_str())
            }
        };
        let wanted = wanted.map(|name| name.split('@').next().unwrap_or(name));
        let opened = choose(&loaded, wanted, self.profile.as_deref()).and_then(|(name, location)| {
            let registry = registry::open(&name, &location, &loaded.project.workspace, Clock::host());
            Ok((name, location, registry.map_err(|error| (error.to_string(), error.exit_code()))?))
        });
        let done = opened.and_then(|(name, location, registry)| match &self.action {
            Action::Rollback(wish) => wish.run(&name, &*registry, &|release| may(&loaded, &name, &location, release)),
            Action::Allow(wish) => wish.run(&name, &*registry, &|release| may(&loaded, &name, &location, release)),
            _ => self.look(&name, &*registry).map_err(|error| (error.to_string(), error.exit_code())),
        });
        match done {
            Ok((text, exit)) => {
                match self.format {
                    Format::Text => out.text(&self.pipeline.again(&text)),
                    Format::Json => out.json(&text),
                }
                exit
            }
            Err((message, code)) => {
                out.err_line(&self.pipeline.again(&format!("error: {message}")));
                match code {
                    10 => Exit::Refused,
                    11 => Exit::Undecided,
                    _ => Exit::Usage,
                }
            }
        }
    }
}

impl RegistryVerb {
    fn look(&self, name: &str, registry: &dyn Registry) -> Result<(String, Exit), RegistryError> {
        let mut text = Vec::new();
        let mut exit = Exit::Fine;
        let written = match &self.action {
            Action::Show { .. } => {
                let report = registry::show(name, registry)?;
                match self.format {
                    Format::Text => report.write_text(&mut text),
                    Format::Json => report.write_json(&mut text),
                }
            }
            Action::History { registry: written, pointer, at: Some(time) } => {
                let report = registry::at(name, registry, pointer_of(written, pointer), *time)?;
                match self.format {
                    Format::Text => report.write_text(&mut text),
                    Format::Json => report.write_json(&mut text),
                }
            }
            Action::History { registry: written, pointer, at: None } => {
                let report = registry::history(name, registry, pointer_of(written, pointer))?;
                match self.format {
                    Format::Text => report.write_text(&mut text),
                    Format::Json => report.write_json(&mut text),
                }
            }
            Action::Rollback(_) | Action::Allow(_) => Ok(()),
            Action::Fsck { .. } => {
                let findings = registry.fsck()?;
                if findings.iter().any(|finding| !finding.repaired && !finding.note) {
                    exit = Exit::Undecided;
                }
                match self.format {
                    Format::Text => registry::write_findings(&findings, &mut text),
                    Format::Json => serde_json::to_writer_pretty(&mut text, &findings).map_err(Into::into),
                }
            }
        };
        written.expect("a vector takes every byte");
        Ok((String::from_utf8_lossy(&text).into_owned(), exit))
    }
}

/// Returns the pointer that is meant: what stands behind the `@`, if anything does.
fn pointer_of<'a>(registry: &'a str, pointer: &'a str) -> &'a str {
    registry.split_once('@').map_or(pointer, |(_, pointer)| pointer)
}

/// Reads a point in time.
fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = || format!("{text}T00:00:00Z").parse();
    text.parse().or_else(|_| midnight()).map_err(|_| "write it as `2026-08-01T12:00:00Z`, or `2026-08-01`".to_owned())
}

/// Makes sure that this machine may write to a registry, by the rule of `mlpc run --release`.
fn may(loaded: &project::Loaded, name: &str, location: &RegistryLocation, release: bool) -> Result<(), (String, u8)> {
    let reach = registry::may_release(&loaded.plan, location, &loaded.project.workspace, release);
    let usage = |message: String| Err((message, Exit::Usage.code()));
    match reach.map_err(|error| (error.to_string(), error.exit_code()))? {
        Reach::Yes => Ok(()),
        Reach::NotHere => usage(format!("others share `{name}`; `--release` writes to it")),
        Reach::Refused { why, help } => usage(format!("{why}: {help}")),
    }
}

/// Finds the registry that is meant and where it is under the profile.
pub(super) fn choose(
    loaded: &project::Loaded,
    wanted: Option<&str>,
    profile: Option<&str>,
) -> Result<(String, RegistryLocation), (String, u8)> {
    let usage = |message: String| (message, Exit::Usage.code());
    let plan = &loaded.plan;
    let names = || plan.registries.iter().map(|registry| registry.name.as_str());
    let listed = || names().collect::<Vec<_>>().join(", ");
    let name = match (wanted, plan.registries.as_slice()) {
        (Some(name), _) => name.to_owned(),
        (None, [one]) => one.name.clone(),
        (None, []) => return Err(usage("the pipeline declares no registry".to_owned())),
        (None, _) => return Err(usage(format!("name one of the registries: {}", listed()))),
    };
    let Some(registry) = plan.registry(&name) else {
        return Err(usage(format!("the pipeline declares no registry `{name}`; it has: {}", listed())));
    };
    let Some(profile) = profile else { return Ok((name, registry.location.clone())) };
    let Some(profile) = plan.profiles.iter().find(|known| known.name == profile) else {
        return Err(usage(format!("the pipeline declares no profile `{profile}`")));
    };
    let moved = profile.settings.iter().find_map(|setting| match setting {
        Setting::Registry { name: of, location } if *of == name => Some(location.clone()),
        _ => None,
    });
    Ok((name, moved.unwrap_or_else(|| registry.location.clone())))
}
