//! Words that are no clauses, with how each is written and what it means: triggers, fields of records, situations and
//! what is done in them, what follows the type of a metric or column.

/// A word, how it is written, and what it means.
type Entry = (&'static str, &'static str, &'static str);

const TRIGGERS: &[Entry] = &[
    (
        "call",
        "on call { PARAMETER, profile: NAME }",
        "Another workflow starts the pipeline, and may set these parameters",
    ),
    (
        "event",
        "on event \"NAME\" { FIELD: TYPE }",
        "An event from outside starts it; a field of a parameter's name sets that parameter",
    ),
    ("manual", "on manual { PARAMETER, profile: NAME }", "A person starts it, and may set these parameters"),
    (
        "pull_request",
        "on pull_request { branches: [\"main\"] }",
        "A request to merge starts it; such a run releases nothing, unless its profile says `releases true`",
    ),
    (
        "push",
        "on push { branches: [\"main\"] }",
        "A push to one of these branches starts it; what releases, releases from these",
    ),
    ("schedule", "on schedule { cron: \"17 6 * * 1\", timezone: \"UTC\" }", "The clock starts it"),
    ("upstream", "on upstream { pipeline: \"NAME\" }", "The end of another pipeline starts it"),
];

const WORDS: &[Entry] = &[
    ("ask", "ask APPROVAL", "A person decides, as this approval says"),
    ("branches", "branches: [\"main\"]", "The branches that count"),
    ("breach", "on breach: emit \"EVENT\"", "What is done where the monitor finds what it must not"),
    ("by", "by: [\"PERSON\"]", "Who may decide; `environment` leaves that to the platform"),
    ("comment", "comment: [GATE, STAGE.OUTPUT]", "What the request is told: gates, plots and reports"),
    ("cpu", "cpu: 4", "So many processors"),
    ("cron", "cron: \"17 6 * * 1\"", "When: minute, hour, day, month, day of the week"),
    ("dockerfile", "dockerfile: \"PATH\"", "The command runs in the image of this file"),
    ("email", "email: \"ADDRESS\"", "Who is written to"),
    ("environment", "environment: \"NAME\"", "The platform's environment, in which the approval is asked for"),
    (
        "error",
        "on error: hold` or `on unscorable: error",
        "The measurement failed: `hold` or `fail`. As an answer: the gate ends undecided",
    ),
    ("fail", "fail", "It goes no further"),
    ("from", "from \"/POINTER\"", "Where the number stands in the file, if not under its name"),
    ("gpu", "gpu: 1", "So many graphics cards"),
    ("higher", "NAME: TYPE higher", "Large numbers are better"),
    ("hold", "hold", "It waits, up to `max_hold`, and then goes back"),
    ("image", "image: \"NAME\"", "The command runs in this container image"),
    ("lower", "NAME: TYPE lower", "Small numbers are better"),
    ("matches", "matches \"PATTERN\"", "What every text of the column looks like"),
    ("memory", "memory: 16GiB", "So much memory"),
    ("metrics", "metrics: STAGE.OUTPUT", "The numbers that are kept with the version"),
    ("n", "n from \"/POINTER\"", "Where the size of the sample stands, for bounds"),
    (
        "no_baseline",
        "on no_baseline: ask APPROVAL",
        "What holds while the pointer names no version: `pass`, `fail` or `ask`",
    ),
    ("no_data", "on no_data: hold", "What holds where nothing was measured: `hold` or `fail`"),
    ("on", "on: [GATE.fail]", "Of what somebody is told"),
    ("pass", "pass", "The other requirements of the gate decide alone"),
    ("paths", "paths: [\"src/**\"]", "Only changes of these files count, relative to the pipeline's folder"),
    ("pipeline", "pipeline: \"NAME\"", "The pipeline that has ended"),
    ("profile", "profile: NAME", "The profile of the runs that this starts"),
    ("python", "python: \"3.11\"", "The Python that the command runs with"),
    ("requirements", "requirements: \"PATH\"", "The packages that are installed, locked by `mlpc lock`"),
    ("slack", "slack: URL", "The channel that is told"),
    ("timeout", "timeout: 24h", "Who decides later decides nothing"),
    ("timezone", "timezone: \"UTC\"", "Whose clock `cron` means"),
    ("unique", "unique", "No value of the column stands twice"),
    ("unit", "unit ms", "What the number in the file counts"),
    (
        "unscorable",
        "on unscorable: ask APPROVAL",
        "What holds where the baseline can't be scored on today's data: `error` or `ask`",
    ),
    ("webhook", "webhook: URL", "The address that is told"),
];

/// Returns how a trigger is written, and what it means.
pub(super) fn trigger(word: &str) -> Option<(&'static str, &'static str)> {
    find(TRIGGERS, word)
}

/// Returns how a field or another word of its kind is written, and what it means.
pub(super) fn of(word: &str) -> Option<(&'static str, &'static str)> {
    find(WORDS, word)
}

fn find(entries: &[Entry], word: &str) -> Option<(&'static str, &'static str)> {
    entries.iter().find(|(known, ..)| *known == word).map(|(_, form, meaning)| (*form, *meaning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::cursor;

    #[test]
    fn every_word_that_is_proposed_in_a_record_has_a_meaning() {
        assert!(TRIGGERS.is_sorted_by_key(|(word, ..)| *word) && WORDS.is_sorted_by_key(|(word, ..)| *word));
        assert!(cursor::triggers().all(|word| trigger(word).is_some()));
        let records = ["pull_request", "schedule", "upstream", "approval", "register", "runtime", "notify", "needs"];
        let fields = records.into_iter().flat_map(|record| cursor::fields(record).iter());
        let strange: Vec<_> = fields.chain(cursor::words()).filter(|word| of(word).is_none()).collect();
        assert!(strange.is_empty(), "{strange:?}");
        assert!(TRIGGERS.iter().chain(WORDS).all(|(_, _, meaning)| !meaning.ends_with('.')), "the dot is added");
    }
}
