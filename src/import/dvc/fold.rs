//! Legs of a `foreach` or `matrix` as one stage with a loop. The legs were built one by one, as they are; here one text is looked for that
//! comes to each of them when its values are put in. Where there is none, they stay stages of their own, and the report says why.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Taken, word};
use super::path;
use super::write::{Axis, Out, Written};
use crate::import::{Note, Remark};

/// What a stage is a leg of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leg {
    /// The entry of `stages`.
    pub(super) entry: String,
    /// Axes with the values of this leg; none where one of them is no scalar.
    pub(super) axes: Vec<(String, String)>,
}

/// A built stage, where it came from, and the line that says so.
pub(super) struct Built {
    pub(super) written: Written,
    pub(super) leg: Option<Leg>,
    /// As DVC names it.
    pub(super) dvc: String,
    pub(super) line: u32,
}

/// The legs of one entry.
struct Group {
    entry: String,
    /// Places in the list of stages.
    members: Vec<usize>,
    axes: Vec<(String, Vec<String>)>,
    generic: Result<Written, String>,
}

/// A part of a stage as text.
type Part<'p> = &'p dyn Fn(&Written) -> String;

/// How many legs are tried as the one that the text is made of.
const REFERENCES: usize = 8;

/// Returns the stages, with legs folded where that can be.
pub(super) fn fold(stages: Vec<Built>, taken: &mut Taken, file: &str, notes: &mut Vec<Note>) -> Vec<Written> {
    let mut groups = groups(&stages);
    for group in &mut groups {
        group.generic = generic(&stages, group, taken);
    }
    // What reads legs in a way that no index says stays as it is, and then so may what reads that.
    loop {
        let refused: Vec<(usize, String)> = (0..groups.len())
            .filter(|&at| groups[at].generic.is_ok())
            .filter_map(|at| Some((at, inputs(&stages, &groups, &groups[at].members, Some(at)).err()?)))
            .collect();
        if refused.is_empty() {
            break;
        }
        for (at, why) in refused {
            groups[at].generic = Err(why);
        }
    }
    for group in &groups {
        let first = &stages[group.members[0]];
        match &group.generic {
            Ok(generic) => group.members.iter().for_each(|&member| rename(&stages[member], generic, notes)),
            Err(why) => notes.push(Note {
                file: file.to_owned(),
                line: first.line,
                remark: Remark::Look,
                text: format!(
                    "`{}`: its {} legs are stages of their own and no loop, since {why}",
                    group.entry,
                    group.members.len()
                ),
            }),
        }
    }
    let folded: BTreeMap<usize, usize> = groups
        .iter()
        .enumerate()
        .filter(|(_, group)| group.generic.is_ok())
        .flat_map(|(at, group)| group.members.iter().map(move |&member| (member, at)))
        .collect();
    let mut done = Vec::new();
    for at in 0..stages.len() {
        match folded.get(&at).map(|&at| &groups[at]) {
            Some(group) if group.members[0] == at => {
                let index = folded[&at];
                let mut made = group.generic.clone().unwrap_or_default();
                made.inputs = inputs(&stages, &groups, &group.members, Some(index)).unwrap_or_default();
                done.push(made);
            }
            Some(_) => {}
            None => {
                let mut made = stages[at].written.clone();
                made.inputs = inputs(&stages, &groups, &[at], None).unwrap_or_default();
                done.push(made);
            }
        }
    }
    done
}

fn groups(stages: &[Built]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, stage) in stages.iter().enumerate() {
        let Some(leg) = &stage.leg else { continue };
        match groups.iter_mut().find(|group| group.entry == leg.entry) {
            Some(group) => group.members.push(at),
            None => groups.push(Group {
                entry: leg.entry.clone(),
                members: vec![at],
                axes: Vec::new(),
                generic: Err(String::new()),
            }),
        }
    }
    groups.retain(|group| group.members.len() > 1);
    for group in &mut groups {
        let legs = group.members.iter().filter_map(|&member| stages[member].leg.as_ref());
        for (at, (name, value)) in legs.flat_map(|leg| leg.axes.iter().enumerate()) {
            if group.axes.len() == at {
                group.axes.push((name.clone(), Vec::new()));
            }
            if !group.axes[at].1.contains(value) {
                group.axes[at].1.push(value.clone());
            }
        }
    }
    groups
}

fn values<'s>(stages: &'s [Built], members: &[usize]) -> Vec<Vec<&'s str>> {
    let of =
        |member: &usize| stages[*member].leg.iter().flat_map(|leg| leg.axes.iter().map(|(_, value)| value.as_str()));
    members.iter().map(|member| of(member).collect()).collect()
}

/// Makes the one stage of a group, still without its inputs.
fn generic(stages: &[Built], group: &Group, taken: &mut Taken) -> Result<Written, String> {
    let tame =
        |value: &String| !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if group.axes.is_empty() {
        return Err("their values are no plain texts and numbers".to_owned());
    }
    if let Some(value) = group.axes.iter().flat_map(|(_, values)| values).find(|value| !tame(value)) {
        return Err(format!("`{value}` is more than a word"));
    }
    if group.axes.iter().map(|(_, values)| values.len()).product::<usize>() != group.members.len() {
        return Err("two of them have the same values".to_owned());
    }
    let legs: Vec<&Written> = group.members.iter().map(|&member| &stages[member].written).collect();
    let values = values(stages, &group.members);
    let first = legs[0];
    let same = |what: &dyn Fn(&Written) -> String| legs.iter().all(|leg| what(leg) == what(first));
    let differ = |what: &str| format!("their {what} differ in more than the values");
    let parts: [(&str, Part<'_>); 5] = [
        ("code", &|leg| format!("{:?}", leg.code)),
        ("parameters", &|leg| format!("{:?}", leg.uses)),
        ("variables", &|leg| format!("{:?}", leg.pass)),
        ("outputs", &|leg| format!("{:?}", leg.outs.iter().map(|out| &out.ty).collect::<Vec<_>>())),
        ("settings", &|leg| format!("{:?}", (leg.rerun, leg.off, leg.doc.is_some()))),
    ];
    for (what, part) in parts {
        if !same(part) {
            return Err(differ(what));
        }
    }
    let of = |text: &dyn Fn(&Written) -> String| {
        let texts: Vec<String> = legs.iter().map(|leg| text(leg)).collect();
        generalised(&texts, &values)
    };
    let script = of(&|leg| leg.script.clone()).ok_or_else(|| differ("commands"))?;
    let mut local = Taken::default();
    for name in first.uses.iter().chain(&first.pass) {
        local.take([name.as_str()]);
    }
    let mut outs = Vec::new();
    for (at, out) in first.outs.iter().enumerate() {
        let path = of(&|leg| leg.outs[at].path.clone()).ok_or_else(|| differ("outputs"))?;
        if let Some((name, _)) =
            group.axes.iter().enumerate().find(|(axis, _)| !path.contains(marker(*axis))).map(|(_, axis)| axis)
        {
            return Err(format!("the path of `{}` does not hold `{name}`", out.name));
        }
        let doc = out.doc.as_ref().and_then(|_| of(&|leg| leg.outs[at].doc.clone().unwrap_or_default()));
        let known = same(&|leg| leg.outs[at].name.clone());
        let candidates = if known { vec![out.name.clone()] } else { named(&path) };
        let name = local.take(candidates.iter().map(String::as_str));
        outs.push(Out { name, ty: out.ty.clone(), path, doc });
    }
    let name = taken.take([group.entry.as_str(), &format!("{}_stage", group.entry)]);
    let mut axes = Vec::new();
    for (axis, values) in &group.axes {
        // No other word of the stage, of the file or of the script is hidden by it.
        let mut free = taken.clone();
        for word in outs.iter().map(|out| &out.name).chain(&first.uses).chain(&first.pass) {
            free.take([word.as_str()]);
        }
        let is_in_script = |name: &str| script.contains(&format!("${name}")) || script.contains(&format!("${{{name}"));
        let mut variable = free.take([axis.as_str(), &format!("{axis}_value")]);
        while is_in_script(&variable) || axes.iter().any(|have: &Axis| have.variable == variable) {
            variable = free.take([format!("{axis}_value").as_str()]);
        }
        axes.push(Axis { variable, values: values.clone() });
    }
    let script =
        in_shell(&script, &axes).ok_or_else(|| "a value stands where the shell puts in no variable".to_owned())?;
    let doc = first.doc.as_ref().and_then(|_| of(&|leg| leg.doc.clone().unwrap_or_default()));
    let in_text = |text: String| shown(&text, &axes, |name| format!("{{{name}}}"));
    let outs = outs.into_iter().map(|out| Out { doc: out.doc.map(in_text), ..out }).collect();
    Ok(Written { name, doc: doc.map(in_text), outs, script, axes, inputs: Vec::new(), ..first.clone() })
}

/// Names an output by what is left of its path without the values.
fn named(path: &str) -> Vec<String> {
    let mut made = Vec::new();
    for part in [path::stem(path), path::name(path::parent(path)), path::extension(path)] {
        let left: String = part.chars().map(|c| if is_marker(c) { '_' } else { c }).collect();
        let left = left.trim_matches(|c: char| !c.is_alphanumeric());
        if !left.is_empty() && left.chars().any(|c| c.is_ascii_alphabetic()) {
            made.push(word(left));
        }
    }
    made.push("made".to_owned());
    made
}

/// Returns the character that stands for the value of an axis.
pub(super) fn marker(axis: usize) -> char {
    u32::try_from(axis).ok().and_then(|axis| char::from_u32(0xe000 + axis)).unwrap_or('\u{e0ff}')
}

/// Puts something in for the markers.
pub(super) fn shown(text: &str, axes: &[Axis], of: impl Fn(&str) -> String) -> String {
    let mut made = text.to_owned();
    for (at, axis) in axes.iter().enumerate() {
        made = made.replace(marker(at), &of(&axis.variable));
    }
    made
}

/// Finds a text with markers that comes to each of the texts when its values are put in.
fn generalised(texts: &[String], values: &[Vec<&str>]) -> Option<String> {
    let comes_to = |made: &str| {
        texts.iter().zip(values).all(|(text, values)| {
            let mut put = made.to_owned();
            for (at, value) in values.iter().enumerate() {
                put = put.replace(marker(at), value);
            }
            put == *text
        })
    };
    for whole_words in [true, false] {
        for (text, values) in texts.iter().zip(values).take(REFERENCES) {
            let made = marked(text, values, whole_words);
            if comes_to(&made) {
                return Some(made);
            }
        }
    }
    None
}

/// Puts markers in for values; the longest first, and only for whole words where that is asked.
fn marked(text: &str, values: &[&str], whole_words: bool) -> String {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(values[at].len()));
    let (mut made, mut rest, mut before) = (String::new(), text, None::<char>);
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    'text: while let Some(next) = rest.chars().next() {
        for &at in &order {
            if let Some(behind) = rest.strip_prefix(values[at])
                && (!whole_words || (!is_word(before) && !is_word(behind.chars().next())))
            {
                made.push(marker(at));
                before = values[at].chars().last();
                rest = behind;
                continue 'text;
            }
        }
        made.push(next);
        before = Some(next);
        rest = &rest[next.len_utf8()..];
    }
    made
}

/// Writes markers as variables of the shell, as the quotes around them need it. `None` where a variable is not what its text would be:
/// inside of documents, of `{1..3}`, of names, and before `>`.
fn in_shell(script: &str, axes: &[Axis]) -> Option<String> {
    let (mut made, mut quotes, mut document) = (String::new(), None::<char>, None::<String>);
    for line in script.split_inclusive('\n') {
        if let Some(end) = &document {
            if line.contains(is_marker) {
                return None;
            }
            if line.trim_end() == end {
                document = None;
            }
            made.push_str(line);
            continue;
        }
        if let Some((_, end)) = line.split_once("<<").filter(|(_, end)| !end.starts_with('<')) {
            document = Some(end.trim().trim_start_matches('-').trim_matches(['"', '\'']).to_owned());
        }
        let mut escaped = false;
        for (at, c) in line.char_indices() {
            let axis = axes.iter().enumerate().find(|(at, _)| marker(*at) == c).map(|(_, axis)| &axis.variable);
            if let Some(name) = axis {
                let (before, behind) = (&line[..at], &line[at + c.len_utf8()..]);
                if escaped || (quotes != Some('\'') && !is_word_part(before, behind, quotes.is_some())) {
                    return None;
                }
                match quotes {
                    Some('\'') => made.push_str(&format!("'\"${name}\"'")),
                    Some(_) => made.push_str(&format!("${{{name}}}")),
                    None => made.push_str(&format!("\"${name}\"")),
                }
            } else {
                made.push(c);
            }
            if (c == '\'' || c == '"') && !escaped && quotes.is_none_or(|open| open == c) {
                // `$'…'` has rules of its own.
                if quotes.is_none() && line[..at].ends_with('$') {
                    return None;
                }
                quotes = if quotes.is_none() { Some(c) } else { None };
            }
            escaped = c == '\\' && quotes != Some('\'') && !escaped;
        }
    }
    Some(made)
}

/// Tells whether a marker is a part of a plain word: nothing there means more to the shell than its own text.
fn is_word_part(before: &str, behind: &str, quoted: bool) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || is_marker(c);
    // `{a,b}`, `{1..3}`, `${name}`; a group has a space behind its brace.
    let brace = before.rfind('{').filter(|&at| !before[at..].contains('}') && !before[at + 1..].starts_with(' '));
    let name = before.trim_end_matches(is_name);
    let word = before.rsplit(|c: char| c.is_whitespace() || ";|&(".contains(c)).next().unwrap_or_default();
    let assigned = word.chars().all(is_name) && behind.trim_start_matches(is_name).starts_with('=');
    brace.is_none() && !name.ends_with('$') && (quoted || !(assigned || behind.starts_with(['>', '<'])))
}

fn is_marker(c: char) -> bool {
    ('\u{e000}'..'\u{e100}').contains(&c)
}

/// Returns what some legs of one group read, or one stage that is no leg: an index for what is folded. `Err` says why there is no index.
fn inputs(
    stages: &[Built],
    groups: &[Group],
    members: &[usize],
    own: Option<usize>,
) -> Result<Vec<(String, String)>, String> {
    let made = own.and_then(|own| groups[own].generic.as_ref().ok());
    let written = made.unwrap_or(&stages[members[0]].written);
    let mut local = Taken::default();
    let words = written.outs.iter().map(|out| &out.name).chain(&written.uses).chain(&written.pass);
    for name in words.chain(written.axes.iter().map(|axis| &axis.variable)) {
        local.take([name.as_str()]);
    }
    let values = if own.is_some() { values(stages, members) } else { vec![Vec::new(); members.len()] };
    let found: Vec<Vec<Read>> = members.iter().map(|&member| reads(stages, groups, member)).collect();
    let keys: BTreeSet<&Source> = found.iter().flatten().map(|read| &read.source).collect();
    let mut order: Vec<&Source> = Vec::new();
    for read in found.iter().flatten() {
        if keys.contains(&read.source) && !order.contains(&&read.source) {
            order.push(&read.source);
        }
    }
    let mut done = Vec::new();
    for source in order {
        let legs: Vec<Vec<&Read>> =
            found.iter().map(|reads| reads.iter().filter(|read| read.source == *source).collect()).collect();
        if legs.iter().any(Vec::is_empty) {
            return Err("each of them reads data of its own".to_owned());
        }
        let first = legs[0][0];
        let Source::Legs(group, output) = source else {
            done.push((local.take([first.local.as_str(), &format!("{}_in", first.local)]), first.origin.clone()));
            continue;
        };
        if own == Some(*group) {
            return Err("one of them reads what another one makes".to_owned());
        }
        let Ok(other) = &groups[*group].generic else { return Err("what they read is no loop".to_owned()) };
        let output = &other.outs[*output].name;
        let positions: Vec<BTreeSet<usize>> =
            legs.iter().map(|reads| reads.iter().filter_map(|read| read.position).collect()).collect();
        match index(stages, &groups[*group], other, &positions, &values, &written.axes) {
            Some(index) => {
                let name = local.take([output.as_str(), &format!("{}_{output}", other.name)]);
                done.push((name, format!("{}[{index}].{output}", other.name)));
            }
            None if own.is_some() => return Err(format!("no index says which legs of `{}` they read", other.name)),
            None => {
                for read in &legs[0] {
                    let member = groups[*group].members[read.position.unwrap_or_default()];
                    let leg = stages[member].leg.iter().flat_map(|leg| &leg.axes);
                    let parts: Vec<String> =
                        leg.zip(&other.axes).map(|((_, value), axis)| axis.literal(value)).collect();
                    let name = local.take([read.local.as_str(), &format!("{}_in", read.local)]);
                    done.push((name, format!("{}[{}].{output}", other.name, parts.join(", "))));
                }
            }
        }
    }
    Ok(done)
}

/// What an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// A source, or a stage that stands by itself.
    Plain(String),
    /// A group that is folded, and which of its outputs.
    Legs(usize, usize),
}

struct Read {
    local: String,
    origin: String,
    source: Source,
    /// Which leg of the group.
    position: Option<usize>,
}

fn reads(stages: &[Built], groups: &[Group], member: usize) -> Vec<Read> {
    let of = |(local, origin): &(String, String)| {
        let leg = origin.split_once('.').and_then(|(stage, output)| {
            let at = stages.iter().position(|other| other.written.name == stage)?;
            let group = groups.iter().position(|group| group.generic.is_ok() && group.members.contains(&at))?;
            let position = groups[group].members.iter().position(|&member| member == at)?;
            let output = stages[at].written.outs.iter().position(|out| out.name == output)?;
            Some((Source::Legs(group, output), position))
        });
        let (source, position) = match leg {
            Some((source, position)) => (source, Some(position)),
            None => (Source::Plain(origin.clone()), None),
        };
        Read { local: local.clone(), origin: origin.clone(), source, position }
    };
    stages[member].written.inputs.iter().map(of).collect()
}

/// Finds what stands between the brackets, so that each reader gets exactly its legs.
fn index(
    stages: &[Built],
    group: &Group,
    other: &Written,
    positions: &[BTreeSet<usize>],
    values: &[Vec<&str>],
    axes: &[Axis],
) -> Option<String> {
    let theirs = self::values(stages, &group.members);
    let mut parts: Vec<(String, Vec<Option<&str>>)> = Vec::new();
    for (at, axis) in other.axes.iter().enumerate() {
        let read: Vec<BTreeSet<&str>> =
            positions.iter().map(|legs| legs.iter().map(|&leg| theirs[leg][at]).collect()).collect();
        let single: Option<Vec<&str>> =
            read.iter().map(|values| values.first().copied().filter(|_| values.len() == 1)).collect();
        let part = match single {
            Some(single) => {
                let own = (0..axes.len()).find(|&own| (0..values.len()).all(|leg| values[leg][own] == single[leg]));
                let text = match own {
                    Some(own) => axes[own].variable.clone(),
                    None if single.iter().all(|value| *value == single[0]) => axis.literal(single[0]),
                    None => return None,
                };
                (text, single.into_iter().map(Some).collect())
            }
            None => ("*".to_owned(), vec![None; positions.len()]),
        };
        parts.push(part);
    }
    // A star stands for all values, and what was found has to be just that.
    let exact = positions.iter().enumerate().all(|(reader, legs)| {
        let meant = (0..theirs.len()).filter(|&leg| {
            parts.iter().enumerate().all(|(at, (_, fixed))| fixed[reader].is_none_or(|value| theirs[leg][at] == value))
        });
        meant.collect::<BTreeSet<_>>() == *legs
    });
    exact.then(|| parts.into_iter().map(|(text, _)| text).collect::<Vec<_>>().join(", "))
}

/// Has the report name the loop instead of a leg.
fn rename(leg: &Built, generic: &Written, notes: &mut [Note]) {
    for note in notes {
        for (old, new) in leg.written.outs.iter().zip(&generic.outs) {
            let old = format!("`{}.{}`", leg.written.name, old.name);
            note.text = note.text.replace(&old, &format!("`{}.{}`", generic.name, new.name));
        }
        for old in [&leg.written.name, &leg.dvc] {
            note.text = note.text.replace(&format!("`{old}`"), &format!("`{}`", generic.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::dvc::import;
    use crate::import::dvc::tests::Folder;

    fn imported(files: &[(&str, &str)]) -> (String, String) {
        let made = import(&Folder::of(files), "dvc.yaml", "p").expect("imports");
        (made.text, made.notes.into_iter().map(|note| note.text + "\n").collect())
    }

    fn axes(names: &[&str]) -> Vec<Axis> {
        names.iter().map(|name| Axis { variable: (*name).to_owned(), values: vec![] }).collect()
    }

    #[test]
    fn a_text_is_found_that_comes_to_each_leg() {
        let of = |texts: &[&str], values: &[Vec<&str>]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            generalised(&texts, values).map(|text| shown(&text, &axes(&["a", "b"]), |name| format!("<{name}>")))
        };
        let legs = [vec!["us"], vec!["eu"]];
        assert_eq!(of(&["data/us/bonus.csv", "data/eu/bonus.csv"], &legs).as_deref(), Some("data/<a>/bonus.csv"));
        assert_eq!(of(&["xusy", "xeuy"], &legs).as_deref(), Some("x<a>y"));
        assert_eq!(of(&["same", "same"], &legs).as_deref(), Some("same"));
        assert_eq!(of(&["us 15", "eu 20"], &legs), None);
        let pairs = [vec!["1", "x"], vec!["1", "y"], vec!["2", "x"], vec!["2", "y"]];
        assert_eq!(of(&["1/x", "1/y", "2/x", "2/y"], &pairs).as_deref(), Some("<a>/<b>"));
        // `train` is the value of one leg and a word of both.
        let words = [vec!["train"], vec!["test"]];
        assert_eq!(of(&["train.py train", "train.py test"], &words).as_deref(), Some("train.py <a>"));
    }

    #[test]
    fn a_variable_is_quoted_as_its_place_needs_it() {
        let item = marker(0);
        let of = |text: &str| in_shell(&text.replace('@', &item.to_string()), &axes(&["item"]));
        assert_eq!(
            of("fit @ -o \"m/@.pkl\" '@x'\n").as_deref(),
            Some("fit \"$item\" -o \"m/${item}.pkl\" ''\"$item\"'x'\n")
        );
        assert_eq!(of("cat <<END\n@\nEND\n"), None);
        assert_eq!(of("cat <<END\nx '\nEND\nfit @\n").as_deref(), Some("cat <<END\nx '\nEND\nfit \"$item\"\n"));
        assert_eq!(of("{ fit @; }\n").as_deref(), Some("{ fit \"$item\"; }\n"));
        assert_eq!(of("fit --to=@\n").as_deref(), Some("fit --to=\"$item\"\n"));
        // Where a variable would be something else than its text.
        for odd in ["fit \\@", "echo {1..@}", "echo ${A_@}", "echo \"$A_@\"", "A_@=1 fit", "fit @>log", "echo $'@'"] {
            assert_eq!(of(&format!("{odd}\n")), None, "{odd}");
        }
    }

    const FIT: &str = "pass";

    #[test]
    fn loops_that_read_loops_are_read_by_index() {
        let yaml = "stages:
  split:
    foreach: [a, b]
    do:
      cmd: python split.py ${item} > parts/${item}.csv
      deps: [split.py, data.csv]
      outs: ['parts/${item}.csv']
  fit:
    matrix:
      part: [a, b]
      seed: [1, 2]
    cmd: python fit.py parts/${item.part}.csv ${item.seed} models/${item.part}-${item.seed}.pkl
    deps: [fit.py, 'parts/${item.part}.csv']
    outs: ['models/${item.part}-${item.seed}.pkl']
  best:
    cmd: python best.py models > best.txt
    deps: [best.py, models]
    outs: [best.txt]
  one:
    cmd: cat models/a-2.pkl parts/b.csv > one.txt
    deps: [models/a-2.pkl, parts/b.csv]
    outs: [one.txt]
";
        let (text, notes) = imported(&[
            ("dvc.yaml", yaml),
            ("split.py", FIT),
            ("fit.py", FIT),
            ("best.py", FIT),
            ("data.csv", "x\n1\n"),
        ]);
        for line in [
            "stage split for item in [\"a\", \"b\"] {",
            "\"parts/{item}.csv\"",
            "stage fit for part in [\"a\", \"b\"], seed in [1, 2] {",
            "= split[part].parts",
            "\"models/{part}-{seed}.pkl\"",
            "python fit.py parts/\"$part\".csv \"$seed\" models/\"$part\"-\"$seed\".pkl",
            "= fit[*, *].models",
            "= fit[\"a\", 2].models",
            "= split[\"b\"].parts",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}\n{notes}");
        }
        assert!(!notes.contains("no loop"), "{notes}");
    }

    #[test]
    fn legs_that_are_no_loop_stay_stages_and_the_report_says_why() {
        let of = |each: &str, body: &str| {
            let yaml = format!("stages:\n  fit:\n    foreach: {each}\n    do:\n{body}");
            imported(&[("dvc.yaml", &yaml), ("fit.py", FIT), ("in/a.csv", "x\n"), ("in/b.csv", "x\n")]).1
        };
        let plain = "      cmd: python fit.py ${key} ${item.n}\n      deps: [fit.py]\n      outs: ['${key}.pkl']\n";
        assert!(
            of("{a: {n: 1}, b: {n: 3}}", plain)
                .contains("`fit`: its 2 legs are stages of their own and no loop, since their commands differ")
        );
        let own = "      cmd: python fit.py in/${item}.csv\n      deps: [fit.py, 'in/${item}.csv']\n      outs: ['${item}.pkl']\n";
        assert!(of("[a, b]", own).contains("since each of them reads data of its own"));
        let words = "      cmd: python fit.py '${item}'\n      deps: [fit.py]\n      outs: ['${item}.pkl']\n";
        assert!(of("['a b', c]", words).contains("since `a b` is more than a word"));
    }
}
