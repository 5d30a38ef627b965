//! Stages that score a gate's baseline: the measuring stages again, with the production model in the candidate's
//! place, on the same data.

use super::plan_stage;
use crate::gate;
use crate::model::{self, Gate, Model, NodeId, OutputId, Rescored, rescored};
use crate::plan::{BaselineRun, Node, NodeKind, Stage, Wait, Why};
use crate::types::{Isolation, Origin};

/// A stage that was derived.
pub(super) struct Derived {
    pub(super) node: Node,
    /// It makes evidence that the gate compares with.
    pub(super) measures: bool,
}

/// Returns the name of the stage that repeats another for a gate.
pub(super) fn name(stage: &str, gate: &str) -> String {
    format!("{stage}@{gate}")
}

/// Returns the stages that score the baseline of a gate.
pub(super) fn stages(model: &Model, id: NodeId, gate: &Gate) -> Vec<Derived> {
    let Some(baseline) = &gate.baseline else { return Vec::new() };
    let plan = rescored(model, gate);
    let Some(candidate) = plan.candidate else { return Vec::new() };
    let swap = Swap { model, gate: &model.nodes[id].name.value, pointer: &baseline.pointer, plan: &plan, candidate };
    plan.stages.iter().filter_map(|stage| swap.derive(*stage, gate)).collect()
}

/// Returns the baseline as the plan's gate holds it.
pub(super) fn of_gate(model: &Model, id: NodeId, gate: &Gate, written: &model::Baseline) -> gate::Baseline {
    let plan = rescored(model, gate);
    let name_of_gate = &model.nodes[id].name.value;
    let evidence = plan.evidence.iter().filter_map(|&index| {
        let model::Origin::Output(made) = &gate.evidence[index].origin else { return None };
        let output = model.output(*made).filter(|_| plan.stages.contains(&made.node))?;
        Some(gate::BaselineEvidence {
            evidence: index,
            origin: Origin::output(name(&model.nodes[made.node].name.value, name_of_gate), &output.name.value),
            path: published(name_of_gate, &output.path.as_ref()?.value),
        })
    });
    gate::Baseline {
        registry: model.registries[written.pointer.registry].name.value.clone(),
        pointer: written.pointer.name.clone(),
        recorded: written.recorded,
        on_absent: written.on_absent.clone().unwrap_or(gate::OnMissing::Fail),
        on_unscorable: written.on_unscorable.clone(),
        evidence: evidence.collect(),
    }
}

fn published(gate: &str, path: &str) -> String {
    format!(".mlpc/baseline/{gate}/{path}")
}

/// What takes the place of what.
struct Swap<'m> {
    model: &'m Model,
    gate: &'m str,
    pointer: &'m model::Pointer,
    plan: &'m Rescored,
    candidate: OutputId,
}

impl Swap<'_> {
    fn derive(&self, id: NodeId, gate: &Gate) -> Option<Derived> {
        let node = &self.model.nodes[id];
        let written = self.model.stage(id)?;
        let repeated = &node.name.value;
        let mut stage: Stage = plan_stage(self.model, written)?;
        for (input, declared) in stage.work.inputs.iter_mut().zip(&written.work.inputs) {
            if let Some(origin) = self.swapped(&declared.origin) {
                // At the candidate's own path, so that a script which opens it by name opens this one.
                input.origin = origin;
                input.optional = false;
            }
            input.ungated = true;
        }
        for (output, declared) in stage.outputs.iter_mut().zip(&written.outputs) {
            output.publish = published(self.gate, &output.path);
            output.of = declared.of.as_ref().and_then(|of| self.swapped(of)).or_else(|| output.of.take());
            output.over = declared.over.as_ref().and_then(|over| self.swapped(over)).or_else(|| output.over.take());
        }
        stage.isolation = Isolation::Copies;
        stage.baseline = Some(BaselineRun {
            gate: self.gate.to_owned(),
            stage: repeated.clone(),
            registry: self.model.registries[self.pointer.registry].name.value.clone(),
            pointer: self.pointer.name.clone(),
        });
        let made = |origin: &model::Origin| matches!(origin, model::Origin::Output(made) if made.node == id);
        let measures = self.plan.evidence.iter().any(|&index| made(&gate.evidence[index].origin));
        let waits = self.waits(id, &stage);
        Some(Derived {
            node: Node {
                name: name(repeated, self.gate),
                leg: node.leg.clone(),
                doc: node.doc.clone(),
                when: node.when.clone(),
                waits,
                kind: NodeKind::Stage(Box::new(stage)),
            },
            measures,
        })
    }

    /// Returns what stands in for an artifact while the baseline is scored; none where it stays itself.
    fn swapped(&self, origin: &model::Origin) -> Option<Origin> {
        let model::Origin::Output(made) = origin else { return None };
        let registry = self.model.registries[self.pointer.registry].name.value.clone();
        let pointer = &self.pointer.name;
        if *made == self.candidate {
            return Some(Origin::Pointer { registry, pointer: pointer.clone() });
        }
        let output = &self.model.output(*made)?.name.value;
        if self.plan.companions.contains(made) {
            return Some(Origin::Pointer { registry, pointer: format!("{pointer}/{output}") });
        }
        let stage = &self.model.nodes[made.node].name.value;
        self.plan.stages.contains(&made.node).then(|| Origin::output(name(stage, self.gate), output))
    }

    /// Baseline stages wait for data and for what they say they come after, never for a gate.
    fn waits(&self, id: NodeId, stage: &Stage) -> Vec<Wait> {
        let data = stage.work.inputs.iter().filter_map(|input| input.origin.stage());
        let mut waits: Vec<Wait> = data.map(|made| Wait { node: made.to_owned(), why: Why::Data }).collect();
        for after in &self.model.nodes[id].after {
            let node = &self.model.nodes[after.value];
            if matches!(node.kind, model::NodeKind::Stage(_)) {
                waits.push(Wait { node: node.name.value.clone(), why: Why::After });
            }
        }
        waits
    }
}
