//! What a pull request is told of its run: what gates found, and the plots and reports that its trigger names. Made of what the jobs
//! of the run handed on, and of what became of those that handed on nothing.

use std::collections::BTreeMap;

use super::exchange::output;
use super::{Answer, Job, Received, Settled, Status, Trouble};
use crate::gate::Report;
use crate::gate::remark::remark;
use crate::gate::render::{code, prose, sign, verdict_text};
use crate::host::fs::{self, join_inside};
use crate::judge;
use crate::past::marked;
use crate::plan::{NodeKind, Shown};
use crate::shown;

/// Bytes of a comment. GitHub takes 65,536 characters ("body is too long (maximum is 65536 characters)"), of which none is shorter
/// than a byte.
const COMMENT: usize = 65_536;

/// Bytes of a report that are shown.
const TEXT: usize = 8 << 10;

/// Bytes of a file that is read to be drawn.
const FILE: u64 = 8 << 20;

/// Gates that the first line names.
const NAMED: usize = 24;

/// What the platform says of a node's job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// How it ended; none where it is no job of the run.
    pub settled: Option<Settled>,
    /// Where what it handed on is kept, for whoever wants to see the whole of it.
    pub artifact: Option<String>,
}

/// A run, as the comment names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Its address.
    pub address: String,
    /// The platform's number of it.
    pub run: String,
    /// The commit that is to be merged.
    pub head: String,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The line by which it is found again.
    pub marker: String,
    head: String,
    parts: Vec<String>,
    address: String,
}

/// One gate or output, as it is shown.
struct Part {
    /// A gate's verdict in a few words, and whether it is as it should be.
    verdict: Option<(String, bool)>,
    text: String,
}

impl Comment {
    /// Writes all of it.
    #[must_use]
    pub fn whole(&self) -> String {
        format!("{}\n{}{}", self.marker, self.head, self.parts.concat())
    }

    /// Writes as much of it as a platform takes, whole parts alone: cut in two, a part would be read as something else.
    #[must_use]
    pub fn fitted(&self) -> String {
        self.within(COMMENT)
    }

    fn within(&self, most: usize) -> String {
        let whole = self.whole();
        if whole.len() <= most {
            return whole;
        }
        let rest = format!("\n*Cut here: the rest stands in the summary of [this run]({}).*\n", self.address);
        let mut text = format!("{}\n{}", self.marker, self.head);
        for part in &self.parts {
            if text.len() + part.len() + rest.len() > most {
                break;
            }
            text.push_str(part);
        }
        text + &rest
    }
}

/// Makes the comment of a run. `told` says of each node what became of its job.
pub fn comment(
    job: &Job<'_>,
    shown: &[Shown],
    received: &Received,
    told: &BTreeMap<&str, Told>,
    about: &About,
) -> Result<Comment, Trouble> {
    let bound = job.bound;
    let mut parts = Vec::with_capacity(shown.len());
    for one in shown {
        let told = told.get(one.node()).cloned().unwrap_or_default();
        parts.push(match one {
            Shown::Gate(gate) => self::gate(job, gate, received.answers.get(gate), &told)?,
            Shown::Output { stage, output } => drawn(job, (stage, output), received.answers.get(stage), &told, about)?,
        });
    }
    let mut verdicts: Vec<&(String, bool)> = parts.iter().filter_map(|part| part.verdict.as_ref()).collect();
    if verdicts.len() > NAMED {
        // What is not as it should be is never among those that are only counted.
        verdicts.sort_by_key(|(_, well)| *well);
    }
    let mut named: Vec<String> = verdicts.iter().take(NAMED).map(|(text, _)| text.clone()).collect();
    if verdicts.len() > NAMED {
        named.push(format!("and {} more", verdicts.len() - NAMED));
    }
    let named = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
    let mut head = format!("### `{}`{named}\n\n", bound.plan.pipeline);
    match (&bound.profile, bound.gates_block) {
        (Some(profile), true) => head.push_str(&format!("Profile `{profile}`. ")),
        (Some(profile), false) => {
            head.push_str(&format!("Profile `{profile}`, under which gates are advisory: they hold nothing back. "));
        }
        (None, _) => {}
    }
    let commit = about.head.get(..10).unwrap_or(&about.head);
    head.push_str(&format!("Commit {}, [this run]({}).\n", code(commit), about.address));
    Ok(Comment {
        marker: format!("<!-- mlpc: {} -->", bound.plan.pipeline),
        head,
        parts: parts.into_iter().map(|part| format!("\n{}", part.text)).collect(),
        address: about.address.clone(),
    })
}

fn gate(job: &Job<'_>, gate: &str, answer: Option<&Answer>, told: &Told) -> Result<Part, Trouble> {
    let none = |why: &str| Part {
        verdict: Some((format!("➖ `{gate}` not evaluated"), false)),
        text: format!("#### ➖ `{gate}`: not evaluated\n\n{}.\n", prose(why)),
    };
    let Some(answer) = answer else { return Ok(none(&absent(job, gate, told))) };
    let report = answer.texts.get(&judge::report_path(&job.bound.prefix, gate));
    let (Some(report), Some(_), Some(NodeKind::Gate(declared))) =
        (report, &answer.gate, job.bound.plan.node(gate).map(|node| &node.kind))
    else {
        return Ok(none(answer.reason.as_deref().unwrap_or("its job handed on no report")));
    };
    let report =
        Report::from_json(report).map_err(|why| Trouble::unsound(format!("what `{gate}` handed on is {why}")))?;
    Ok(Part {
        verdict: Some((format!("{} `{gate}` {}", sign(&report), verdict_text(&report)), report.verdict.lets_go_on())),
        text: remark(declared, &job.bound.plan.metrics, &report),
    })
}

/// Says why a node handed nothing on.
fn absent(job: &Job<'_>, node: &str, told: &Told) -> String {
    match (told.settled, job.left_out.get(node)) {
        (Some(Settled::Skipped) | None, Some(skip)) => skip.told(node),
        (Some(Settled::Skipped), None) => "its job was skipped: something before it did not come out well".to_owned(),
        (Some(Settled::Failed), _) => "its job failed".to_owned(),
        (Some(Settled::Cancelled), _) => "its job was cancelled".to_owned(),
        (Some(Settled::Success), _) => "what its job handed on did not arrive".to_owned(),
        (None, None) => "no job of this run is of it".to_owned(),
    }
}

fn drawn(
    job: &Job<'_>,
    (stage, name): (&str, &str),
    answer: Option<&Answer>,
    told: &Told,
    about: &About,
) -> Result<Part, Trouble> {
    let head = format!("#### `{stage}.{name}`\n\n");
    let part = |text: String| Ok(Part { verdict: None, text: format!("{head}{text}") });
    let not_there = |why: &str| part(format!("Not there: {}.\n", prose(why)));
    let Some(answer) = answer else { return not_there(&absent(job, stage, told)) };
    let failed = answer.status == Status::Failed;
    let Some(made) = answer.outputs.get(name) else {
        let why = answer.reason.as_deref().filter(|_| failed);
        return not_there(why.unwrap_or("its job handed it on neither as a file nor as a folder"));
    };
    let declared = output(&job.bound.plan, stage, name)
        .ok_or_else(|| Trouble::unsound(format!("the plan has no output `{stage}.{name}`")))?;
    let found = if made.folder {
        Err("it is a folder".to_owned())
    } else {
        let path = join_inside(&job.setup.workspace, &declared.publish)?;
        let bytes = std::fs::metadata(&path).map_or(0, |about| about.len());
        match (bytes > FILE, declared.kind == crate::plan::OutputKind::Artifact(crate::types::Artifact::Plot)) {
            (true, _) => Err(format!("it has {bytes} bytes")),
            (false, true) => marked(&format!("{stage}.{name}"), &fs::read(&path)?),
            (false, false) => text(&fs::read(&path)?, &declared.publish),
        }
    };
    let mut shown = match found {
        Ok(shown) => shown,
        Err(why) => {
            let kept = told.artifact.as_ref().map(|artifact| {
                format!(" It is `files/{name}` of the artifact: `gh run download {} --name {artifact}`.", about.run)
            });
            format!("Not shown here: {}.{}\n", prose(&why), kept.unwrap_or_default())
        }
    };
    if failed {
        shown.push_str("\nIts stage failed, and this is what it left.\n");
    }
    part(shown)
}

/// Shows a text as text; `Err` says in words why it is none.
fn text(bytes: &[u8], path: &str) -> Result<String, String> {
    let whole = std::str::from_utf8(bytes).map_err(|_| format!("it is no text, but {} bytes", bytes.len()))?;
    if whole.contains('\0') {
        return Err(format!("it is no text, but {} bytes", bytes.len()));
    }
    let page = [".html", ".htm", ".svg", ".xml"].iter().any(|end| path.to_lowercase().ends_with(end));
    if page || whole.trim_start().to_lowercase().starts_with("<!doctype") {
        return Err("it is a page for a browser".to_owned());
    }
    let mut end = whole.len().min(TEXT);
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    let cut = if end < whole.len() { format!("\nThe first {end} of {} bytes.\n", whole.len()) } else { String::new() };
    let shown = whole[..end].replace("\r\n", "\n");
    let shown = shown::lines(&shown);
    // What is fenced by more backticks than stand in it anywhere can't leave the fence.
    let most = shown.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(most.max(2) + 1);
    let summary = path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;");
    let summary = shown::name(&summary);
    Ok(format!(
        "<details><summary><code>{summary}</code></summary>\n\n{fence}text\n{}\n{fence}\n{cut}\n</details>\n",
        shown.trim_end_matches('\n')
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_fence() {
        let foul = "# hi @you\r\n```\n</details><img src=x>\n````\n\u{1b}[31m <!-- x -->";
        let shown = text(foul.as_bytes(), "out/a<b>.md").expect("a text");
        insta::assert_snapshot!(shown, @r"
        <details><summary><code>out/a&lt;b&gt;.md</code></summary>

        `````text
        # hi @you
        ```
        </details><img src=x>
        ````
        \u{1b}[31m <!-- x -->
        `````

        </details>
        ");
        let long = text("é".repeat(TEXT).as_bytes(), "a.md").expect("a text");
        assert!(long.len() < TEXT + 200 && long.contains("The first 8192 of 16384 bytes."), "{}", long.len());
        for (bytes, path) in
            [(&b"\xff\xfe"[..], "a.txt"), (b"a\0b", "a.txt"), (b"<p>", "a.HTML"), (b" <!DOCTYPE x", "a")]
        {
            assert!(text(bytes, path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_comment_is_cut_between_its_parts_and_says_where_the_rest_is() {
        let comment = Comment {
            marker: "<!-- mlpc: p -->".into(),
            head: "### `p`\n".into(),
            parts: vec!["\none\n".into(), "\ntwo two two two two\n".into(), "\nx\n".into()],
            address: "https://h/r".into(),
        };
        assert_eq!(comment.within(1000), comment.whole());
        let whole = comment.whole().len();
        assert_eq!(comment.within(whole), comment.whole());
        let large = Comment { parts: vec!["\none\n".into(), "é".repeat(COMMENT), "\nx\n".into()], ..comment };
        let cut = large.fitted();
        assert!(cut.len() <= COMMENT && cut.ends_with("of [this run](https://h/r).*\n"), "{cut}");
        assert!(cut.starts_with("<!-- mlpc: p -->\n### `p`\n\none\n\n*Cut here"), "{cut}");
    }
}
