//! Counts of a JUnit XML file: `total`, `passed`, `failed` (failures and errors) and `skipped`.
//!
//! Test cases are counted one by one and held against what the suites say of themselves: whichever is worse counts.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// How many tests came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub total: u64,
    /// Neither failed nor skipped.
    pub passed: u64,
    /// Failures and errors.
    pub failed: u64,
    /// Not run.
    pub skipped: u64,
}

impl Counts {
    /// Returns the count of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u64> {
        match name {
            "total" => Some(self.total),
            "passed" => Some(self.passed),
            "failed" => Some(self.failed),
            "skipped" => Some(self.skipped),
            _ => None,
        }
    }
}

/// What an open element has said so far.
#[derive(Default)]
struct Open {
    suite: bool,
    case: bool,
    failed: bool,
    skipped: bool,
    counted: Tally,
    said: Tally,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    total: u64,
    failed: u64,
    skipped: u64,
}

/// Counts the tests of a JUnit XML file.
///
/// # Errors
/// The file is not well-formed, is no JUnit file, or contradicts itself.
pub fn count(bytes: &[u8]) -> Result<Counts, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Open> = Vec::new();
    let mut whole = None;
    loop {
        match reader.read_event().map_err(|error| format!("not well-formed XML: {error}"))? {
            Event::Start(_) if whole.is_some() => return Err("more than one root element".to_owned()),
            Event::Start(start) => {
                let element = element(&start)?;
                if open.is_empty() && !element.suite {
                    return Err("not a JUnit file: its root is neither `testsuites` nor `testsuite`".to_owned());
                }
                open.push(element);
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { return Err("an end without a start".to_owned()) };
                match open.last_mut() {
                    Some(parent) if element.case || element.suite => parent.counted.add(element.close()?),
                    // What stands in between passes on what is in it.
                    Some(parent) => {
                        parent.failed |= element.failed;
                        parent.skipped |= element.skipped;
                        parent.counted.add(element.counted);
                    }
                    None => whole = Some(element.close()?),
                }
            }
            Event::DocType(_) => {
                return Err("a document type declaration, which a JUnit file has no use for".to_owned());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match whole {
        Some(tally) if open.is_empty() => tally.counts(),
        _ if !open.is_empty() => Err("the file ends in the middle of an element".to_owned()),
        _ => Err("the file is empty".to_owned()),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Open, String> {
    let mut element = Open::default();
    match start.local_name().as_ref() {
        "testsuites" | "testsuite" => {
            element.suite = true;
            element.said = said(start)?;
        }
        "testcase" => {
            element.case = true;
            for attribute in start.attributes() {
                let attribute = attribute.map_err(|error| format!("not well-formed XML: {error}"))?;
                if matches!(attribute.key.as_ref(), "status" | "result") {
                    element.stands(attribute.value.trim())?;
                }
            }
        }
        "failure" | "error" => element.failed = true,
        "skipped" => element.skipped = true,
        _ => {}
    }
    Ok(element)
}

/// Reads what a suite says of itself; zero for what it does not say.
fn said(start: &BytesStart<'_>) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("not well-formed XML: {error}"))?;
        let counter = match attribute.key.as_ref() {
            "tests" => &mut tally.total,
            "failures" | "errors" => &mut tally.failed,
            "skipped" | "disabled" => &mut tally.skipped,
            _ => continue,
        };
        let text = &attribute.value;
        let number: u64 =
            text.trim().parse().map_err(|_| format!("`{}` is `{text}`, not a count", attribute.key.as_ref()))?;
        *counter = counter.saturating_add(number);
    }
    Ok(tally)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }

    fn counts(self) -> Result<Counts, String> {
        let Self { total, failed, skipped } = self;
        match total.checked_sub(failed).and_then(|rest| rest.checked_sub(skipped)) {
            Some(passed) => Ok(Counts { total, passed, failed, skipped }),
            None => Err(format!("it contradicts itself: {failed} failed and {skipped} skipped of {total} tests")),
        }
    }
}

impl Open {
    /// Takes in how a case says that it stands, as some writers do beside or instead of an element in it.
    fn stands(&mut self, word: &str) -> Result<(), String> {
        match word.to_ascii_lowercase().as_str() {
            "" | "run" | "completed" | "passed" | "pass" | "success" | "ok" => {}
            "notrun" | "skipped" | "suppressed" | "disabled" | "ignored" | "pending" => self.skipped = true,
            "failed" | "failure" | "fail" | "error" | "errored" | "broken" | "timeout" | "aborted" => {
                self.failed = true
            }
            _ => return Err(format!("a test stands as `{word}`, and nothing says whether that is well")),
        }
        Ok(())
    }

    /// Returns what an ended case or suite comes to.
    fn close(&self) -> Result<Tally, String> {
        let mut tally = self.counted;
        if self.case {
            // What failed and was skipped too counts once, as failed.
            let skipped = u64::from(self.skipped && !self.failed);
            tally.add(Tally { total: 1, failed: u64::from(self.failed), skipped });
            return Ok(tally);
        }
        let Tally { total, failed, skipped } = self.said;
        if total > tally.total {
            let shown = tally.total;
            return Err(format!(
                "it says that it has {total} tests and shows {shown}: what became of the rest is not known"
            ));
        }
        // A suite that failed outside its cases, in what it sets up for instance, failed.
        tally.failed = tally.failed.saturating_add(u64::from(self.failed)).max(failed);
        tally.skipped = tally.skipped.max(skipped);
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> (u64, u64, u64, u64) {
        let counts = count(text.as_bytes()).expect(text);
        (counts.total, counts.passed, counts.failed, counts.skipped)
    }

    #[test]
    fn a_file_of_pytest_is_counted() {
        let text = r#"<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
            <testcase name="a"/><testcase name="b"><failure message="x &lt; y">no</failure></testcase>
            <testcase name="c"><error/></testcase><testcase name="d"><skipped/></testcase></testsuite></testsuites>"#;
        assert_eq!(counts(text), (4, 1, 2, 1));
    }

    #[test]
    fn the_worse_of_what_is_said_and_what_is_shown_counts() {
        assert_eq!(
            counts(r#"<testsuite tests="2" failures="0"><testcase/><testcase><failure/></testcase></testsuite>"#),
            (2, 1, 1, 0)
        );
        assert_eq!(counts(r#"<testsuite tests="2" failures="1"><testcase/><testcase/></testsuite>"#), (2, 1, 1, 0));
        assert_eq!(counts(r#"<testsuite errors="1"><testcase name="a"/></testsuite>"#), (1, 0, 1, 0));
        let unsaid = r#"<testsuites failures="1" errors="1"><testcase/><testcase/><testcase/></testsuites>"#;
        assert_eq!(counts(unsaid), (3, 1, 2, 0));
    }

    #[test]
    fn what_failed_anywhere_or_says_that_it_did_not_run_is_seen() {
        let outside = r#"<testsuite tests="2"><testcase/><testcase/><error message="no fixture"/></testsuite>"#;
        assert_eq!(counts(outside), (2, 1, 1, 0));
        let nested = "<testsuite><testcase><testcase><failure/></testcase></testcase><testcase/></testsuite>";
        assert_eq!(counts(nested), (3, 2, 1, 0));
        assert_eq!(counts("<testsuite><group><testcase><error/></testcase></group></testsuite>"), (1, 0, 1, 0));
        let told = r#"<testsuite><testcase status="notrun"/><testcase status="run" result="completed"/><testcase status="FAIL"/></testsuite>"#;
        assert_eq!(counts(told), (3, 1, 1, 1));
    }

    #[test]
    fn nested_suites_are_not_counted_twice_and_nothing_is_zero() {
        let text = r#"<testsuites tests="2"><testsuite tests="2"><testsuite tests="1"><testcase/></testsuite><testcase/></testsuite></testsuites>"#;
        assert_eq!(counts(text), (2, 2, 0, 0));
        assert_eq!(counts("<testsuites/>"), (0, 0, 0, 0));
        assert_eq!(counts(r#"<testsuite tests="0"></testsuite>"#), (0, 0, 0, 0));
    }

    #[test]
    fn what_is_cut_or_is_something_else_is_refused() {
        for text in [
            "",
            "no",
            "<html/>",
            "<testsuite>",
            "<testsuite><testcase></testsuite>",
            r#"<testsuite tests="many"/>"#,
            r#"<testsuite tests="1" failures="2"/>"#,
            r#"<testsuite tests="-1"/>"#,
            r#"<testsuite tests="5" failures="0"/>"#,
            r#"<testsuite tests="2"><testcase/></testsuite>"#,
            r#"<testsuites tests="2"><testsuite><testcase/></testsuite></testsuites>"#,
            r#"<testsuite errors="1"/>"#,
            r#"<testsuite><testcase status="odd"/></testsuite>"#,
            "<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite/>",
            "<testsuite/><testsuite/>",
        ] {
            assert!(count(text.as_bytes()).is_err(), "{text}");
        }
    }
}
