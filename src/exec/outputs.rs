//! After a stage ran: its outputs are checked against their types, taken into the store, and put into the workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::{Product, Run, Stop};
use super::folder::Folder;
use crate::cache::{Artifact, Kind, Produced, Restored, ResultRecord, Take};
use crate::data;
use crate::diagnostic::nearest;
use crate::host::fs::{self, join_inside};
use crate::host::lock::Lock;
use crate::host::{Context, Digest, clock};
use crate::judge;
use crate::plan::{Output, OutputKind, Stage};
use crate::shown;
use crate::types::{Artifact as ArtifactType, PredictionsType, Type, Value};

/// So many names are shown of what stands beside a file that is not there.
const BESIDE: usize = 3;

/// Checks all outputs of a stage, and only then takes them into the store.
pub(super) fn collect(run: &Run<'_>, stage: &Stage, folder: &Folder) -> Result<Vec<Produced>, Stop> {
    let mut values = BTreeMap::new();
    for output in &stage.outputs {
        let path = join_inside(&folder.work, &output.path)?;
        let wrong = |what: String| Stop::Failed(format!("the output `{}` (`{}`) {what}", output.name, output.path));
        if !path.exists() {
            return Err(wrong(unwritten(&path)));
        }
        match &output.kind {
            OutputKind::Artifact(ty) => check(&path, ty).map_err(wrong)?,
            OutputKind::Value { ty, pointer } => {
                let fitted = read_value(&path, ty, pointer).map_err(wrong)?;
                values.insert(&output.name, serde_json::to_value(fitted).unwrap_or_default());
            }
        }
    }
    let take = if folder.shared || run.options.keep { Take::Copy } else { Take::Move };
    let mut stored: BTreeMap<&str, Artifact> = BTreeMap::new();
    let mut produced = Vec::new();
    for output in &stage.outputs {
        // Several values may be read from one file.
        let artifact = match stored.get(output.path.as_str()) {
            Some(artifact) => *artifact,
            None => run.store.put(&join_inside(&folder.work, &output.path)?, take)?,
        };
        stored.insert(&output.path, artifact);
        let value = values.get(&output.name).cloned();
        produced.push(Produced { role: output.name.clone(), artifact, value });
    }
    Ok(produced)
}

/// Says that nothing stands at a path, and what stands beside it: a slip in a name shows at once.
fn unwritten(path: &Path) -> String {
    let beside = path.parent().and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut names: Vec<String> = beside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let near = nearest(&name, names.iter().map(String::as_str)).map(str::to_owned);
    let more = names.len().saturating_sub(BESIDE);
    let first: Vec<String> = match near {
        Some(near) => vec![near],
        None => names.into_iter().take(BESIDE).collect(),
    };
    let listed: Vec<String> = first.iter().map(|name| format!("`{}`", shown::name(name))).collect();
    match (first.len(), more) {
        (0, _) => "was not written".to_owned(),
        (BESIDE, 1..) => format!("was not written; {} and {more} more stand in its folder", listed.join(", ")),
        (1, _) => format!("was not written; {} stands in its folder", listed.join(", ")),
        _ => format!("was not written; {} stand in its folder", listed.join(", ")),
    }
}

/// Checks one output of a command that ran elsewhere; `Err` says what is wrong with it.
pub fn check_output(output: &Output, path: &Path) -> Result<(), String> {
    if !path.exists() {
        return Err(unwritten(path));
    }
    match &output.kind {
        OutputKind::Artifact(ty) => check(path, ty),
        OutputKind::Value { ty, pointer } => read_value(path, ty, pointer).map(drop),
    }
}

/// Says what is wrong with an output; whether its content is any good is for gates to say.
fn check(path: &Path, ty: &ArtifactType) -> Result<(), String> {
    let folder = path.is_dir();
    match ty {
        ArtifactType::Dir | ArtifactType::Model { .. } | ArtifactType::Dataset { .. } | ArtifactType::Plot
            if folder =>
        {
            let empty = std::fs::read_dir(path).map(|mut entries| entries.next().is_none()).unwrap_or(true);
            return if empty { Err("is an empty folder".into()) } else { Ok(()) };
        }
        ArtifactType::Dir => return Err("is a file; its type `Dir` wants a folder".into()),
        _ if folder => return Err(format!("is a folder; its type `{ty}` wants a file")),
        _ => {}
    }
    let bytes = head(path)?;
    if bytes.is_empty() {
        return Err("is empty".into());
    }
    let not = |what: &str| Err(format!("is no {what}, as its type `{ty}` wants"));
    match ty {
        ArtifactType::Metrics { .. } if !looks_like_json(&bytes) => not("JSON object or list"),
        ArtifactType::Tests if first(&bytes) != Some(b'<') => not("XML"),
        ArtifactType::Predictions(_) if !has_header(&bytes) => not("CSV with a header"),
        ArtifactType::Predictions(ty) => has_columns(&bytes, ty),
        ArtifactType::Archive if !is_archive(&bytes) => not("tar, gzip or zip file"),
        ArtifactType::Dataset { format, .. } | ArtifactType::Model { format } => match format.as_deref() {
            Some("csv") if !has_header(&bytes) => not("CSV with a header"),
            Some("parquet") => {
                let file: Arc<dyn data::Places> = Arc::new(fs::Placed::open(path).map_err(|error| error.to_string())?);
                let sound = data::look(data::Format::Parquet, &file);
                sound.map_err(|what| format!("is no Parquet file, as its type `{ty}` wants: {what}"))
            }
            Some("jsonl" | "json") if !looks_like_json(&bytes) => not("JSON object or list"),
            // Protocol 2 and later begin so; protocols 0 and 1 are text.
            Some("pickle") if bytes[0] != 0x80 && !bytes.is_ascii() => not("pickle"),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn head(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::open(path)
        .and_then(|file| file.take(64 << 10).read_to_end(&mut bytes))
        .map_err(|error| format!("can't be read: {}", crate::host::error::reason(&error)))?;
    Ok(bytes)
}

fn first(bytes: &[u8]) -> Option<u8> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// A file with NaN in it is no JSON either, but what is wrong with it is for the gate to say, by the metric's name.
fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(first(bytes), Some(b'{' | b'['))
}

fn has_header(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    !line.trim_ascii().is_empty() && !line.contains(&0)
}

/// What stands in the columns is for the gate to judge.
fn has_columns(bytes: &[u8], ty: &PredictionsType) -> Result<(), String> {
    if ty.columns().next().is_none() {
        return Ok(());
    }
    let names = crate::data::header(bytes).map_err(|problem| format!("can't be read: {problem}"))?;
    match ty.columns().find(|(_, column)| !names.iter().any(|name| name == column)) {
        Some((what, column)) => {
            let names: Vec<_> = names.iter().map(|name| format!("`{}`", shown::name(name))).collect();
            Err(format!("has no column `{column}`, where its type wants the {what}; it has {}", names.join(", ")))
        }
        None => Ok(()),
    }
}

fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK") || bytes.get(257..262) == Some(b"ustar")
}

/// Reads a value output from the file that holds it; `Err` says what is wrong with it.
pub(crate) fn read_value(path: &Path, ty: &Type, pointer: &str) -> Result<Value, String> {
    let json = value(path, pointer)?;
    crate::plan::typed(ty, &json).map_err(|why| format!("is no `{ty}` at `{pointer}`: {why}"))
}

fn value(path: &Path, pointer: &str) -> Result<serde_json::Value, String> {
    let text =
        fs::read_whole(path).map_err(|error| format!("can't be read: {}", crate::host::error::reason(&error)))?;
    let json: serde_json::Value = std::str::from_utf8(&text)
        .map_err(|error| error.to_string())
        .and_then(crate::plan::strict::json)
        .map_err(|error| format!("is no JSON: {error}"))?;
    json.pointer(pointer).cloned().ok_or_else(|| format!("holds nothing at `{pointer}`"))
}

/// Puts the outputs of a result into the workspace, where they are not there already. Tells whether all could be.
pub(super) fn publish(run: &Run<'_>, node: &str, stage: &Stage, record: &ResultRecord) -> Result<bool, Stop> {
    let mut lock = None;
    for output in &stage.outputs {
        let Some(produced) = record.output(&output.name) else { return Ok(false) };
        let path = join_inside(run.workspace(), &output.publish)?;
        if is_there(run, &path, &produced.artifact) {
            continue;
        }
        // Two runs that publish at once must not see each other's half-made swap of a folder, nor lose what a person made. A file
        // comes to where nothing stands in one step.
        let is_one_step = produced.artifact.kind == Kind::File && std::fs::symlink_metadata(&path).is_err();
        if lock.is_none() && !is_one_step {
            lock = Some(Lock::wait(&run.store.state().join("locks/publish"))?);
        }
        save_edited(run, node, output, &path)?;
        if run.store.restore(&produced.artifact, &path)? == Restored::Missing {
            return Ok(false);
        }
    }
    let digest = |name: &str| record.output(name).map(|produced| produced.artifact.digest.to_string());
    judge::machine::note(run.bound, run.workspace(), (node, stage), &record.provenance.machine, digest)?;
    for output in &stage.outputs {
        let Some(produced) = record.output(&output.name) else { return Ok(false) };
        run.publish_product(node, &output.name, product(output, produced));
    }
    Ok(true)
}

/// Returns what further stages get of an output.
pub(super) fn product(output: &Output, produced: &Produced) -> Product {
    let value = produced.value.as_ref().and_then(|value| serde_json::from_value(value.clone()).ok());
    Product { artifact: produced.artifact, value, path: output.publish.clone() }
}

/// Tells whether an artifact stands at a path already.
pub(super) fn is_there(run: &Run<'_>, path: &Path, artifact: &Artifact) -> bool {
    run.memory.look(path).is_ok_and(|there| {
        (there.kind, there.digest, there.executable) == (artifact.kind, artifact.digest, artifact.executable)
    })
}

/// What stands where an output goes and never came out of a stage is a person's work: it is kept.
fn save_edited(run: &Run<'_>, node: &str, output: &Output, path: &Path) -> Result<(), Stop> {
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    if run.memory.look(path).is_ok_and(|there| run.store.has(&there) || was_left(run, output, &there)) {
        return Ok(());
    }
    let stamp = clock::compact(run.setup.clock.now());
    let mut saved = run.store.state().join("saved").join(&stamp).join(&output.publish);
    let mut number = 1;
    while saved.exists() {
        number += 1;
        saved = run.store.state().join("saved").join(format!("{stamp}-{number}")).join(&output.publish);
    }
    fs::create_dirs(fs::parent(&saved))?;
    if std::fs::rename(path, &saved).is_err() {
        // The output stands on another file system, or in a folder of somebody else's.
        fs::copy_tree(path, &saved)?;
        fs::remove(path)?;
    }
    let shown = saved.strip_prefix(run.workspace()).unwrap_or(&saved).display().to_string();
    // Where no run made anything for this place, nobody has edited it: it is somebody else's file.
    let ours = run.store.latest(run.profile(), node).is_some_and(|record| record.output(&output.name).is_some());
    let what = if ours { "was edited by hand" } else { "stood there, and mlpc did not write it" };
    run.note(node, format!("`{}` {what}; what it held is kept in `{shown}`", output.publish));
    Ok(())
}

/// Keeps what a failed stage wrote to outputs that say `always`; not in the cache.
pub(super) fn keep_always(run: &Run<'_>, node: &str, stage: &Stage, folder: &Folder) {
    if folder.shared {
        stage.outputs.iter().for_each(|output| note_left(run, output));
    }
    for output in stage.outputs.iter().filter(|output| output.always && !folder.shared) {
        let keep = || -> Result<bool, Stop> {
            let from = join_inside(&folder.work, &output.path)?;
            if !from.exists() {
                return Ok(false);
            }
            let path = join_inside(run.workspace(), &output.publish)?;
            let staged = run.store.scratch().fresh("always");
            fs::copy_tree(&from, &staged)?;
            let _lock = Lock::wait(&run.store.state().join("locks/publish"))?;
            save_edited(run, node, output, &path)?;
            fs::swap_in(&staged, &path, &run.store.scratch().fresh("aside"))?;
            note_left(run, output);
            Ok(true)
        };
        if let Err(Stop::Failed(error) | Stop::Unsound(error)) = keep() {
            run.note(node, format!("`{}` could not be kept: {error}", output.publish));
        }
    }
}

/// Notes what a stage that failed left where an output goes: it is not in the store, and no person's work either.
fn note_left(run: &Run<'_>, output: &Output) {
    let note = || -> Result<(), Stop> {
        let path = join_inside(run.workspace(), &output.publish)?;
        if path.exists() {
            let there = run.memory.look(&path)?;
            let note = left_note(run, output);
            fs::create_dirs(fs::parent(&note))?;
            fs::write_atomic(&note, there.digest.to_string().as_bytes())?;
        }
        Ok(())
    };
    // Without the note, the next run keeps too much.
    let _ = note();
}

fn was_left(run: &Run<'_>, output: &Output, there: &Artifact) -> bool {
    std::fs::read_to_string(left_note(run, output)).is_ok_and(|digest| digest == there.digest.to_string())
}

fn left_note(run: &Run<'_>, output: &Output) -> PathBuf {
    run.store.state().join("left").join(Digest::of(output.publish.as_bytes()).hex())
}

/// Removes what stands where outputs of a stage without isolation go, so that what it leaves was made by it.
pub(super) fn clear_shared(run: &Run<'_>, node: &str, stage: &Stage) -> Result<(), Stop> {
    for output in &stage.outputs {
        let path = join_inside(run.workspace(), &output.path)?;
        save_edited(run, node, output, &path)?;
        fs::remove(&path)?;
        let folder = fs::parent(&path);
        std::fs::create_dir_all(folder).cannot("make the folder", folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(ty: &ArtifactType, bytes: &[u8]) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x"), bytes).expect("written");
        check(&folder.path().join("x"), ty)
    }

    fn dataset(format: &str) -> ArtifactType {
        ArtifactType::Dataset { format: Some(format.into()), schema: None }
    }

    #[test]
    fn an_empty_output_is_no_output() {
        assert_eq!(verdict(&ArtifactType::File, b""), Err("is empty".into()));
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(check(folder.path(), &ArtifactType::Dir), Err("is an empty folder".into()));
        assert!(check(folder.path(), &ArtifactType::Report).is_err());
    }

    #[test]
    fn predictions_have_the_columns_that_their_type_names() {
        let ty = |score: &str| {
            let (id, score) = (Some("row".to_owned()), Some(score.to_owned()));
            ArtifactType::Predictions(PredictionsType { id, score, ..PredictionsType::default() })
        };
        assert_eq!(verdict(&ty("p"), b"\xef\xbb\xbfrow,p\r\n1,0.5\r\n"), Ok(()));
        let said = verdict(&ty("score"), b"row,p\n1,0.5\n").expect_err("a column is missing");
        assert_eq!(said, "has no column `score`, where its type wants the score; it has `row`, `p`");
        assert!(verdict(&ty("p"), b"row,p,p\n1,2,3\n").expect_err("twice").contains("two columns are named `p`"));
        assert_eq!(verdict(&ArtifactType::Predictions(PredictionsType::default()), b"a,a\n"), Ok(()));
    }

    #[test]
    fn outputs_are_what_their_types_say() {
        let metrics = ArtifactType::Metrics { name: "Evaluation".into() };
        let cases: [(&ArtifactType, &[u8], bool); 11] = [
            (&metrics, b"{\"auc\": 1}", true),
            (&metrics, b"\n{\"auc\": NaN}", true),
            (&metrics, b"auc=1", false),
            (&ArtifactType::Tests, b"<?xml version='1.0'?>", true),
            (&ArtifactType::Tests, b"ok", false),
            (&dataset("csv"), b"a,b\n1,2\n", true),
            (&dataset("csv"), b"\n1,2\n", false),
            (&dataset("parquet"), b"PAR1........PAR", false),
            (&dataset("parquet"), b"a,b", false),
            (&ArtifactType::Model { format: Some("pickle".into()) }, b"\x80\x04x", true),
            (&ArtifactType::Archive, b"hello", false),
        ];
        for (ty, bytes, good) in cases {
            assert_eq!(verdict(ty, bytes).is_ok(), good, "{ty} {bytes:?}");
        }
    }
}
