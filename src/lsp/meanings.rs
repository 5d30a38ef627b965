//! What declarations and clauses mean, in a sentence each: for who reads a file and has not read the book.

/// Words in alphabetical order.
const MEANINGS: &[(&str, &str)] = &[
    (
        "action",
        "Has effects outside: deploys, publishes, tells. Never cached, and only behind the gates of what it acts on",
    ),
    ("allow", "Leaves a warning that is meant, with the reason"),
    ("approval", "A person decides, by name, within a time"),
    ("baseline", "What the gate compares with: the version that this pointer names, scored anew on the same data"),
    ("checkpoint", "A folder that survives retries and interruptions of this stage"),
    ("code", "Files that the command is made of: a change of one runs the stage again"),
    ("const", "A value under a name, known before anything runs"),
    ("cooldown", "A breach within this time does nothing"),
    ("credential", "How jobs come to a cloud; only what names it gets it"),
    ("credentials", "The clouds that this command may reach"),
    ("environment", "The deployment environment whose secrets and trust this action has on the platform"),
    ("every", "How often the monitor looks"),
    ("experiment", "An A/B test of a release against another"),
    ("external", "Somebody else emits this event"),
    ("gate", "Decides by numbers whether what they are about goes on; a missing number is never a pass"),
    ("idempotent", "Doing it twice does no harm: it may be tried again"),
    ("in", "What the command reads: its path stands in a variable of this name"),
    ("inputs", "`readonly`: large inputs are not copied, and must not be written to"),
    ("isolation", "`off`: the command runs in the workspace itself, and sees what it did not declare"),
    ("keep", "What stays deployed and warm, so that a way back exists"),
    ("metrics", "The numbers that a stage measures: type, direction, unit"),
    ("monitor", "Looks at live numbers or fresh data on a schedule of its own"),
    ("needs", "What the command takes of a machine: processors, memory, graphics cards"),
    ("notify", "Tells somebody of what happens"),
    ("on", "When the pipeline runs; in a gate, what it decides by, or what holds where there is no baseline"),
    ("out", "What the command writes: type, and where. Only when it ended well does it count"),
    ("param", "A value that may be set for a run, within its type"),
    ("pass_env", "Variables of the caller that the command sees; their values are part of the key"),
    ("permissions", "What the platform's own token may do in this action"),
    ("profile", "The same pipeline with other values"),
    ("promote", "Moves a registry's pointer to the release, if it still names what the gate compared with"),
    ("register", "Puts a model into a registry as a version; the same bytes are the same version"),
    ("registry", "Where released models are kept, and which is in production"),
    ("require", "Has to hold, or the gate says no"),
    ("rerun", "When the stage runs again although nothing changed"),
    ("retry", "How often it is tried again, and for which cause"),
    ("rollout", "Shifts traffic in steps, watches, and goes back by itself"),
    ("run", "The command: a script, or a list of arguments"),
    ("runtime", "With what the command runs: a Python with locked packages, or an image"),
    ("schema", "The columns of a table, and what their cells may hold"),
    ("secret", "A variable with a value that no log shows; its name alone is part of the key"),
    ("source", "Data from outside, and which bytes of it"),
    ("stage", "Makes files from files: isolated, cached by content"),
    ("status", "Exit codes that count as well done"),
    ("step", "So much of the traffic, for so long"),
    ("target", "Settings of a platform that `mlpc compile` writes for"),
    ("timeout", "It is ended after this time, with all that it started"),
    ("use", "Parameters that the command sees as variables; at the top, declarations of a module"),
    ("warn", "Should hold: else the gate passes with a warning"),
    ("watch", "What is looked at while the traffic shifts, and when it means to go back"),
];

/// Returns what a word means.
pub(super) fn of(word: &str) -> Option<&'static str> {
    MEANINGS.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::cursor;

    #[test]
    fn every_word_that_has_a_meaning_can_be_written() {
        assert!(MEANINGS.is_sorted_by_key(|(word, _)| *word));
        let strange: Vec<_> = MEANINGS.iter().filter(|(word, _)| cursor::form(word).is_none()).collect();
        assert!(strange.is_empty(), "{strange:?}");
        assert!(MEANINGS.iter().all(|(_, meaning)| !meaning.ends_with('.')), "the dot is added");
    }
}
