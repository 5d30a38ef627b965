//! The job that comments on a pull request: behind the jobs of what it shows, and no part of the verdict.

use super::jobs::Jobs;
use super::model::{Entries, Job, Step, With};
use super::pins;
use super::plain::quote;
use super::settings::Install;
use crate::emit::Noted;
use crate::plan::Shown;

impl Jobs<'_> {
    /// Returns the job, where the trigger of pull requests says what is shown.
    pub(super) fn comment(&self) -> Option<Job> {
        let shown = self.plan.triggers.iter().map(|trigger| &trigger.comment).find(|shown| !shown.is_empty())?;
        let case = self.cases.iter().find(|case| case.event == "pull_request")?;
        let names = |node: &&crate::plan::Node| shown.iter().any(|one: &Shown| one.node() == node.name);
        let nodes: Vec<&str> = self
            .plan
            .nodes
            .iter()
            .filter(|node| self.edges.runs(&node.name))
            .filter(names)
            .map(|node| node.name.as_str())
            .collect();
        let needs = nodes.iter().map(|node| self.edges.job(node).to_owned()).collect();
        let mut job = self.bare(format!("{} comment", self.plan.pipeline), self.with_program(needs));
        // It is there to be read where a gate is red, and where a job before it failed. Without the program nothing is.
        let built = match self.settings.install {
            Install::Cargo(_) => "needs.mlpc.result == 'success' && ",
            Install::Preinstalled => "",
        };
        job.condition = Some(format!("${{{{ !cancelled() && {built}{} }}}}", case.is));
        job.permissions.push("pull-requests", "write".to_owned());
        job.steps = self.preamble(None);
        job.steps.extend(nodes.iter().map(|node| Noted::new(self.arrived(node))));
        let mut env: Entries<String> = Entries::default();
        env.push("MLPC_NEEDS", "${{ toJSON(needs) }}".into());
        env.push("GH_TOKEN", "${{ github.token }}".into());
        job.steps.push(Noted::new(Step {
            name: "Comment".into(),
            env,
            run: Some(format!("mlpc exec --comment --file {} --plan \"$MLPC_PLAN\"", quote(self.site.file))),
            ..Step::default()
        }));
        Some(job)
    }

    /// Returns the step that fetches what a job handed on, if it did: of one without, the comment says so.
    fn arrived(&self, node: &str) -> Step {
        let job = self.edges.job(node);
        Step {
            name: format!("Fetch {node}"),
            condition: Some(format!("${{{{ needs.{job}.outputs.artifact != '' }}}}")),
            uses: Some(pins::uses("actions/download-artifact", "")),
            with: [
                ("name", With::from(format!("${{{{ needs.{job}.outputs.artifact }}}}"))),
                ("path", format!("${{{{ runner.temp }}}}/mlpc/in/{job}").into()),
            ]
            .into(),
            continue_on_error: Some(true),
            ..Step::default()
        }
    }
}
