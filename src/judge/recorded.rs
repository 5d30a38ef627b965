//! Whether evidence that stands in a workspace counts: only what a recorded result made, out of exactly what stands there
//! beside it. Numbers of an older model or of other data are no evidence of the ones that are there now.

use crate::cache::{ResultRecord, Store};
use crate::plan::{Bound, InputKind};
use crate::types::Origin;

/// Returns why an output with this digest is no evidence; `None` where it is. `now` gives the digest of what stands for
/// an origin now.
pub(crate) fn contradiction(
    bound: &Bound,
    store: &Store,
    origin: &Origin,
    digest: &str,
    now: &dyn Fn(&Origin) -> Option<String>,
) -> Option<String> {
    let Origin::Output { stage, output } = origin else { return None };
    let node = bound.plan.stage(stage)?;
    let again = format!("`mlpc run {stage}` makes it anew");
    let Some(record) = store.latest(bound.profile.as_deref().unwrap_or_default(), stage).filter(ResultRecord::is_sound)
    else {
        return Some(format!("no result of `{stage}` is on record, so that nothing says what it was made of; {again}"));
    };
    if record.output(output).is_none_or(|made| made.artifact.digest.to_string() != digest) {
        return Some(format!("it is not what `{stage}` made when it last ran; {again}"));
    }
    let files = node.work.inputs.iter().filter(|input| !matches!(input.kind, InputKind::Value(_)));
    for input in files {
        // What a pointer names is in the registry, and the gate holds it against what it compares with.
        if matches!(input.origin, Origin::Pointer { .. }) {
            continue;
        }
        let skipped = input.origin.stage().is_some_and(|stage| bound.skipped.contains_key(stage));
        let now = if skipped { None } else { now(&input.origin) };
        if read(&record, &input.path) != Some(now.as_deref().unwrap_or("absent")) {
            return Some(format!("it was made of another `{}` than stands there now; {again}", input.origin));
        }
    }
    None
}

/// Returns the digest of what a result read at a path of its stage's folder.
fn read<'r>(record: &'r ResultRecord, path: &str) -> Option<&'r str> {
    let field = |fields: &'r [(String, String)], name: &str| {
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    };
    let inputs = record.manifest.iter().filter(|part| part.kind == "input");
    let mut mine = inputs.filter(|part| field(&part.fields, "path") == Some(path));
    mine.next().and_then(|part| field(&part.fields, "digest"))
}
