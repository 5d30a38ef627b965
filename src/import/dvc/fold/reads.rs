//! What legs read of other legs: an index where one says exactly which.

use std::collections::BTreeSet;

use super::{Built, Group, values};
use crate::import::dvc::names::Taken;
use crate::import::dvc::write::{Axis, Written};

/// Returns what some legs of one group read, or one stage that is no leg: an index for what is folded. `Err` says why there is no index.
pub(super) fn inputs(
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
