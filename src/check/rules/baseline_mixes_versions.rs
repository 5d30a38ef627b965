//! A baseline that would be scored with parts of the candidate: what its stage made beside the model, and the
//! measuring stages read, has to be registered with the model.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes};
use crate::model::{Model, NodeKind, Origin, OutputId, Register, RegistryId, rescored};

pub(in crate::check) struct BaselineMixesVersions;

impl Rule for BaselineMixesVersions {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        for (_, node) in model.nodes.iter() {
            let NodeKind::Gate(gate) = &node.kind else { continue };
            let Some(baseline) = &gate.baseline else { continue };
            let plan = rescored(model, gate);
            let Some(candidate) = plan.candidate else { continue };
            let registers: Vec<&Register> = registers(model, candidate, baseline.pointer.registry).collect();
            for companion in plan.companions {
                let origin = Origin::Output(companion);
                let kept = |register: &&Register| register.with.iter().any(|with| with.value == origin);
                if !registers.is_empty() && registers.iter().all(kept) {
                    continue;
                }
                let (name, whole) = (model.written(&origin), model.written(&Origin::Output(candidate)));
                let registry = &model.registries[baseline.pointer.registry].name.value;
                let message = format!("the production model would be scored with the candidate's `{name}`");
                let mut diagnostic = Diagnostic::new(codes::BASELINE_MIXES_VERSIONS, baseline.span, message);
                for stage in &plan.stages {
                    let inputs = model.stage(*stage).map(|stage| stage.work.inputs.as_slice()).unwrap_or_default();
                    for input in inputs.iter().filter(|input| input.origin == origin) {
                        diagnostic = diagnostic.label(input.span, "read here");
                    }
                }
                for register in &registers {
                    diagnostic = diagnostic.label(register.model_span, "registered alone here");
                }
                found.push(diagnostic.help(format!(
                    "register it with the model: `register release = {whole} with {name} to {registry}`"
                )));
            }
        }
    }
}

fn registers(model: &Model, candidate: OutputId, registry: RegistryId) -> impl Iterator<Item = &Register> {
    model.nodes.iter().filter_map(move |(_, node)| match &node.kind {
        NodeKind::Register(register)
            if register.registry == registry && register.model == Origin::Output(candidate) =>
        {
            Some(&**register)
        }
        _ => None,
    })
}
