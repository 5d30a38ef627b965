//! The commit behind each action's version: `pins.json`, read off the actions' own tags. No commit is ever made up.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::emit::Noted;

#[derive(Deserialize)]
struct Pin {
    action: String,
    version: String,
    sha: String,
}

fn pins() -> &'static [Pin] {
    static PINS: OnceLock<Vec<Pin>> = OnceLock::new();
    PINS.get_or_init(|| {
        serde_json::from_str(include_str!("pins.json")).expect("the table of pins is JSON of this shape")
    })
}

/// Returns what stands behind `uses:`, with the version as a comment. `path` is an action inside the repository, or empty.
pub(super) fn uses(action: &str, path: &str) -> Noted<String> {
    let pin = pins().iter().find(|pin| pin.action == action).expect("the table holds every action that jobs use");
    Noted::new(format!("{}{path}@{}", pin.action, pin.sha)).end(pin.version.clone())
}

/// Returns version and commit of an action of the table.
pub(super) fn find(action: &str) -> Option<(&'static str, &'static str)> {
    let pin = pins().iter().find(|pin| pin.action.eq_ignore_ascii_case(action))?;
    Some((&pin.version, &pin.sha))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_a_whole_commit_with_its_version() {
        for pin in pins() {
            assert!(pin.sha.len() == 40 && pin.sha.chars().all(|c| c.is_ascii_hexdigit()), "{}", pin.action);
            assert!(pin.version.starts_with('v'), "{}", pin.action);
        }
    }
}
