//! A run and its remote: what is not known here is asked for there, what is made here is saved there if that was asked for. Who may
//! read which part is decided here: what leads to a release reads trusted entries only.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::context::Run;
use super::prepare::Prepared;
use crate::cache::remote::{Answer, Saved, Settings, Shared, Trust, Writer, open};
use crate::cache::{Key, ResultRecord};
use crate::host::{Result, machine};
use crate::plan::{Bound, NodeKind};
use crate::registry;

/// The remote of a run.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    opened: OnceLock<Option<(Shared, Option<Trust>)>>,
    /// The remote failed: the run goes on without it, and says so once.
    off: AtomicBool,
    asked: Mutex<BTreeSet<Key>>,
    releasing: OnceLock<BTreeSet<String>>,
}

/// Returns the result of some work: from here, else from the remote. The objects of one from the remote are here then.
pub(super) fn known(run: &Run<'_>, node: &str, prepared: &Prepared) -> Option<ResultRecord> {
    if let Some(record) = run.store.result(&prepared.key) {
        return Some(record);
    }
    let trusted_only = run.options.alone || releasing(run).contains(node);
    if !trusted_only && let Some(record) = run.store.borrowed(&prepared.key) {
        return Some(record);
    }
    if !prepared.manifest.is_shareable() {
        return None;
    }
    let (shared, _) = opened(run)?;
    if !run.sharing.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(prepared.key) {
        return None;
    }
    let parts: &[Trust] = if trusted_only { &[Trust::Trusted] } else { &[Trust::Trusted, Trust::Other] };
    for &trust in parts {
        match ask(run, shared, &prepared.key, trust) {
            Ok(Answer::Nothing) => {}
            Ok(Answer::Found(envelope)) => {
                if trust == Trust::Other {
                    let who = &envelope.writer.who;
                    run.note(
                        node,
                        format!("its result comes from the remote, where anybody may write; `{who}` wrote it"),
                    );
                }
                return Some(envelope.result);
            }
            Ok(Answer::Refused(why)) => {
                run.note(node, format!("the remote has its result, which was refused: {why}"));
            }
            Err(error) => {
                give_up(
                    run,
                    format!("the remote can't be read: {error}; the run goes on without it, and saves nothing there"),
                );
                return None;
            }
        }
    }
    None
}

/// Tells whether this machine has a result of some work by now.
pub(super) fn is_known(run: &Run<'_>, prepared: &Prepared) -> bool {
    run.store.result(&prepared.key).or_else(|| run.store.borrowed(&prepared.key)).is_some()
}

fn ask(run: &Run<'_>, shared: &Shared, key: &Key, trust: Trust) -> Result<Answer> {
    let answer = shared.fetch(run.store, key, trust)?;
    if let Answer::Found(envelope) = &answer {
        run.store.sync()?;
        match trust {
            Trust::Trusted => drop(run.store.record(&envelope.result)?),
            Trust::Other => run.store.borrow(&envelope.result)?,
        }
    }
    Ok(answer)
}

/// Saves a result to the remote, if runs were told to. A failure is told, never swallowed; the result itself is none the worse.
pub(super) fn save(run: &Run<'_>, node: &str, record: &ResultRecord) {
    if !record.is_shareable() {
        return;
    }
    let Some((shared, Some(trust))) = opened(run) else { return };
    match shared.save(run.store, record, *trust) {
        Ok(Saved::New | Saved::Same) => {}
        Ok(Saved::Different(outputs, who)) => {
            let names: Vec<_> = outputs.iter().map(|name| format!("`{name}`")).collect();
            let names = names.join(", ");
            run.note(
                node,
                format!("not deterministic: {names} differ from what `{who}` saved in the remote, which stands"),
            );
        }
        Err(error) => run.note(node, format!("its result could not be saved to the remote: {error}")),
    }
}

fn opened<'r>(run: &'r Run<'_>) -> Option<&'r (Shared, Option<Trust>)> {
    if run.sharing.off.load(Ordering::Relaxed) {
        return None;
    }
    let opened = run.sharing.opened.get_or_init(|| {
        let setup = run.setup;
        let open = || -> Result<Option<(Shared, Option<Trust>)>> {
            let Some(settings) = Settings::of(run.store.state(), &setup.caller)? else { return Ok(None) };
            let remote = open(&settings.url, &setup.workspace, &setup.caller)?;
            Ok(Some((Shared::new(remote, writer(&setup.caller)), settings.write)))
        };
        match open() {
            Ok(None) => None,
            Ok(Some((shared, write))) => Some((shared, allowed(run, write))),
            Err(error) => {
                give_up(run, format!("{error}; the run goes on without its remote"));
                None
            }
        }
    });
    opened.as_ref()
}

/// A job of a ref that the pipeline does not name reads, whatever its variables say.
fn allowed(run: &Run<'_>, write: Option<Trust>) -> Option<Trust> {
    let write = write?;
    if run.options.alone && !registry::is_trusted_ref(run.bound) {
        let Bound { event, branch, .. } = run.bound;
        let what = format!("`{event}` of `{branch}` is neither a push that `on push` names nor the schedule");
        run.note("", format!("the remote is only read: {what}"));
        return None;
    }
    Some(write)
}

fn give_up(run: &Run<'_>, why: String) {
    if !run.sharing.off.swap(true, Ordering::Relaxed) {
        run.note("", why);
    }
}

fn releasing<'r>(run: &'r Run<'_>) -> &'r BTreeSet<String> {
    run.sharing.releasing.get_or_init(|| leads_to_release(run.bound))
}

/// Returns all nodes that a release waits for, directly or not.
pub(super) fn leads_to_release(bound: &Bound) -> BTreeSet<String> {
    let nodes = &bound.plan.nodes;
    let by_name: HashMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
    let releases = |kind: &NodeKind| !matches!(kind, NodeKind::Stage(_) | NodeKind::Gate(_) | NodeKind::Approval(_));
    let mut open: Vec<usize> = (0..nodes.len())
        .filter(|&at| releases(&nodes[at].kind) && !bound.skipped.contains_key(&nodes[at].name))
        .collect();
    let mut found = BTreeSet::new();
    while let Some(at) = open.pop() {
        if found.insert(nodes[at].name.clone()) {
            open.extend(nodes[at].waits.iter().filter_map(|wait| by_name.get(wait.node.as_str()).copied()));
        }
    }
    found
}

/// Says who writes: a job of a platform, or a person.
pub(crate) fn writer(caller: &BTreeMap<OsString, OsString>) -> Writer {
    let variable = |name: &str| caller.get(OsStr::new(name)).map(|value| value.to_string_lossy().into_owned());
    if let Some(repository) = variable("GITHUB_REPOSITORY") {
        let run = variable("GITHUB_RUN_ID").unwrap_or_default();
        let of = [variable("GITHUB_REF"), variable("GITHUB_SHA")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        return Writer { who: format!("{repository} run {run}"), of };
    }
    Writer {
        who: variable("USER")
            .or_else(|| variable("LOGNAME"))
            .or_else(machine::user)
            .unwrap_or_else(|| "somebody".into()),
        of: String::new(),
    }
}
