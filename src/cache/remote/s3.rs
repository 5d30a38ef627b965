//! S3 and what speaks like it (MinIO, R2, GCS by its interoperability keys). Blocking, one request at a time for each thread.
//!
//! Credentials come from the environment, as CI jobs get them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
//! Without any, requests are not signed: a bucket that everybody may read.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::sign::{Credentials, Request, authorization, escaped, hex, sha256};
use super::{Remote, agent};
use crate::host::{Clock, Context, Error, Result};

/// One request can put no more than this.
const LARGEST: u64 = 5 << 30;

/// How often a request is made that the server could not answer.
const TRIES: u32 = 4;

/// A bucket, or a part of one.
pub(super) struct S3 {
    agent: ureq::Agent,
    /// `https://host[:port]`.
    origin: String,
    host: String,
    /// The path of all names, with the bucket where the host does not name it.
    base: String,
    /// What the names in the bucket begin with.
    prefix: String,
    region: String,
    credentials: Option<Credentials>,
    clock: Clock,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3({}{}/{})", self.origin, self.base, self.prefix)
    }
}

/// What a server answered.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: ureq::http::HeaderMap,
    pub(super) body: ureq::Body,
}

impl Reply {
    /// Takes the parts of an answer.
    pub(super) fn of(reply: ureq::http::Response<ureq::Body>) -> Self {
        let (head, body) = reply.into_parts();
        Self { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Returns a header, if it is a text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns how many bytes the server said that there are.
    pub(super) fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }
}

pub(super) enum Body<'a> {
    None,
    File(&'a Path),
}

impl S3 {
    /// Opens `bucket/prefix?region=…&endpoint=…`.
    pub(super) fn open(rest: &str, caller: &BTreeMap<OsString, OsString>) -> Result<Self> {
        let mut opened = Self::object(rest, caller)?;
        let prefix = opened.prefix.trim_matches('/');
        opened.prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(opened)
    }

    /// Opens `bucket/key?region=…&endpoint=…`: the prefix is one object's key, as it is written.
    pub(super) fn object(rest: &str, caller: &BTreeMap<OsString, OsString>) -> Result<Self> {
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(Error::new(format!("`s3://{rest}` names no bucket")));
        }
        let variable = |name: &str| {
            caller.get(OsStr::new(name)).and_then(|it| it.to_str()).filter(|it| !it.is_empty()).map(str::to_owned)
        };
        let (mut region, mut endpoint) = (None, None);
        for field in query.split('&').filter(|field| !field.is_empty()) {
            match field.split_once('=') {
                Some(("region", value)) => region = Some(value.to_owned()),
                Some(("endpoint", value)) => endpoint = Some(value.to_owned()),
                _ => {
                    return Err(Error::new(format!("`s3://{rest}`: `{field}` is neither `region=…` nor `endpoint=…`")));
                }
            }
        }
        let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = endpoint.or_else(|| variable("AWS_ENDPOINT_URL_S3")).or_else(|| variable("AWS_ENDPOINT_URL"));
        let (origin, base) = match endpoint {
            Some(endpoint) => (endpoint.trim_end_matches('/').to_owned(), format!("/{}", escaped(bucket, false))),
            // A name with a dot fits no certificate for `*.s3…`.
            None if bucket.contains('.') => {
                (format!("https://s3.{region}.amazonaws.com"), format!("/{}", escaped(bucket, false)))
            }
            None => (format!("https://{bucket}.s3.{region}.amazonaws.com"), String::new()),
        };
        let host = origin.split_once("://").map(|(_, host)| host.to_owned());
        let host = host.ok_or_else(|| Error::new(format!("the endpoint `{origin}` is no address: `https://…`")))?;
        let credentials = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        let credentials =
            credentials.map(|(id, secret)| Credentials { id, secret, token: variable("AWS_SESSION_TOKEN") });
        let agent = agent::agent(variable("SSL_CERT_FILE").as_deref(), agent::For::Store)?;
        let prefix = prefix.to_owned();
        Ok(Self { agent, origin, host, base, prefix, region, credentials, clock: Clock::host() })
    }

    /// Asks without a signature from now on.
    pub(super) fn unsigned(mut self) -> Self {
        self.credentials = None;
        self
    }

    /// Returns the key of the object that it was opened for.
    pub(super) fn object_key(&self) -> &str {
        &self.prefix
    }

    /// Returns whom it asks.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the key of what stands under a name.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Makes a request; what the server could not answer for a moment is asked again.
    fn ask(
        &self,
        method: &str,
        key: &str,
        query: &[(&str, &str)],
        more: &[(&str, &str)],
        body: &Body<'_>,
    ) -> Result<Reply> {
        let mut wait = Duration::from_millis(200);
        for left in (0..TRIES).rev() {
            match self.ask_once(method, key, query, more, body) {
                Ok(reply) if left > 0 && matches!(reply.status, 429 | 500 | 502 | 503 | 504) => {}
                // 409: another conditional request for the same name is under way.
                Ok(reply) if left > 0 && reply.status == 409 && method == "PUT" => {}
                Err(_) if left > 0 => {}
                done => return done,
            }
            std::thread::sleep(wait);
            wait *= 3;
        }
        Err(Error::new(format!("{self:?} does not answer")))
    }

    pub(super) fn ask_once(
        &self,
        method: &str,
        key: &str,
        query: &[(&str, &str)],
        more: &[(&str, &str)],
        body: &Body<'_>,
    ) -> Result<Reply> {
        let path = match (self.base.as_str(), escaped(key, true)) {
            (base, key) if key.is_empty() => {
                if base.is_empty() {
                    "/".to_owned()
                } else {
                    base.to_owned()
                }
            }
            (base, key) => format!("{base}/{key}"),
        };
        let mut fields: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", escaped(name, false), escaped(value, false))).collect();
        fields.sort();
        let query = fields.join("&");
        let digest = match body {
            Body::None => sha256(b""),
            Body::File(file) => sha256_of(file)?,
        };
        let mut headers: BTreeMap<String, String> =
            more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        if let Some(credentials) = &self.credentials {
            let time: String =
                crate::host::clock::iso(self.clock.now()).chars().filter(|c| !"-:".contains(*c)).collect();
            headers.insert("host".into(), self.host.clone());
            headers.insert("x-amz-content-sha256".into(), digest.clone());
            headers.insert("x-amz-date".into(), time.clone());
            if let Some(token) = &credentials.token {
                headers.insert("x-amz-security-token".into(), token.clone());
            }
            let request =
                Request { method, path: &path, query: &query, body: &digest, time: &time, region: &self.region };
            let value = authorization(credentials, &request, &headers);
            headers.insert("authorization".into(), value);
            headers.remove("host");
        }
        let url =
            if query.is_empty() { format!("{}{path}", self.origin) } else { format!("{}{path}?{query}", self.origin) };
        let request =
            headers.iter().fold(ureq::http::Request::builder().method(method).uri(&url), |request, (name, value)| {
                request.header(name, value)
            });
        let wrong = |error: &dyn fmt::Display| Error::new(format!("cannot ask {}: {error}", self.host));
        let reply = match body {
            Body::None => {
                let request = request.body(()).map_err(|error| wrong(&error))?;
                self.agent.run(request)
            }
            Body::File(path) => {
                let file = std::fs::File::open(path).cannot("read", path)?;
                let length = file.metadata().cannot("read", path)?.len();
                let request = request.header("content-length", length.to_string());
                let request = request.body(ureq::SendBody::from_owned_reader(file)).map_err(|error| wrong(&error))?;
                self.agent.run(request)
            }
        };
        Ok(Reply::of(reply.map_err(|error| wrong(&error))?))
    }

    /// Says what the server said no to, in its own words.
    pub(super) fn refused(&self, what: &str, key: &str, mut reply: Reply) -> Error {
        let text = reply.body.read_to_string().unwrap_or_default();
        let between =
            |tag: &str| Some(text.split_once(&format!("<{tag}>"))?.1.split_once(&format!("</{tag}>"))?.0.to_owned());
        let said = between("Code").map(|code| format!(" {code}: {}", between("Message").unwrap_or_default()));
        let who = if self.credentials.is_some() { "" } else { "; no AWS_ACCESS_KEY_ID is set, so nothing was signed" };
        Error::new(format!("cannot {what} `{key}` at {}: {}{}{who}", self.host, reply.status, said.unwrap_or_default()))
    }
}

pub(super) fn sha256_of(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).cannot("read", path)?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).cannot("read", path)? {
            0 => return Ok(hex(context.finish().as_ref())),
            count => context.update(&buffer[..count]),
        }
    }
}

impl Remote for S3 {
    fn get(&self, name: &str, to: &Path, limit: u64) -> Result<bool> {
        let key = self.key(name);
        let reply = self.ask("GET", &key, &[], &[], &Body::None)?;
        match reply.status {
            200 => {
                let mut body = reply.body;
                let mut file = std::fs::File::create(to).cannot("write", to)?;
                let mut reader = body.as_reader().take(limit);
                std::io::copy(&mut reader, &mut file).context(|| format!("cannot fetch `{key}`"))?;
                Ok(true)
            }
            404 => Ok(false),
            _ => Err(self.refused("fetch", &key, reply)),
        }
    }

    fn put(&self, name: &str, from: &Path, replace: bool) -> Result<bool> {
        let key = self.key(name);
        let length = std::fs::metadata(from).cannot("read", from)?.len();
        if length > LARGEST {
            return Err(Error::new(format!(
                "`{key}` has {length} bytes; more than {LARGEST} can't be put in one request"
            )));
        }
        let more: &[(&str, &str)] = if replace { &[] } else { &[("if-none-match", "*")] };
        let reply = self.ask("PUT", &key, &[], more, &Body::File(from))?;
        match reply.status {
            200..=299 => Ok(true),
            412 if !replace => Ok(false),
            _ => Err(self.refused("save", &key, reply)),
        }
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        let key = self.key(name);
        let reply = self.ask("HEAD", &key, &[], &[], &Body::None)?;
        match reply.status {
            200 => Ok(reply.length()),
            404 => Ok(None),
            _ => Err(self.refused("look at", &key, reply)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let (prefix, mut names, mut token) = (self.key(prefix), Vec::new(), None::<String>);
        loop {
            let mut query = vec![("list-type", "2"), ("prefix", prefix.as_str())];
            query.extend(token.as_deref().map(|token| ("continuation-token", token)));
            let mut reply = self.ask("GET", "", &query, &[], &Body::None)?;
            if reply.status != 200 {
                return Err(self.refused("list", &prefix, reply));
            }
            let text =
                reply.body.read_to_string().map_err(|error| Error::new(format!("cannot list `{prefix}`: {error}")))?;
            // Keys of ours are plain hex digits and slashes below the prefix; nothing in them is escaped.
            let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
            names.extend(keys.filter_map(|(key, _)| key.strip_prefix(&self.prefix)).map(str::to_owned));
            token = text
                .split_once("<NextContinuationToken>")
                .and_then(|(_, rest)| rest.split_once("</"))
                .map(|(token, _)| token.to_owned());
            if token.is_none() {
                names.sort();
                return Ok(names);
            }
        }
    }
}
