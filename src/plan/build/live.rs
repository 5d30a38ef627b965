//! Rollouts of the plan.

use super::{compared_by, plan_work};
use crate::model::{self, Model};
use crate::plan::{FirstDeploy, LiveRequirement, Moves, Rollout, Step, Watch};

pub(super) fn rollout(model: &Model, rollout: &model::Rollout) -> Option<Rollout> {
    let name = |id: model::NodeId| model.nodes[id].name.value.clone();
    let steps = rollout.steps.iter().map(|step| Step {
        percent: step.percent,
        duration: step.duration,
        ask: step.ask.as_ref().map(|ask| name(ask.value)),
    });
    Some(Rollout {
        release: name(rollout.release),
        strategy: rollout.strategy,
        service: rollout.service.clone(),
        environment: rollout.environment.clone(),
        work: plan_work(model, &rollout.shift)?,
        observe: rollout.observe.command.clone()?,
        rollback: rollout.rollback.command.clone()?,
        permissions: rollout.permissions.clone(),
        first_deploy: match &rollout.first_deploy {
            Some(ask) => FirstDeploy::Ask(name(ask.value)),
            None => FirstDeploy::Direct,
        },
        steps: steps.collect(),
        watch: watch(model, rollout.watch.as_ref()?),
        keep_previous: rollout.keep,
        max_gap: rollout.max_gap,
        max_duration: rollout.max_duration,
        assignment: rollout.assignment.clone(),
        promote: rollout.pointer.as_ref().map(|pointer| Moves {
            registry: model.registries[pointer.value.registry].name.value.clone(),
            pointer: pointer.value.name.clone(),
            compared_by: compared_by(model, rollout.release, &pointer.value),
        }),
    })
}

fn watch(model: &Model, watch: &model::Watch) -> Watch {
    let requirements = watch.requirements.iter().map(|line| LiveRequirement {
        level: line.level,
        text: line.text.clone(),
        measure: line.measure.clone(),
        bound: line.bound.clone(),
    });
    Watch {
        source: model.sources[watch.source].name.value.clone(),
        every: watch.every,
        requirements: requirements.collect(),
        fail_after: watch.fail_after,
        on_no_data: watch.on_no_data,
        on_error: watch.on_error,
        min_measurements: watch.min_measurements,
        max_hold: watch.max_hold,
    }
}
