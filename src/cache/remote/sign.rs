//! Signatures of S3 requests (AWS Signature Version 4). Pure: the time and the credentials are given.

use std::collections::BTreeMap;
use std::fmt::Write;

use ring::digest::{SHA256, digest};
use ring::hmac;

/// Who signs.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// What is signed, besides headers.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// The path, each part of it escaped.
    pub(super) path: &'a str,
    /// Fields of the query, sorted, escaped.
    pub(super) query: &'a str,
    /// SHA-256 of the body.
    pub(super) body: &'a str,
    /// `20260801T120000Z`.
    pub(super) time: &'a str,
    pub(super) region: &'a str,
}

/// Returns the value of `Authorization`. `headers` are all that are signed, with names in lower case.
pub(super) fn authorization(
    credentials: &Credentials,
    request: &Request<'_>,
    headers: &BTreeMap<String, String>,
) -> String {
    let names = headers.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let Request { method, path, query, body, time, region } = request;
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body}");
    let day = &time[..8];
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = format!("AWS4{}", credentials.secret).into_bytes();
    for part in [day, region, "s3", "aws4_request"] {
        key = mac(&key, part);
    }
    let signature = hex(&mac(&key, &text));
    format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", credentials.id)
}

/// Escapes as S3 signs: all but letters, digits and `-_.~`, and `/` where it parts a path.
pub(super) fn escaped(text: &str, slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Returns the SHA-256 of bytes in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the S3 documentation ("Signature Calculations for the Authorization Header").
    #[test]
    fn signs_as_the_documentation_shows() {
        let credentials = Credentials {
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: None,
        };
        let empty = sha256(b"");
        let sign = |method: &str, path: &str, query: &str, body: &str, more: &[(&str, &str)]| {
            let mut headers: BTreeMap<String, String> =
                more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
            headers.insert("host".into(), "examplebucket.s3.amazonaws.com".into());
            headers.insert("x-amz-date".into(), "20130524T000000Z".into());
            headers.insert("x-amz-content-sha256".into(), body.into());
            let request = Request { method, path, query, body, time: "20130524T000000Z", region: "us-east-1" };
            let header = authorization(&credentials, &request, &headers);
            header.rsplit('=').next().unwrap_or_default().to_owned()
        };
        assert_eq!(
            sign("GET", "/test.txt", "", &empty, &[("range", "bytes=0-9")]),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let body = sha256(b"Welcome to Amazon S3.");
        let more = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
        assert_eq!(
            sign("PUT", "/test%24file.text", "", &body, &more),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            sign("GET", "/", "max-keys=2&prefix=J", &empty, &[]),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn escapes_as_s3_reads_it() {
        assert_eq!(escaped("a b/ü~+", true), "a%20b/%C3%BC~%2B");
        assert_eq!(escaped("a/b", false), "a%2Fb");
    }
}
