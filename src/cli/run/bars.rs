//! A live line for each stage that runs, below the lines that stay. For terminals only.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::shown;

/// The live lines.
pub(super) struct Bars {
    all: MultiProgress,
    running: Mutex<HashMap<String, ProgressBar>>,
    total: Mutex<Option<ProgressBar>>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), running: Mutex::default(), total: Mutex::default() }
    }

    pub(super) fn begin(&self, stages: usize) {
        let bar = ProgressBar::new(stages as u64).with_style(style("  {bar:20} {pos}/{len} stages, {elapsed}"));
        *locked(&self.total) = Some(self.all.add(bar));
    }

    pub(super) fn start(&self, node: &str, expected: Option<&str>) {
        let bar = ProgressBar::new_spinner().with_style(style(&started(expected)));
        let bar = self.all.insert(0, bar.with_prefix(node.to_owned()));
        bar.enable_steady_tick(Duration::from_millis(120));
        locked(&self.running).insert(node.to_owned(), bar);
    }

    pub(super) fn line(&self, node: &str, text: &str) {
        if let Some(bar) = locked(&self.running).get(node) {
            // A program may draw bars of its own; control characters would tear ours apart.
            bar.set_message(shown::unpainted(text).chars().filter(|c| !c.is_control()).collect::<String>());
        }
    }

    pub(super) fn end(&self, node: &str, counts: bool) {
        if let Some(bar) = locked(&self.running).remove(node) {
            bar.finish_and_clear();
        }
        if let (true, Some(total)) = (counts, locked(&self.total).as_ref()) {
            total.inc(1);
        }
    }

    /// Writes above the live lines.
    pub(super) fn above(&self, write: impl FnOnce()) {
        self.all.suspend(write);
    }

    pub(super) fn clear(&self) {
        if let Some(total) = locked(&self.total).take() {
            total.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}

/// `train 12s of about 40 s: epoch 3`
fn started(expected: Option<&str>) -> String {
    let about = expected.map(|took| format!(" of about {took}")).unwrap_or_default();
    format!("  {{spinner}} {{prefix}} {{elapsed}}{about} {{wide_msg}}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
