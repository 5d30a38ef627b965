//! Paths as users write them: relative to the workspace, inside it, in one spelling.

use super::cx::Cx;
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Spanned;

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
    use super::normal;

    #[test]
    fn paths_have_one_spelling_inside_the_workspace() {
        assert_eq!(normal("./out//a/../model.pkl/"), Ok("out/model.pkl".to_owned()));
        for bad in ["", "/tmp/x", "~/x", "C:/x", "a\\b", "..", "a/../../b", ".", ".mlpc/x", ".MLPC", "a\nb"] {
            assert!(normal(bad).is_err(), "{bad:?}");
        }
    }
}
