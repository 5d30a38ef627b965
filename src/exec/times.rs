//! How long nodes took when they last came out well here: a guess for what comes, and nothing that a result depends on.
//!
//! A file for each profile under `.mlpc/cache/v1/times/`, a line for each node: milliseconds, a space, its name. The last line of a node
//! counts; a run of all nodes writes the file anew, other runs add to it.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::PathBuf;

use super::event::NodeReport;
use super::state::Ending;
use crate::cache::{Store, file_name};
use crate::host::{Context, fs};
use crate::plan::{Bound, Node, NodeKind};

/// What is known of one profile's nodes.
#[derive(Debug)]
pub(super) struct Times {
    path: PathBuf,
    /// Of nodes that the plan has.
    known: BTreeMap<String, u64>,
}

impl Times {
    /// Reads what is known of these nodes; what can't be read is not known.
    pub(super) fn open(store: &Store, profile: Option<&str>, nodes: &HashMap<&str, &Node>) -> Self {
        let name = profile.map_or("default".to_owned(), |profile| format!("profile-{}", file_name(profile)));
        let path = store.memory_file().with_file_name("times").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let ours = lines(&text).filter(|(node, _)| nodes.contains_key(node));
        let known = ours.map(|(node, took)| (node.to_owned(), took)).collect();
        Self { path, known }
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

    /// Notes how long nodes took that ran and came out well. `whole`: the plan has all nodes that there are.
    pub(super) fn note(&self, reports: &[NodeReport], whole: bool) {
        let ran = reports.iter().filter(|report| report.ending == Ending::Done && !report.node.contains('\n'));
        let ran = ran.filter_map(|report| Some((report.node.as_str(), report.milliseconds?)));
        let news: Vec<(&str, u64)> = ran.filter(|&(node, took)| self.of(node) != Some(took)).collect();
        if news.is_empty() {
            return;
        }
        let line = |(node, took): (&str, u64)| format!("{took} {node}\n");
        // Only a memory: without it the next run guesses.
        let _ = match whole {
            true => {
                let text = std::fs::read_to_string(&self.path).unwrap_or_default();
                let mut all: BTreeMap<&str, u64> = lines(&text).collect();
                all.extend(news);
                fs::write_atomic(&self.path, all.into_iter().map(line).collect::<String>().as_bytes())
            }
            false => {
                let file = std::fs::File::options().append(true).create(true).open(&self.path);
                let text: String = news.into_iter().map(line).collect();
                file.and_then(|mut file| file.write_all(text.as_bytes())).cannot("write", &self.path)
            }
        };
    }
}

/// Returns the names and times that a file holds.
fn lines(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| line.split_once(' ')).filter_map(|(took, node)| Some((node, took.parse().ok()?)))
}
