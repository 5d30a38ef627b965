//! `--profile` and `--set`: what a run is asked to be, for every verb that binds a plan.

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

    /// Binds a plan; what does not fit is shown.
    pub(crate) fn bind(&self, out: &Out, plan: &Plan) -> Result<Bound, Exit> {
        let selection = self.selection().map_err(|message| {
            out.err_line(&format!("error: {message}"));
            Exit::Usage
        })?;
        bind_shown(out, plan, &selection)
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
