//! The journal of a run: one event a line, as JSON, as they happen. It only grows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event::Event;
use crate::host::{Context, Result, fs, lines};

/// Writes events to `events.jsonl` of a run's folder.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: BufWriter<File>,
    failed: Option<std::io::Error>,
}

impl Journal {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        fs::create_dirs(folder)?;
        let path = folder.join("events.jsonl");
        let mut file = File::options().read(true).create(true).append(true).open(&path).cannot("write", &path)?;
        // A run that was killed may have left half a line; the run that goes on with it writes its own below.
        lines::end_file(&mut file).cannot("write", &path)?;
        Ok(Self { path, inner: Mutex::new(Inner { file: BufWriter::new(file), failed: None }) })
    }

    /// Lines of output are in the logs, and would make the journal as long as all of them.
    pub(super) fn event(&self, event: &Event) {
        if matches!(event, Event::Line { .. }) {
            return;
        }
        let mut inner = self.inner();
        let written = serde_json::to_writer(&mut inner.file, event)
            .map_err(std::io::Error::from)
            .and_then(|()| inner.file.write_all(b"\n"));
        if let Err(error) = written {
            inner.failed.get_or_insert(error);
        }
    }

    /// Says if something could not be written.
    pub(super) fn finish(&self) -> Result<()> {
        let mut inner = self.inner();
        let flushed = inner.file.flush();
        inner.failed.take().map_or(flushed, Err).cannot("write", &self.path)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
