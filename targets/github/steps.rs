//! Steps that jobs are made of: the code, the program and the runtime before, `mlpc exec` between, uploads behind.

use super::jobs::Jobs;
use super::model::{Entries, Step, With};
use super::pins;
use super::plain::quote;
use super::settings::Install;
use crate::emit::Noted;
use crate::plan::{Node, NodeKind, RegistryLocation, RuntimeKind};

impl Jobs<'_> {
    /// Returns the step that hands a node to `mlpc exec`, with the flags of this one.
    pub(super) fn exec(&self, node: &Node, flags: &str) -> Step {
        let mut env = Entries::default();
        if !self.edges.needs(node).is_empty() {
            env.push("MLPC_NEEDS", "${{ toJSON(needs) }}".into());
        }
        let asks = flags.ends_with("--asks") || matches!(node.kind, NodeKind::Approval(_));
        let git = self.touches_git(node);
        if asks || git {
            env.push("GITHUB_TOKEN", "${{ github.token }}".into());
        }
        if git {
            // The checkout keeps no credentials; git asks for them here, and only for this server.
            env.push("GIT_CONFIG_COUNT", "1".into());
            env.push("GIT_CONFIG_KEY_0", "credential.${{ github.server_url }}.helper".into());
            env.push(
                "GIT_CONFIG_VALUE_0",
                r#"!f() { echo username=x-access-token; echo "password=$GITHUB_TOKEN"; }; f"#.into(),
            );
        }
        let flags = if flags.is_empty() { String::new() } else { format!(" {flags}") };
        let run = format!(
            "mlpc {} {} --file {} --plan \"$MLPC_PLAN\"{flags}",
            if matches!(node.kind, NodeKind::Gate(_)) { "gate" } else { "exec" },
            quote(&node.name),
            quote(self.site.file)
        );
        Step { env, run: Some(run), ..Step::default() }
    }

    /// Tells whether a node reads or writes a registry that is a branch of this repository.
    fn touches_git(&self, node: &Node) -> bool {
        let git = |registry: &str| {
            self.cases.iter().any(|case| matches!(case.registries.get(registry), Some(RegistryLocation::Git { .. })))
        };
        node.registries().into_iter().any(git) || self.keeps_journal(node)
    }

    /// Tells whether a node writes the journal of actions into a branch of this repository.
    pub(super) fn keeps_journal(&self, node: &Node) -> bool {
        let NodeKind::Action(action) = &node.kind else { return false };
        self.cases.iter().any(|case| {
            let registry = action.journal(self.plan, |name| case.registries.get(name));
            let location = registry.and_then(|name| case.registries.get(name));
            matches!(location, Some(RegistryLocation::Git { .. }))
        })
    }

    pub(super) fn fetch(&self, node: &Node, other: &str) -> Step {
        let job = self.edges.job(other);
        let condition = self.edges.may_lack(node, other).then(|| format!("${{{{ needs.{job}.result == 'success' }}}}"));
        Step {
            name: format!("Fetch {other}"),
            condition,
            uses: Some(pins::uses("actions/download-artifact", "")),
            with: [
                ("name", With::from(format!("${{{{ needs.{job}.outputs.artifact }}}}"))),
                ("path", format!("${{{{ runner.temp }}}}/mlpc/in/{job}").into()),
            ]
            .into(),
            ..Step::default()
        }
    }

    /// Returns the steps that every job begins with: the code, the program, the runtime.
    pub(super) fn preamble(&self, runtime: Option<&str>) -> Vec<Noted<Step>> {
        let mut steps = vec![Step {
            name: "Check out".into(),
            uses: Some(pins::uses("actions/checkout", "")),
            with: [("persist-credentials", With::Bool(false))].into(),
            ..Step::default()
        }];
        if matches!(self.settings.install, Install::Cargo(_)) {
            steps.push(Step {
                name: "Fetch mlpc".into(),
                uses: Some(pins::uses("actions/download-artifact", "")),
                with: [
                    ("name", With::from("${{ needs.mlpc.outputs.artifact }}")),
                    ("path", "${{ runner.temp }}/mlpc/bin".into()),
                ]
                .into(),
                ..Step::default()
            });
            steps.push(Step {
                name: "Install mlpc".into(),
                env: [("DIGEST", "${{ needs.mlpc.outputs.digest }}".to_owned())].into(),
                run: Some(
                    "echo \"$DIGEST  $RUNNER_TEMP/mlpc/bin/mlpc\" | sha256sum --check --quiet\n\
                     chmod +x \"$RUNNER_TEMP/mlpc/bin/mlpc\"\n\
                     echo \"$RUNNER_TEMP/mlpc/bin\" >> \"$GITHUB_PATH\"\n"
                        .into(),
                ),
                ..Step::default()
            });
        }
        let found = runtime.and_then(|name| self.plan.runtimes.iter().find(|runtime| runtime.name == name));
        if let Some((name, RuntimeKind::Python { version, .. })) = found.map(|runtime| (&runtime.name, &runtime.kind)) {
            // The packages are for `mlpc exec` to install: exactly those of `mlpc.lock`.
            let version = self.site.locked.get(name).unwrap_or(version);
            steps.push(Step {
                name: format!("Set up Python {version}"),
                uses: Some(pins::uses("actions/setup-python", "")),
                with: [("python-version", With::from(version.as_str()))].into(),
                ..Step::default()
            });
        }
        steps.into_iter().map(Noted::new).collect()
    }
}

/// Returns the step that keeps what a node made, its report also where it failed.
pub(super) fn upload(node: &str) -> Step {
    Step {
        name: format!("Keep {node}"),
        condition: Some("${{ !cancelled() && steps.mlpc.outputs.artifact }}".into()),
        uses: Some(pins::uses("actions/upload-artifact", "")),
        with: [
            ("name", With::from("${{ steps.mlpc.outputs.artifact }}")),
            ("path", "${{ runner.temp }}/mlpc/out".into()),
            ("if-no-files-found", "error".into()),
            ("compression-level", With::Int(0)),
            ("include-hidden-files", true.into()),
        ]
        .into(),
        ..Step::default()
    }
}
