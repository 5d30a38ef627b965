//! The branches that `on push` names: what releases is held to.

use super::{Plan, TriggerKind};

impl Plan {
    /// Returns the lists of branches of every `on push`; an empty list is all branches.
    #[must_use]
    pub fn pushed(&self) -> Vec<&[String]> {
        let lists = self.triggers.iter().filter_map(|trigger| match &trigger.kind {
            TriggerKind::Push { branches, .. } => Some(branches.as_slice()),
            _ => None,
        });
        lists.collect()
    }
}

/// Tells whether a list of `on push` names a branch, as hosts read it: an empty one names all, and `!` takes away again.
#[must_use]
pub fn names_branch(patterns: &[String], name: &str) -> bool {
    patterns.iter().fold(patterns.is_empty(), |found, pattern| {
        let (wanted, pattern) = pattern.strip_prefix('!').map_or((true, pattern.as_str()), |rest| (false, rest));
        if matches(pattern, name) { wanted } else { found }
    })
}

/// One character of a name, or so many.
struct Part {
    is: One,
    /// It may be missing.
    none: bool,
    /// It may come again.
    more: bool,
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

/// Tells whether a pattern is the whole of a name, by GitHub's filter patterns
/// (docs.github.com/en/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet): `*` is all but `/`, `**`
/// all, `?` and `+` say how often the character before comes, `[]` is one of those within, `\\` takes the meaning from
/// what follows. What is no such pattern matches nothing.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(parts) = parts(pattern) else { return false };
    // Which parts may be next: all that can be after what was read.
    let reach = |mut at: usize, next: &mut Vec<bool>| {
        while !next[at] {
            next[at] = true;
            if parts.get(at).is_some_and(|part| part.none) {
                at += 1;
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
    now[parts.len()]
}

fn parts(pattern: &str) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let is = match c {
            '*' => {
                let is = if rest.next_if_eq(&'*').is_some() { One::Any } else { One::OfName };
                parts.push(Part { is, none: true, more: true });
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
        parts.push(Part { is, none: false, more: false });
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_match_as_hosts_read_them() {
        let named = |patterns: &[&str], name: &str| {
            names_branch(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>(), name)
        };
        assert!(named(&[], "anything"));
        assert!(named(&["main"], "main"));
        assert!(!named(&["main"], "maintenance"));
        assert!(named(&["release/*"], "release/1"));
        assert!(!named(&["release/*"], "release/1/2"));
        assert!(named(&["release/**"], "release/1/2"));
        assert!(!named(&["release/**", "!release/old"], "release/old"));
        assert!(!named(&["!main"], "topic"));
        for (pattern, yes, no) in [
            ("v[12].[0-9]+.x", &["v1.0.x", "v2.10.x"][..], &["v3.0.x", "v1..x", "v1.0x"][..]),
            ("mai?n", &["main", "man"], &["maiin", "maixn"]),
            ("{main,x}", &["{main,x}"], &["main", "x"]),
            ("[!x]ain", &["!ain", "xain"], &["main"]),
            ("**", &["a", "a/b", ""], &[]),
            ("*-next", &["a-next", "-next"], &["a/b-next"]),
            ("**/next", &["a/next", "a/b/next"], &["next"]),
            ("a\\*", &["a*"], &["ab"]),
            ("[", &[], &["[", ""]),
            ("?x", &[], &["x", "?x"]),
            ("ab?+", &["a", "ab", "abb"], &["abc"]),
        ] {
            yes.iter().for_each(|name| assert!(named(&[pattern], name), "{pattern} {name}"));
            no.iter().for_each(|name| assert!(!named(&[pattern], name), "{pattern} {name}"));
        }
    }
}
