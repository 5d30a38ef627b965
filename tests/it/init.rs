//! `mlpc init` writes a file that runs, and leaves alone what stands.

use crate::sandbox::Sandbox;

#[test]
fn what_init_writes_is_clean_formatted_and_runs() {
    let sandbox = Sandbox::new();
    let ended = sandbox.mlpc(&["init"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    for arguments in [&["check"][..], &["run"]] {
        let ended = sandbox.mlpc(arguments);
        assert_eq!(ended.code, 0, "mlpc {arguments:?}: {ended:#?}");
    }
    let shown = sandbox.mlpc(&["registry", "show", "models"]);
    assert!(shown.code == 0 && shown.stdout.contains("production"), "{shown:#?}");
    assert_eq!(sandbox.read(".gitignore"), "/.mlpc/\n/out/\n/registry/\n");
}

#[test]
fn init_overwrites_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("mine.mlp", "pipeline mine\nedition 2026\n");
    let ended = sandbox.mlpc(&["init"]);
    assert_eq!(ended.code, 2, "{ended:#?}");
    assert!(ended.stderr.contains("mine.mlp"), "{ended:#?}");
    assert_eq!(sandbox.read("mine.mlp"), "pipeline mine\nedition 2026\n");
    assert!(!sandbox.path().join("pipeline.mlp").exists());
}

#[test]
fn what_init_writes_compiles_for_every_target_that_it_names() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.shell("git init -q -b main . && mlpc init").code, 0);
    let ended = sandbox.mlpc(&["compile"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert!(ended.stdout.contains("/.github/workflows/") && ended.stdout.contains("/argo/"), "{ended:#?}");
    assert_eq!(sandbox.mlpc(&["compile", "--check"]).code, 0);
    let plain = sandbox.mlpc(&["check", "--deny", "warnings"]);
    assert_eq!(plain.code, 0, "{plain:#?}");
}
