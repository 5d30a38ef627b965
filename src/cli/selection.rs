//! `--profile` and `--set`: what a run is asked to be, for every verb that binds a plan.

use std::path::Path;

use super::Exit;
use crate::host::Out;
use crate::plan::{BindError, Bound, Given, Plan, Selection, bind};

/// Which run of the pipeline is meant.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct SelectionArgs {
    /// The profile; the pipeline as written if none
    #[arg(short, long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The value of a parameter; as often as needed
    #[arg(short, long = "set", value_name = "PARAM=VALUE")]
    pub(crate) set: Vec<String>,
}

impl SelectionArgs {
    /// Returns the selection; what started it is this machine. `Err` is the message to show, with exit 2.
    pub(crate) fn selection(&self) -> Result<Selection, String> {
        let mut selection = Selection { profile: self.profile.clone(), ..Selection::default() };
        for set in &self.set {
            let Some((name, value)) = set.split_once('=') else {
                return Err(format!("`--set {set}` gives no value; write `--set {set}=VALUE`"));
            };
            let (name, given) = (name.trim().to_owned(), Given::Text(value.to_owned()));
            if selection.params.insert(name.clone(), given).is_some() {
                return Err(format!("`--set {name}` stands twice"));
            }
        }
        Ok(selection)
    }

    /// Tells whether anything was asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.profile.is_some() || !self.set.is_empty()
    }

    /// Binds a plan as a run in this workspace sees it; what does not fit is shown.
    pub(crate) fn bind_here(&self, out: &Out, plan: &Plan, workspace: &Path) -> Result<Bound, Exit> {
        let selection = self.selection().map_err(|message| {
            out.err_line(&format!("error: {message}"));
            Exit::Usage
        })?;
        bind_shown(out, plan, &Selection { branch: branch(workspace), ..selection })
    }
}

/// Binds a plan; what does not fit is shown.
pub(crate) fn bind_shown(out: &Out, plan: &Plan, selection: &Selection) -> Result<Bound, Exit> {
    bind(plan, selection).map_err(|errors| {
        for BindError { message, help } in errors {
            out.err_line(&format!("error: {message}"));
            if let Some(help) = help {
                out.err_line(&format!("  help: {help}"));
            }
        }
        Exit::Usage
    })
}

/// Returns the branch that is checked out, as `.git/HEAD` says it.
pub(crate) fn branch(workspace: &Path) -> Option<String> {
    let head = workspace.ancestors().map(|folder| folder.join(".git/HEAD")).find(|head| head.is_file())?;
    let text = std::fs::read_to_string(head).ok()?;
    text.trim().strip_prefix("ref: refs/heads/").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(set: &[&str]) -> SelectionArgs {
        SelectionArgs { profile: None, set: set.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn values_may_hold_anything_and_stand_once() {
        let selection = args(&["a=1=2", "b="]).selection().expect("two values");
        assert_eq!(selection.params.get("a"), Some(&Given::Text("1=2".into())));
        assert_eq!(selection.params.get("b"), Some(&Given::Text(String::new())));
        assert!(args(&["a"]).selection().is_err());
        assert!(args(&["a=1", "a=2"]).selection().is_err());
    }
}
