//! How long nodes took when they last came out well here: a guess for what comes, and nothing that a result depends on.
//!
//! A file for each profile under `.mlpc/cache/v1/times/`, a line for each node: milliseconds, a space, its name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::event::NodeReport;
use super::state::Ending;
use crate::cache::{Store, file_name};
use crate::host::fs;
use crate::plan::{Bound, NodeKind};

/// What is known of one profile's nodes.
#[derive(Debug)]
pub(super) struct Times {
    path: PathBuf,
    known: BTreeMap<String, u64>,
}

impl Times {
    /// Reads what is known; what can't be read is not known.
    pub(super) fn open(store: &Store, profile: Option<&str>) -> Self {
        let name = profile.map_or("default".to_owned(), |profile| format!("profile-{}", file_name(profile)));
        let path = store.memory_file().with_file_name("times").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let line = |line: &str| {
            let (milliseconds, node) = line.split_once(' ')?;
            Some((node.to_owned(), milliseconds.parse().ok()?))
        };
        Self { path, known: text.lines().filter_map(line).collect() }
    }

    /// Returns how many milliseconds a node took.
    pub(super) fn of(&self, node: &str) -> Option<u64> {
        self.known.get(node).copied()
    }

    /// Returns how many milliseconds each node of a plan may take: as last time; else what the others take, the middle
    /// one of them; else one. What runs no command takes no time.
    pub(super) fn all(&self, bound: &Bound) -> Vec<u64> {
        let nodes = &bound.plan.nodes;
        let mut known: Vec<u64> = nodes.iter().filter_map(|node| self.of(&node.name)).collect();
        known.sort_unstable();
        let middle = known.get(known.len() / 2).copied().unwrap_or(1).max(1);
        let expected = nodes.iter().map(|node| match node.kind {
            NodeKind::Stage(_) | NodeKind::Action(_) => self.of(&node.name).unwrap_or(middle),
            _ => 0,
        });
        expected.collect()
    }

    /// Notes how long nodes took that ran and came out well.
    pub(super) fn note(&self, reports: &[NodeReport]) {
        let ran = reports.iter().filter(|report| report.ending == Ending::Done && !report.node.contains('\n'));
        let ran = ran.filter_map(|report| Some((report.node.clone(), report.milliseconds?)));
        let mut known = self.known.clone();
        known.extend(ran);
        if known == self.known {
            return;
        }
        let lines: String = known.iter().map(|(node, milliseconds)| format!("{milliseconds} {node}\n")).collect();
        // Only a memory: without it the next run guesses.
        let _ = fs::write_atomic(&self.path, lines.as_bytes());
    }
}
