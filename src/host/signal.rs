//! SIGINT, SIGTERM and their like as a count that whoever waits looks at: once means end in order, twice at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::error::{Context, Result};

/// How often the user asked us to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Makes one that only [`Interrupt::raise`] sets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts to count the signals of this process.
    pub fn listen() -> Result<Self> {
        let interrupt = Self::new();
        let mut signals = Signals::new(meant()).context(|| "cannot listen for signals".to_owned())?;
        let counter = interrupt.clone();
        std::thread::spawn(move || signals.forever().for_each(|_| counter.raise()));
        Ok(interrupt)
    }

    /// Counts one more request to stop.
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Tells whether we were asked to stop.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.count() > 0
    }

    /// Tells whether we were asked twice: no more waiting for anybody.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.count() > 1
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Returns the signals that ask us to stop: a terminal that closes, too, unless whoever started us said to ignore that, as
/// `nohup` does. Where that can't be told, it is left as it is.
fn meant() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let others = [SIGHUP, SIGQUIT].into_iter().filter(|&signal| ignored(&status, signal) == Some(false));
    [SIGINT, SIGTERM].into_iter().chain(others).collect()
}

/// Tells whether a process ignores a signal, from its `/proc/<pid>/status`: bit n − 1 of `SigIgn` is signal n (proc(5)).
fn ignored(status: &str, signal: i32) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?.trim();
    Some(u64::from_str_radix(mask, 16).ok()? >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        // What `nohup sh -c 'grep SigIgn /proc/self/status'` prints.
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\n";
        assert_eq!((ignored(status, SIGHUP), ignored(status, SIGQUIT)), (Some(true), Some(false)));
        assert_eq!(ignored("", SIGHUP), None);
    }
}
