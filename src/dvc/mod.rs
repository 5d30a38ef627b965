//! Data that DVC keeps, read from its own files and its cache: `raw.csv.dvc` or `dvc.lock` says what the bytes are, the cache
//! holds them. Needs no DVC, fetches nothing, and believes nothing that it has not hashed.

mod cache;
mod config;
mod pinned;

pub use cache::Objects;
pub use pinned::{Pinned, pinned};
