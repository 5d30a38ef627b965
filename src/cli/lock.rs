//! `mlpc lock`: writes down exactly what the runtimes of a pipeline are.

use super::project::{PipelineArgs, load};
use super::run::setup;
use super::{Exit, Verb};
use crate::around::lock::faults;
use crate::diagnostic::nearest;
use crate::host::Out;
use crate::plan::Runtime;
use crate::runtime::Runtimes;
use crate::source::Span;

/// Write exactly what the runtimes are into mlpc.lock: versions, digests of packages, digests of images
///
/// Locks what is new or changed since, and leaves the rest as it is. Versions come from uv where it is in PATH, else from pip of
/// the interpreter. Commit mlpc.lock: keys of the cache and compiled jobs hold what it says. Ends with 1 where `--check` finds
/// that it would be written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc lock\n  mlpc lock --upgrade\n  mlpc lock py --upgrade\n  mlpc lock --check")]
pub(super) struct LockVerb {
    /// The runtimes; all if none is named
    #[arg(value_name = "RUNTIME")]
    runtimes: Vec<String>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// Choose versions anew, also where nothing changed
    #[arg(long)]
    upgrade: bool,
    /// Write nothing, and say what is missing or stale
    #[arg(long, conflicts_with = "upgrade")]
    check: bool,
}

impl Verb for LockVerb {
    const NAME: &'static str = "lock";

    fn run(self, out: &Out) -> Exit {
        self.lock(out).unwrap_or_else(|(exit, message)| {
            if !message.is_empty() {
                out.err_line(&format!("error: {message}"));
            }
            exit
        })
    }
}

impl LockVerb {
    fn lock(&self, out: &Out) -> Result<Exit, (Exit, String)> {
        let loaded = load(out, &self.pipeline).map_err(|exit| (exit, String::new()))?;
        let setup = setup(loaded.project.workspace).map_err(|error| (Exit::Failed, error.message))?;
        let declared: Vec<&Runtime> = loaded.plan.runtimes.iter().collect();
        let names = || declared.iter().map(|runtime| runtime.name.as_str());
        if let Some(unknown) = self.runtimes.iter().find(|name| names().all(|known| known != name.as_str())) {
            let near = nearest(unknown, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err((Exit::Usage, format!("no runtime `{unknown}` in `{}`{near}", loaded.plan.pipeline)));
        }
        if declared.is_empty() {
            out.line(
                "no runtime is declared: stages run with the programs of their host, and there is nothing to lock",
            );
        }
        let is_wanted = |runtime: &&Runtime| self.runtimes.is_empty() || self.runtimes.contains(&runtime.name);
        let wanted: Vec<&Runtime> = declared.iter().copied().filter(is_wanted).collect();
        let failed = |error: crate::host::Error| {
            let exit = if setup.interrupt.is_raised() { Exit::Interrupted } else { Exit::Failed };
            (exit, error.to_string())
        };
        if self.check {
            let runtimes = wanted.iter().map(|runtime| ((*runtime).clone(), Span::default()));
            let found = faults(&setup.workspace, &runtimes.collect::<Vec<_>>(), true);
            for fault in &found {
                out.err_line(&format!("error[{}]: {}", fault.code.name(), fault.message));
            }
            return Ok(if found.is_empty() { Exit::Fine } else { Exit::Failed });
        }
        let runtimes = Runtimes::new(&setup.workspace, &setup.caller, &setup.interrupt);
        let say = |text: String| out.line(&text);
        if runtimes.lock(&declared, &wanted, self.upgrade, &say).map_err(failed)? {
            out.line("wrote `mlpc.lock`");
        } else if !declared.is_empty() {
            out.line("`mlpc.lock` is up to date");
        }
        Ok(Exit::Fine)
    }
}
