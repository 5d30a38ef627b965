//! Data that DVC keeps, read from its own files and its cache: `raw.csv.dvc` or `dvc.lock` says what the bytes are, the cache
//! holds them, and what it lacks is fetched from DVC's remote. Needs no DVC, and believes nothing that it has not hashed.

mod cache;
mod config;
mod fault;
mod fetch;
mod pinned;
mod remote;

pub use cache::{Objects, is_pinned};
pub use fault::Fault;
pub use fetch::{Brought, Fetch};
pub use pinned::{Pinned, pinned};
pub use remote::Remote;
