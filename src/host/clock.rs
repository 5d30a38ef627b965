//! The clock as a value, so that tests can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Tells the time: the host's, or one that a test holds still.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// Makes the host's clock.
    #[must_use]
    pub fn host() -> Self {
        Self(None)
    }

    /// Makes a clock that stands at `now` until it is moved.
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now.as_millisecond()))))
    }

    /// Returns the time, to the millisecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::now(),
            Some(held) => Timestamp::from_millisecond(held.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }

    /// Moves a fixed clock on; the host's clock stays what it is.
    pub fn advance(&self, by: std::time::Duration) {
        if let Some(held) = &self.0 {
            held.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

/// Writes a time as `2026-08-01T12:00:00Z`.
#[must_use]
pub fn iso(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Writes a time as `20260801T120000`, fit for a file name and sortable.
#[must_use]
pub fn compact(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_stands_still_until_it_is_moved() {
        let clock = Clock::fixed(Timestamp::from_second(1_700_000_000).expect("in range"));
        assert_eq!(iso(clock.now()), "2023-11-14T22:13:20Z");
        clock.advance(std::time::Duration::from_secs(40));
        assert_eq!(compact(clock.now()), "20231114T221400");
    }
}
