//! The ids of jobs.

use std::collections::BTreeMap;

use crate::plan::Plan;

/// Job ids that are ours.
const TAKEN: [&str; 3] = ["mlpc", "verdict", "comment"];

/// Returns the id of the job behind a gate that may ask.
pub(super) fn verdict_of(job: &str) -> String {
    format!("{job}-verdict")
}

/// Returns a job id for every node: its name with `-` for what GitHub does not take in an id. Names that would fall
/// together, and names that are ours, carry the beginning of their digest.
pub(super) fn ids(plan: &Plan) -> BTreeMap<&str, String> {
    let plain = |name: &str| {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-")
    };
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for node in &plan.nodes {
        let id = plain(&node.name);
        *times.entry(verdict_of(&id)).or_default() += 1;
        *times.entry(id).or_default() += 1;
    }
    let id = |name: &str| {
        let id = plain(name);
        let free = times.get(&id).is_some_and(|times| *times == 1) && !TAKEN.contains(&id.as_str());
        let begins_well = id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if free && begins_well { id } else { format!("node-{id}-{}", &blake3::hash(name.as_bytes()).to_hex()[..6]) }
    };
    plan.nodes.iter().map(|node| (node.name.as_str(), id(&node.name))).collect()
}
