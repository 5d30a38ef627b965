//! What a person is asked about once a node has run, and how that is shown: in the log, in a job's summary, in the name of
//! the job that waits.

use super::Context;
use crate::approval::{About, about};
use crate::plan::{self, NodeKind};
use crate::runner::{self, Answer, Received};
use crate::types::Origin;

/// What is decided about.
pub(super) struct Subject<'p> {
    /// The approval that decides about it.
    pub(super) approval: &'p str,
    digest: String,
    /// The output that it is, and its file; none of a release.
    file: Option<(Origin, About)>,
}

impl<'p> Subject<'p> {
    /// Finds what people are asked about after a node: one for each approval that is asked for then.
    pub(super) fn all(context: &Context<'p>, answer: &Answer, received: &Received) -> Vec<Self> {
        let bound = context.job.bound;
        let mut found = Vec::new();
        for node in bound.plan.nodes.iter().filter(|node| !bound.skipped.contains_key(&node.name)) {
            let NodeKind::Approval(approval) = &node.kind else { continue };
            let is_asked = match &answer.gate {
                Some(gate) => gate.ask.as_deref() == Some(&node.name),
                None => runner::askers(&bound.plan, &node.name).contains(&answer.node.as_str()),
            };
            if !is_asked {
                continue;
            }
            let release = answer.release.as_ref().map(|release| release.digest.to_string());
            let file = match &approval.of {
                plan::Subject::Artifact(origin) => made(context, origin, answer, received),
                plan::Subject::Release(_) => None,
            };
            let digest = file.as_ref().map(|(_, about)| about.digest.clone()).or(release).unwrap_or_default();
            found.push(Self { approval: &node.name, digest, file });
        }
        found
    }

    /// Returns so much of the digest as tells it from others, and what a plan would change.
    pub(super) fn short(&self) -> String {
        let digest = self.digest.strip_prefix("blake3:").unwrap_or(&self.digest);
        let changes = self.file.as_ref().and_then(|(_, about)| about.changes.as_ref());
        let counts = changes.map(|changes| format!(", {}", changes.counts())).unwrap_or_default();
        format!("{}{counts}", digest.get(..8).unwrap_or_default())
    }

    /// Writes for a log what a person is asked about; nothing where that is no file.
    pub(super) fn lines(&self) -> Vec<String> {
        let Some((origin, about)) = &self.file else { return Vec::new() };
        let first = format!("a person is asked about `{origin}`: {}, {}", about.line(), self.digest);
        std::iter::once(first).chain(about.resources().into_iter().map(|line| format!("  {line}"))).collect()
    }

    /// Writes for the summary of the job of a node what a person is asked about; the artifact of that job is named by
    /// GitHub's number of the run and its own name.
    pub(super) fn markdown(&self, node: &str, (run, artifact): (&str, &str)) -> String {
        let digest = &self.digest;
        let Some((origin, about)) = &self.file else {
            return format!("\nA person is asked about the candidate `{digest}`.\n");
        };
        let mut text = format!("\nA person is asked about `{origin}`, `{digest}`: {}.\n", about.line());
        let resources = about.resources();
        if !resources.is_empty() {
            // Each line begins with a mark or a word, so that none can end the block.
            text += &format!("\n```diff\n{}\n```\n", resources.join("\n"));
        }
        if let Origin::Output { stage, output } = origin
            && stage == node
        {
            text +=
                &format!("\nThe file is `files/{output}` of the artifact: `gh run download {run} --name {artifact}`\n");
        }
        text
    }
}

/// Returns an output that the node made, or that was made before it, and its file.
fn made(context: &Context<'_>, origin: &Origin, answer: &Answer, received: &Received) -> Option<(Origin, About)> {
    let Origin::Output { stage, output } = origin else { return None };
    let made = if *stage == answer.node { Some(answer) } else { received.answers.get(stage) };
    let digest = made?.outputs.get(output)?.digest;
    let declared = context.job.bound.plan.stage(stage)?;
    let path = &declared.outputs.iter().find(|declared| declared.name == *output)?.publish;
    Some((origin.clone(), about(&context.job.setup.workspace, path, &digest)))
}
