//! How a declaration begins: strictly enough that a line of a script is seldom taken for one.

/// Every word that begins a declaration.
pub(crate) const DECLARATIONS: [&str; 27] = [
    "stage",
    "gate",
    "param",
    "source",
    "on",
    "register",
    "approval",
    "promote",
    "rollout",
    "action",
    "monitor",
    "metrics",
    "schema",
    "runtime",
    "registry",
    "const",
    "secret",
    "credential",
    "profile",
    "pipeline",
    "edition",
    "use",
    "notify",
    "target",
    "external",
    "experiment",
    "allow",
];

/// The kinds of trigger.
pub(crate) const TRIGGERS: [&str; 7] = ["push", "pull_request", "schedule", "manual", "call", "event", "upstream"];

/// Words at the beginning of a line that go on with the declaration before it.
pub(super) const CONTINUES: [&str; 12] =
    ["and", "or", "for", "when", "after", "of", "to", "by", "with", "from", "at", "frozen"];

/// Returns the word at a byte, empty where there is none.
pub(crate) fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest
        .char_indices()
        .find(|&(_, c)| !(c == '_' || if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() }))
        .map_or(rest.len(), |(end, _)| end);
    &rest[..end]
}

/// Tells whether a declaration begins at this byte: its keyword, a name or string, and what has to follow. `secret x`
/// is a clause as well, so it never does.
pub(super) fn looks_like_item(text: &str, at: usize) -> bool {
    let keyword = word_at(text, at);
    let rest = text[at + keyword.len()..].trim_start_matches([' ', '\t']);
    if rest.len() == text.len() - at - keyword.len() {
        return false;
    }
    let after_string = |rest: &str| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let line = rest.lines().next().unwrap_or_default();
        let end = line[1..].find(quote)? + 2;
        Some(line[end..].trim_start().chars().next())
    };
    let name = word_at(rest, 0);
    let line = rest[name.len()..].split('\n').next().unwrap_or_default().trim();
    let next = line.chars().next();
    let followed = |words: &[&str]| words.contains(&word_at(line, 0));
    match keyword {
        "use" => after_string(rest) == Some(Some('{')),
        "external" => name == "event" && after_string(line).is_some(),
        "on" if name == "event" => after_string(line).is_some(),
        "on" => TRIGGERS.contains(&name) && matches!(next, None | Some('{' | '#')),
        _ if name.is_empty() => false,
        "pipeline" | "edition" => matches!(next, None | Some('#')),
        "const" => matches!(next, Some('=' | ':')),
        "param" | "source" => next == Some(':'),
        "credential" | "registry" => next == Some('='),
        "runtime" | "schema" | "metrics" | "profile" | "notify" | "target" => next == Some('{'),
        "stage" => matches!(next, Some('{' | '=')) || followed(&["for", "when", "after"]),
        "gate" => followed(&["on", "for", "when", "after"]),
        "register" | "promote" => next == Some('='),
        "approval" | "rollout" | "experiment" => followed(&["of"]),
        "action" | "monitor" => next == Some('{') || followed(&["of", "for", "when", "after"]),
        _ => false,
    }
}
