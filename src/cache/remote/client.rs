//! A server or a store that many files are fetched from, below one address.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::Progress;
#[cfg(feature = "remotes")]
use super::{Wanted, download::Server, s3::S3};
use crate::host::Result;

/// A client, with its connections and keys.
#[cfg(feature = "remotes")]
#[derive(Debug)]
pub struct Client(Server);

/// A client, which a build without `remotes` has none of.
#[cfg(not(feature = "remotes"))]
#[derive(Debug)]
pub struct Client(std::convert::Infallible);

#[cfg(feature = "remotes")]
impl Client {
    /// Opens `http://…/`, `https://…/` or `s3://bucket/prefix?region=…&endpoint=…`; where anybody may read it, nothing is signed.
    pub fn open(url: &str, public: bool, caller: &BTreeMap<OsString, OsString>) -> Result<Self> {
        Server::of(&wanted(url, public), caller, S3::open).map(Self)
    }

    /// Fetches what stands under a name to `part`, where the rest of an earlier try may stand; the inner `Err` says that there is
    /// nothing, or nothing that we are shown.
    pub fn fetch(&self, name: &str, part: &Path, watch: &dyn Fn(Progress<'_>) -> bool) -> Result<Result<()>> {
        Ok(self.0.fetch(name, &wanted("", false), part, watch)?.map(drop))
    }
}

#[cfg(feature = "remotes")]
fn wanted(url: &str, public: bool) -> Wanted<'_> {
    Wanted { url, version: None, public, sure: true, known: None }
}

#[cfg(not(feature = "remotes"))]
impl Client {
    /// Says that this build fetches nothing.
    pub fn open(_: &str, _: bool, _: &BTreeMap<OsString, OsString>) -> Result<Self> {
        Err(super::fetches_nothing())
    }

    /// Is never called: there is no client.
    pub fn fetch(&self, _: &str, _: &Path, _: &dyn Fn(Progress<'_>) -> bool) -> Result<Result<()>> {
        match self.0 {}
    }
}
