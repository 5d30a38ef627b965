//! Reads the modules that files ask for by `use`, and those that these ask for, into the sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::modules::place;
use crate::source::{SourceFile, Sources, Unread};
use crate::syntax;

/// So many names of files beside a missing one are looked at.
const BESIDE: usize = 200;

/// Reads all modules of the files that are there. What can't be read is kept as unread: the compiler says so at its
/// place.
pub fn read_modules(sources: &mut Sources) {
    read_modules_beside(sources, &|_| None);
}

/// Reads all modules like [`read_modules`], but takes the text of a file that `open` knows from there: an editor's.
pub fn read_modules_beside(sources: &mut Sources, open: &dyn Fn(&str) -> Option<String>) {
    let folder = |name: &str| {
        let folder = Path::new(name).parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).canonicalize().ok()
    };
    let roots: Vec<PathBuf> = sources.iter().filter_map(|(_, file)| folder(file.name())).collect();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut next = 0;
    while let Some((from, paths)) = nth(sources, next) {
        next += 1;
        for path in paths {
            let Some(name) = place(&from, &path) else { continue };
            if sources.named(&name).is_some() || !asked.insert(name.clone()) {
                continue;
            }
            match open(&name).map_or_else(|| read(&name, &roots), Ok) {
                Ok(text) => {
                    sources.add(SourceFile::new(name, text));
                }
                Err(why) => {
                    let beside = if why.is_none() { beside(&name, &path) } else { Vec::new() };
                    sources.add_unread(name, Unread { why, beside });
                }
            }
        }
    }
}

fn nth(sources: &Sources, index: usize) -> Option<(String, Vec<String>)> {
    let (_, file) = sources.iter().nth(index)?;
    Some((file.name().to_owned(), syntax::modules(file.text())))
}

/// Returns the text; `Err` is why not, without a reason where nothing is there.
fn read(name: &str, roots: &[PathBuf]) -> Result<String, Option<String>> {
    let path = Path::new(name);
    if path.is_dir() {
        return Err(Some("it is a folder".to_owned()));
    }
    // A link that leads out is as good as `../x.mlp`, which is refused.
    if let Ok(real) = path.canonicalize()
        && !roots.is_empty()
        && !roots.iter().any(|root| real.starts_with(root))
    {
        return Err(Some("it is a link that leads out of the workspace".to_owned()));
    }
    let bytes = super::fs::read_whole(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => None,
        _ => Some(error.to_string()),
    })?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(Some(format!("it has {} bytes; a source file has at most {}", bytes.len(), u32::MAX)));
    }
    String::from_utf8(bytes).map_err(|_| Some("it is not UTF-8".to_owned()))
}

/// Returns the `.mlp` files of the folder of a missing one, as they would be written where it is asked for.
fn beside(name: &str, path: &str) -> Vec<String> {
    let folder = Path::new(name).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let prefix = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut found: Vec<String> = names
        .filter(|name| name.ends_with(".mlp"))
        .take(BESIDE)
        .map(|name| if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
        .collect();
    found.sort();
    found
}
