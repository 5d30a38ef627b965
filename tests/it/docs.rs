//! README, book and examples say what is so: every `mlp` block is checked, every link leads somewhere, every page is in the summary,
//! and what is generated from the catalogue is as generated.
//!
//! `BLESS=1 cargo test docs` writes the generated parts.

use std::path::{Path, PathBuf};

use crate::markdown::{blocks, check};
use crate::sandbox::{Sandbox, repository, tracked};

fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec![PathBuf::from("README.md"), "CHANGELOG.md".into()];
    for folder in ["book/src", "examples"] {
        paths.extend(tracked(&repository().join(folder)).into_iter().map(|path| Path::new(folder).join(path)));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let read = |path: PathBuf| (std::fs::read_to_string(repository().join(&path)).expect("a page"), path);
    paths.into_iter().map(read).map(|(text, path)| (path, text)).collect()
}

/// The pages of diagnostics are played by `errors`, since their blocks are meant to fail.
pub(crate) fn lessons() -> impl Iterator<Item = (PathBuf, String)> {
    pages().into_iter().filter(|(path, _)| !path.starts_with("book/src/errors"))
}

#[test]
fn every_mlp_block_is_clean() {
    let mut count = 0;
    let mut wrong = String::new();
    for (path, page) in lessons() {
        for block in blocks(&page) {
            let words: Vec<_> = block.info.split_whitespace().collect();
            let (codes, ended) = match words.first() {
                Some(&"mlp") => check(&block.text),
                _ => continue,
            };
            count += 1;
            let right = match words[1..] {
                [] => codes.is_empty() && ended.code == 0,
                _ => false,
            };
            if !right {
                let place = format!("{}:{} `{}`", path.display(), block.line, block.info);
                wrong += &format!("{place} gives {codes:?}\n{}\n", ended.stdout);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 20, "the book has lost its examples: {count} are left");
}

/// A block that no test looks into must not look like one of ours: an excerpt stands word for word in an example.
#[test]
fn no_block_is_left_unchecked() {
    let examples: Vec<_> = tracked(&repository().join("examples"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "mlp"))
        .map(|path| std::fs::read_to_string(repository().join("examples").join(path)).expect("an example"))
        .collect();
    let mut wrong = String::new();
    for (path, page) in lessons().filter(|(path, _)| !path.ends_with("grammar.md")) {
        for block in blocks(&page) {
            let place = format!("{}:{} `{}`", path.display(), block.line, block.info);
            let excerpt = || examples.iter().any(|example| example.contains(&block.text));
            match block.info.split_whitespace().next() {
                Some("mlp") => {}
                Some("text" | "console" | "sh" | "lua" | "toml") if !of_ours(&block.text) || excerpt() => {}
                Some("text" | "console" | "sh" | "lua" | "toml") => {
                    wrong += &format!("{place} looks like mlp: say so, or quote an example\n")
                }
                Some("yaml") => {
                    let read = serde_yaml::from_str::<serde_yaml::Value>(&block.text);
                    wrong += &read.err().map_or_else(String::new, |problem| format!("{place}: {problem}\n"));
                }
                Some("json") => {
                    let read = serde_json::from_str::<serde_json::Value>(&block.text);
                    wrong += &read.err().map_or_else(String::new, |problem| format!("{place}: {problem}\n"));
                }
                Some("python") => {
                    let sandbox = Sandbox::new();
                    sandbox.file("block.py", &block.text);
                    let ended = sandbox.shell("python3 -m py_compile block.py");
                    wrong += &if ended.code == 0 { String::new() } else { format!("{place}: {}\n", ended.stderr) };
                }
                _ => wrong += &format!("{place} is of a kind that nothing checks\n"),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Tells whether a text has the head of one of our declarations in it.
fn of_ours(text: &str) -> bool {
    let keywords = [
        "param", "stage", "gate", "action", "rollout", "register", "promote", "approval", "source", "metrics",
        "profile",
    ];
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|word| line.starts_with(word) && keywords.contains(&word))
            && words.next().is_some_and(|name| {
                name.trim_end_matches(':').bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            })
            && line.ends_with(['{', '}', '"', '@']) | line.contains(" = ")
    })
}

#[test]
fn what_looks_like_ours_is_told_from_the_rest() {
    assert!(of_ours("gate quality on evaluate.report {"));
    assert!(of_ours("x\nparam epochs: int in 1..500 = 20"));
    assert!(!of_ours("gate quality: pass"));
    assert!(!of_ours("  param epochs: int = 1"));
    assert!(!of_ours("release = train.model"));
}

#[test]
fn the_first_two_sh_blocks_of_the_readme_are_its_two_commands() {
    let page = std::fs::read_to_string(repository().join("README.md")).expect("README.md");
    let commands: Vec<_> = blocks(&page).into_iter().filter(|block| block.info == "sh").take(2).collect();
    assert_eq!(commands.len(), 2);
    for block in &commands {
        assert_eq!(block.text.lines().count(), 1, "one line each: {}", block.text);
    }
    assert!(commands[0].text.contains("mlpc run"), "the first runs the quickstart");
    assert!(commands[1].text.starts_with("cargo test"), "the second passes the tests");
}

#[test]
fn links_lead_somewhere() {
    let mut broken = String::new();
    for (path, page) in pages() {
        let folder = repository().join(path.parent().expect("a page stands in a folder"));
        for (at, line) in outside_fences(&page) {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
                let file = link.split('#').next().unwrap_or_default();
                if !file.is_empty() && !file.contains("://") && !folder.join(file).exists() {
                    broken += &format!("{}:{at} {link}\n", path.display());
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn the_summary_lists_every_page() {
    let summary = std::fs::read_to_string(repository().join("book/src/SUMMARY.md")).expect("SUMMARY.md");
    for path in tracked(&repository().join("book/src")) {
        let name = path.to_str().expect("a plain name");
        if !name.ends_with(".md") {
            continue;
        }
        let listed = summary.matches(&format!("]({name})")).count();
        assert!(name == "SUMMARY.md" || listed == 1, "{name} stands {listed} times in SUMMARY.md");
    }
}

#[test]
fn the_generated_parts_are_as_generated() {
    let codes: Vec<_> = mlpc::diagnostic::catalogue::all().collect();
    let listed: String = codes.iter().map(|code| format!("  - [{0}](errors/{0}.md)\n", code.name())).collect();
    let told: String =
        codes.iter().map(|code| format!("- [`{0}`]({0}.md): {1}\n", code.name(), summary(code.page()))).collect();
    generated("book/src/SUMMARY.md", "- [Diagnostics](errors/README.md)\n", &listed);
    generated("book/src/errors/README.md", "## All codes\n\n", &told);
    generated("book/src/verbs.md", "## Reference\n\n", &reference());
}

/// What `--help` says of every verb.
fn reference() -> String {
    let mut text = String::new();
    let mut top = mlpc::cli::command().term_width(100);
    top.build();
    for verb in top.get_subcommands_mut().filter(|verb| verb.get_name() != "help") {
        let help = verb.render_long_help().to_string();
        let lines: String = help.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        text += &format!("### mlpc {}\n\n```text\n{lines}```\n\n", verb.get_name());
    }
    text.trim_end().to_owned() + "\n"
}

/// The first paragraph of a diagnostic's page, on one line.
fn summary(page: &str) -> String {
    page.split("\n\n").nth(1).unwrap_or_default().trim().replace('\n', " ")
}

/// Compares what stands behind `mark` in a file with what is generated, or writes it.
fn generated(path: &str, mark: &str, text: &str) {
    let file = repository().join(path);
    let old = std::fs::read_to_string(&file).expect("the page");
    let (before, after) = old.split_once(mark).unwrap_or_else(|| panic!("{path} has no line {mark:?}"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, format!("{before}{mark}{text}")).expect("the page is written");
    } else {
        let differs = after.lines().zip(text.lines()).find(|(kept, now)| kept != now);
        assert!(after == text, "{path} is out of date, first at {differs:?}: BLESS=1 cargo test docs");
    }
}

fn outside_fences(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    page.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.starts_with("```");
        inside ^= fence;
        (!inside && !fence).then_some((at + 1, line))
    })
}
