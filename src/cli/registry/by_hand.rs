//! What a person does to a registry by hand, always with a reason: `mlpc registry rollback` and `mlpc registry allow`.

use crate::approval;
use crate::cli::{Exit, approve};
use crate::registry::{ByHand, Outcome, Registry, RegistryError, Rollback};

type Failure = (String, u8);
/// Whether this machine may write; the argument is `--release`.
type May<'a> = &'a dyn Fn(bool) -> Result<(), Failure>;

/// Who acts, and why.
#[derive(Debug, clap::Args)]
struct WhoArgs {
    /// Why; kept in the registry
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who does it; else the user of this machine
    #[arg(long = "as", value_name = "LOGIN")]
    login: Option<String>,
    /// Write to a registry that others share: from a clean tree, at a pushed commit of a branch that `on push` names
    #[arg(long)]
    release: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct RollbackArgs {
    /// The pointer, `REGISTRY@POINTER`
    #[arg(value_name = "REGISTRY@POINTER")]
    pub(super) pointer: String,
    /// The version; else the latest before that was not rolled back itself
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct AllowArgs {
    /// The pointer, `REGISTRY@POINTER`
    #[arg(value_name = "REGISTRY@POINTER")]
    pub(super) pointer: String,
    /// The version that was rolled back
    #[arg(value_name = "VERSION")]
    version: String,
    #[command(flatten)]
    who: WhoArgs,
}

impl RollbackArgs {
    /// Moves the pointer back from where it stands now; returns what to print.
    pub(super) fn run(&self, name: &str, registry: &dyn Registry, may: May<'_>) -> Result<(String, Exit), Failure> {
        let pointer = pointer(&self.pointer)?;
        let who = self.who.who()?;
        may(self.who.release)?;
        let whole = format!("{name}@{pointer}");
        let Some(current) = registry.pointer(pointer).map_err(failed)? else {
            return Err((format!("`{whole}` was never set, so that there is nothing to go back from"), 2));
        };
        let wish =
            Rollback { pointer: pointer.to_owned(), to: self.to.clone(), expected: current.version.clone(), who };
        let text = match registry.rollback(&wish).map_err(failed)? {
            Outcome::Promoted(now) => format!(
                "{whole}: {} -> {}\n{} is not released again; `mlpc registry allow {whole} {} --reason \"…\"` lets it\n\
                 nothing was deployed: what serves reads the pointer, or is deployed anew\n",
                current.version, now.version, current.version, current.version
            ),
            Outcome::AlreadyThere(now) => format!("{whole}: {} already\n", now.version),
            Outcome::Rejected(rejection) => return Err((rejection.told(name), Exit::Refused.code())),
            Outcome::Moved { .. } => {
                let message =
                    format!("`{whole}` was moved from `{}` meanwhile: look at it, and ask again", wish.expected);
                return Err((message, Exit::Undecided.code()));
            }
        };
        Ok((text, Exit::Fine))
    }
}

impl AllowArgs {
    /// Records that the version may be released again; returns what to print.
    pub(super) fn run(&self, name: &str, registry: &dyn Registry, may: May<'_>) -> Result<(String, Exit), Failure> {
        let pointer = pointer(&self.pointer)?;
        let who = self.who.who()?;
        may(self.who.release)?;
        let allowed = registry.allow(pointer, &self.version, &who).map_err(failed)?;
        let text =
            format!("{name}@{pointer}: {} may be released again, says {}; run again\n", allowed.version, allowed.by);
        Ok((text, Exit::Fine))
    }
}

impl WhoArgs {
    fn who(&self) -> Result<ByHand, Failure> {
        if self.reason.trim().is_empty() {
            return Err(("`--reason` says why, and is empty".to_owned(), Exit::Usage.code()));
        }
        let by = self.login.clone().or_else(approve::user).filter(|login| !approval::is_nobody(login));
        let by = by.ok_or(("who does this is not known; say it with `--as LOGIN`".to_owned(), Exit::Usage.code()))?;
        Ok(ByHand { by, reason: self.reason.clone() })
    }
}

fn pointer(written: &str) -> Result<&str, Failure> {
    let found = written.split_once('@').map(|(_, pointer)| pointer);
    found.ok_or_else(|| (format!("`{written}` names no pointer; write `{written}@production`"), Exit::Usage.code()))
}

fn failed(error: RegistryError) -> Failure {
    (error.to_string(), error.exit_code())
}
