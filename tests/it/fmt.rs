//! `mlpc fmt` as a command: what it writes, what it leaves alone, how it ends.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::sandbox::Sandbox;

const ODD: &str = "pipeline odd\nedition 2026\n\n\n\nstage hello {\n      out text: File = \"hello.txt\"   # kept\n    run <<< echo hello > \"$text\" >>>\n}";
const EVEN: &str = "pipeline odd\nedition 2026\n\nstage hello {\n  out text: File = \"hello.txt\"  # kept\n  run <<< echo hello > \"$text\" >>>\n}\n";

#[test]
fn check_names_the_file_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("odd.mlp", ODD);
    let ended = sandbox.mlpc(&["fmt", "--check"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("odd.mlp"), "{ended:?}");
    assert_eq!(sandbox.read("odd.mlp"), ODD);
    assert_eq!(sandbox.mlpc(&["fmt"]).code, 0);
    assert_eq!(sandbox.read("odd.mlp"), EVEN);
    assert_eq!(sandbox.mlpc(&["fmt", "--check", "odd.mlp"]).code, 0);
}

#[test]
fn a_file_with_errors_is_left_alone_and_the_others_are_not() {
    let sandbox = Sandbox::new();
    sandbox.file("a.mlp", "stage {\n").file("b.mlp", ODD);
    let ended = sandbox.mlpc(&["fmt", "a.mlp", "b.mlp"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(sandbox.read("a.mlp"), "stage {\n");
    assert_eq!(sandbox.read("b.mlp"), EVEN);
}

#[test]
fn links_and_permissions_survive() {
    let sandbox = Sandbox::new();
    sandbox.file("real/odd.mlp", ODD);
    let real = sandbox.path().join("real/odd.mlp");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("permissions");
    symlink("real/odd.mlp", sandbox.path().join("odd.mlp")).expect("a link");
    assert_eq!(sandbox.mlpc(&["fmt", "odd.mlp"]).code, 0);
    assert_eq!(sandbox.read("real/odd.mlp"), EVEN);
    assert!(sandbox.path().join("odd.mlp").is_symlink());
    assert_eq!(real.metadata().expect("metadata").permissions().mode() & 0o777, 0o640);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let sandbox = Sandbox::new();
    sandbox.file("odd.mlp", ODD);
    let ended = sandbox.shell("mlpc fmt - < odd.mlp");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, EVEN), "{ended:?}");
    let ended = sandbox.shell("mlpc fmt --check - < odd.mlp");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
}

#[test]
fn diff_is_a_patch_that_formats() {
    let sandbox = Sandbox::new();
    sandbox.file("odd.mlp", ODD);
    let ended = sandbox.shell("mlpc fmt --diff odd.mlp > odd.patch; echo $?");
    assert_eq!(ended.stdout, "1\n", "{ended:?}");
    assert_eq!(sandbox.read("odd.mlp"), ODD);
    let patched = sandbox.shell("git apply --unidiff-zero -p0 odd.patch 2>&1 || patch -s -p0 < odd.patch");
    assert_eq!(patched.code, 0, "{patched:?}");
    assert_eq!(sandbox.read("odd.mlp"), EVEN);
    let ended = sandbox.mlpc(&["fmt", "--check", "--diff", "odd.mlp"]);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""));
}

#[test]
fn names_and_line_ends_are_written_as_a_patch_has_them() {
    for name in ["sp ace.mlp", "q\"uo te.mlp", "t\tab.mlp"] {
        let sandbox = Sandbox::new();
        let (was, is) = (format!("{ODD}\n# x\ry\n"), format!("{EVEN}# x\ry\n"));
        sandbox.file(name, &was);
        let patch = sandbox.mlpc(&["fmt", "--diff", name]).stdout;
        sandbox.file("odd.patch", &patch);
        let patched = sandbox.shell("git apply -p0 odd.patch");
        assert_eq!(patched.code, 0, "{patched:?}\n{patch}");
        assert_eq!(sandbox.read(name), is);
    }
}

#[test]
fn a_read_only_file_is_left_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.file("p.mlp", ODD);
    let path = sandbox.path().join("p.mlp");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("set");
    let ended = sandbox.mlpc(&["fmt", "p.mlp"]);
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert!(ended.stderr.contains("is read-only; `chmod u+w"), "{}", ended.stderr);
    assert_eq!(sandbox.read("p.mlp"), ODD);
}
