//! Where sources are: paths of the workspace, and what stores and servers hold.

use super::cx::Cx;
use super::expr::{Scope, expr};
use super::fields::text;
use super::paths;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::Spanned;
use crate::syntax::ast;
use crate::types::{Expr, Location, Type, Value};

/// One kind of place outside of the workspace.
struct Kind {
    word: &'static str,
    /// What is written for it.
    example: &'static str,
    /// How the address begins; empty where it need not begin in any way.
    prefixes: &'static [&'static str],
    /// The argument that pins it.
    pin: Option<&'static str>,
    /// It answers with live numbers, so that it may lie at a parameter.
    live: bool,
}

const KINDS: [Kind; 6] = [
    Kind { word: "dvc", example: "dvc(\"data/raw\")", prefixes: &[], pin: None, live: false },
    Kind {
        word: "s3",
        example: "s3(\"s3://bucket/key\", version: \"…\")",
        prefixes: &["s3://"],
        pin: Some("version"),
        live: false,
    },
    Kind {
        word: "gs",
        example: "gs(\"gs://bucket/key\", version: \"…\")",
        prefixes: &["gs://"],
        pin: Some("version"),
        live: false,
    },
    Kind {
        word: "azure",
        example: "azure(\"https://account.blob.core.windows.net/container/blob\", version: \"…\")",
        prefixes: &["https://", "azure://"],
        pin: Some("version"),
        live: false,
    },
    Kind {
        word: "http",
        example: "http(\"https://…\", digest: \"blake3:…\")",
        prefixes: &["http://", "https://"],
        pin: Some("digest"),
        live: true,
    },
    Kind {
        word: "prometheus",
        example: "prometheus(\"http://metrics:9090\")",
        prefixes: &["http://", "https://"],
        pin: None,
        live: true,
    },
];

/// What is written for "whatever is there": a store gives no version such an id, and it would pin nothing.
const MOVING: [&str; 5] = ["latest", "current", "head", "newest", "null"];

/// Resolves where a source is.
pub(super) fn location(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Location> {
    let ast::ExprKind::Call { callee, args } = &written.kind else {
        let path = text(cx, written)?;
        return paths::inside(cx, &path).map(|path| Location::Path(path.value));
    };
    let name = match &callee.kind {
        ast::ExprKind::Name(name) => name.text.as_str(),
        _ => "",
    };
    let Some(kind) = KINDS.iter().find(|kind| kind.word == name) else {
        cx.mention_words(written.span);
        let near = nearest(name, KINDS.iter().map(|kind| kind.word));
        let help = match near {
            Some(near) => format!("did you mean `{near}(…)`?"),
            None => "write a path: `\"data/raw.csv\"`".to_owned(),
        };
        return cx.error(codes::UNKNOWN_NAME, callee.span, format!("no kind of source `{name}`"), &help);
    };
    remote(cx, written, kind, args)
}

fn remote(cx: &mut Cx<'_>, written: &ast::Expr, kind: &Kind, args: &[ast::Arg]) -> Option<Location> {
    let example = format!("write `{}`", kind.example);
    let mut address: Option<&ast::Expr> = None;
    let mut pin: Option<Spanned<String>> = None;
    let mut public = false;
    for arg in args {
        match &arg.name {
            None if address.is_none() => address = Some(&arg.value),
            None => return cx.error(codes::WRONG_TYPE, arg.value.span, "one address is enough", &example),
            Some(name) if kind.pin == Some(name.as_str()) => {
                if let Some(first) = &pin {
                    let first = first.span;
                    super::trigger::again(cx, name.span, first, &format!("`{}` is said twice", name.text));
                    continue;
                }
                pin = Some(text(cx, &arg.value)?);
            }
            Some(name) if name.text == "public" && !kind.live => {
                public = super::fields::truth(cx, &arg.value)?;
            }
            Some(name) => {
                cx.mention_words(arg.value.span);
                let message = format!("`{}` takes no `{}`", kind.word, name.text);
                return cx.error(codes::UNKNOWN_FIELD, name.span, message, &example);
            }
        }
    }
    let empty = |text: &ast::Expr| matches!(&text.kind, ast::ExprKind::Str(text) if text.plain().is_some_and(|plain| plain.trim().is_empty()));
    let Some(written_address) = address.filter(|address| !empty(address)) else {
        if kind.live {
            let message = format!("nobody says where `{}` answers", kind.word);
            let diagnostic = Diagnostic::new(codes::ENDPOINT_MISSING, written.span, message)
                .here("no address")
                .help(format!("{example}, or name a parameter"));
            return cx.report(diagnostic);
        }
        return cx.error(codes::MISSING_CLAUSE, written.span, "the source does not say where it is", &example);
    };
    let mut address = if kind.live {
        let typed = expr(cx, written_address, Scope::Known)?;
        super::expr::fitted(cx, written_address.span, typed, &Type::String)?
    } else {
        Expr::Value(Value::String(text(cx, written_address)?.value))
    };
    if let Expr::Value(Value::String(plain)) = &address {
        if !kind.prefixes.is_empty() && !kind.prefixes.iter().any(|prefix| plain.starts_with(prefix)) {
            let message = format!("`{plain}` is no address of {}", kind.word);
            return cx.error(codes::WRONG_TYPE, written_address.span, message, &example);
        }
        let authority =
            plain.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""));
        if authority.contains('@') {
            let help = "take it out: whoever reads the file could use it";
            return cx.error(codes::WRONG_TYPE, written_address.span, "the address holds a name or a password", help);
        }
        if kind.word == "s3" && !is_object(plain) {
            let message = format!("`{plain}` names no object");
            let help =
                "write the whole key: `s3(\"s3://bucket/data/raw.csv\")`; a prefix can't be fetched, an archive can";
            return cx.error(codes::WRONG_TYPE, written_address.span, message, help);
        }
        if kind.word == "dvc" {
            let inside = paths::inside(cx, &Spanned::new(plain.clone(), written_address.span))?;
            address = Expr::Value(Value::String(inside.value));
        }
    }
    let mut version = None;
    let mut digest = None;
    if let Some(pin) = pin {
        if kind.pin == Some("digest") {
            digest = Some(checked_digest(cx, &pin)?);
        } else if pin.value.is_empty() {
            return cx.error(codes::MISSING_CLAUSE, pin.span, "the version is empty", &example);
        } else if MOVING.iter().any(|word| pin.value.eq_ignore_ascii_case(word)) {
            let message = format!("`{}` is no version: what it names changes", pin.value);
            let help = format!(
                "write the id that the store gave this version, or leave `{}` out and say `rerun always`",
                kind.pin.unwrap_or_default()
            );
            return cx.error(codes::WRONG_TYPE, pin.span, message, &help);
        } else {
            version = Some(pin.value);
        }
    }
    Some(Location::Remote { scheme: kind.word.to_owned(), address, version, digest, public })
}

/// Tells whether an address of a store names one object in a bucket.
fn is_object(address: &str) -> bool {
    let path = address.split_once("://").map_or("", |(_, rest)| rest).split('?').next().unwrap_or_default();
    path.split_once('/').is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty() && !key.ends_with('/'))
}

/// A digest is one that a program can compare: its algorithm, and as many digits as that has.
fn checked_digest(cx: &mut Cx<'_>, written: &Spanned<String>) -> Option<String> {
    let sound = ["blake3:", "sha256:"].iter().any(|algorithm| {
        written
            .value
            .strip_prefix(algorithm)
            .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')))
    });
    if sound {
        return Some(written.value.clone());
    }
    let help = "write `\"blake3:…\"` or `\"sha256:…\"` with 64 lower-case hexadecimal digits";
    cx.error(codes::WRONG_TYPE, written.span, "no digest of data", help)
}
