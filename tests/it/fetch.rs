//! Sources that a server or a store holds. What comes over a wire is tried in `tests/judges/fetch.sh` and `s3.sh`, on real servers.

use crate::sandbox::Sandbox;

fn reading(source: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let text = format!(
        "pipeline reader\nedition 2026\n\nsource raw: Dataset<csv> = {source}\n\nstage copy {{\n  in   raw\n  rerun always\n  \
         out  data: Dataset<csv> = \"out.csv\"\n  run  <<< cp \"$raw\" \"$data\" >>>\n}}\n"
    );
    sandbox.file("main.mlp", &text);
    sandbox
}

#[test]
fn what_can_not_be_fetched_fails_its_stage() {
    let ended = reading("http(\"http://127.0.0.1:9/raw.csv\")").mlpc(&["run"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let why =
        if cfg!(feature = "remotes") { "cannot ask 127.0.0.1:9" } else { "it was built without the feature `remotes`" };
    assert!(said.contains("the source `raw` can't be fetched: ") && said.contains(why), "{said}");
}

#[test]
fn a_look_ahead_fetches_nothing() {
    let sandbox = reading("http(\"http://127.0.0.1:9/raw.csv\")");
    let ended = sandbox.mlpc(&["plan"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("it says `rerun`"), "{}", ended.stdout);
}

#[test]
fn what_has_no_client_yet_says_what_has_one() {
    let ended = reading("gs(\"gs://bucket/raw.csv\", public: true)").mlpc(&["run"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 1, "{said}");
    assert!(said.contains("is in gs, which mlpc can't fetch from"), "{said}");
}

#[test]
fn an_address_with_a_password_or_without_an_object_is_refused_before_anything_runs() {
    for (source, message) in [
        ("http(\"https://me:secret@example.com/raw.csv\")", "the address holds a name or a password"),
        ("s3(\"s3://bucket/data/\", public: true)", "`s3://bucket/data/` names no object"),
        ("s3(\"s3://bucket\", public: true)", "`s3://bucket` names no object"),
    ] {
        let ended = reading(source).mlpc(&["check"]);
        assert_eq!(ended.code, 2, "{source}: {}", ended.stdout);
        assert!(ended.stderr.contains(message), "{source}: {}", ended.stderr);
    }
}

/// A clone of a DVC project: its remote, a folder beside it, holds `id` and `1`; no cache is there.
fn cloned(more: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let md5 = "bc9280dfc1d4e67233f138f5bbbf0951";
    sandbox.file(".dvc/config", "[core]\n    remote = store\n['remote \"store\"']\n    url = ../store\n");
    sandbox.file("data/raw.csv.dvc", &format!("outs:\n- md5: {md5}\n  size: 5\n  hash: md5\n  path: raw.csv\n"));
    sandbox.file(&format!("store/files/md5/{}/{}", &md5[..2], &md5[2..]), "id\n1\n");
    let text = format!(
        "pipeline reader\nedition 2026\n\nsource raw: Dataset<csv> = dvc(\"data/raw.csv\", public: true)\n\nstage copy {{\n  in   raw\n  \
         out  data: Dataset<csv> = \"out.csv\"\n  run  <<< cp \"$raw\" \"$data\" >>>\n}}\n{more}"
    );
    sandbox.file("main.mlp", &text);
    sandbox
}

#[test]
fn what_dvc_pushed_is_fetched_once_into_its_cache_and_a_look_fetches_nothing() {
    let sandbox = cloned("");
    let looked = sandbox.mlpc(&["plan"]);
    assert_eq!(looked.code, 0, "{looked:?}");
    assert!(looked.stdout.contains("the source `raw` is not fetched yet"), "{}", looked.stdout);
    assert!(!sandbox.path().join(".dvc/cache").exists(), "a look fetched");
    let ended = sandbox.mlpc(&["run"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 0, "{said}");
    assert!(said.contains("fetching the source `raw` from DVC's remote `store` (../store), 5 B"), "{said}");
    assert!(said.contains("fetched the source `raw`: 1 object of DVC, 5 B"), "{said}");
    assert_eq!(sandbox.read("out.csv"), "id\n1\n");
    assert_eq!(sandbox.read(".dvc/cache/files/md5/bc/9280dfc1d4e67233f138f5bbbf0951"), "id\n1\n");
    let again = sandbox.mlpc(&["run", "--force"]);
    assert!(again.code == 0 && !again.stderr.contains("fetching") && !again.stdout.contains("fetching"), "{again:?}");
}

#[test]
fn what_dvc_pushed_and_somebody_altered_is_refused() {
    let sandbox = cloned("");
    sandbox.file("store/files/md5/bc/9280dfc1d4e67233f138f5bbbf0951", "id\n2\n");
    let ended = sandbox.mlpc(&["run"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 11, "{said}");
    assert!(said.contains("the source `raw` is not what `data/raw.csv.dvc` says"), "{said}");
    assert!(!sandbox.path().join("out.csv").exists() && !sandbox.path().join(".dvc/cache").exists());
}

#[test]
fn a_remote_that_can_not_be_asked_is_named_with_the_way_out() {
    let sandbox = cloned("");
    sandbox.file(".dvc/config", "[core]\nremote = drive\n['remote \"drive\"']\nurl = gdrive://folder\n");
    let ended = sandbox.mlpc(&["run"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 1, "{said}");
    assert!(
        said.contains("is on Google Drive (`gdrive://`), which mlpc does not speak: run `dvc pull data/raw.csv`"),
        "{said}"
    );
}

#[test]
fn a_gate_on_what_dvc_keeps_sees_it_where_dvc_would_put_it_and_not_what_a_person_put_there() {
    let gate = "\ngate enough on raw { require rows >= 1 }\n";
    let sandbox = cloned(gate);
    let ended = sandbox.mlpc(&["run"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.read("data/raw.csv"), "id\n1\n");
    let edited = cloned(gate);
    edited.file("data/raw.csv", "id\n1\n2\n");
    let ended = edited.mlpc(&["run"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code != 0 && said.contains("`dvc checkout data/raw.csv`"), "{said}");
    assert!(said.contains("something else stands in the workspace than what `data/raw.csv.dvc` pins"), "{said}");
    assert_eq!(edited.read("data/raw.csv"), "id\n1\n2\n");
}

#[test]
fn a_baseline_is_of_what_dvc_pins_by_the_name_of_the_source() {
    let sandbox = cloned("");
    let freeze = || sandbox.mlpc(&["baseline", "raw", "-o", "raw.json"]);
    let frozen = freeze();
    assert!(frozen.code == 0 && frozen.stdout.contains("1 rows, 1 columns"), "{frozen:?}");
    let by_name = sandbox.read("raw.json");
    assert_eq!(sandbox.mlpc(&["baseline", "data/raw.csv", "-o", "raw.json"]).code, 0);
    assert_eq!(sandbox.read("raw.json"), by_name, "the path is of the same table");
    sandbox.file("data/raw.csv", "id\n1\n2\n");
    let edited = freeze();
    assert!(edited.code == 1 && edited.stderr.contains("`dvc checkout data/raw.csv`"), "{edited:?}");
}

#[test]
fn what_jobs_elsewhere_can_not_fetch_is_said_where_the_pipeline_is_compiled() {
    let sandbox = cloned("\non push { branches: [\"main\"] }\ntarget github { steps: \"plain\" }\n");
    let said = |verb: &[&str]| {
        let ended = sandbox.mlpc(verb);
        assert_eq!(ended.code, 0, "{ended:?}");
        format!("{}{}", ended.stdout, ended.stderr)
    };
    // What lies in the repository comes with it.
    assert!(!said(&["check"]).contains("dvc-out-of-reach"));
    sandbox.file(".dvc/config", "[core]\nremote = store\n['remote \"store\"']\nurl = ../../store\n");
    for verb in [&["check"][..], &["compile", "-o", "out"]] {
        assert!(said(verb).contains("the remote `store` is a folder of this"), "{verb:?}");
    }
    // What only this machine's settings name, another one does not find.
    sandbox.file(".dvc/config", "[core]\nremote = store\n");
    sandbox.file(".dvc/config.local", "['remote \"store\"']\nurl = s3://bucket/dvc\n");
    assert!(said(&["check"]).contains("`.dvc/config` has no remote `store`"));
    sandbox.file(".dvc/config", "[core]\nremote = store\n['remote \"store\"']\nurl = s3://bucket/dvc\n");
    for verb in [&["check"][..], &["compile", "-o", "out"]] {
        assert!(!said(verb).contains("dvc-out-of-reach"), "{verb:?}");
    }
    // What has to be fetched and hashed is left to the program.
    let workflow = sandbox.read("out/.github/workflows/reader.yml");
    assert!(workflow.contains("mlpc exec copy --file"), "{workflow}");
    assert!(!workflow.contains("Bring the inputs"), "{workflow}");
}

/// A stage reads what was committed, also where somebody edited the file and forgot `dvc add`: that is said, once.
#[test]
fn what_was_edited_without_dvc_add_is_not_read_and_that_is_said() {
    let sandbox = cloned("\nstage again { in raw  out n: File = \"n.txt\"  run <<< cp \"$raw\" \"$n\" >>> }\n");
    let note = "`data/raw.csv` in the workspace is not what `data/raw.csv.dvc` pins";
    let said = |verb: &str| {
        let ended = sandbox.mlpc(&[verb]);
        assert_eq!(ended.code, 0, "{ended:?}");
        format!("{}{}", ended.stdout, ended.stderr)
    };
    assert!(!said("run").contains(note));
    sandbox.file("data/raw.csv", "id\n2\n");
    for verb in ["plan", "run"] {
        let said = said(verb);
        assert_eq!(said.matches(note).count(), 1, "{verb}: {said}");
        assert!(said.contains("`dvc add data/raw.csv` pins it"), "{verb}: {said}");
    }
    assert_eq!(sandbox.read("n.txt"), "id\n1\n");
}
