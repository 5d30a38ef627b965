//! What holds for every registry: versions found by digest, pointers moved by compare-and-swap, nothing read on
//! trust. Functions over a [`View`]; they answer with values and changes and write nothing themselves.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::chain::Chain;
use super::error::{ErrorKind, RegistryError};
use super::record::{Candidate, FORMAT, Outcome, Pointer, Promotion, Registered, Stored, Version};
use super::view::{Change, Content, View, measure};
use super::{layout, rollback};
use crate::host::{Digest, clock, lines};

type Result<T> = std::result::Result<T, RegistryError>;

/// Reads a version.
pub(super) fn version(view: &dyn View, id: &str) -> Result<Option<Version>> {
    if layout::digits(id).is_none() {
        return Ok(None);
    }
    let path = layout::in_version(id, layout::METADATA);
    let exists = || {
        let ids = view.list(layout::VERSIONS)?;
        Ok(ids.iter().any(|name| name == id).then(|| format!("`{path}` is gone")))
    };
    match read_known(view, &path, exists)? {
        Some(bytes) => layout::decode_version(&path, id, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Reads a version that has to be there.
pub(super) fn existing_version(view: &dyn View, id: &str) -> Result<Version> {
    version(view, id)?.ok_or_else(|| RegistryError::new(ErrorKind::Unknown, format!("there is no version `{id}`")))
}

/// Reads all versions, the oldest first.
pub(super) fn versions(view: &dyn View) -> Result<Vec<Version>> {
    let ids = view.list(layout::VERSIONS)?.into_iter().filter(|id| layout::digits(id).is_some());
    let mut versions = ids.map(|id| existing_version(view, &id)).collect::<Result<Vec<_>>>()?;
    versions.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
    Ok(versions)
}

/// Finds the version with this digest.
pub(super) fn find_by_digest(view: &dyn View, digest: &Digest) -> Result<Option<Version>> {
    let hex = digest.hex();
    for id in view.list(layout::VERSIONS)? {
        if layout::digits(&id).is_some_and(|digits| hex.starts_with(digits)) {
            let found = existing_version(view, &id)?;
            if found.digest == *digest {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Reads the metrics of a version, verified.
pub(super) fn metrics(view: &dyn View, version: &Version) -> Result<Option<String>> {
    let Some(expected) = version.metrics_digest else { return Ok(None) };
    let path = layout::in_version(&version.id, layout::METRICS);
    let bytes = view.read(&path)?.ok_or_else(|| RegistryError::corrupt(format!("`{path}` is gone")))?;
    if Digest::of(&bytes) != expected {
        return Err(RegistryError::corrupt(format!("`{path}` was changed after it was registered")));
    }
    let text = String::from_utf8(bytes).map_err(|_| RegistryError::corrupt(format!("`{path}` is not UTF-8")))?;
    Ok(Some(text))
}

/// Reads a pointer and checks it against the history and the version it names. `None` only if it was never set: one that
/// is gone, though another file knows it, is an error.
pub(super) fn pointer(view: &dyn View, name: &str) -> Result<Option<Pointer>> {
    let mut found = pointer_alone(view, name)?;
    loop {
        let Some(pointer) = &found else { return Ok(None) };
        let steps = chain(view)?;
        let Some(damage) = disagreement(view, &steps, pointer)? else { return Ok(found) };
        // Moved while we read: the files may be of different moments.
        let now = pointer_alone(view, name)?;
        if now == found {
            return Err(RegistryError::corrupt(damage));
        }
        found = now;
    }
}

/// Returns what a pointer, the history and what serving code reads disagree about.
fn disagreement(view: &dyn View, steps: &Chain<Pointer>, pointer: &Pointer) -> Result<Option<String>> {
    let (name, history) = (&pointer.name, layout::HISTORY);
    let back = "from a backup or from an older commit of the branch";
    if !agrees(steps, pointer) {
        let last = steps.of(name).map_or("nothing".to_owned(), |last| format!("`{}`", last.version));
        return Ok(Some(format!(
            "`{}` names `{}`, which does not follow {last}, the last that `{history}` has for it: one of the two \
             was changed; put both back, {back}",
            layout::pointer(name),
            pointer.version
        )));
    }
    // It is written last: it may be behind, and never ahead of the two.
    let path = layout::version_txt(name);
    let Some(served) = view.read(&path)?.and_then(|bytes| String::from_utf8(bytes).ok()) else { return Ok(None) };
    let served = served.trim();
    let mut known = steps.lines.iter().filter(|line| line.name == *name).map(|line| &line.version);
    let is_known = served == pointer.version || known.any(|version| version == served);
    Ok((layout::digits(served).is_some() && !is_known).then(|| {
        format!(
            "`{path}` names `{served}`, to which `{name}` was never set if `{history}` is whole: pointer and history were put \
             back to an earlier moment; put both back as they were, {back}; where the earlier moment is meant, remove `{path}`"
        )
    }))
}

/// Tells whether a pointer is what the history says last, or the step after it, which a crash kept out of the file.
fn agrees(steps: &Chain<Pointer>, pointer: &Pointer) -> bool {
    steps.of(&pointer.name) == Some(pointer) || steps.admits(pointer)
}

/// Reads a pointer and checks it against the version it names.
pub(super) fn pointer_alone(view: &dyn View, name: &str) -> Result<Option<Pointer>> {
    layout::check_name(name)?;
    let path = layout::pointer(name);
    let Some(bytes) = read_known(view, &path, || gone(view, name))? else { return Ok(None) };
    let pointer = layout::decode_pointer(&path, name, &bytes)?;
    let id = &pointer.version;
    let Some(version) = version(view, id)? else {
        return Err(RegistryError::corrupt(format!("`{path}` names the version `{id}`, which is not there")));
    };
    if (version.digest, version.metrics_digest) != (pointer.digest, pointer.metrics_digest) {
        return Err(RegistryError::corrupt(format!("`{path}` and the metadata of `{id}` give different digests")));
    }
    if pointer.metadata_digest.is_some_and(|digest| digest != version.content()) {
        let record = layout::in_version(id, layout::METADATA);
        return Err(RegistryError::corrupt(format!("`{record}` was changed after `{path}` was set to it")));
    }
    Ok(Some(pointer))
}

/// Returns how it is known that a pointer was set, of one whose file is not there: any trace of it says so.
fn gone(view: &dyn View, name: &str) -> Result<Option<String>> {
    let path = layout::pointer(name);
    let back = "put it back, from a backup or from an older commit of the branch";
    if history_file(view)?.iter().any(|entry| entry.name == name) {
        let history = layout::HISTORY;
        return Ok(Some(format!(
            "`{path}` is gone, and `{history}` knows it: its last line for `{name}` is the content"
        )));
    }
    let rejections = rollback::file(view)?.unwrap_or_default();
    if rejections.iter().any(|line| line.pointer == name) {
        let rejections = layout::REJECTIONS;
        return Ok(Some(format!("`{path}` is gone, and `{rejections}` tells that it was rolled back: {back}")));
    }
    for served in [layout::version_txt(name), layout::metrics_json(name)] {
        if view.read(&served)?.is_some() {
            return Ok(Some(format!(
                "`{path}` is gone, and `{served}` still tells of a version: {back}; where nothing was ever released, remove \
                 `{served}`"
            )));
        }
    }
    Ok(None)
}

/// Reads a file that has to be there if `gone` says how that is known. It may appear between the two questions, so that
/// the first is asked again: what is known and then absent was there and is gone.
fn read_known(view: &dyn View, path: &str, gone: impl Fn() -> Result<Option<String>>) -> Result<Option<Vec<u8>>> {
    if let Some(bytes) = view.read(path)? {
        return Ok(Some(bytes));
    }
    let Some(why) = gone()? else { return Ok(None) };
    view.read(path)?.map(Some).ok_or_else(|| RegistryError::corrupt(why))
}

/// Returns the names of all pointers, in order.
pub(super) fn pointer_names(view: &dyn View) -> Result<Vec<String>> {
    let files = view.list(layout::POINTERS)?;
    Ok(files
        .iter()
        .filter_map(|file| file.strip_suffix(".json"))
        .filter(|n| layout::is_name(n))
        .map(str::to_owned)
        .collect())
}

/// Reads all pointers in the order of their names.
pub(super) fn pointers(view: &dyn View) -> Result<Vec<Pointer>> {
    let names = pointer_names(view)?;
    names.iter().filter_map(|name| pointer(view, name).transpose()).collect()
}

/// Reads the history of all pointers as its file has it.
pub(super) fn history_file(view: &dyn View) -> Result<Vec<Pointer>> {
    chain(view).map(|steps| steps.lines)
}

/// Reads the history with what ties its lines together.
fn chain(view: &dyn View) -> Result<Chain<Pointer>> {
    Chain::read(layout::HISTORY, &view.read(layout::HISTORY)?.unwrap_or_default())
}

/// Returns the whole lines of a history whose last one was cut off; `None` where it is not so.
pub(super) fn untorn(bytes: &[u8]) -> Option<&[u8]> {
    let (lines, rest) = lines::split(bytes);
    let is_record = |bytes: &[u8]| layout::decode_lines::<Pointer>(layout::HISTORY, bytes).is_ok();
    (!rest.is_empty() && !is_record(rest) && is_record(lines)).then_some(lines)
}

/// Reads the history of one pointer; a last step that a crash kept out of the file is there too.
pub(super) fn history(view: &dyn View, name: &str) -> Result<Vec<Pointer>> {
    let mut current = pointer(view, name)?;
    let mut entries = loop {
        let entries: Vec<_> = history_file(view)?.into_iter().filter(|entry| entry.name == name).collect();
        // Moved while we read: the two files may be of different moments.
        let now = pointer(view, name)?;
        if now == current {
            break entries;
        }
        current = now;
    };
    if let Some(current) = current.filter(|current| entries.last() != Some(current)) {
        entries.push(current);
    }
    Ok(entries)
}

/// Verifies that what a version consists of is still what was registered; the first difference is the error.
pub(super) fn verify(view: &dyn View, version: &Version) -> Result<()> {
    let with = version.with.iter().map(|(name, stored)| (layout::with(&version.id, name), stored));
    let model = (layout::in_version(&version.id, layout::MODEL), &version.model);
    for (path, stored) in std::iter::once(model).chain(with) {
        match view.digest(&path)? {
            Some(digest) if digest == stored.digest => {}
            Some(_) => return Err(RegistryError::corrupt(format!("`{path}` was changed after it was registered"))),
            None => return Err(RegistryError::corrupt(format!("`{path}` is gone"))),
        }
    }
    if let Some(expected) = version.requirements_digest {
        let path = layout::in_version(&version.id, layout::REQUIREMENTS);
        match view.digest(&path)? {
            Some(digest) if digest == expected => {}
            Some(_) => return Err(RegistryError::corrupt(format!("`{path}` was changed after it was registered"))),
            None => return Err(RegistryError::corrupt(format!("`{path}` is gone"))),
        }
    }
    metrics(view, version).map(drop)
}

/// What a candidate turns out to be when it is measured.
pub(super) struct Measured<'a> {
    candidate: &'a Candidate,
    pub(super) model: Stored,
    pub(super) with: std::collections::BTreeMap<String, Stored>,
    metrics: Option<Vec<u8>>,
}

/// Measures a candidate; this reads all of its bytes, so it is done once.
pub(super) fn measured(candidate: &Candidate) -> Result<Measured<'_>> {
    let refuse_unlike = |file: &str, what: &str, expected: Option<&Digest>, is: Digest| match expected {
        Some(expected) if *expected != is => {
            Err(RegistryError::corrupt(format!("`{file}` is no longer what was {what}: its digest is another one")))
        }
        _ => Ok(()),
    };
    let model = measure(&candidate.model.path, &candidate.model.file)?;
    refuse_unlike(&candidate.model.file, "measured", candidate.digest.as_ref(), model.digest)?;
    let mut with = std::collections::BTreeMap::new();
    for (name, artifact) in &candidate.with {
        layout::check_name(name)?;
        let is = measure(&artifact.path, &artifact.file)?;
        refuse_unlike(&artifact.file, "made", candidate.made.get(&artifact.path), is.digest)?;
        with.insert(name.clone(), is);
    }
    let metrics = candidate.metrics.as_deref().map(crate::host::fs::read).transpose()?;
    if let (Some(path), Some(bytes)) = (&candidate.metrics, &metrics) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        refuse_unlike(&file, "measured", candidate.made.get(path), Digest::of(bytes))?;
    }
    Ok(Measured { candidate, model, with, metrics })
}

/// Registers: the same bytes are never a second version.
pub(super) fn register(view: &dyn View, measured: &Measured<'_>, now: Timestamp) -> Result<(Registered, Vec<Change>)> {
    let digest = measured.model.digest;
    if let Some(version) = find_by_digest(view, &digest)? {
        return Ok((Registered { version, new: false }, Vec::new()));
    }
    let version = Version {
        format: FORMAT,
        id: free_id(view, &digest, now)?,
        digest,
        created: clock::iso(now),
        model: measured.model.clone(),
        metrics_digest: measured.metrics.as_deref().map(Digest::of),
        with: measured.with.clone(),
        requirements_digest: measured.candidate.requirements.as_deref().map(|text| Digest::of(text.as_bytes())),
        metadata: measured.candidate.metadata.clone(),
        seal: None,
    };
    let version = layout::sealed(version);
    let files = files_of(measured, &version);
    let path = format!("{}/{}", layout::VERSIONS, version.id);
    Ok((Registered { version, new: true }, vec![Change::Folder { path, files }]))
}

fn files_of(measured: &Measured<'_>, version: &Version) -> Vec<(String, Content)> {
    let copy = |path: &std::path::Path, stored: &Stored| Content::Copy(path.to_owned(), stored.digest);
    let candidate = measured.candidate;
    let mut files = vec![(layout::MODEL.to_owned(), copy(&candidate.model.path, &measured.model))];
    for (name, stored) in &measured.with {
        files.push((format!("{}/{name}", layout::WITH), copy(&candidate.with[name].path, stored)));
    }
    if let Some(bytes) = &measured.metrics {
        files.push((layout::METRICS.to_owned(), Content::Bytes(bytes.clone())));
    }
    if let Some(text) = &candidate.requirements {
        files.push((layout::REQUIREMENTS.to_owned(), Content::Bytes(text.clone().into_bytes())));
    }
    files.push((layout::METADATA.to_owned(), Content::Bytes(layout::encode(version))));
    files
}

/// Eight digits, more where another model of that day has the same.
fn free_id(view: &dyn View, digest: &Digest, now: Timestamp) -> Result<String> {
    let day = now.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string();
    let taken = view.list(layout::VERSIONS)?;
    let mut ids = (8..=64).step_by(4).map(|digits| layout::id(&day, digest, digits));
    ids.find(|id| !taken.contains(id)).ok_or_else(|| RegistryError::corrupt("two versions have one digest"))
}

/// Promotes: moves the pointer if it stands at the version that the caller compared with.
pub(super) fn promote(view: &dyn View, wish: &Promotion, now: Timestamp) -> Result<(Outcome, Vec<Change>)> {
    let version = existing_version(view, &wish.version)?;
    let found = pointer(view, &wish.pointer)?;
    if let Some(found) = &found
        && found.version == version.id
    {
        return Ok((Outcome::AlreadyThere(found.clone()), derived(view, found)?));
    }
    let previous = found.as_ref().map(|pointer| pointer.version.clone());
    if previous != wish.expected {
        return Ok((Outcome::Moved { found }, Vec::new()));
    }
    if let Some(rejection) = rollback::rejection(view, &wish.pointer, &version.digest)? {
        return Ok((Outcome::Rejected(rejection), Vec::new()));
    }
    verify(view, &version)?;
    let pointer = Pointer {
        format: FORMAT,
        name: wish.pointer.clone(),
        version: version.id.clone(),
        digest: version.digest,
        metrics_digest: version.metrics_digest,
        metadata_digest: Some(version.content()),
        previous,
        follows: None,
        run: wish.run.clone(),
        since: clock::iso(now),
        by_hand: None,
    };
    let (pointer, changes) = moved(view, found.as_ref(), pointer)?;
    Ok((Outcome::Promoted(pointer), changes))
}

/// Returns what moves a pointer from where it stands: the pointer, the history, the files of serving code. The pointer is
/// returned as it is written, tied to the step before it.
pub(super) fn moved(view: &dyn View, found: Option<&Pointer>, to: Pointer) -> Result<(Pointer, Vec<Change>)> {
    // The step before this one may be missing from the history: whoever made it was killed right after it.
    let mut changes = found.map(|found| catch_up(view, &[found])).transpose()?.unwrap_or_default();
    let mut history = match changes.first() {
        Some(Change::Write { path, bytes }) if path == layout::HISTORY => bytes.clone(),
        _ => view.read(layout::HISTORY)?.unwrap_or_default(),
    };
    let follows = Chain::<Pointer>::read(layout::HISTORY, &history)?.next(&to.name);
    let pointer = Pointer { follows: Some(follows), ..to };
    changes.push(Change::Write { path: layout::pointer(&pointer.name), bytes: layout::encode(&pointer) });
    lines::add(&mut history, &pointer);
    changes.push(Change::Write { path: layout::HISTORY.to_owned(), bytes: history });
    changes.extend(serving_files(view, &pointer)?);
    Ok((pointer, changes))
}

/// Returns what is missing from or wrong in the files derived from a pointer.
pub(super) fn derived(view: &dyn View, pointer: &Pointer) -> Result<Vec<Change>> {
    let mut changes = catch_up(view, &[pointer])?;
    changes.extend(serving_files(view, pointer)?);
    Ok(changes)
}

/// Brings the history up to the pointers, as one change or none.
pub(super) fn catch_up(view: &dyn View, pointers: &[&Pointer]) -> Result<Vec<Change>> {
    let entries = history_file(view)?;
    let missing = |pointer: &&&Pointer| entries.iter().rfind(|entry| entry.name == pointer.name) != Some(**pointer);
    let missing: Vec<_> = pointers.iter().filter(missing).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut bytes = view.read(layout::HISTORY)?.unwrap_or_default();
    for pointer in missing {
        lines::add(&mut bytes, pointer);
    }
    Ok(vec![Change::Write { path: layout::HISTORY.to_owned(), bytes }])
}

/// Returns how the files that serving code reads differ from what the pointer says.
pub(super) fn serving_files(view: &dyn View, pointer: &Pointer) -> Result<Vec<Change>> {
    let version = existing_version(view, &pointer.version)?;
    let version_txt = Some(format!("{}\n", version.id).into_bytes());
    let metrics = metrics(view, &version)?.map(String::into_bytes);
    let wanted = [(layout::version_txt(&pointer.name), version_txt), (layout::metrics_json(&pointer.name), metrics)];
    let mut changes = Vec::new();
    for (path, bytes) in wanted {
        match bytes {
            bytes if view.read(&path)? == bytes => {}
            Some(bytes) => changes.push(Change::Write { path, bytes }),
            None => changes.push(Change::Remove { path }),
        }
    }
    Ok(changes)
}
