//! Several things on their way at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::host::Error;

/// How many are on their way at once.
const LANES: usize = 8;

/// Does something with each item, some at a time; the first error ends it.
pub fn side_by_side<T: Sync, E: From<Error> + Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    if items.len() < 2 {
        return items.iter().try_for_each(work);
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let lane = || -> Result<(), E> {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                work(item).inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?;
            }
            Ok(())
        };
        let lanes: Vec<_> = (0..LANES.min(items.len())).map(|_| scope.spawn(lane)).collect();
        lanes
            .into_iter()
            .try_for_each(|lane| lane.join().unwrap_or_else(|_| Err(E::from(Error::new("a lane to the remote died")))))
    })
}
