//! `--until`, `--from` and `--only`: which nodes are meant, for every verb that is about a run.

use crate::exec::Pick;

/// Which nodes are meant, besides those that are named outright.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PickArgs {
    /// This node, with all that it waits for: what a name alone means, too
    #[arg(long, value_name = "NODE")]
    until: Vec<String>,

    /// This node and all that depends on it; what stands before it is taken as it stands. Together with `--until` or a
    /// name: what lies between
    #[arg(long, value_name = "NODE")]
    from: Vec<String>,

    /// This node alone; what it reads is taken as it stands
    #[arg(long, value_name = "NODE", conflicts_with_all = ["until", "from"])]
    only: Vec<String>,
}

impl PickArgs {
    /// Returns what is meant together with the names; `Err` is the message to show, with exit 2.
    pub(crate) fn pick(&self, names: &[String]) -> Result<Pick, String> {
        if let ([name, ..], [only, ..]) = (names, self.only.as_slice()) {
            return Err(format!(
                "`{name}` and `--only {only}` do not go together: `--only {only} --only {name}` is both"
            ));
        }
        let until = names.iter().chain(&self.until).cloned().collect();
        Ok(Pick { until, from: self.from.clone(), only: self.only.clone() })
    }
}
