//! Plays the console blocks of the tour in a copy of the quickstart, in order, and compares what they print.
//!
//! A block holds commands behind `$ `; `? 10` behind a command is its exit code where that is not 0. In the expected text `[..]`
//! stands for anything on a line, and a line `...` for any lines. `BLESS=1` writes what was printed.

use crate::markdown::blocks;
use crate::sandbox::{Ended, Sandbox, repository};

struct Step {
    line: usize,
    command: String,
    code: i32,
    expected: Vec<String>,
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in blocks(page).into_iter().filter(|block| block.info == "console") {
        for (at, line) in block.text.lines().enumerate() {
            let line = line.trim_end();
            if let Some(command) = line.strip_prefix("$ ") {
                let step =
                    Step { line: block.line + at + 1, command: command.to_owned(), code: 0, expected: Vec::new() };
                steps.push(step);
            } else if let (Some(code), Some(step)) = (line.strip_prefix("? "), steps.last_mut()) {
                step.code = code.parse().expect("an exit code stands behind `?`");
            } else {
                steps.last_mut().expect("a block begins with a command").expected.push(line.to_owned());
            }
        }
    }
    steps
}

/// Tells whether the lines are as expected, in any order, since stages run side by side; `...` stands for any others.
fn fits(expected: &[String], lines: &[&str]) -> bool {
    let plain = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut left: Vec<_> = lines.iter().map(|line| plain(line)).collect();
    for want in expected.iter().filter(|want| *want != "...") {
        let Some(at) = left.iter().position(|line| line_fits(&plain(want), line)) else { return false };
        left.remove(at);
    }
    left.is_empty() || expected.iter().any(|want| want == "...")
}

fn line_fits(want: &str, line: &str) -> bool {
    let mut parts = want.split("[..]");
    let Some(mut left) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return left.is_empty() };
    for part in parts {
        match left.split_once(part) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(last)
}

#[test]
fn the_tour_happens_as_told() {
    let sandbox = Sandbox::copy_of("examples/quickstart");
    let count = play("book/src/tour.md", |command| sandbox.shell(command));
    assert!(count >= 10, "the tour has lost its steps: {count} are left");
}

/// Plays the console blocks of a page, and returns how many commands there were.
pub(crate) fn play(path: &str, shell: impl Fn(&str) -> Ended) -> usize {
    let page = std::fs::read_to_string(repository().join(path)).expect("the page");
    let steps = steps(&page);
    let count = steps.len();
    let mut told = String::new();
    let mut at = 0;
    for step in steps {
        let ended = shell(&format!("{{ {}\n}} 2>&1", step.command));
        let lines: Vec<_> = ended.stdout.lines().map(str::trim_end).collect();
        let place = format!("{path}:{}\n$ {}\n{}", step.line, step.command, ended.stdout);
        assert_eq!(ended.code, step.code, "{place}");
        if std::env::var_os("BLESS").is_some() {
            let head = step.line + usize::from(step.code != 0);
            told.extend(page.lines().take(head).skip(at).map(|line| format!("{line}\n")));
            told.extend(lines.iter().map(|line| elided(line) + "\n"));
            at = head + step.expected.len();
            continue;
        }
        assert!(fits(&step.expected, &lines), "{place}\nexpected:\n{}", step.expected.join("\n"));
    }
    if at > 0 {
        told.extend(page.lines().skip(at).map(|line| format!("{line}\n")));
        std::fs::write(repository().join(path), told).expect("the page is written");
    }
    count
}

/// Puts `[..]` where a line differs from run to run or from one Python to the next: dates, digests, durations, last digits.
fn elided(line: &str) -> String {
    let line = line.split(' ').map(elided_word).collect::<Vec<_>>().join(" ");
    let timed = line.ends_with(" s") || line.ends_with(" ms");
    match line.split_once(" done in ").or_else(|| line.rsplit_once("; ")) {
        Some((what, _)) if timed && line.contains(" done in ") => format!("{what} done in [..]"),
        Some((what, _)) if timed => format!("{what}; [..]"),
        _ => line,
    }
}

fn elided_word(word: &str) -> String {
    if let Some((name, _)) = word.split_once("=").filter(|(name, hex)| name.ends_with("digest") && hex.len() >= 8) {
        return format!("{name}=[..]");
    }
    // A version inside a longer word, such as an address.
    if let Some((before, rest)) =
        word.split_once("v20").filter(|(before, _)| before.ends_with(['-', '/', '@', '=', '"', ':']))
    {
        let end = rest.find(|c: char| !c.is_ascii_hexdigit() && c != '-').unwrap_or(rest.len());
        return format!("{before}v[..]{}", elided_word(&rest[end..]));
    }
    let core = word.trim_matches(|c: char| "`,();".contains(c));
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    let hex = |text: &str| text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = match core {
        _ if core.starts_with("v20") && core.contains('-') => "v[..]".to_owned(),
        _ if core.starts_with("20") && core.contains('T') => "[..]".to_owned(),
        _ if core.contains('.')
            && core.ends_with('s')
            && core.trim_end_matches(char::is_alphabetic).parse::<f64>().is_ok() =>
        {
            "[..]".to_owned()
        }
        _ if core.starts_with("blake3:") => "blake3:[..]".to_owned(),
        _ if core.strip_suffix('B').is_some_and(|size| size.parse::<u64>().is_ok()) => "[..]B".to_owned(),
        _ if hex(core) => "[..]".to_owned(),
        _ if digits > 6 && core.parse::<f64>().is_ok() => {
            let kept = core.find('.').map_or(core.len(), |dot| (dot + 5).min(core.len()));
            format!("{}[..]", &core[..kept])
        }
        _ => return word.to_owned(),
    };
    word.replacen(core, &short, 1)
}

#[test]
fn a_wildcard_stands_for_what_it_says() {
    let expected = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(line_fits("took [..] s", "took 1.2 s"));
    assert!(!line_fits("took [..] s", "took 1.2 ms or"));
    assert!(!line_fits("took", "took 1"));
    assert!(fits(&expected("a\n...\nz"), &["a", "b", "c", "z"]));
    assert!(fits(&expected("a\nb"), &["b", "  a"]));
    assert!(fits(&expected("a\n..."), &["a"]));
    assert!(!fits(&expected("a\n...\nz"), &["a", "b"]));
    assert!(!fits(&expected("a\na"), &["a"]));
    assert!(!fits(&expected("a"), &["a", "b"]));
}
