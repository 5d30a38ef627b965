//! Paths of a DVC project: relative to a folder there, from the root here.

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// To this place, from the project's root.
    Inside(String),
    /// Out of the project, or to another machine.
    Outside,
}

/// Returns the place of a path that is relative to `folder`.
pub(super) fn place(folder: &str, path: &str) -> Place {
    if path.starts_with(['/', '~']) || path.contains("://") || path.as_bytes().get(1) == Some(&b':') {
        return Place::Outside;
    }
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Place::Outside;
                }
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { Place::Outside } else { Place::Inside(parts.join("/")) }
}

/// Tells whether a path that is relative to `folder` is the project's root.
pub(super) fn is_root(folder: &str, path: &str) -> bool {
    place(&format!("x/{folder}"), path) == Place::Inside("x".to_owned())
}

/// Joins a folder and a path in it.
pub(super) fn join(folder: &str, path: &str) -> String {
    match place(folder, path) {
        Place::Inside(path) => path,
        Place::Outside => path.to_owned(),
    }
}

/// Returns the folder of a path; empty at the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Returns what stands behind the last dot of a path's name, or nothing.
pub(super) fn extension(path: &str) -> &str {
    match name(path).rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension,
        _ => "",
    }
}

/// Returns a path's name without what stands behind its first dot.
pub(super) fn stem(path: &str) -> &str {
    let name = name(path).trim_start_matches('.');
    name.split('.').next().unwrap_or(name)
}

/// Tells whether `path` is `folder` or lies in it; everything lies in the root.
pub(super) fn is_in(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns a path as it is from `folder`, in which it lies.
pub(super) fn from<'p>(path: &'p str, folder: &str) -> &'p str {
    if folder.is_empty() { path } else { path.strip_prefix(folder).map_or(path, |rest| rest.trim_start_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_from_their_folder_and_may_not_leave_the_project() {
        assert_eq!(place("a/b", "../c/./d"), Place::Inside("a/c/d".into()));
        for out in ["../../x", "/abs", "s3://bucket/x", "~/x", "C:\\x"] {
            assert_eq!(place("a", out), Place::Outside, "{out}");
        }
        assert!(is_root("a/b", "../..") && !is_root("a/b", ".."));
        assert!(is_in("a/b", "a") && is_in("a", "a") && !is_in("ab", "a") && is_in("x", ""));
        assert_eq!(from("a/b/c", "a"), "b/c");
    }

    #[test]
    fn names_have_stems_and_extensions() {
        assert_eq!((stem("x/model.tar.gz"), extension("x/model.tar.gz")), ("model", "gz"));
        assert_eq!((stem("x/.hidden"), extension("x/.hidden")), ("hidden", ""));
    }
}
