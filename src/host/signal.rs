//! SIGINT and SIGTERM as a count that whoever waits looks at: once means end in order, twice at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
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
        let mut signals = Signals::new([SIGINT, SIGTERM]).context(|| "cannot listen for signals".to_owned())?;
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
