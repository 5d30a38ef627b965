//! Loops: what their legs are called, read, run and blamed for.

use mlpc::compile::{Compilation, compile};
use mlpc::source::Sources;

use crate::sandbox::Sandbox;

const HEAD: &str = "pipeline fan\nedition 2026\n";

const TRAIN: &str = r#"
const clients = ["nord", "syd"]
stage prepare for client in clients {
  out data: File = "data/{client}.txt"
  run <<< echo "$client" > "$data" >>>
}
stage train for client in clients, seed in 1..3 {
  in  data = prepare[client].data
  out model: File = "models/{client}/{seed}.txt"
  run <<< test "$client.$seed" != "$broken"; cat "$data" > "$model"; echo "$seed" >> "$model" >>>
  pass_env ["broken"]
}
"#;

fn compiled(text: &str) -> Compilation {
    compile(&Sources::single("a.mlp", format!("{HEAD}{text}")))
}

fn codes(text: &str) -> Vec<&'static str> {
    compiled(text).diagnostics.iter().map(|one| one.code.name()).collect()
}

fn messages(text: &str) -> Vec<String> {
    compiled(text)
        .diagnostics
        .into_iter()
        .map(|one| format!("{} / {}", one.message, one.help.unwrap_or_default()))
        .collect()
}

fn waits(text: &str, node: &str) -> Vec<String> {
    let plan = compiled(text).plan.expect("no errors");
    plan.node(node).expect("the node").waits.iter().map(|wait| wait.node.clone()).collect()
}

#[test]
fn legs_are_nodes_in_the_order_of_the_loop() {
    let plan = compiled(TRAIN).plan.expect("no errors");
    let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    let legs = ["train[nord,1]", "train[nord,2]", "train[nord,3]", "train[syd,1]", "train[syd,2]", "train[syd,3]"];
    assert_eq!(names, [&["prepare[nord]", "prepare[syd]"][..], &legs].concat());
    assert_eq!(waits(TRAIN, "train[syd,2]"), ["prepare[syd]"]);
    let stage = plan.stage("train[syd,2]").expect("a stage");
    assert_eq!(stage.outputs[0].path, "models/syd/2.txt");
    let variables: Vec<String> = stage.work.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(variables, ["client=syd", "seed=2"]);
}

#[test]
fn an_index_names_one_leg_or_those_of_an_axis() {
    let reads = |what: &str| {
        let stage = format!("{TRAIN}stage last {{ in x = {what}\n out o: File = \"o\"\n run <<< cat $x > $o >>> }}");
        waits(&stage, "last")
    };
    assert_eq!(reads("train[\"syd\", 3].model"), ["train[syd,3]"]);
    assert_eq!(reads("train[*, 2].model"), ["train[nord,2]", "train[syd,2]"]);
    assert_eq!(reads("train[\"nord\", *].model").len(), 3);
    assert_eq!(reads("train[*, *].model").len(), 6);
    assert_eq!(
        waits(&format!("{TRAIN}stage last after train {{ out o: File = \"o\"\n run <<< date > $o >>> }}"), "last")
            .len(),
        6
    );
}

#[test]
fn what_an_index_gets_wrong_is_said_once_and_where() {
    let last =
        |what: &str| format!("{TRAIN}stage last {{ in x = {what}\n out o: File = \"o\"\n run <<< cat $x > $o >>> }}");
    assert_eq!(codes(&last("train.model")), ["missing-index"]);
    assert!(messages(&last("train.model"))[0].contains("write `train[\"nord\", 1]` for one, or `train[*, *]` for all"));
    assert_eq!(codes(&last("train[\"nord\"].model")), ["wrong-index"]);
    assert_eq!(codes(&last("train[\"nrod\", 1].model")), ["unknown-leg"]);
    assert!(messages(&last("train[\"nrod\", 1].model"))[0].contains("did you mean `\"nord\"`?"));
    assert_eq!(codes(&last("train[\"nord\", 4].model")), ["unknown-leg"]);
    let plain = "source s: File = \"s\"\nstage a { in s\n out o: File = \"o\"\n run <<< cp $s $o >>> }\n";
    assert_eq!(
        codes(&format!("{plain}stage b {{ in x = a[1].o\n out p: File = \"p\"\n run <<< cp $x $p >>> }}")),
        ["wrong-index"]
    );
    // In a loop over the same variable the help names it; six legs make the mistake, and one is told.
    let own = format!(
        "{TRAIN}stage e for client in clients, seed in 1..3 {{ in x = train.model\n out o: File = \"{{client}}-{{seed}}\"\n run <<< cp $x $o >>> }}"
    );
    assert_eq!(codes(&own), ["missing-index"]);
    assert!(messages(&own)[0].contains("write `train[client, seed]`"), "{:?}", messages(&own));
}

#[test]
fn loops_over_nothing_too_much_or_the_same_are_refused() {
    let over = |list: &str| {
        codes(&format!("stage a for x in {list} {{ out o: File = \"{{x}}\"\n run <<< echo $x > $o >>> }}"))
    };
    assert_eq!(over("[]"), ["empty-loop"]);
    assert_eq!(over("3..1"), ["empty-loop"]);
    assert_eq!(over("[1, 2, 1]"), ["duplicate-leg"]);
    assert_eq!(over("1..100000"), ["too-many-legs"]);
    assert_eq!(over("1..9000000000000000000"), ["too-many-legs"]);
    assert_eq!(over("[\"a/b\"]"), ["bad-leg"]);
    assert_eq!(over("[\"..\"]"), ["bad-leg"]);
    assert_eq!(over("1"), ["wrong-type"]);
    assert_eq!(over("0..<3"), Vec::<&str>::new());
    assert_eq!(
        compiled("stage a for x in 1..10000 { out o: File = \"{x}\"\n run <<< echo $x > $o >>> }")
            .plan
            .expect("fine")
            .nodes
            .len(),
        10_000
    );
}

#[test]
fn the_path_of_every_output_holds_every_variable() {
    let text = "stage a for x in 1..2, y in 1..2 { out o: File = \"{x}\"\n out p: File = \"p{x}{y}\"\n run <<< date | tee $o > $p >>> }";
    assert_eq!(codes(text), ["path-of-all-legs"]);
    assert!(messages(text)[0].contains("does not hold `y`"));
    // Both hold all variables, and two legs fall together all the same.
    let clash =
        "stage a for x in [\"a\", \"ab\"], y in [\"bc\", \"c\"] { out o: File = \"{x}{y}\"\n run <<< date > $o >>> }";
    assert_eq!(codes(clash), ["path-taken"]);
}

#[test]
fn a_stage_made_from_a_looped_one_has_its_loop() {
    let text = format!("{TRAIN}stage again = train with {{ model: \"again/{{client}}/{{seed}}\" }}");
    let plan = compiled(&text).plan.expect("no errors");
    assert_eq!(plan.stage("again[syd,3]").expect("a leg").outputs[0].path, "again/syd/3");
}

const LAST: &str = r#"
stage nord {
  in  models = train["nord", *].model
  out all: File = "nord.txt"
  run <<< cat "$models" > "$all"; xargs cat < "$models" >> "$all" >>>
}
stage count for client in clients {
  in  data = prepare[client].data
  out bytes: int in 1..100 = json("stats/{client}.json", "/bytes")
  run <<< echo "{\"bytes\": $(wc -c < "$data")}" > "$bytes" >>>
}
stage report {
  in  models = train["nord", *].model, own = count["nord"].bytes
  out text: File = "report.txt"
  run ["sh", "-c", "echo $0 $* own=$own > $text", "{count["syd"].bytes} bytes", count[*].bytes, models]
}
"#;

#[test]
fn legs_run_with_their_variables_and_lists_reach_who_reads_them() {
    let sandbox = Sandbox::new();
    sandbox.file("fan.mlp", &format!("{HEAD}{TRAIN}{LAST}"));
    let ended = sandbox.shell("broken=none mlpc run");
    assert_eq!(ended.code, 0, "{ended:?}");
    let files = "models/nord/1.txt\nmodels/nord/2.txt\nmodels/nord/3.txt\n";
    assert_eq!(sandbox.read("nord.txt"), format!("{files}nord\n1\nnord\n2\nnord\n3\n"));
    let files = files.trim().replace('\n', " ");
    assert_eq!(sandbox.read("report.txt"), format!("4 bytes 5 4 {files} own=5\n"));
    let again = sandbox.shell("broken=none mlpc run");
    assert!(again.stdout.contains("0 stages run, 12 from the cache"), "{again:?}");
    // Another order of the list is another list file, and so another key; the legs are what they were.
    let turned = TRAIN.replace("1..3", "[3, 2, 1]");
    sandbox.file("fan.mlp", &format!("{HEAD}{turned}{LAST}"));
    let again = sandbox.shell("broken=none mlpc run");
    assert!(again.stdout.contains("2 stages run, 10 from the cache"), "{again:?}");
}

#[test]
fn a_leg_that_fails_fails_its_own_consumers_only() {
    let sandbox = Sandbox::new();
    let each = r#"
stage check for client in clients, seed in 1..3 {
  in  model = train[client, seed].model
  out ok: File = "ok/{client}/{seed}"
  run <<< cp "$model" "$ok" >>>
}
"#;
    sandbox.file("fan.mlp", &format!("{HEAD}{TRAIN}{LAST}{each}"));
    let ended = sandbox.shell("broken=nord.2 mlpc run");
    assert_eq!(ended.code, 1, "{ended:?}");
    let there = |path: &str| sandbox.path().join(path).exists();
    assert!(there("ok/nord/1") && there("ok/nord/3") && there("ok/syd/2"));
    assert!(!there("ok/nord/2") && !there("nord.txt") && !there("report.txt"));
    assert!(there("stats/syd.json"));
}

#[test]
fn one_leg_can_be_asked_for_and_a_loop_means_all_of_its_legs() {
    let sandbox = Sandbox::new();
    sandbox.file("fan.mlp", &format!("{HEAD}{TRAIN}"));
    assert_eq!(sandbox.shell("broken=none mlpc run 'train[syd,2]'").code, 0);
    let there = |path: &str| sandbox.path().join(path).exists();
    assert!(there("models/syd/2.txt") && !there("models/syd/1.txt") && !there("data/nord.txt"));
    assert_eq!(sandbox.shell("broken=none mlpc run train").code, 0);
    assert!(there("models/nord/3.txt"));
}

#[test]
fn a_value_of_another_type_or_range_fails_the_stage_that_made_it() {
    let stage = |ty: &str, json: &str| {
        let sandbox = Sandbox::new();
        let text = format!("stage a {{ out n: {ty} = json(\"s.json\", \"/n\")\n run <<< echo '{json}' > $n >>> }}");
        sandbox.file("a.mlp", &format!("{HEAD}{text}"));
        sandbox.mlpc(&["run"])
    };
    assert_eq!(stage("int", "{\"n\": 3}").code, 0);
    assert_eq!(stage("duration", "{\"n\": \"90s\"}").code, 0);
    assert_eq!(stage("int?", "{\"n\": null}").code, 0);
    for (ty, json, why) in [
        ("int", "{\"n\": 3.5}", "no value of `int`"),
        ("int in 1..5", "{\"n\": 9}", "not in the range"),
        ("duration", "{\"n\": 90}", "no value of `duration`"),
        ("int", "{}", "holds nothing at `/n`"),
        ("int", "n: 3", "is no JSON"),
    ] {
        let ended = stage(ty, json);
        assert_eq!(ended.code, 1, "{ty} {json}: {ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(why), "{ty} {json}: {ended:?}");
    }
}

#[test]
fn values_are_not_known_before_the_run() {
    let when = |where_: &str, path: &str| {
        format!(
            "stage a {{ out n: int = json(\"s\", \"/n\")\n run <<< echo 1 > $n >>> }}\nstage b {where_} {{ out o: File = \"{path}\"\n run <<< date > $o >>> }}"
        )
    };
    assert_eq!(codes(&when("when a.n > 1", "o")), ["known-only-in-run"]);
    assert_eq!(codes(&when("", "o{a.n}")), ["known-only-in-run"]);
    let behind = "stage b { out o: File = \"o{a.n}\"\n run <<< date > $o >>> }\nstage a { out n: int = json(\"s\", \"/n\")\n run <<< echo 1 > $n >>> }";
    assert_eq!(codes(behind), ["known-only-in-run"], "also where the stage that makes it stands behind");
    let own = "stage a { out o: File = \"x{a.o}\"\n run <<< date > $o >>> }";
    assert_eq!(codes(own), ["known-only-in-run"], "its own output");
    let each_other = "stage a { out o: File = \"x{b.o}\"\n run <<< date > $o >>> }\nstage b { out o: File = \"x{a.o}\"\n run <<< date > $o >>> }";
    assert_eq!(codes(each_other), ["known-only-in-run", "wrong-kind"], "two that ask for each other's");
    assert_eq!(codes(&when("", "o")), Vec::<&str>::new());
}

#[test]
fn gates_and_releases_are_of_legs() {
    let text = r#"
metrics E { auc: ratio higher }
registry models = directory("registry")
stage train for client in ["nord", "syd"] { out model: File = "m/{client}"
  run <<< echo "$client" > "$model" >>> }
stage evaluate for client in ["nord", "syd"] { in model = train[client].model
  out report: Metrics<E> of model = "r/{client}.json"
  run <<< cat "$model"; echo '{"auc": 0.9}' > "$report" >>> }
gate quality for client in ["nord", "syd"] on evaluate[client].report { require auc >= 0.8 }
register release for client in ["nord", "syd"] = train[client].model to models { metrics: evaluate[client].report }
"#;
    assert_eq!(waits(text, "release[syd]"), ["train[syd]", "evaluate[syd]", "quality[syd]", "quality[syd]"]);
    let promote = format!("{text}promote current = release to models@production");
    assert_eq!(codes(&promote), ["missing-index"]);
    let promote = format!("{text}promote current = release[\"nord\"] to models@production");
    assert_eq!(codes(&promote), Vec::<&str>::new());
    // A gate on all legs has an evidence for each.
    let all = text.replace(
        "gate quality for client in [\"nord\", \"syd\"] on evaluate[client].report",
        "gate quality on evaluate[*].report",
    );
    assert_eq!(codes(&all), ["ambiguous-metric"]);
}

#[test]
fn a_parameter_is_one_key_of_a_file_and_that_key_alone_is_in_the_key() {
    let sandbox = Sandbox::new();
    let text = r#"
param rate: float in 0.0..1.0 from "conf/m.yaml" at "/train/rate"
param rounds: int from "conf/m.yaml" at "/train/rounds" = 7
stage train { use rate, rounds
  out o: File = "o"
  run <<< echo "$rate $rounds" > "$o" >>> }
"#;
    sandbox.file("a.mlp", &format!("{HEAD}{text}")).file("conf/m.yaml", "train:\n  rate: 0.5\nother: 1\n");
    let check = sandbox.mlpc(&["check"]);
    assert_eq!(check.code, 0, "{check:?}");
    let plan = sandbox.mlpc(&["compile", "--target", "plan"]);
    assert!(!plan.stdout.contains("0.5"), "the value is not in the plan: {plan:?}");
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    assert_eq!(sandbox.read("o"), "0.5 7\n");
    sandbox.file("conf/m.yaml", "train:\n  rate: 0.5\nother: 2\n");
    assert!(sandbox.mlpc(&["run"]).stdout.contains("0 stages run, 1 from the cache"));
    sandbox.file("conf/m.yaml", "train:\n  rate: 0.25\n  rounds: 9\n");
    assert!(sandbox.mlpc(&["run"]).stdout.contains("1 stage run"));
    assert_eq!(sandbox.read("o"), "0.25 9\n");
    assert_eq!(sandbox.mlpc(&["run", "--set", "rate=1"]).code, 0);
    assert_eq!(sandbox.read("o"), "1 9\n");
    for (yaml, why) in [
        ("train:\n  rate: 3\n", "`conf/m.yaml`, line 2: `3` is not in the range"),
        ("train: {}\n", "nothing at `/train/rate`"),
        ("train: [", "is no YAML"),
    ] {
        sandbox.file("conf/m.yaml", yaml);
        let check = sandbox.mlpc(&["check"]);
        assert_eq!(check.code, 2, "{check:?}");
        let said = format!("{}{}", check.stdout, check.stderr);
        assert!(said.contains("param-file"), "{said}");
        let run = sandbox.mlpc(&["run"]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains(why), "{why}: {run:?}");
    }
}

#[test]
fn parameters_of_every_type_reach_the_command() {
    let sandbox = Sandbox::new();
    let text = r#"
const limits = { low: 0.1, high: 0.9 }
const extra = ["x", "y"]
param optimizer: "adam" | "sgd" = "adam"
param note: string?
param rates: [float] = [0.1, 0.01]
param window: { low: float, high: float } = limits
stage a { use optimizer, note, rates, window
  out o: File = "o"
  run ["sh", "-c", "printf '%s|' \"$window\" \"$rates\" \"$@\" > o", "0", optimizer, note, rates, extra] }
"#;
    sandbox.file("a.mlp", &format!("{HEAD}{text}"));
    let run = sandbox.mlpc(&["run"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(sandbox.read("o"), "low=0.1\nhigh=0.9|0.1\n0.01|adam||0.1|0.01|x|y|");
    let run = sandbox.mlpc(&[
        "run",
        "--set",
        "rates=[1]",
        "--set",
        "optimizer=sgd",
        "--set",
        "note=n",
        "--set",
        "window={\"low\":0,\"high\":1}",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(sandbox.read("o"), "low=0\nhigh=1|1|sgd|n|1|x|y|");
    assert_eq!(sandbox.mlpc(&["run", "--set", "optimizer=adm"]).code, 2);
}

#[test]
fn a_graph_draws_a_loop_as_one_box() {
    let plan = compiled(&format!("{TRAIN}{LAST}")).plan.expect("no errors");
    let text = plan.folded().draw(mlpc::graph::Format::Text);
    assert!(text.contains("train ×6\n") && text.contains("← prepare ×2\n"), "{text}");
    assert_eq!(text.matches("← train ×6").count(), 2, "{text}");
    assert!(plan.drawing().draw(mlpc::graph::Format::Text).contains("train[syd,3]"));
}

#[test]
fn values_and_lists_are_carried_from_job_to_job() {
    let sandbox = Sandbox::new();
    let triggers = "on push { branches: [\"main\"] }\n";
    sandbox.file("fan.mlp", &format!("{HEAD}{triggers}{TRAIN}{LAST}"));
    // Each job begins in a checkout that holds what no job made: it must not be taken for it.
    let ended = sandbox.shell(
        r#"set -e
        plan=$(mlpc compile --target github -o "$HOME" >/dev/null && sed -n 's/^# plan: //p' "$HOME"/.github/workflows/*.yml)
        job() {
          rm -rf data models stats .mlpc; mkdir -p models/nord stats; echo stale > models/nord/1.txt
          echo '{"bytes": 99}' > stats/nord.json
          mlpc exec "$1" --plan "$plan" --run 1 --in "$HOME/in" --out "$HOME/in/$2"
        }
        export broken=none; mkdir -p "$HOME/in"
        job 'prepare[nord]' prepare-nord; job 'prepare[syd]' prepare-syd
        for seed in 1 2 3; do job "train[nord,$seed]" train-nord-$seed; done
        job 'report' report && exit 90 || test $? = 11
        rm -r "$HOME/in/report"
        job 'count[nord]' count-nord; job 'count[syd]' count-syd
        job nord nord; job report report
        cat "$HOME/in/nord/files/all" "$HOME/in/report/files/text""#,
    );
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let files = "models/nord/1.txt\nmodels/nord/2.txt\nmodels/nord/3.txt\n";
    let told = format!("{files}nord\n1\nnord\n2\nnord\n3\n4 bytes 5 4 {} own=5\n", files.trim().replace('\n', " "));
    assert!(ended.stdout.ends_with(&told), "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn a_verb_about_one_stage_shows_how_a_leg_is_written() {
    let sandbox = Sandbox::new();
    sandbox.file("a.mlp", &format!("{HEAD}{TRAIN}"));
    for verb in ["why", "infer"] {
        let ended = sandbox.mlpc(&[verb, "train"]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains("`train` has several legs: name one of them"), "{ended:?}");
        assert!(ended.stderr.contains("the first is `'train[nord,1]'`, as a shell takes it"), "{ended:?}");
        let slip = sandbox.mlpc(&[verb, "train[nord,7]"]);
        assert_eq!(slip.code, 2, "{slip:?}");
        assert!(slip.stderr.contains("no node `train[nord,7]` in `fan`"), "{slip:?}");
    }
    assert_eq!(sandbox.shell("mlpc why 'train[nord,1]'").code, 0);
}

#[test]
fn lineage_does_not_show_a_list_as_a_parameter() {
    let sandbox = Sandbox::new();
    let text = "stage make for n in 1..3 {\n out o: File = \"out/{n}\"\n run <<< echo \"$n\" > \"$o\" >>>\n}\n\
        stage all {\n in os = make[*].o\n out sum: File = \"sum\"\n run <<< wc -l < \"$os\" > \"$sum\" >>>\n}\n";
    sandbox.file("a.mlp", &format!("{HEAD}{text}"));
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    let ended = sandbox.mlpc(&["lineage", "all.sum"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!ended.stdout.contains("use  os"), "{ended:?}");
    assert!(
        ended.stdout.contains("in   os: out/2 = make[2].o  blake3:") && ended.stdout.contains("use  n = 2"),
        "{ended:?}"
    );
}
