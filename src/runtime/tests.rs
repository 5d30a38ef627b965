//! Locks are read strictly, and tell what changed since they were written.

use super::*;
use crate::host::Digest;

fn sample() -> LockFile {
    let package = Package { package: "six==1.16.0".into(), hashes: vec![format!("sha256:{}", "0".repeat(64))] };
    let packages = Packages {
        requirements: "requirements.txt".into(),
        digest: Digest::of(b"six==1.16.0\n"),
        tool: "pip".into(),
        options: vec![],
        locked: vec![package],
    };
    let python = Locked::Python { asked: "3.11".into(), version: "3.11.7".into(), packages: Some(packages) };
    let image = Locked::Image { image: "python:3.11".into(), digest: format!("sha256:{}", "1".repeat(64)) };
    let mut file = LockFile::default();
    file.runtimes.insert("py".into(), python);
    file.runtimes.insert("img".into(), image);
    file
}

fn runtime(kind: RuntimeKind) -> Runtime {
    Runtime { name: "py".into(), kind }
}

fn python(version: &str, requirements: Option<&str>) -> RuntimeKind {
    RuntimeKind::Python { version: version.into(), requirements: requirements.map(str::to_owned) }
}

#[test]
fn a_lock_is_read_as_it_was_written() {
    let text = sample().text();
    assert_eq!(LockFile::parse(&text).expect("read"), sample());
    assert_eq!(LockFile::parse(&text.replace('\n', "\r\n")).expect("read"), sample());
    insta::assert_snapshot!(text);
}

#[test]
fn what_mlpc_did_not_write_is_refused() {
    let text = sample().text();
    let zeros = "0".repeat(64);
    for (from, to) in [
        ("\"format\": 1", "\"format\": 2"),
        ("\"asked\"", "\"wanted\""),
        ("3.11.7", "3.11"),
        (&format!("sha256:{zeros}"), "sha256:00"),
        (&format!("\"sha256:{zeros}\""), ""),
        ("six==1.16.0", "--index-url=https://evil.example"),
        ("  \"runtimes\"", "\"runtimes\""),
        ("\"tool\": \"pip\",", "\"tool\": \"pip\", \"tool\": \"uv\","),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = LockFile::parse(&changed).expect_err(to).to_string();
        assert!(error.starts_with("`mlpc.lock` can't be read: ") && error.contains("mlpc lock"), "{error}");
    }
}

#[test]
fn a_lock_tells_what_changed_since() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |text: &str| std::fs::write(folder.path().join("requirements.txt"), text).expect("written");
    let told = |kind: RuntimeKind| standing(folder.path(), &sample(), &runtime(kind)).expect("looked at");
    write("# pinned\nsix==1.16.0\n");
    assert_eq!(told(python("3.11", Some("requirements.txt"))), Standing::Locked);
    write("six==1.17.0\n");
    assert_eq!(told(python("3.11", Some("requirements.txt"))), Standing::Stale("`requirements.txt` changed".into()));
    for other in
        [python("3.12", Some("requirements.txt")), python("3.11", None), RuntimeKind::Image { image: "x".into() }]
    {
        assert!(matches!(told(other), Standing::Stale(_)));
    }
    let unknown = Runtime { name: "other".into(), kind: python("3.11", None) };
    assert_eq!(standing(folder.path(), &sample(), &unknown).expect("looked at"), Standing::Missing);
}

#[test]
fn a_key_holds_versions_and_digests_and_not_how_they_were_asked_for() {
    let Some(Locked::Python { version, packages: Some(packages), .. }) = sample().runtimes.remove("py") else {
        panic!("a Python runtime")
    };
    let key = |asked: &str, version: &str, packages: &Packages| {
        Locked::Python { asked: asked.into(), version: version.into(), packages: Some(packages.clone()) }.key()
    };
    let base = key("3.11", &version, &packages);
    assert_eq!(base, key("3", &version, &Packages { digest: Digest::of(b"x"), tool: "uv".into(), ..packages.clone() }));
    assert_ne!(base, key("3.11", "3.11.8", &packages));
    let mut other = packages.clone();
    other.locked[0].hashes[0] = format!("sha256:{}", "2".repeat(64));
    assert_ne!(base, key("3.11", &version, &other));
}
