//! The host: files, processes, signals, clock and terminal. Everything that can fail for reasons outside the
//! pipeline is here, so that the compiler can stay pure. Knows nothing of pipelines, stages or caches.

pub mod clock;
pub mod digest;
pub mod error;
pub mod fs;
pub mod git;
pub mod github;
pub mod lines;
pub mod lock;
pub mod machine;
pub mod modules;
pub mod out;
pub mod process;
pub mod signal;
pub mod threads;
pub mod tree;

pub use clock::Clock;
pub use digest::Digest;
pub use error::{Context, Error, Result};
pub use out::{Out, human};
