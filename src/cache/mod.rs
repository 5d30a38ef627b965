//! The cache of one workspace, under `.mlpc/`: objects by the digest of their content, results by the key of what
//! was declared, and what is remembered of files so that they need not be read again.
//!
//! Knows nothing of stages or plans: it is told a manifest and where outputs stand.

mod borrowed;
mod changes;
mod digests;
mod gc;
mod latest;
mod lock;
mod manifest;
mod memory;
pub mod remote;
mod result;
mod room;
mod scratch;
mod store;

pub use changes::{Change, changes};
pub use gc::{Missing, Policy, Stat, Swept, Verified};
pub use lock::WorkLock;
pub use manifest::{CodeFile, CommandLine, InputFile, Key, Manifest, OutputFile, Part, RuntimeKey};
pub use memory::{Memory, Sight};
pub use result::{Produced, Provenance, Recorded, ResultRecord};
pub use room::{Folders, Room, folders_above};
pub use scratch::Scratch;
pub(crate) use scratch::file_name;
pub use store::{Artifact, Kind, Restored, Store, Take};
