//! Legs of a `foreach` or `matrix` as one stage with a loop. The legs were built one by one, as they are; here one text is looked for that
//! comes to each of them when its values are put in. Where there is none, they stay stages of their own, and the report says why.

mod reads;
mod texts;

use std::collections::BTreeMap;

use super::names::{Taken, word};
use super::path;
use super::write::{Axis, Out, Written};
use crate::import::{Note, Remark};

use reads::inputs;
use texts::{generalised, in_shell, is_marker};
pub(super) use texts::{marker, shown};

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
    use crate::import::dvc::import;
    use crate::import::dvc::tests::Folder;

    fn imported(files: &[(&str, &str)]) -> (String, String) {
        let made = import(&Folder::of(files), "dvc.yaml", "p").expect("imports");
        (made.text, made.notes.into_iter().map(|note| note.text + "\n").collect())
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
