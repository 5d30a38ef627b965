//! Whether what a run reads of a repository is what the commit has: a version names its commit, and whoever looks there
//! has to find what the model was made by. What the settings of one clone hide from git is looked at all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::code::CodeFinder;
use crate::gate;
use crate::host::Error;
use crate::host::git::Git;
use crate::plan::{NodeKind, Plan, RuntimeKind};
use crate::runtime::LOCK_FILE;

/// Every change, whatever this clone's settings say: of what is shown, of submodules, of which marks of a file are believed
/// (git-config(1), `core.*`), and of who is asked instead of the file system.
pub(super) const STATUS: [&str; 14] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.untrackedCache=false",
    "-c",
    "core.checkStat=default",
    "-c",
    "core.trustctime=true",
    "-c",
    "core.useReplaceRefs=false",
    "status",
    "--porcelain",
    "--untracked-files=all",
    "--ignore-submodules=none",
];

/// Returns the first file that is not as HEAD has it, and the way out.
///
/// # Errors
/// When git can't be asked, or the workspace can't be read.
pub(super) fn uncommitted(git: &Git, plan: &Plan, workspace: &Path) -> Result<Option<(String, String)>, Error> {
    let status = git.run(&[STATUS.as_slice(), &["-z"]].concat())?;
    if let Some(changed) = entries(&status).next() {
        let file = changed.get(3..).unwrap_or(&changed);
        return Ok(Some((file.to_owned(), "commit it, or name it in `.gitignore`".to_owned())));
    }
    let top = PathBuf::from(git.line(&["rev-parse", "--show-toplevel"])?);
    let top = top.canonicalize().unwrap_or(top);
    // With the tags of files that git was told not to look at: git-ls-files(1).
    let listed = Git::at(&top).run(&["ls-files", "-v", "-z", "--recurse-submodules"])?;
    let mut tracked = BTreeSet::new();
    for entry in entries(&listed) {
        let Some((tag, file)) = entry.split_once(' ') else { continue };
        let is_sparse = tag.eq_ignore_ascii_case("S");
        let is_hidden = tag.starts_with(|tag: char| tag.is_ascii_lowercase()) || is_sparse;
        // What a sparse checkout left out is not there.
        if is_hidden && (!is_sparse || top.join(file).exists()) {
            let undo = if is_sparse { "--no-skip-worktree" } else { "--no-assume-unchanged" };
            return Ok(Some((file.to_owned(), format!("`git update-index {undo} {file}`, and look at `git diff`"))));
        }
        tracked.insert(file.to_owned());
    }
    let is_tracked = |file: &str| {
        // A link inside the repository leads to another file of it. What is not there is nobody's.
        let real = match workspace.join(file).canonicalize() {
            Ok(real) => real,
            Err(error) => return error.kind() == std::io::ErrorKind::NotFound,
        };
        real.strip_prefix(&top).is_ok_and(|file| file.to_str().is_some_and(|file| tracked.contains(file)))
    };
    let read = reads(plan, workspace)?;
    let unknown = read.into_iter().find(|(file, _)| !is_tracked(file));
    Ok(unknown.map(|(file, is_named)| {
        let help = if is_named {
            "the run reads it: commit it"
        } else {
            "it is code of a stage: commit it, or name it in `.gitignore`"
        };
        (file, help.to_owned())
    }))
}

/// Lists what the run reads besides data: whether each is named outright, by path relative to the workspace.
fn reads(plan: &Plan, workspace: &Path) -> Result<BTreeMap<String, bool>, Error> {
    let finder = CodeFinder::of(plan, workspace);
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
