//! Filter patterns: how hosts of repositories name branches and paths that start a workflow.

/// One character of a name, or so many.
struct Part {
    is: One,
    /// It may be missing.
    none: bool,
    /// It may come again.
    more: bool,
    /// It and the `/` behind it may both be missing.
    folders: bool,
}

/// What a character may be.
enum One {
    This(char),
    /// Any but `/`.
    OfName,
    Any,
    /// Within one of these ranges.
    Among(Vec<(char, char)>),
}

impl One {
    fn is(&self, c: char) -> bool {
        match self {
            Self::This(this) => *this == c,
            Self::OfName => c != '/',
            Self::Any => true,
            Self::Among(ranges) => ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)),
        }
    }
}

/// Tells whether a name of a filter may mean others than the one that is written as it is.
#[must_use]
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '+', '[', '!', '\\'])
}

/// Tells whether a pattern, without the `!` that may stand before it, can be read.
#[must_use]
pub fn is_sound(pattern: &str) -> bool {
    parts(pattern.strip_prefix('!').unwrap_or(pattern)).is_some()
}

/// Tells whether a pattern is the whole of a name, by GitHub's filter patterns
/// (docs.github.com/en/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet): `*` is all but `/`, `**`
/// all, and with a `/` behind it any folders or none, `?` and `+` say how often the character before comes, `[]` is one of those within, `\\` takes the meaning from
/// what follows. Nothing, where it is no such pattern.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> Option<bool> {
    let parts = parts(pattern)?;
    // Which parts may be next: all that can be after what was read.
    let reach = |at: usize, next: &mut Vec<bool>| {
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut next[at], true) {
                let part = parts.get(at);
                open.extend(part.filter(|part| part.none).map(|_| at + 1));
                open.extend(part.filter(|part| part.folders).map(|_| at + 2));
            }
        }
    };
    let mut now = vec![false; parts.len() + 1];
    reach(0, &mut now);
    for c in name.chars() {
        let mut next = vec![false; parts.len() + 1];
        for (at, part) in parts.iter().enumerate().filter(|(at, part)| now[*at] && part.is.is(c)) {
            reach(at + 1, &mut next);
            if part.more {
                // It may be the last of them, too, which the one behind it is for.
                next[at] = true;
            }
        }
        now = next;
    }
    Some(now[parts.len()])
}

fn parts(pattern: &str) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let is = match c {
            '*' => {
                let is = if rest.next_if_eq(&'*').is_some() { One::Any } else { One::OfName };
                let begins = parts.last().is_none_or(|part| matches!(part.is, One::This('/')));
                let folders = matches!(is, One::Any) && begins && rest.peek() == Some(&'/');
                parts.push(Part { is, none: true, more: true, folders });
                continue;
            }
            '?' => {
                parts.last_mut()?.none = true;
                continue;
            }
            '+' => {
                parts.last_mut()?.more = true;
                continue;
            }
            '[' => {
                let mut ranges = Vec::new();
                loop {
                    let first = rest.next().filter(|c| *c != '\\')?;
                    if first == ']' {
                        break;
                    }
                    let last = if rest.next_if_eq(&'-').is_some() { rest.next().filter(|c| *c != ']')? } else { first };
                    ranges.push((first, last));
                }
                One::Among(ranges)
            }
            '\\' => One::This(rest.next()?),
            c => One::This(c),
        };
        parts.push(Part { is, none: false, more: false, folders: false });
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_github_does() {
        for (pattern, yes, no) in [
            ("v[12].[0-9]+.x", &["v1.0.x", "v2.10.x"][..], &["v3.0.x", "v1..x", "v1.0x"][..]),
            ("mai?n", &["main", "man"], &["maiin", "maixn"]),
            ("{main,x}", &["{main,x}"], &["main", "x"]),
            ("[!x]ain", &["!ain", "xain"], &["main"]),
            ("**", &["a", "a/b", ""], &[]),
            ("*-next", &["a-next", "-next"], &["a/b-next"]),
            ("**/next", &["next", "a/next", "a/b/next"], &["anext"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]),
            ("a**/b", &["a/b", "ax/b"], &["ab"]),
            ("a\\*", &["a*"], &["ab"]),
            ("[", &[], &["[", ""]),
            ("?x", &[], &["x", "?x"]),
            ("ab?+", &["a", "ab", "abb"], &["abc"]),
        ] {
            yes.iter().for_each(|name| assert!(matches(pattern, name) == Some(true), "{pattern} {name}"));
            no.iter().for_each(|name| assert!(matches(pattern, name) != Some(true), "{pattern} {name}"));
        }
        assert_eq!(matches("[", "x"), None);
    }
}
