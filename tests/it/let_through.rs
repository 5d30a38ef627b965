//! What would let a bad model through, and is told before anything runs: models without a gate, limits on the wrong side, gates that
//! measure nothing.

use crate::markdown::check;
use crate::sandbox::Sandbox;

const NONE: [&str; 0] = [];

/// Metrics, data, a registry, a model, and a stage that measures it.
const MODEL: &str = "metrics E { auc: ratio higher\n rmse: float lower\n p99: duration lower unit ms\n plain: float }\n\
    source raw: Dataset<csv> = \"raw.csv\"\nsource held: Dataset<csv> = \"held.csv\"\nregistry models = directory(\"registry\")\n\
    stage train {\n in data = raw\n out model: Model<pickle> = \"m.pkl\"\n run <<< make \"$data\" \"$model\" >>>\n}\n\
    stage evaluate {\n in model = train.model, data = held\n rerun always\n out report: Metrics<E> of model over data as test = \"r.json\"\n \
    run <<< score \"$model\" \"$data\" \"$report\" >>>\n}\n";

/// A converted copy, a package, and the tag that its image got.
const MADE: &str = "stage convert {\n in model = train.model\n out onnx: Model<onnx> = \"m.onnx\"\n run <<< convert \"$model\" \"$onnx\" >>>\n}\n\
    stage package {\n in model = convert.onnx\n out tar: File = \"m.tar\"\n run <<< pack \"$model\" \"$tar\" >>>\n}\n\
    stage push {\n in tar = package.tar\n out tag: string = json(\"tag.json\", \"/tag\")\n out took: duration = json(\"tag.json\", \"/took\")\n \
    run <<< push \"$tar\" > tag.json >>>\n}\n";

const RELEASED: &str = "register release = train.model to models\npromote current = release to models@production\n";

fn codes(rest: &str) -> Vec<String> {
    let beside = ["unused-name", "first-version-elsewhere"];
    check(&format!("{MODEL}{rest}")).0.into_iter().filter(|code| !beside.contains(&code.as_str())).collect()
}

#[test]
fn what_was_made_of_several_models_needs_a_gate_on_each() {
    let text = "const seeds = [1, 2]\nstage train_all for s in seeds {\n in data = raw\n out model: Model<pickle> = \"m/{s}.pkl\"\n \
        run <<< make \"$data\" \"$model\" >>>\n}\n\
        stage measure for s in seeds {\n in model = train_all[s].model, data = held\n rerun always\n \
        out report: Metrics<E> of model over data as test = \"r/{s}.json\"\n run <<< score \"$model\" \"$data\" \"$report\" >>>\n}\n\
        stage pick {\n in models = train_all[*].model\n out model: Model<pickle> = \"picked.pkl\"\n run <<< pick $models \"$model\" >>>\n}\n\
        action deploy {\n in model = pick.model\n run <<< deploy \"$model\" >>>\n}\n";
    let gate = |of: u8| format!("gate quality_{of} on measure[{of}].report {{ require auc >= 80% }}\n");
    assert_eq!(codes(&format!("{text}{}", gate(1))), ["ungated-release"]);
    assert_eq!(codes(&format!("{text}{}{}", gate(1), gate(2))), NONE);
}

/// Batch scoring ships predictions, as others ship a table.
#[test]
fn predictions_wait_for_the_gates_of_their_model() {
    let rest = "stage score {\n in model = train.model, data = raw\n out preds: Predictions { id: \"id\", score: \"p\" } = \"p.csv\"\n \
        run <<< score \"$model\" \"$data\" \"$preds\" >>>\n}\n\
        action publish {\n in preds = score.preds\n run <<< publish \"$preds\" >>>\n}\n";
    assert_eq!(codes(rest), ["ungated-release"]);
    assert_eq!(codes(&format!("{rest}gate quality on evaluate.report {{ require auc >= 80% }}\n")), NONE);
}

#[test]
fn a_model_that_a_release_takes_along_is_measured_or_was_read_by_what_measures() {
    let ranker = "stage rank {\n in data = raw\n out model: Model<pickle> = \"rank.pkl\"\n run <<< make \"$data\" \"$model\" >>>\n}\n\
        gate quality on evaluate.report { require auc >= 80% }\n\
        register release = train.model with rank.model to models\npromote current = release to models@production\n";
    assert_eq!(codes(ranker), ["ungated-release"]);
    let together = MODEL
        .replace("in model = train.model, data = held", "in model = train.model, ranker = rank.model, data = held");
    let together = together.replace("score \"$model\"", "score \"$model\" \"$ranker\"");
    let found = check(&format!("{together}{ranker}")).0;
    assert!(!found.contains(&"ungated-release".to_owned()), "{found:?}");
}

#[test]
fn a_model_is_not_measured_over_itself() {
    let text = MODEL.replace("of model over data as test", "of model over model as test");
    assert!(check(&text).0.contains(&"wrong-kind".to_owned()));
}

/// Where no branch is named, none releases.
#[test]
fn branches_that_can_be_none_are_refused() {
    for branches in ["[]", "[\"\"]", "[\"refs/heads/main\"]", "[\"main \"]", "[\"^main$\"]", "[\"!\"]"] {
        let found = check(&format!("on push {{ branches: {branches} }}\n{MODEL}")).0;
        assert!(found.contains(&"bad-name".to_owned()), "{branches}: {found:?}");
    }
    for branches in ["[\"main\"]", "[\"release/**\", \"!release/old\"]"] {
        let found = check(&format!("on push {{ branches: {branches} }}\n{MODEL}")).0;
        assert!(!found.contains(&"bad-name".to_owned()), "{branches}: {found:?}");
    }
}

/// A slip that has two readings is told, and left: `1.5%` would let any model through.
#[test]
fn a_share_is_mended_where_it_can_only_be_a_percentage() {
    let sandbox = Sandbox::new();
    let gate = |limit: &str| {
        format!("pipeline p\nedition 2026\n\n{MODEL}gate quality on evaluate.report {{ require auc >= {limit} }}\n")
    };
    for (limit, mended) in [("1.5", "1.5"), ("8.5", "8.5"), ("850", "850"), ("85", "85%")] {
        sandbox.file("p.mlp", &gate(limit));
        sandbox.mlpc(&["check", "--fix", "p.mlp"]);
        assert!(sandbox.read("p.mlp").contains(&format!("auc >= {mended} }}")), "{limit}: {}", sandbox.read("p.mlp"));
    }
}

/// A script that trains may push an image by itself.
#[test]
fn what_training_makes_beside_its_model_waits_for_the_model() {
    let text = MODEL.replace(
        " out model: Model<pickle> = \"m.pkl\"\n",
        " out model: Model<pickle> = \"m.pkl\"\n out bundle: Archive = \"m.tar\"\n out tag: string = json(\"t.json\", \"/tag\")\n \
         out rows: float = json(\"t.json\", \"/rows\")\n out curve: Plot = \"curve.csv\"\n out split: Dataset<csv> = \"split.csv\"\n",
    );
    let found = |rest: &str| {
        let beside = ["unused-name", "first-version-elsewhere"];
        let all = check(&format!("{text}{rest}")).0;
        all.into_iter().filter(|code| !beside.contains(&code.as_str())).collect::<Vec<_>>()
    };
    let gate = "gate quality on evaluate.report { require auc >= 80% }\n";
    let packed = "stage pack { in b = train.bundle\n out o: File = \"packed\"\n run <<< pack \"$b\" \"$o\" >>> }\n";
    for input in ["train.bundle", "train.tag", "pack.o"] {
        let action = format!("{packed}action deploy {{ in it = {input}\n run <<< deploy \"$it\" >>> }}\n");
        assert_eq!(found(&action), ["ungated-release"], "{input}");
        assert_eq!(found(&format!("{gate}{action}")), NONE, "{input}");
        let sandbox = Sandbox::new();
        sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\n{text}{gate}{action}{RELEASED}"));
        let compiled = sandbox.mlpc(&["compile", "--target", "plan"]);
        assert_eq!(compiled.code, 0, "{compiled:?}");
        let plan: serde_json::Value = serde_json::from_str(&compiled.stdout).expect("a plan");
        let nodes = plan["nodes"].as_array().expect("nodes");
        let deploy = nodes.iter().find(|node| node["name"] == "deploy").expect("the action");
        assert!(deploy["waits"].to_string().contains("quality"), "{input}: {deploy}");
        let release = RELEASED.replace("production\n", "production after go\n")
            + "approval go of release { by: [\"a\"], timeout: 1h }\n";
        let unapproved = found(&format!("{gate}{action}{release}"));
        assert_eq!(unapproved, ["unapproved-release"], "{input}");
    }
    for input in ["train.rows", "train.curve", "train.split"] {
        assert_eq!(found(&format!("action tell {{ in it = {input}\n run <<< tell \"$it\" >>> }}\n")), NONE, "{input}");
    }
}

#[test]
fn a_gate_asks_people_about_the_model_that_it_lets_in() {
    let ask = |of: &str| {
        format!(
            "stage note {{ in raw\n out text: Report = \"n.txt\"\n run <<< note \"$raw\" \"$text\" >>> }}\n\
             approval first of {of} {{ by: [\"a\"], timeout: 1h }}\n\
             gate quality on evaluate.report {{\n baseline models@production\n on no_baseline: ask first\n require regression(auc) <= 1%\n}}\n\
             register release = train.model to models\npromote current = release to models@production\n"
        )
    };
    assert_eq!(codes(&ask("note.text")), ["gate-of-another-model"]);
    assert_eq!(codes(&ask("train.model")), NONE);
}

/// A chain is walked without a call for each of its links, and once for all that read it.
#[test]
fn what_long_chains_are_made_of_is_found() {
    let mut text =
        "stage s0 {\n in x = train.model\n out o: File = \"o/0\"\n run <<< cp \"$x\" \"$o\" >>>\n}\n".to_owned();
    for at in 1..3_000 {
        let before = at - 1;
        text += &format!(
            "stage s{at} {{\n in x = s{before}.o\n out o: File = \"o/{at}\"\n run <<< cp \"$x\" \"$o\" >>>\n}}\n\
             action a{at} {{\n in x = s{at}.o\n run <<< cat \"$x\" >>>\n}}\n"
        );
    }
    let found = codes(&text);
    assert!(found.len() == 2_999 && found.iter().all(|code| code == "ungated-release"), "{}", found.len());
}

#[test]
fn an_action_that_reads_a_model_without_a_gate_is_told() {
    let gate = "gate quality on evaluate.report { require auc >= 80% }\n";
    let deploy = |input: &str| format!("{MADE}action deploy {{ in it = {input}\n run <<< deploy \"$it\" >>> }}");
    for input in ["train.model", "convert.onnx", "package.tar", "push.tag"] {
        assert_eq!(codes(&deploy(input)), ["ungated-release"], "{input}");
        assert_eq!(codes(&format!("{gate}{}", deploy(input))), NONE, "{input}");
        assert_eq!(codes(&deploy(&format!("{input} ungated"))), NONE, "{input}");
        let warned = format!("{}{}", gate.replace("require", "warn"), deploy(input));
        assert_eq!(codes(&warned), ["ungated-release"], "{input}");
    }
    let head = deploy("train.model").replace("deploy {", "deploy ungated \"a folder for a look\" {");
    assert_eq!(codes(&head), NONE);
    // Numbers and pages about a model are not it, and neither is a model that was released.
    for input in ["evaluate.report", "push.took", "held"] {
        assert_eq!(codes(&deploy(input)), NONE, "{input}");
    }
    let current = "register release = train.model to models\npromote current = release to models@production\n";
    let pulled = deploy("models@production").replace("deploy {", "deploy after current {");
    assert_eq!(codes(&format!("{gate}{current}{pulled}")), NONE);
    // A model beside the one that was released has no gate of it.
    let teacher = "stage teach {\n in data = raw\n out model: Model<pickle> = \"t.pkl\"\n run <<< make \"$data\" \"$model\" >>>\n}\n\
                   action tell of release after current { in teacher = teach.model\n run <<< deploy \"$teacher\" >>> }";
    assert_eq!(codes(&format!("{gate}{current}{teacher}")), ["ungated-release"]);
    // What learnt from more data is a new model; another form of the old one is not.
    let tuned = |input: &str| {
        format!(
            "{gate}stage tune {{ in model = train.model, {input}\n out model2: Model<pickle> = \"t.pkl\"\n run <<< tune \"$model\" \"${input}\" \"$model2\" >>> }}\n\
             source config: File = \"c.yaml\"\naction deploy {{ in it = tune.model2\n run <<< deploy \"$it\" >>> }}"
        )
    };
    assert_eq!(codes(&tuned("held")), ["ungated-release"]);
    assert_eq!(codes(&tuned("config")), NONE);
    // Two models in one package: each has its gate. One from elsewhere is what the other needs.
    let pair = |other: &str| {
        format!(
            "{gate}source base: Model<pickle> = \"base.pkl\"\nstage pair {{ in model = train.model, other = {other}\n out tar: File = \"pair.tar\"\n \
             run <<< pack \"$model\" \"$other\" \"$tar\" >>> }}\naction deploy {{ in tar = pair.tar\n run <<< deploy \"$tar\" >>> }}\n\
             stage teach {{ in data = raw\n out model: Model<pickle> = \"t.pkl\"\n run <<< make \"$data\" \"$model\" >>> }}"
        )
    };
    assert_eq!(codes(&pair("teach.model")), ["ungated-release"]);
    assert_eq!(codes(&pair("base").replace("stage teach", "stage taught")), NONE);
}

#[test]
fn what_an_action_of_a_release_is_told_is_not_asked_of_a_model() {
    let sandbox = Sandbox::new();
    let rest = "gate quality on evaluate.report { require auc >= 80% }\nregister release = train.model to models\n\
                promote current = release to models@production\naction deploy after current {\n run <<< deploy \"$version\" \"$previous\" \"$model\" >>>\n}";
    sandbox.file("p.mlp", &format!("pipeline p\nedition 2026\n{MODEL}{rest}\n"));
    let ended = sandbox.mlpc(&["check"]);
    let help = "an action of a release has it: `action deploy of release`";
    assert_eq!(ended.stderr.matches(help).count(), 3, "{ended:?}");
    assert!(!ended.stderr.contains("pass_env"), "{ended:?}");
}

#[test]
fn a_release_of_what_was_made_of_a_model_waits_for_the_gates_of_that_model() {
    let sandbox = Sandbox::new();
    let pipeline = |score: &str| {
        format!(
            "pipeline p\nedition 2026\nmetrics E {{ auc: ratio higher }}\nmetrics S {{ lat: float lower }}\nregistry models = directory(\"registry\")\n\
             stage train {{ out model: File = \"m\"\n run <<< echo weights > \"$model\" >>> }}\n\
             stage evaluate {{ in model = train.model\n out report: Metrics<E> of model = \"e.json\"\n run <<< printf '{{\"auc\": {score}}}' > \"$report\" >>> }}\n\
             gate quality on evaluate.report {{ require auc >= 0.5 }}\n\
             stage convert {{ in model = train.model\n out small: File = \"s\"\n run <<< cp \"$model\" \"$small\" >>> }}\n\
             stage bench {{ in model = convert.small\n out report: Metrics<S> of model = \"b.json\"\n run <<< printf '{{\"lat\": 3}}' > \"$report\" >>> }}\n\
             gate fast on bench.report {{ require lat <= 5 }}\n\
             register release = convert.small to models after fast {{ metrics: bench.report }}\n\
             promote current = release to models@production\n"
        )
    };
    sandbox.file("p.mlp", &pipeline("0.1"));
    let bad = sandbox.mlpc(&["run"]);
    assert_eq!(bad.code, 10, "{bad:?}");
    assert!(!sandbox.path().join("registry/production").exists(), "{bad:?}");
    // The gate of its own is opted out of, those of what it was made of are not.
    let bare = pipeline("0.1").replace("after fast {", "ungated \"the same in less bits\" {");
    sandbox.file("p.mlp", &bare.replace("require lat", "warn lat"));
    let bare = sandbox.mlpc(&["run"]);
    assert_eq!(bare.code, 10, "{bare:?}");
    assert!(!sandbox.path().join("registry/production").exists(), "{bare:?}");
    sandbox.file("p.mlp", &pipeline("0.9"));
    assert_eq!(sandbox.mlpc(&["run"]).code, 0);
    assert!(sandbox.path().join("registry/production").exists());
}

#[test]
fn a_promotion_of_what_was_made_of_a_model_waits_for_the_approval_of_that_model() {
    let rest = |after: &str| {
        format!(
            "{MADE}stage bench {{ in model = convert.onnx\n out report: Metrics<E> of model = \"b.json\"\n rerun always\n run <<< score \"$model\" \"$report\" >>> }}\n\
             gate quality on bench.report {{ require auc >= 80% }}\napproval go_live of train.model {{ by: [\"a\"], timeout: 1h }}\n\
             register release = convert.onnx to models\npromote current = release to models@production {after}\n\
             stage wait after go_live {{ out t: File = \"t\"\n run <<< date > \"$t\" >>> }}"
        )
    };
    assert_eq!(codes(&rest("")), ["unapproved-release"]);
    assert_eq!(codes(&rest("after go_live")), NONE);
}

#[test]
fn a_bound_proves_only_its_own_side() {
    let runs = "metrics N { recall: ratio higher n from \"/n\"\n fpr: ratio lower n from \"/n\" }\nstage count { in model = train.model, data = held\n \
                out report: Metrics<N> of model over data as test = \"n.json\"\n out scores: Predictions { id: \"id\", label: \"y\", score: \"p\" } of model over data as test = \"s.csv\"\n \
                run <<< count \"$model\" \"$data\" \"$report\" \"$scores\" >>> }\n";
    let told = |on: &str, line: &str| codes(&format!("{runs}gate g on count.{on} {{ {line} }}"));
    for (on, line) in [
        ("scores", "require upper(accuracy, 95%) >= 0.9"),
        ("scores", "require lower(accuracy, 95%) <= 0.9"),
        ("report", "require upper(recall, 95%) >= 90%"),
        ("report", "require lower(fpr, 95%) <= 1%"),
        ("report", "require upper(recall, 95%) between 90%..100%"),
        ("report", "warn upper(recall, 95%) >= 90%"),
    ] {
        assert_eq!(told(on, line), ["bad-requirement"], "{line}");
    }
    for (on, line) in [
        ("scores", "require lower(accuracy, 95%) >= 0.9"),
        ("report", "require lower(recall, 95%) >= 90%"),
        ("report", "require upper(fpr, 95%) <= 1%"),
    ] {
        assert_eq!(told(on, line), NONE, "{line}");
    }
    // It proves what it says, and that is the worse side of the metric.
    assert_eq!(told("report", "require lower(fpr, 95%) >= 1%"), ["wrong-side"]);
    assert_eq!(told("scores", "require upper(accuracy, 95%) <= 90%"), ["wrong-side"]);
}

#[test]
fn a_limit_on_the_wrong_side_is_told() {
    let compares = "baseline models@production\non no_baseline: fail\nrequire auc >= 80%\n";
    let gate = |lines: &str| {
        format!(
            "gate quality on evaluate.report {{ {lines} }}\nregister release = train.model to models\npromote current = release to models@production"
        )
    };
    for line in ["auc <= 80%", "auc < 80%", "80% >= auc", "rmse >= 0.5", "p99 >= 50ms", "size(train.model) >= 500MB"] {
        assert_eq!(codes(&gate(&format!("require plain >= 0\nrequire {line}"))), ["wrong-side"], "{line}");
        assert_eq!(codes(&gate(&format!("require plain >= 0\nwarn {line}"))), ["wrong-side"], "{line}");
    }
    for line in ["regression(auc) >= 2%", "improvement(auc) <= 1%"] {
        assert_eq!(codes(&gate(&format!("{compares}require {line}"))), ["wrong-side"], "{line}");
    }
    for lines in [
        "require auc >= 80%\nrequire auc <= 99.9%",
        "require auc between 80%..99.9%",
        "require rmse <= 0.5\nrequire rmse > 0",
        "require plain <= 3\nrequire plain >= 1",
        "require plain >= 0\nrequire size(train.model) <= 500MB\nrequire size(train.model) >= 20MB",
        "require plain >= 0\nrequire size(train.model) >= 1kB",
        "require auc == 80%",
        "require plain >= 0\nwarn auc >= 80%\nwarn auc <= 99.9%",
        "require auc >= 80%\nwarn auc <= 99.9%",
    ] {
        assert_eq!(codes(&gate(lines)), NONE, "{lines}");
    }
    // What only warns does not say what must hold.
    assert_eq!(codes(&gate("warn auc >= 90%\nrequire auc <= 99.9%")), ["wrong-side"]);
    assert_eq!(
        codes(&gate(&format!("{compares}require regression(auc) <= 2%\nrequire regression(auc) >= -10%"))),
        NONE
    );
    // The other end may stand in another gate on the same numbers.
    let leak = "gate leak on evaluate.report { require auc <= 99.9% }\n";
    assert_eq!(codes(&format!("{leak}{}", gate("require auc >= 80%"))), NONE);
    assert_eq!(codes(&format!("{leak}{}", gate("require rmse <= 1"))), ["wrong-side"]);
    let data = |line: &str| {
        codes(&format!(
            "stage clean {{ in raw\n out t: Dataset<csv> = \"t.csv\"\n run <<< cp \"$raw\" \"$t\" >>> }}\ngate dq on clean.t {{ require {line} }}"
        ))
    };
    for line in [
        "nulls(*) >= 5%",
        "psi(*) > 0.1 against \"b.json\"",
        "js(*) >= 0.1 against \"b.json\"",
        "chi2(kind) <= 1% against \"b.json\"",
    ] {
        assert_eq!(data(line), ["wrong-side"], "{line}");
    }
    for line in
        ["rows >= 100", "rows <= 1000", "classes(label) >= 2", "nulls(*) <= 5%", "chi2(kind) >= 1% against \"b.json\""]
    {
        assert_eq!(data(line), NONE, "{line}");
    }
    let tests = |line: &str| {
        codes(&format!(
            "stage behave {{ in model = train.model\n out t: Tests of model = \"t.xml\"\n run <<< behave \"$model\" \"$t\" >>> }}\ngate b on behave.t {{ require {line} }}"
        ))
    };
    assert_eq!(tests("failed >= 1"), ["wrong-side"]);
    for line in ["failed == 0", "failed <= 1", "passed >= 3", "total >= 3", "skipped <= 2"] {
        assert_eq!(tests(line), NONE, "{line}");
    }
}

#[test]
fn a_gate_that_measures_nothing_of_the_first_model_is_told() {
    let gate = |outcome: &str, lines: &str| {
        format!(
            "gate quality on evaluate.report {{ baseline models@production\non no_baseline: {outcome}\n{lines} }}\n\
             register release = train.model to models\npromote current = release to models@production\n"
        )
    };
    let only = "require regression(auc) <= 2%\nrequire improvement(rmse) >= 0";
    assert_eq!(codes(&gate("pass", only)), ["first-unmeasured"]);
    // What only warns stops nobody.
    assert_eq!(codes(&gate("pass", &format!("{only}\nwarn auc >= 80%"))), ["first-unmeasured"]);
    assert_eq!(codes(&gate("fail", only)), NONE);
    assert_eq!(codes(&gate("pass", &format!("{only}\nrequire auc >= 80%"))), NONE);
    let ask = "approval first of train.model { by: [\"a\"], timeout: 1h }\n";
    assert_eq!(codes(&format!("{ask}{}", gate("ask first", only))), NONE);
    let other = "gate fast on evaluate.report { require p99 <= 50ms }\n";
    assert_eq!(codes(&format!("{other}{}", gate("pass", only))), NONE);
    // How large a file is, and that a number is another one than so, measures nothing of the model.
    for beside in ["require size(train.model) <= 500MB", "require auc != 50%"] {
        assert_eq!(codes(&gate("pass", &format!("{only}\n{beside}"))), ["first-unmeasured"], "{beside}");
    }
    let small = "gate small on evaluate.report { require size(train.model) <= 500MB }\n";
    assert_eq!(codes(&format!("{small}{}", gate("pass", only))), ["first-unmeasured"]);
    // A person decides in any case.
    let person = |of: &str, rest: &str| {
        format!("approval go of {of}{rest} {{ by: [\"a\"], timeout: 1h }}\n{}", gate("pass", only))
    };
    let behind = |text: String, what: &str| text.replace(what, &format!("{what} after go"));
    for of in ["release", "train.model"] {
        assert_eq!(codes(&behind(person(of, ""), "to models@production")), NONE, "{of}");
    }
    let at_times = behind(person("release", " when event == \"push\""), "to models@production");
    assert_eq!(codes(&at_times), ["first-unmeasured"]);
    let second = behind(person("release", ""), "to models@production")
        + "action push of release { run <<< push \"$model\" >>> }\n";
    assert!(codes(&second).contains(&"first-unmeasured".to_owned()), "{:?}", codes(&second));
}

#[test]
fn a_gate_that_requires_nothing_of_the_numbers_measured_no_model() {
    let release = "register release = train.model to models\npromote current = release to models@production\n";
    let gate = |lines: &str| format!("gate quality on evaluate.report {{ {lines} }}\n{release}");
    assert_eq!(codes(&gate("require size(train.model) <= 500MB")), ["ungated-release"]);
    assert_eq!(codes(&gate("require size(train.model) <= 500MB\nwarn auc >= 80%")), ["ungated-release"]);
    assert_eq!(codes(&gate("require size(train.model) <= 500MB\nrequire auc >= 80%")), NONE);
    assert!(!codes(&gate("require mean(auc) >= 80%")).contains(&"ungated-release".to_owned()));
    let said = check(&format!("{MODEL}{}", gate("require size(train.model) <= 500MB"))).1.stdout;
    assert!(said.contains("`quality` is on what measures it and requires none of its numbers"), "{said}");
}

#[test]
fn a_line_that_every_number_holds_or_none_is_refused() {
    let gate = |line: &str| codes(&format!("gate quality on evaluate.report {{ require {line} }}"));
    for line in [
        "auc >= 0",
        "auc >= 0%",
        "auc <= 100%",
        "auc between 0..1",
        "size(train.model) >= 0B",
        "p99 >= 0ms",
        "auc > 1",
        "auc > 100%",
        "auc < 0",
    ] {
        assert_eq!(gate(line).first().map(String::as_str), Some("out-of-range"), "{line}");
    }
    for line in [
        "auc > 0",
        "auc >= 1%",
        "auc == 100%",
        "plain >= 0",
        "rmse <= 0",
        "size(train.model) > 0B",
        "auc between 0..0.9",
    ] {
        assert!(!gate(line).contains(&"out-of-range".to_owned()), "{line}");
    }
    let tests = "stage behave {\n in model = train.model\n out t: Tests of model = \"t.xml\"\n run <<< behave \"$model\" \"$t\" >>>\n}\n";
    assert_eq!(codes(&format!("{tests}gate b on behave.t {{ require failed >= 0 }}")), ["out-of-range"]);
    assert_eq!(codes(&format!("{tests}gate b on behave.t {{ require failed == 0 }}")), NONE);
}

#[test]
fn a_comparison_that_every_number_holds_or_none_is_refused() {
    let gate = |line: &str| {
        let gate = "gate quality on evaluate.report {\n baseline models@production\n on no_baseline: fail\n";
        codes(&format!("{gate} require {line}\n}}"))
    };
    for line in [
        "regression(auc) <= 100%",
        "regression(auc, relative) <= 100%",
        "regression(auc, relative) <= 200%",
        "improvement(auc) >= -100%",
        "improvement(auc, relative) >= -100%",
        "regression(auc) >= -100%",
        "improvement(auc) > 100%",
        "regression(auc) < -100%",
        "improvement(p99, relative) > 100%",
        "regression(p99, relative) >= -100%",
    ] {
        assert!(gate(line).contains(&"out-of-range".to_owned()), "{line}");
    }
    for line in [
        "regression(auc) <= 1%",
        "regression(auc) <= 99.9%",
        "regression(auc) < 100%",
        "improvement(auc) >= 100%",
        "regression(auc, relative) >= -200%",
        "improvement(auc, relative) >= 200%",
        "regression(p99, relative) <= 100%",
        "regression(p99) <= 5ms",
        "regression(rmse) <= 100",
        "regression(rmse, relative) <= 100%",
    ] {
        assert!(!gate(line).contains(&"out-of-range".to_owned()), "{line}");
    }
}

#[test]
fn a_limit_of_parameters_is_held_against_what_is_known_of_them() {
    let gate = |param: &str, line: &str| {
        codes(&format!("param floor: {param}\ngate quality on evaluate.report {{ require {line} }}"))
    };
    for (param, line) in [
        ("ratio = 85%", "auc >= floor * 0"),
        ("ratio", "auc >= floor - 100%"),
        ("ratio = 85%", "auc >= floor - 90%"),
        ("ratio = 85%", "auc <= floor + 50%"),
        ("float = 85.0", "auc >= floor"),
    ] {
        assert!(gate(param, line).contains(&"out-of-range".to_owned()), "{param} {line}");
    }
    for (param, line) in [
        ("ratio = 85%", "auc >= floor"),
        ("ratio = 0%", "auc >= floor"),
        ("ratio", "auc >= floor - 90%"),
        ("ratio = 85%", "auc >= floor - 5%"),
        ("ratio = 85%", "auc >= floor * 0.9"),
        ("float = 0.5", "auc >= floor"),
    ] {
        assert!(!gate(param, line).contains(&"out-of-range".to_owned()), "{param} {line}");
    }
}

/// What the page says of the rest.
const SHARED: &str = "metrics T { took: duration lower unit ms }\nsource raw: Dataset<csv> = \"raw.csv\"\n";

#[test]
fn a_dollar_is_another_programs_own_in_some_lists() {
    let list = |list: &str| {
        check(&format!("{SHARED}stage one {{\n in raw\n out o: File = \"o\"\n run [{list}]\n}}\n"))
            .0
            .contains(&"variable-in-arguments".to_owned())
    };
    for told in [r#""python3", "t.py", "$raw", o"#, r#""timeout", "9", "python3", "t.py", raw, "--out=$o""#] {
        assert!(list(told), "{told}");
    }
    for fine in [
        r#""jq", "-n", "--arg", "raw", raw, "$raw", o"#,
        r#""/usr/bin/envsubst", "$raw", o"#,
        r#""timeout", "9", "awk", "{{ print $raw }}", raw, o"#,
        r#""sbatch", "--wrap=cat $raw > $o", raw, o"#,
        r#""python3", "t.py", raw, o, '{raw: $raw}'"#,
        r#""python3", "t.py", raw, o, "O=$$o""#,
    ] {
        assert!(!list(fine), "{fine}");
    }
}

#[test]
fn a_test_over_training_data_is_seen_through_what_was_made_of_the_model() {
    let over = |data: &str| {
        format!(
            "{MADE}stage test {{ in model = convert.onnx, data = {data}\n out report: Metrics<E> of model over data as test = \"t.json\"\n rerun always\n \
             run <<< score \"$model\" \"$data\" \"$report\" >>> }}\ngate g on test.report {{ require auc >= 80% }}"
        )
    };
    assert_eq!(codes(&over("raw")), ["tested-on-training-data"]);
    assert_eq!(codes(&over("held")), NONE);
    let again = format!("source again: Dataset<csv> = \"raw.csv\"\n{}", over("again"));
    assert_eq!(codes(&again), ["tested-on-training-data"], "another name of the same file");
    // The best of several is each of them.
    let chosen = "stage other { in data = raw\n out model: Model<pickle> = \"o.pkl\"\n run <<< make \"$data\" \"$model\" >>> }\n\
                  stage choose { in one = other.model, two = convert.onnx, held\n out model: Model<pickle> = \"best.pkl\"\n \
                  run <<< choose \"$one\" \"$two\" \"$held\" \"$model\" >>> }\n";
    let best =
        format!("{chosen}{}", over("raw").replace("in model = convert.onnx, data", "in model = choose.model, data"));
    assert_eq!(codes(&best), ["tested-on-training-data"]);
    // Two parts of one table are two tables.
    let parts = "metrics E { auc: ratio higher }\nsource raw: Dataset<csv> = \"raw.csv\"\n\
                 stage split { in raw\n out train: Dataset<csv> = \"a.csv\"\n out test: Dataset<csv> = \"b.csv\"\n run <<< split \"$raw\" \"$train\" \"$test\" >>> }\n\
                 stage train { in data = split.train\n out model: Model<pickle> = \"m.pkl\"\n run <<< make \"$data\" \"$model\" >>> }\n\
                 stage convert { in model = train.model\n out onnx: Model<onnx> = \"m.onnx\"\n run <<< convert \"$model\" \"$onnx\" >>> }\n\
                 stage test { in model = convert.onnx, data = split.test\n out report: Metrics<E> of model over data as test = \"t.json\"\n \
                 run <<< score \"$model\" \"$data\" \"$report\" >>> }\ngate g on test.report { require auc >= 80% }";
    assert_eq!(check(parts).0, NONE);
}

#[test]
fn a_condition_that_can_never_hold_is_told() {
    let told = |when: &str| {
        let sandbox = Sandbox::new();
        sandbox.file(
            "p.mlp",
            &format!(
                "pipeline p\nedition 2026\nprofile smoke {{ releases false }}\nsource raw: File = \"raw\"\n\
                 stage a when {when} {{ in raw\n out x: File = \"x\"\n run <<< cp \"$raw\" \"$x\" >>> }}\n"
            ),
        );
        let ended = sandbox.mlpc(&["check"]);
        (ended.code, ended.stderr)
    };
    for (when, said, help) in [
        ("profile == \"smok\"", "there is no profile `smok`", "did you mean `\"smoke\"`?"),
        ("not (\"nightly\" != profile)", "there is no profile `nightly`", "there are `smoke`"),
        ("profile one_of [\"smoke\", \"smokey\"]", "there is no profile `smokey`", "did you mean `\"smoke\"`?"),
        ("branch == \"refs/heads/main\"", "never `refs/heads/main`", "write `\"main\"`"),
        ("branch one_of [\"main\", \"refs/tags/v1\"]", "never `refs/tags/v1`", "write the name of a branch"),
    ] {
        let (code, stderr) = told(when);
        assert!(code == 2 && stderr.contains(said) && stderr.contains(help), "{when}\n{stderr}");
    }
    for when in ["profile == \"smoke\"", "profile != \"\"", "branch == \"main\"", "branch == \"release/1\""] {
        assert_eq!(told(when), (0, String::new()), "{when}");
    }
}

#[test]
fn two_pipelines_that_move_one_pointer_are_told() {
    let sandbox = Sandbox::new();
    let pipeline = |name: &str, registry: &str, pointer: &str, more: &str| {
        let made = "gate quality on evaluate.report { require auc >= 80% }\nregister release = train.model to models\n";
        format!(
            "pipeline {name}\nedition 2026\n{}{made}promote current = release to models@{pointer}\n{more}\n",
            MODEL.replace("directory(\"registry\")", registry)
        )
    };
    let here = "directory(\"registry\")";
    let told = |files: &[&str]| {
        let ended = sandbox.mlpc(&[&["check"], files].concat());
        (ended.code, ended.stderr.matches("pointer-of-two-pipelines").count(), ended.stderr)
    };
    sandbox.file("a.mlp", &pipeline("fraud", here, "production", ""));
    for (text, count) in [
        (pipeline("churn", here, "production", ""), 1),
        (pipeline("churn", "directory(\"./registry\")", "production", ""), 1),
        (pipeline("churn", here, "churn", ""), 0),
        (pipeline("churn", "directory(\"other\")", "production", ""), 0),
        (pipeline("churn", here, "production", "allow pointer-of-two-pipelines \"both train it\""), 0),
    ] {
        sandbox.file("b.mlp", &text);
        let (code, times, said) = told(&["a.mlp", "b.mlp"]);
        assert_eq!((code, times), (0, count), "{said}");
        assert!(count == 0 || (said.contains("`fraud` moves it here") && said.contains("b.mlp:")), "{said}");
        // Alone nothing is known of the other, and what allows it stands.
        assert_eq!(told(&["b.mlp"]).1, 0);
    }
    // A folder is another one in another folder, and a branch the same in all of a repository.
    sandbox.file("c/b.mlp", &pipeline("churn", here, "production", ""));
    assert_eq!(told(&["a.mlp", "c/b.mlp"]).1, 0);
    sandbox.file("c/b.mlp", &pipeline("churn", "directory(\"../registry\")", "production", ""));
    assert_eq!(told(&["a.mlp", "c/b.mlp"]).1, 1);
    assert_eq!(told(&["a.mlp", "./a.mlp"]).1, 0, "one file by two names");
    let shared = "profile shared { set models = git(\"branch\")\n releases true }";
    sandbox.file("c/b.mlp", &pipeline("churn", here, "production", shared));
    sandbox.file("a.mlp", &pipeline("fraud", "git(\"branch\")", "production", ""));
    assert_eq!(sandbox.shell("git init -q .").code, 0);
    assert_eq!(told(&["a.mlp", "c/b.mlp"]).1, 1);
    assert_eq!(sandbox.shell("cd c && mlpc check b.mlp ../a.mlp 2>&1 | grep -c of-two").stdout, "1\n");
}

/// The model's own gate is named, and another one that guards what the model was made from.
#[test]
fn a_gate_that_adds_nothing_is_to_be_removed() {
    let text = |after: &str| {
        format!(
            "metrics M {{ auc: ratio higher }}\nregistry models = directory(\"registry\")\n\
             stage first {{\n out model: Model<pickle> = \"a.pkl\"\n run <<< a > \"$model\" >>>\n}}\n\
             stage look {{\n in model = first.model\n out report: Metrics<M> of model = \"a.json\"\n run <<< b \"$model\" > \"$report\" >>>\n}}\n\
             gate steady on look.report {{ require auc >= 0.5 }}\n\
             stage second {{\n in base = first.model\n out model: Model<pickle> = \"b.pkl\"\n run <<< a \"$base\" > \"$model\" >>>\n}}\n\
             stage measure {{\n in model = second.model\n out report: Metrics<M> of model = \"b.json\"\n run <<< b \"$model\" > \"$report\" >>>\n}}\n\
             gate quality on measure.report {{ require auc >= 0.5 }}\n\
             register release = second.model to models after {after}\n"
        )
    };
    let help = |after: &str| -> Vec<String> {
        let sources = mlpc::source::Sources::single("a.mlp", format!("pipeline p\nedition 2026\n{}", text(after)));
        let found = mlpc::compile::compile(&sources).diagnostics;
        let found = found.into_iter().filter(|one| one.code.name() == "gate-of-another-model");
        found.filter_map(|one| one.help).collect()
    };
    assert_eq!(help("quality"), [""; 0]);
    let removed = "remove `steady`: `quality`, which measured `second.model`, is waited for";
    assert_eq!(help("quality, steady"), [removed]);
    let other = "wait for `quality`, which measured `second.model`, or release `first.model`";
    assert_eq!(help("steady"), [other]);
}
