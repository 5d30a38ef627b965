//! Runs that were: listed, compared, told.

use crate::sandbox::Sandbox;

const EVIL: &str = "<script>alert(1)</script>";

fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    let text = "## Says <script>alert(1)</script>.\npipeline p\nedition 2026\n\nparam rounds: int = 1\nparam tag: string = \"<script>alert(1)</script>\"\n\nmetrics Scores {\n  \
                good: float higher\n  loss: float lower\n}\n\nstage score {\n  use rounds, tag\n  out scores: Metrics<Scores> = \"out/scores.json\"\n  \
                out confusion: Plot = \"out/confusion.csv\"\n  out curve: Plot = \"out/curve.csv\"\n  run <<<\n    echo \"$tag\" > /dev/null\n    \
                echo \"{\\\"good\\\": $rounds, \\\"loss\\\": $rounds}\" > \"$scores\"\n    \
                printf 'actual,predicted\\n<script>alert(1)</script>,b\\nb,b\\n' > \"$confusion\"\n    printf 'step,<b>\\n1,2\\n2,3\\n' > \"$curve\"\n  \
                >>>\n}\n\ngate enough on score.scores {\n  require good >= 1\n}\n";
    sandbox.file("pipeline.mlp", text);
    sandbox
}

#[test]
fn runs_are_listed_and_compared_with_the_way_each_metric_went() {
    let sandbox = project();
    let none = sandbox.mlpc(&["history"]);
    assert!(none.code == 0 && none.stdout.contains("no run of `p` was recorded"), "{none:#?}");
    for arguments in [&["run"][..], &["run"], &["run", "--set", "rounds=3"]] {
        assert_eq!(sandbox.mlpc(arguments).code, 0);
    }
    let listed = sandbox.mlpc(&["history", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let counts: Vec<(u64, u64)> = listed["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| (run["ran"].as_u64().expect("a number"), run["hits"].as_u64().expect("a number")))
        .collect();
    assert_eq!(counts, [(1, 0), (0, 1), (1, 0)]);

    let diff = sandbox.mlpc(&["diff", "--format", "json"]);
    let diff: serde_json::Value = serde_json::from_str(&diff.stdout).expect("JSON");
    assert_eq!(diff["params"][0]["new"], "3");
    let turns: Vec<&str> =
        diff["metrics"].as_array().expect("metrics").iter().filter_map(|one| one["turn"].as_str()).collect();
    assert_eq!(turns, ["better", "worse"]);
    assert_eq!(diff["stages"][0]["changes"][0]["kind"], "param");
    let same = sandbox.mlpc(&["diff", "latest~2", "latest~1"]);
    assert!(same.code == 0 && same.stdout.contains("nothing differs"), "{same:#?}");
    let unknown = sandbox.mlpc(&["diff", "nonsense"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("did you mean"), "{unknown:#?}");
}

#[test]
fn each_of_two_pipelines_in_a_folder_has_its_own_past() {
    let sandbox = Sandbox::new();
    let toy = |name: &str| {
        format!(
            "pipeline {name}\nedition 2026\nparam good: float = 1.0\nmetrics Scores {{ good: float higher  steady: float higher }}\n\
             stage score_{name} {{ use good  out scores: Metrics<Scores> = \"out/{name}.json\"\n\
             run <<< echo \"{{\\\"good\\\": $good, \\\"steady\\\": 1}}\" > \"$scores\" >>> }}\nprofile small {{ set good = 2.0 }}\n"
        )
    };
    sandbox.file("a.mlp", &toy("a")).file("b.mlp", &toy("b"));
    for arguments in [&["run", "-f", "a.mlp"][..], &["run", "-f", "b.mlp"], &["run", "-f", "b.mlp"]] {
        let ended = sandbox.mlpc(arguments);
        assert_eq!(ended.code, 0, "{ended:#?}");
    }
    let listed = sandbox.mlpc(&["history", "-f", "a.mlp"]).stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.ends_with("and 2 of `b`: `-f FILE` lists them\n"), "{listed}");
    // The default is the pipeline's own latest run, not the folder's.
    assert_eq!(sandbox.mlpc(&["run", "-f", "a.mlp", "--profile", "small"]).code, 0);
    assert_eq!(sandbox.mlpc(&["run", "-f", "b.mlp"]).code, 0);
    let diff = sandbox.mlpc(&["diff", "-f", "a.mlp"]).stdout;
    assert!(diff.contains("no profile → profile small"), "{diff}");
    assert!(diff.contains("score_a.scores.good    1 → 2 (+1)  better"), "{diff}");
    assert!(diff.contains("score_a.scores.steady  1  same"), "{diff}");
    let runs = |pipeline: &str| {
        let listed = sandbox.mlpc(&["history", "-f", &format!("{pipeline}.mlp")]).stdout;
        let own = listed.lines().filter(|line| line.contains(&format!(", `{pipeline}`")));
        own.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let (of_a, of_b) = (runs("a"), runs("b"));
    assert_eq!((of_a.len(), of_b.len()), (2, 3), "each row names its pipeline");
    let across = sandbox.mlpc(&["diff", &of_a[0], &of_b[0], "-f", "a.mlp"]);
    assert!(across.code == 0 && across.stdout.contains("`a` → `b`: runs of two pipelines"), "{across:#?}");
    let json = sandbox.mlpc(&["diff", &of_a[0], &of_b[0], "-f", "a.mlp", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["pipeline"]["old"], &json["pipeline"]["new"]), (&"a".into(), &"b".into()));
    for arguments in [&["diff", &of_b[0], &of_b[1], "-f", "a.mlp"][..], &["report", &of_b[0], "-f", "a.mlp"]] {
        let other = sandbox.mlpc(arguments);
        assert!(other.code == 2 && other.stderr.contains("is one of `b`, not of `a`; name the file"), "{other:#?}");
    }
    let resumed = sandbox.mlpc(&["run", "-f", "b.mlp", "--resume"]);
    assert!(resumed.code == 2 && resumed.stderr.contains("no run of `b` waits for a person"), "{resumed:#?}");
}

#[test]
fn the_report_is_one_file_that_fetches_and_runs_nothing_and_is_the_same_each_time() {
    let sandbox = project();
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    assert_eq!(sandbox.mlpc(&["run", "--set", "rounds=2"]).code, 0);
    let first = sandbox.mlpc(&["report", "latest~1", "--output", "-"]);
    assert_eq!(first.code, 0, "{first:#?}");
    assert_eq!(sandbox.mlpc(&["run", "--set", "rounds=5"]).code, 0);
    let again = sandbox.mlpc(&["report", "latest~2", "--output", "-"]);
    assert_eq!(first.stdout, again.stdout, "a later run changes nothing");

    let written = sandbox.mlpc(&["report", "--output", "report.html"]);
    assert_eq!(written.code, 0, "{written:#?}");
    let html = sandbox.read("report.html");
    for never in [EVIL, "<b>", "<script", "http://", "https://", "url(http", "@import", "<link"] {
        assert!(!html.contains(never), "`{never}` is in the report");
    }
    for wanted in [
        "&lt;script&gt;alert(1)",
        "enough",
        "good &gt;= 1",
        "score.scores.loss",
        "class=\"matrix\"",
        "<svg",
        "lang=\"en\"",
    ] {
        assert!(html.contains(wanted), "no `{wanted}` in the report");
    }
}
