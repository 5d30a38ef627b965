//! What the book tells people to write, played: its own blocks, with a page of shell in the place of the programs.

use crate::markdown::{blocks, workspace};
use crate::sandbox::{Ended, Sandbox, repository};

const ACTION: &str = "book/src/language/action.md";

/// Lays the first pipeline under a heading of a page into a workspace, with stand-ins for what it calls.
fn told(page: &str, heading: &str, stand_ins: &[(&str, &str)]) -> Sandbox {
    let page = std::fs::read_to_string(repository().join(page)).expect("the page");
    let (_, under) = page.split_once(heading).expect("the heading");
    let block = blocks(under).into_iter().find(|block| block.info == "mlp").expect("a pipeline");
    let sandbox = workspace(&block.text);
    for (path, script) in stand_ins {
        sandbox.file(path, &format!("#!/bin/sh\n{script}\n"));
        let made = sandbox.shell(&format!("chmod +x {path}"));
        assert_eq!(made.code, 0, "{made:?}");
    }
    sandbox
}

/// Runs `mlpc` with the stand-ins of `../bin` on the path.
fn run(sandbox: &Sandbox, arguments: &str) -> Ended {
    sandbox.shell(&format!("PATH=$PWD/../bin:$PATH mlpc run {arguments}"))
}

#[test]
fn a_laptop_without_a_cloud_leaves_terraform_out() {
    let terraform = ("../bin/terraform", "echo 'no credentials' >&2; exit 1");
    let sandbox = told(ACTION, "## What an action leaves behind: Terraform", &[terraform]);
    let text = sandbox.read("main.mlp");
    let more = "stage count { out n: File = \"n\"   run <<< echo 1 > \"$n\" >>> }\n\
                gate enough on count.n { require size(count.n) <= 1MB }\n";
    sandbox.file("main.mlp", &format!("{text}{more}"));
    let fails = run(&sandbox, "");
    assert!(fails.code == 1 && fails.stdout.contains("plan_infra  failed"), "{fails:?}");
    for arguments in ["--profile laptop", "--set cloud=false", "--profile laptop --dry-run"] {
        let ended = run(&sandbox, arguments);
        assert_eq!(ended.code, 0, "{arguments}: {ended:?}");
        assert!(ended.stdout.contains("its `when` is false"), "{arguments}: {ended:?}");
    }
    let ended = run(&sandbox, "--profile laptop");
    for name in ["infra", "outputs", "announce"] {
        let line = ended.stdout.lines().find(|line| line.split_whitespace().next() == Some(name));
        assert!(line.is_some_and(|line| line.contains("skipped: it needs")), "{name}: {ended:?}");
    }
    // What nothing of it leads to is run by its name, whatever the parameter says.
    let named = run(&sandbox, "enough");
    assert!(named.code == 0 && !named.stdout.contains("infra"), "{named:?}");
    // No trigger sets it, so that the workflow asks nothing.
    let compiled = sandbox.shell("mlpc compile --target github");
    assert_eq!(compiled.code, 0, "{compiled:?}");
    let workflow = sandbox.read(".github/workflows/example.yml");
    let job = workflow.split("  plan_infra:\n").nth(1).and_then(|rest| rest.split("steps:").next()).expect("its job");
    assert!(!job.contains("if:"), "{job}");
}

#[test]
fn a_week_in_which_nothing_is_new_deploys_nothing() {
    let stand_ins = [
        ("../bin/terraform", "case \"$*\" in *output*) cat \"$(dirname \"$0\")/../endpoint.json\";; esac"),
        ("src/train", "cp \"$1\" \"$2.csv\"; echo '{}' > \"$2\""),
        ("src/deploy", "echo \"$3\" >> \"$(dirname \"$(command -v terraform)\")/../deployed\""),
    ];
    let sandbox = told(ACTION, "## Infrastructure of its own", &stand_ins);
    let text = sandbox.read("main.mlp").replace("git(\"mlpc-registry\")", "directory(\"registry\")");
    sandbox.file("main.mlp", &text).file("data/raw.csv", "a\n1\n");
    let endpoint = |name: &str| {
        sandbox.file("../endpoint.json", &format!("{{\"endpoint\": {{\"value\": \"{name}\"}}}}"));
        let ended = run(&sandbox, "--release");
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stdout
    };
    endpoint("first");
    let again = endpoint("first");
    assert!(again.contains("nothing to do: the same was done for this release"), "{again}");
    endpoint("second");
    endpoint("second");
    assert_eq!(sandbox.read("../deployed"), "first\nsecond\n");
}

/// What is of no release has nothing that says whether it still stands.
#[test]
fn what_is_of_no_release_is_done_in_each_run_and_what_is_behind_it_again() {
    let sandbox = workspace(
        "registry models = directory(\"registry\")\n\
         stage train { code \"w\"   out model: Model<json> = \"m.json\"   run <<< echo '{}' > \"$model\" >>> }\n\
         register release = train.model to models ungated \"a test\"\n\
         promote current = release to models@production\n\
         action infra { code \"w\"   pass_env [\"HOME\"]   run <<< echo infra >> /\"$HOME\"/did >>> }\n\
         action deploy of release after current, infra { pass_env [\"HOME\"]   run <<< echo deploy >> /\"$HOME\"/did >>> }\n",
    );
    for _ in 0..2 {
        let ended = run(&sandbox, "--release");
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_eq!(sandbox.read("../home/did"), "infra\ndeploy\ninfra\ndeploy\n");
}

/// What the stand-in for a deploy was given.
const DEPLOY: (&str, &str) = ("src/deploy", "cat \"$1\" >> \"$(dirname \"$(command -v terraform)\")/../deployed\"");

#[test]
fn what_was_gone_back_to_is_deployed_by_a_run_of_its_own() {
    let stand_ins = [DEPLOY, ("src/train", "cp \"$1\" \"$2.csv\"; cat w > \"$2\""), ("../bin/terraform", "")];
    let sandbox = told("book/src/registries.md", "## Rolling back", &stand_ins);
    let text = sandbox.read("main.mlp").replace("git(\"mlpc-registry\")", "directory(\"registry\")");
    let text = text.replace("code \"src/train\"", "code \"src/train\", \"w\"");
    sandbox.file("main.mlp", &text).file("data/raw.csv", "a\n1\n");
    // Before there is any production there is nothing to deploy, and that is no success.
    let nothing = run(&sandbox, "--release --set redeploy=true");
    assert_eq!(nothing.code, 1, "{nothing:?}");
    for model in ["[1]\n", "[2]\n"] {
        sandbox.file("w", model);
        let ended = run(&sandbox, "--release");
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let back = sandbox.mlpc(&["registry", "rollback", "models@production", "--reason", "a test", "--as", "tester"]);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(run(&sandbox, "--release").code, 10);
    let again = run(&sandbox, "--release --set redeploy=true");
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(sandbox.read("../deployed"), "[1]\n[2]\n[1]\n");
    // Nothing was trained, registered or promoted by it.
    assert!(again.stdout.contains("train") && again.stdout.contains("its `when` is false"), "{again:?}");
}
