//! Ways in which a pipeline that shipped yesterday must not ship today: the verdict, the exit code and a plain reason
//! each, and in every one the registry stays as it was.

use crate::sandbox::Sandbox;
use crate::tiny::{GATE, tiny};

struct Case {
    name: &'static str,
    breaks: fn(&Sandbox),
    /// Of the gate; `None` where the run did not come so far, since a stage failed.
    verdict: Option<&'static str>,
    exit: i32,
    says: &'static str,
}

const TABLE: [Case; 9] = [
    Case {
        name: "threshold raised",
        breaks: |sandbox| {
            sandbox.edit("pipeline.mlp", "auc_roc >= 0.8", "auc_roc >= 0.95");
        },
        verdict: Some("fail"),
        exit: 10,
        says: "`auc_roc` is 0.91, but at least 0.95 is required",
    },
    Case {
        name: "metric renamed",
        breaks: |sandbox| {
            sandbox.file("evaluate.sh", "sed s/auc_roc/auc_rok/ \"$1\"\n");
        },
        verdict: Some("error"),
        exit: 11,
        says: "`auc_roc` is missing: `out/report.json` has nothing at `/auc_roc`, but it has `auc_rok`",
    },
    Case {
        name: "NaN",
        breaks: |sandbox| {
            sandbox.weights("NaN");
        },
        verdict: Some("error"),
        exit: 11,
        says: "`auc_roc` is NaN, not a number, in `out/report.json` at `/auc_roc`",
    },
    Case {
        name: "a string",
        breaks: |sandbox| {
            sandbox.weights("\"0.91\"");
        },
        verdict: Some("error"),
        exit: 11,
        says: "`auc_roc` is a string, not a number, in `out/report.json` at `/auc_roc`",
    },
    Case {
        name: "file missing",
        breaks: |sandbox| {
            sandbox.edit("pipeline.mlp", "> \"$report\"", "> /dev/null");
        },
        verdict: None,
        exit: 1,
        says: "the output `report` (`out/report.json`) was not written",
    },
    Case {
        name: "registry unreadable",
        breaks: |sandbox| {
            sandbox.file("registry/pointers/production.json", "no pointer\n");
        },
        verdict: Some("error"),
        exit: 11,
        says: "`models@production` can't be read",
    },
    Case {
        name: "another model in the champion's place",
        breaks: |sandbox| {
            let version = sandbox.registry().1.expect("production");
            let model = format!("registry/versions/{}/model", version.trim());
            let _ = std::fs::remove_file(sandbox.path().join(&model));
            sandbox.file(&model, "{\"auc_roc\": 0.1}\n");
            // The store of this machine knows the champion's own bytes, and would use them.
            std::fs::remove_dir_all(sandbox.path().join(".mlpc")).expect("removed");
        },
        verdict: Some("error"),
        exit: 11,
        says: "was changed after it was registered",
    },
    Case {
        name: "a program in the middle of a pipe fails",
        breaks: |sandbox| {
            sandbox.edit(
                "pipeline.mlp",
                "bash evaluate.sh \"$model\"",
                "cat \"$model\" | false | bash evaluate.sh \"$model\"",
            );
        },
        verdict: None,
        exit: 1,
        says: "evaluate",
    },
    Case {
        name: "cut in the middle",
        breaks: |sandbox| {
            sandbox.file("evaluate.sh", "head -c 12 \"$1\"\n");
        },
        verdict: Some("error"),
        exit: 11,
        says: "`out/report.json` is not JSON",
    },
];

#[test]
fn nothing_ships_on_silence() {
    for case in TABLE {
        let sandbox = tiny(GATE);
        sandbox.weights("0.9").runs(0);
        let before = sandbox.registry();
        assert_eq!(before.0, 1, "{}: the run before ships", case.name);

        sandbox.weights("0.91");
        (case.breaks)(&sandbox);
        let ended = sandbox.mlpc(&["run"]);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, case.exit, "{}: {said}", case.name);
        assert!(said.contains(case.says), "{}: {said}", case.name);
        assert_eq!(sandbox.registry(), before, "{}: the registry is as it was", case.name);
        assert!(!said.contains("on unscorable"), "{}: no question of today's code: {said}", case.name);
        // A report of this run has the candidate's numbers or none; where there is none, that of yesterday stands.
        match case.verdict {
            Some(verdict) => assert_eq!(sandbox.report()["verdict"], verdict, "{}", case.name),
            None => assert!(!said.contains("gate quality: pass"), "{}: {said}", case.name),
        }
    }
}
