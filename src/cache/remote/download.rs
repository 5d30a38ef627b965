//! One file from a server or a store, whole or not at all: asked again where the server could not answer for a moment, gone on with
//! where the connection broke. Knows nothing of digests; who pins one hashes what came.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::agent::{For, agent};
use super::s3::{Body, Reply, S3};
use super::{Downloaded, Progress, Tag, Wanted};
use crate::host::{Context, Error, Result, fs};

/// How often in a row nothing new may come.
const TRIES: u32 = 4;

/// How much is written at once.
const CHUNK: usize = 256 << 10;

/// How a try went wrong.
enum Fault {
    /// Another try may do.
    Passing(Error),
    /// The server has no such thing, or does not show it to us.
    Absent(Error),
    /// The server's last word, or a disk of ours.
    Final(Error),
    /// The user wants us to stop; what came so far is kept.
    Stopped,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Who is asked.
#[derive(Debug)]
pub(super) enum Server {
    Http { agent: ureq::Agent, url: String, host: String },
    S3(Box<S3>),
}

/// A download, and the place where what came of it so far stands.
struct Download<'a> {
    server: &'a Server,
    /// What is asked for, below what the server was opened for.
    name: &'a str,
    wanted: &'a Wanted<'a>,
    part: PathBuf,
    /// What the part is of: bytes of one state of the file are never joined with those of another.
    part_tag: PathBuf,
    watch: &'a dyn Fn(Progress<'_>) -> bool,
}

/// Fetches to `part`, where the rest of an earlier try may stand.
pub(super) fn download(
    wanted: &Wanted<'_>,
    part: &Path,
    caller: &BTreeMap<OsString, OsString>,
    watch: &dyn Fn(Progress<'_>) -> bool,
) -> Result<Downloaded> {
    let server = Server::of(wanted, caller, S3::object)?;
    if let Server::S3(store) = &server
        && (store.object_key().is_empty() || store.object_key().ends_with('/'))
    {
        return Err(Error::new(format!("`{}` names no object", wanted.url)));
    }
    server.fetch("", wanted, part, watch)?
}

impl Server {
    /// Finds out who is asked; `store` opens what is in a store.
    pub(super) fn of(
        wanted: &Wanted<'_>,
        caller: &BTreeMap<OsString, OsString>,
        store: fn(&str, &BTreeMap<OsString, OsString>) -> Result<S3>,
    ) -> Result<Self> {
        if let Some(rest) = wanted.url.strip_prefix("s3://") {
            let opened = store(rest, caller)?;
            return Ok(Self::S3(Box::new(if wanted.public { opened.unsigned() } else { opened })));
        }
        let Some((scheme, rest)) =
            wanted.url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))
        else {
            return Err(Error::new(format!("`{}` is no address that can be fetched from", wanted.url)));
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            return Err(Error::new("the address holds a name or a password, which stands in no source"));
        }
        let certificates = caller.get(OsStr::new("SSL_CERT_FILE")).and_then(|path| path.to_str());
        let agent = agent(certificates.filter(|path| !path.is_empty()), For::Server { encrypted: scheme == "https" })?;
        // What stands behind `#` is not the server's.
        let url = wanted.url.split('#').next().unwrap_or_default().to_owned();
        Ok(Self::Http { agent, url, host: host.to_owned() })
    }

    /// Fetches what stands under a name to `part`; the inner `Err` says that the server has it not.
    pub(super) fn fetch(
        &self,
        name: &str,
        wanted: &Wanted<'_>,
        part: &Path,
        watch: &dyn Fn(Progress<'_>) -> bool,
    ) -> Result<Result<Downloaded>> {
        fs::create_dirs(fs::parent(part))?;
        let mut part_tag = part.as_os_str().to_owned();
        part_tag.push(".tag");
        let download = Download { server: self, name, wanted, part: part.to_owned(), part_tag: part_tag.into(), watch };
        let (mut left, mut wait) = (TRIES, Duration::from_millis(200));
        loop {
            let before = download.length();
            match download.once() {
                Ok(done) => {
                    fs::remove(&download.part_tag)?;
                    return Ok(Ok(done));
                }
                Err(Fault::Stopped) => return Err(Error::new("interrupted")),
                Err(Fault::Final(error)) => {
                    download.forget()?;
                    return Err(error);
                }
                Err(Fault::Absent(error)) => {
                    download.forget()?;
                    return Ok(Err(error));
                }
                Err(Fault::Passing(error)) => {
                    // Who came on is not asked to give up.
                    left = if download.length() > before { TRIES } else { left - 1 };
                    if left == 0 {
                        return Err(error);
                    }
                }
            }
            let done = download.length();
            if !watch(Progress { host: self.host(), done, total: None, waits: true }) {
                return Err(Error::new("interrupted"));
            }
            std::thread::sleep(wait);
            wait = (wait * 3).min(Duration::from_secs(20));
        }
    }

    pub(super) fn host(&self) -> &str {
        match self {
            Self::Http { host, .. } => host,
            Self::S3(store) => store.host(),
        }
    }

    fn ask(&self, name: &str, version: Option<&str>, headers: &[(&str, &str)]) -> Result<Reply> {
        match self {
            Self::Http { agent, url, host } => {
                let wrong = |error: &dyn std::fmt::Display| Error::new(format!("cannot ask {host}: {error}"));
                let request =
                    headers.iter().fold(ureq::http::Request::get(format!("{url}{name}")), |request, (name, value)| {
                        request.header(*name, *value)
                    });
                let request = request.body(()).map_err(|error| wrong(&error))?;
                agent.run(request).map(Reply::of).map_err(|error| wrong(&error))
            }
            Self::S3(store) => {
                let query: Vec<(&str, &str)> = version.map(|version| ("versionId", version)).into_iter().collect();
                store.ask_once("GET", &store.key(name), &query, headers, &Body::None)
            }
        }
    }

    fn refused(&self, name: &str, reply: Reply) -> Error {
        match self {
            Self::Http { host, .. } => Error::new(format!("{host} says {}", reply.status)),
            Self::S3(store) => store.refused("fetch", &store.key(name), reply),
        }
    }
}

impl Download<'_> {
    /// Returns how many bytes there are already.
    fn length(&self) -> u64 {
        std::fs::metadata(&self.part).map_or(0, |meta| meta.len())
    }

    fn forget(&self) -> Result<()> {
        fs::remove(&self.part)?;
        fs::remove(&self.part_tag)
    }

    fn once(&self) -> Result<Downloaded, Fault> {
        let standing = std::fs::read_to_string(&self.part_tag).ok().filter(|tag| !tag.is_empty());
        if standing.is_none() {
            self.forget()?;
        }
        let have = self.length();
        let range = format!("bytes={have}-");
        let mut headers = vec![("accept-encoding", "identity")];
        let mut asked = false;
        match &standing {
            Some(tag) if have > 0 => headers.extend([("range", range.as_str()), ("if-range", tag.as_str())]),
            _ => {
                let known = self.wanted.known;
                let etag = known.and_then(|known| known.etag.as_deref());
                let modified = known.and_then(|known| known.modified.as_deref());
                match (etag, modified) {
                    (Some(etag), _) => headers.push(("if-none-match", etag)),
                    (None, Some(modified)) => headers.push(("if-modified-since", modified)),
                    (None, None) => {}
                }
                asked = headers.len() > 1;
            }
        }
        let reply = self.server.ask(self.name, self.wanted.version, &headers).map_err(Fault::Passing)?;
        let from = match reply.status {
            200 => 0,
            206 if have > 0 && starts_at(&reply, have) => have,
            304 if asked => return Ok(Downloaded::Unchanged),
            // What stands here does not fit what stands there.
            206 | 416 => {
                self.forget()?;
                return Err(Fault::Passing(Error::new(format!(
                    "{} sends another part than it was asked for",
                    self.server.host()
                ))));
            }
            429 | 500 | 502 | 503 | 504 => return Err(Fault::Passing(self.server.refused(self.name, reply))),
            // Who may not list what is there is told 403 of what is not.
            403 | 404 | 410 => return Err(Fault::Absent(self.server.refused(self.name, reply))),
            _ => return Err(Fault::Final(self.server.refused(self.name, reply))),
        };
        self.take(reply, from)
    }

    fn take(&self, mut reply: Reply, from: u64) -> Result<Downloaded, Fault> {
        let host = self.server.host();
        let text = |name: &str| reply.header(name).map(str::to_owned);
        let tag = Tag { etag: text("etag"), modified: text("last-modified") };
        if let Some(version) = self.wanted.version
            && text("x-amz-version-id").is_none_or(|is| is != version)
        {
            let is = text("x-amz-version-id").map_or("the bucket keeps none".to_owned(), |is| format!("it is `{is}`"));
            return Err(Fault::Final(Error::new(format!("{host} does not give the version `{version}`: {is}"))));
        }
        let whole = text("transfer-encoding").is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
        let length = reply.length().filter(|_| !whole);
        if length.is_none() && !whole && !self.wanted.sure {
            return Err(Fault::Final(Error::new(format!(
                "{host} does not say how many bytes there are, so that a torn answer looks like a whole one; pin it by its digest"
            ))));
        }
        let total = length.map(|length| from.saturating_add(length));
        let progress = |done: u64| Progress { host, done, total, waits: false };
        let mut file = if from == 0 {
            fs::remove(&self.part_tag)?;
            let file = File::create(&self.part).cannot("write", &self.part)?;
            // A weak tag is of what means the same, and not of the same bytes.
            if let Some(strong) = tag.etag.as_deref().filter(|etag| !etag.starts_with("W/")) {
                fs::write_atomic(&self.part_tag, strong.as_bytes())?;
            }
            file
        } else {
            OpenOptions::new().append(true).open(&self.part).cannot("write", &self.part)?
        };
        let mut reader = reply.body.as_reader();
        let (mut buffer, mut done) = (vec![0; CHUNK], from);
        loop {
            if !(self.watch)(progress(done)) {
                return Err(Fault::Stopped);
            }
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return Err(Fault::Passing(Error::new(format!("{host} broke off: {error}")))),
            };
            file.write_all(&buffer[..count]).cannot("write", &self.part)?;
            done += count as u64;
        }
        match total {
            Some(total) if total != done => {
                Err(Fault::Passing(Error::new(format!("{host} broke off: {done} of {total} bytes came"))))
            }
            _ => Ok(Downloaded::Whole(tag)),
        }
    }
}

/// Tells whether the part that a server sends begins where ours ends.
fn starts_at(reply: &Reply, have: u64) -> bool {
    let range = reply.header("content-range").and_then(|range| range.strip_prefix("bytes "));
    range.and_then(|range| range.split('-').next()?.parse::<u64>().ok()) == Some(have)
}
