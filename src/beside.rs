//! Two things at once: what the passes of a large pipeline share between two threads.

/// Does the first here and the second by another thread, and returns what came of both; a panic of either goes on here.
pub(crate) fn both<A, B: Send>(first: impl FnOnce() -> A, second: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let second = scope.spawn(second);
        (first(), second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
