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
