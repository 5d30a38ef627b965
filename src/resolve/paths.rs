//! Paths as users write them: relative to the workspace, inside it, in one spelling.

use super::cx::Cx;
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Spanned;
use crate::types::filter;

/// Returns the path in its one spelling, or says why it is none inside the workspace.
pub(super) fn inside(cx: &mut Cx<'_>, path: &Spanned<String>) -> Option<Spanned<String>> {
    match normal(&path.value) {
        Ok(normal) => Some(Spanned::new(normal, path.span)),
        Err(why) => cx.report(
            Diagnostic::new(codes::PATH_OUTSIDE, path.span, format!("`{}` {why}", path.value))
                .help("write a path relative to the folder of this file"),
        ),
    }
}

/// Returns the path of a registry in its one spelling: anywhere, but not where mlpc or Git keep what may be thrown away.
pub(super) fn registry(cx: &mut Cx<'_>, path: &Spanned<String>) -> Option<String> {
    let text = path.value.trim_end_matches('/');
    let outside = text.is_empty() || text.starts_with(['/', '~']);
    let spelled = match normal(text) {
        _ if outside => Ok(if text.is_empty() { "/" } else { text }.to_owned()),
        // A folder beside the workspace may be shared.
        Err(OUTSIDE) => Ok(text.to_owned()),
        other => other,
    };
    let git = |path: &String| path.split('/').any(|part| part.eq_ignore_ascii_case(".git"));
    match spelled {
        Ok(spelled) if git(&spelled) => cx.report(
            Diagnostic::new(
                codes::PATH_OUTSIDE,
                path.span,
                format!("`{}` lies in `.git`, which is Git's own", path.value),
            )
            .help("keep the registry in a folder of its own, or in a branch: `git(\"mlpc-registry\")`"),
        ),
        Ok(spelled) => Some(spelled),
        Err(why) => cx.report(
            Diagnostic::new(codes::PATH_OUTSIDE, path.span, format!("`{}` {why}", path.value))
                .help("keep the registry in a folder of its own, such as `directory(\"registry\")`"),
        ),
    }
}

/// Returns a filter pattern of paths in its one spelling, relative to the folder of the pipeline, or says why it names nothing. How far it may
/// climb above that folder is known where the repository is.
pub(super) fn pattern(written: &str) -> Result<String, &'static str> {
    let (not, path) = written.strip_prefix('!').map_or(("", written), |path| ("!", path));
    if path.starts_with('/') {
        return Err("is an absolute path");
    }
    if !path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Ok(written.to_owned());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", None | Some(&"..")) => parts.push(part),
            ("..", Some(last)) if filter::is_pattern(last) => return Err("has a `..` behind a pattern"),
            ("..", Some(_)) => drop(parts.pop()),
            (part, _) => parts.push(part),
        }
    }
    if parts.iter().all(|part| *part == "..") {
        return Err("is a folder, and a pattern has to name files");
    }
    Ok(format!("{not}{}", parts.join("/")))
}

/// Why a path is refused that climbs above its folder.
const OUTSIDE: &str = "leads out of the workspace";

fn normal(path: &str) -> Result<String, &'static str> {
    if path.is_empty() {
        return Err("is no path");
    }
    if path.starts_with('/') || path.starts_with('~') || path.as_bytes().get(1) == Some(&b':') {
        return Err("is an absolute path");
    }
    if path.contains('\\') {
        return Err("has a `\\` in it: paths are written with `/`");
    }
    if path.chars().any(char::is_control) {
        return Err("has control characters in it");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(OUTSIDE);
                }
            }
            part => parts.push(part),
        }
    }
    match parts.first() {
        None => Err("is the workspace itself"),
        Some(first) if first.eq_ignore_ascii_case(".mlpc") => Err("lies in `.mlpc`, which is mlpc's own"),
        Some(_) => Ok(parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::{normal, pattern};

    #[test]
    fn patterns_have_one_spelling_and_may_climb() {
        for (written, is) in [
            ("src/**", "src/**"),
            ("./src//**", "src/**"),
            ("!./src/old/", "!src/old"),
            ("src/../lib/*.py", "lib/*.py"),
            ("../lib/**", "../lib/**"),
            ("./../../lib/a", "../../lib/a"),
            ("a/../../b", "../b"),
        ] {
            assert_eq!(pattern(written).as_deref(), Ok(is), "{written}");
        }
        for bad in ["/src/**", "!/src", "**/../lib", "..", "../", "./", "a/.."] {
            assert!(pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_have_one_spelling_inside_the_workspace() {
        assert_eq!(normal("./out//a/../model.pkl/"), Ok("out/model.pkl".to_owned()));
        for bad in ["", "/tmp/x", "~/x", "C:/x", "a\\b", "..", "a/../../b", ".", ".mlpc/x", ".MLPC", "a\nb"] {
            assert!(normal(bad).is_err(), "{bad:?}");
        }
    }
}
