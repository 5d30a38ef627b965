//! Whether what a run reads of a repository is what the commit has: a version names its commit, and whoever looks there
//! has to find what the model was made by. What the settings of one clone hide from git, or turn into other bytes, is
//! looked at all the same.

mod bytes;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::bytes::{Other, Read};
use self::tree::{Leads, Tree};
use crate::code::CodeFinder;
use crate::gate;
use crate::host::Error;
use crate::host::git::Git;
use crate::plan::{NodeKind, Plan, RuntimeKind};
use crate::runtime::LOCK_FILE;

/// Every change, whatever this clone's settings say: of what is shown, of submodules, of which marks of a file are believed
/// (git-config(1), `core.*`), and of who is asked instead of the file system.
pub(super) const STATUS: [&str; 12] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.untrackedCache=false",
    "-c",
    "core.checkStat=default",
    "-c",
    "core.trustctime=true",
    "status",
    "--porcelain",
    "--untracked-files=all",
    "--ignore-submodules=none",
];

/// What is not as the commit has it.
pub(super) struct Uncommitted {
    /// What a release needs, and what there is; behind "needs".
    pub(super) why: String,
    /// The way out.
    pub(super) help: String,
}

/// Returns the first file that is not as HEAD has it.
///
/// # Errors
/// When git can't be asked, or the workspace can't be read.
pub(super) fn uncommitted(git: &Git, plan: &Plan, workspace: &Path) -> Result<Option<Uncommitted>, Error> {
    let status = git.run(&[STATUS.as_slice(), &["-z"]].concat())?;
    if let Some(changed) = entries(&status).next() {
        let file = changed.get(3..).unwrap_or(&changed);
        return Ok(Some(unclean(file, "commit it, or name it in `.gitignore`".to_owned())));
    }
    let top = PathBuf::from(git.line(&["rev-parse", "--show-toplevel"])?);
    let top = top.canonicalize().unwrap_or(top);
    // With the tags of files that git was told not to look at: git-ls-files(1).
    let listed = Git::at(&top).run(&["ls-files", "-v", "-z", "--recurse-submodules"])?;
    let (mut tracked, mut left_out) = (Vec::new(), BTreeSet::new());
    for entry in entries(&listed) {
        let Some((tag, file)) = entry.split_once(' ') else { continue };
        tracked.push(file.to_owned());
        let is_sparse = tag.eq_ignore_ascii_case("S");
        let is_hidden = tag.starts_with(|tag: char| tag.is_ascii_lowercase()) || is_sparse;
        if is_sparse && !top.join(file).exists() {
            left_out.insert(file.to_owned());
        } else if is_hidden {
            let undo = if is_sparse { "--no-skip-worktree" } else { "--no-assume-unchanged" };
            return Ok(Some(unclean(file, format!("`git update-index {undo} {file}`, and look at `git diff`"))));
        }
    }
    let tree = Tree::at_head(&top)?;
    let folder = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    let finder = CodeFinder::of(plan, workspace);
    let read_here = reads(plan, &finder)?;
    // What is code in a clone of the commit, and is not read here.
    let below = folder.strip_prefix(&top).ok().and_then(Path::to_str).unwrap_or_default();
    let inside = |file: &'_ String| Path::new(file).strip_prefix(below).ok().and_then(Path::to_str).map(str::to_owned);
    let inside: Vec<String> = tracked.iter().filter_map(inside).filter(|file| !read_here.contains_key(file)).collect();
    let patterns: Vec<&str> = plan.code_patterns().into_iter().collect();
    let unread = finder.would_find(&patterns, &inside.iter().map(String::as_str).collect::<Vec<_>>())?;
    for missing in &unread {
        let file = Path::new(below).join(missing).to_string_lossy().into_owned();
        if left_out.contains(&file) {
            return Ok(Some(told(missing, Other::Absent)));
        }
    }
    // A link to a folder is no code, whatever is in there.
    let unread: Vec<&str> = unread.into_iter().filter(|file| folder.join(file).is_file()).collect();
    if let Some(hidden) = hidden(&tree, &top, below, &unread)? {
        return Ok(Some(told(hidden, Other::Hidden)));
    }
    let mut read = Vec::new();
    for (file, is_named) in read_here {
        match tree.follow(&folder.join(&file)) {
            Leads::To { file: real, links } => read.push(Read { file, real, links }),
            // What is nowhere can't be read.
            Leads::Nowhere => {}
            Leads::Aside(link) => {
                let place = top.join(link);
                let name = place.strip_prefix(&folder).ok().and_then(Path::to_str).unwrap_or(&file);
                let help = if is_named {
                    "the run reads it: commit it"
                } else {
                    "it is code of a stage: commit it, or name it in `.gitignore`"
                };
                return Ok(Some(unclean(name, help.to_owned())));
            }
        }
    }
    let other = bytes::other(&tree, &read)?;
    Ok(other.map(|(file, other)| told(file, other)))
}

/// Returns the first of the tracked files that no `.gitignore` of the commit ignores: what hides it stands in this clone, or above it.
fn hidden<'f>(tree: &Tree, top: &Path, below: &str, unread: &[&'f str]) -> Result<Option<&'f str>, Error> {
    if unread.is_empty() {
        return Ok(None);
    }
    let files: Vec<String> =
        unread.iter().map(|file| Path::new(below).join(file).to_string_lossy().into_owned()).collect();
    let asked: String = files.iter().map(|file| format!("{file}\0")).collect();
    // The command reads names as they are, and refuses to be told so.
    let git = Git::at(top).with("GIT_LITERAL_PATHSPECS", "0");
    let answer = git.ask_from(&["check-ignore", "--verbose", "-z", "--no-index", "--stdin"], asked.as_bytes())?;
    // Who says so, in which line, by which pattern, of which file: git-check-ignore(1). A file that nobody ignores is not among them.
    let told: Vec<String> = String::from_utf8_lossy(&answer.stdout).split('\0').map(str::to_owned).collect();
    let of_commit = told.chunks_exact(4).filter(|told| !told[2].starts_with('!') && tree.get(&told[0]).is_some());
    let by_commit: BTreeSet<&str> = of_commit.map(|told| told[3].as_str()).collect();
    Ok(unread.iter().zip(&files).find(|(_, file)| !by_commit.contains(file.as_str())).map(|(file, _)| *file))
}

/// Says that something of the work tree is not in the commit.
fn unclean(file: &str, help: String) -> Uncommitted {
    Uncommitted { why: format!("a clean tree, and `{file}` is not committed"), help }
}

/// Says how a file differs from what a clone of the commit has, where git itself calls the tree clean.
fn told(file: &str, other: Other) -> Uncommitted {
    let again = format!("then `rm {file}` and `git checkout -- {file}`");
    let (what, help) = match other {
        Other::Absent => (
            format!("`{file}` is not here"),
            "`git sparse-checkout disable`, or `git sparse-checkout add` with its folder".to_owned(),
        ),
        Other::Hidden => (
            format!("`{file}` is left out here by an ignore file that the commit has not"),
            format!(
                "`git check-ignore -v --no-index {file}` says which; else it is a `.gitignore` in a folder above the repository: \
                 take the line out, or release from a fresh clone"
            ),
        ),
        Other::Executable(here) => {
            let (which, sign) = if here { ("here alone", '-') } else { ("everywhere but here", '+') };
            let help = format!("`chmod {sign}x {file}`; or `git config core.fileMode true`, and commit the change");
            (format!("`{file}` is executable {which}"), help)
        }
        Other::Link(link) => (
            format!("the link `{link}` leads elsewhere here"),
            format!("`git config core.symlinks true`, then `rm {link}` and `git checkout -- {link}`"),
        ),
        Other::LineEnds => (
            format!("the lines of `{file}` end in another way here: a setting of this clone converts them"),
            format!(
                "`git config core.autocrlf false`, {again}; or say in `.gitattributes` how its lines end (`eol=crlf`), and \
                 commit that"
            ),
        ),
        Other::Bytes => (
            format!("`{file}` has other bytes here: a filter of this clone stands between them"),
            format!(
                "take the filter away (`filter` in `.git/info/attributes`, or `filter.….clean` in `git config`), {again}; \
                 or release from a fresh clone"
            ),
        ),
    };
    Uncommitted { why: format!("what the commit has, and {what}"), help }
}

/// Lists what the run reads besides data: whether each is named outright, by path relative to the workspace.
fn reads(plan: &Plan, finder: &CodeFinder) -> Result<BTreeMap<String, bool>, Error> {
    let patterns: Vec<String> = plan.code_patterns().into_iter().map(str::to_owned).collect();
    let code = finder.files(&patterns)?.into_iter().filter(|(file, _)| !finder.is_output(file));
    let mut read: BTreeMap<String, bool> = code
        .map(|(file, pattern)| {
            let is_named = file == pattern.trim_start_matches("./");
            (file, is_named)
        })
        .collect();
    let software = plan.runtimes.iter().filter_map(|runtime| match &runtime.kind {
        RuntimeKind::Python { requirements, .. } => requirements.as_ref(),
        RuntimeKind::Dockerfile { path } => Some(path),
        RuntimeKind::Image { .. } => None,
    });
    let params = plan.params.iter().filter_map(|param| param.from.as_ref()).map(|from| &from.file);
    let gates = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Gate(gate) => Some(gate),
        _ => None,
    });
    let against: BTreeSet<String> = gates.flat_map(|gate| gate::references(gate)).collect();
    let declared = plan.places.values().map(|place| &place.file);
    let lock = LOCK_FILE.to_owned();
    read.extend(software.chain(params).chain(&against).chain(declared).chain([&lock]).map(|file| (file.clone(), true)));
    Ok(read)
}

/// Splits what git ends with NUL each.
fn entries(listed: &[u8]) -> impl Iterator<Item = String> {
    listed
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| String::from_utf8_lossy(entry).into_owned())
}
