//! What a machine has of everything, and what running nodes have taken of it.

use crate::host::machine;
use crate::plan::{Needs, NodeKind};

/// What is free: slots for commands, GPUs, memory, processors.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokens {
    slots: usize,
    gpus: u32,
    memory: u64,
    cpus: f64,
    all: (u32, u64, f64),
}

impl Tokens {
    /// Makes the tokens of a machine.
    #[must_use]
    pub fn new(jobs: usize, gpus: u32, memory: u64, cpus: f64) -> Self {
        Self { slots: jobs.max(1), gpus, memory, cpus, all: (gpus, memory, cpus) }
    }

    /// Makes the tokens of this machine for so many commands at a time; as many as it has processors if zero.
    pub(super) fn of_machine(jobs: usize) -> Self {
        let jobs = slots(jobs);
        let processors = f64::from(u32::try_from(machine::processors().max(jobs)).unwrap_or(u32::MAX));
        Self::new(jobs, machine::gpus(), machine::memory(), processors)
    }

    /// Tells whether there is enough for a node. One that asks for more than the machine has gets all of it.
    pub(super) fn fit(&self, kind: &NodeKind) -> bool {
        let Some(needs) = needs(kind) else { return true };
        let (gpus, memory, cpus) = self.capped(needs);
        self.slots > 0 && self.gpus >= gpus && self.memory >= memory && self.cpus >= cpus
    }

    pub(super) fn take(&mut self, kind: &NodeKind) {
        if let Some(needs) = needs(kind) {
            let (gpus, memory, cpus) = self.capped(needs);
            self.slots -= 1;
            self.gpus -= gpus;
            self.memory -= memory;
            self.cpus -= cpus;
        }
    }

    pub(super) fn give_back(&mut self, kind: &NodeKind) {
        if let Some(needs) = needs(kind) {
            let (gpus, memory, cpus) = self.capped(needs);
            self.slots += 1;
            self.gpus += gpus;
            self.memory += memory;
            self.cpus += cpus;
        }
    }

    fn capped(&self, needs: &Needs) -> (u32, u64, f64) {
        let (gpus, memory, cpus) = self.all;
        (needs.gpu.unwrap_or(0).min(gpus), needs.memory.unwrap_or(0).min(memory), needs.cpu.unwrap_or(0.0).min(cpus))
    }
}

/// Returns how many commands run at a time.
pub(super) fn slots(jobs: usize) -> usize {
    if jobs == 0 { machine::processors() } else { jobs }
}

/// Only what runs a command takes anything.
fn needs(kind: &NodeKind) -> Option<&Needs> {
    match kind {
        NodeKind::Stage(stage) => Some(&stage.work.needs),
        NodeKind::Action(action) => Some(&action.work.needs),
        _ => None,
    }
}
