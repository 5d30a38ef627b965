//! What is written reads back as it was, by a reader that is not ours. `tests/judges/yaml.sh` asks readers of both
//! versions of YAML about the same corpus.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;

use super::*;

/// Texts that YAML readers are known to misread.
fn corpus() -> Vec<String> {
    serde_json::from_str(include_str!("../../tests/judges/yaml/corpus.json")).expect("the corpus is a list of strings")
}

/// Reads a document back into the same kind of tree.
fn read(text: &str) -> Yaml {
    let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    from_reader(&value)
}

fn from_reader(value: &serde_yaml::Value) -> Yaml {
    use serde_yaml::Value as Read;
    Yaml::new(match value {
        Read::Null => Value::Null,
        Read::Bool(value) => Value::Bool(*value),
        Read::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole.into()),
            None => Value::Float(number.as_f64().expect("a number that is not whole is a float")),
        },
        Read::String(text) => Value::Str(text.clone()),
        Read::Sequence(items) => Value::Seq(items.iter().map(from_reader).collect()),
        Read::Mapping(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, node)| Entry {
                    key: key.as_str().expect("keys are text").to_owned(),
                    plain_key: false,
                    node: from_reader(node),
                })
                .collect(),
        ),
        Read::Tagged(tagged) => panic!("a tag appeared: {tagged:?}"),
    })
}

/// Returns the tree without anything that is only presentation.
fn bare(node: &Yaml) -> Yaml {
    Yaml::new(match &node.value {
        Value::Seq(items) => Value::Seq(items.iter().map(bare).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|entry| Entry { key: entry.key.clone(), plain_key: false, node: bare(&entry.node) })
                .collect(),
        ),
        other => other.clone(),
    })
}

/// One document that holds every text of the corpus in every place a text can stand.
fn corpus_document() -> String {
    let cases = corpus().into_iter().map(|text| {
        Yaml::map([
            ("value", Yaml::str(text.clone())),
            ("flow", Yaml { flow: true, ..Yaml::seq([Yaml::str(text.clone()), Yaml::str(text.clone())]) }),
            ("noted", Yaml { end: Some(text.clone()), before: vec![text.clone()], ..Yaml::str(text.clone()) }),
            ("key", Yaml::map([(text.clone(), Yaml::seq([Yaml::str(text)]))])),
        ])
    });
    document(&["Written by the emitter's own test; `tests/judges/yaml.sh` reads it.".into()], &Yaml::seq(cases))
}

#[test]
fn corpus_reads_back_and_is_the_file_the_judges_read() {
    let text = corpus_document();
    let Value::Seq(items) = read(&text).value else { panic!("not a list") };
    for (want, got) in corpus().into_iter().zip(items) {
        let want = Yaml::map([
            ("value", Yaml::str(want.clone())),
            ("flow", Yaml::seq([Yaml::str(want.clone()), Yaml::str(want.clone())])),
            ("noted", Yaml::str(want.clone())),
            ("key", Yaml::map([(want.clone(), Yaml::seq([Yaml::str(want)]))])),
        ]);
        assert_eq!(got, want);
    }
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judges/yaml/corpus.yaml");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(kept, &text).expect("the golden file is writable");
    }
    assert!(std::fs::read_to_string(kept).is_ok_and(|kept| kept == text), "INSTA_UPDATE=always writes {kept} anew");
}

#[test]
fn looks_like_what_a_person_would_write() {
    #[derive(Serialize)]
    struct Task {
        name: Noted<&'static str>,
        uses: Noted<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        with: Option<BTreeMap<&'static str, &'static str>>,
    }
    #[derive(Serialize)]
    struct Job {
        needs: Noted<Vec<&'static str>>,
        steps: Vec<Task>,
        run: &'static str,
        minutes: u32,
        share: f64,
    }
    #[derive(Serialize)]
    struct Workflow {
        on: BTreeMap<&'static str, Option<bool>>,
        jobs: BTreeMap<&'static str, Noted<Job>>,
    }
    let step = |with| Task {
        name: Noted::new("check out").before("the code as it was pushed"),
        uses: Noted::new("actions/checkout@0123").end("v7.0.1"),
        with,
    };
    let job = Job {
        needs: Noted::flow(vec!["prepare", "no"]),
        steps: vec![step(Some([("python", "3.10")].into())), step(None)],
        run: "set -e\n\necho \"$x\" # kept\n",
        minutes: 5,
        share: 1e16,
    };
    let workflow = Workflow {
        on: [("push", None), ("workflow_dispatch", Some(true))].into(),
        jobs: [("train", Noted::new(job).before("stage train").gap())].into(),
    };
    let mut tree = to_node(&workflow).expect("the model is made of text keys");
    tree.plain_key("on");
    tree.at(&[Step::Key("jobs"), Step::Key("train"), Step::Key("steps"), Step::Item(1)]).expect("is there").before =
        vec!["the second".into()];
    insta::assert_snapshot!(document(&["made by hand".into()], &tree), @r#"
    # made by hand

    on:
      push: null
      workflow_dispatch: true
    jobs:
      # stage train
      train:
        needs: [prepare, 'no']
        steps:
          # the code as it was pushed
          - name: check out
            uses: actions/checkout@0123 # v7.0.1
            with:
              python: '3.10'
          # the second
          # the code as it was pushed
          - name: check out
            uses: actions/checkout@0123 # v7.0.1
        run: |
          set -e

          echo "$x" # kept
        minutes: 5
        share: 1.0e+16
    "#);
}

#[test]
fn streams_separate_documents() {
    let text = stream(&["two".into()], &[Yaml::map([("a", Yaml::str("1"))]), Yaml::seq([])]);
    assert_eq!(text, "# two\n\na: '1'\n---\n[]\n");
}

#[test]
fn keys_that_are_no_text_are_refused() {
    assert!(to_node(&BTreeMap::from([(vec![1], 2)])).is_err());
    assert_eq!(to_node(&BTreeMap::from([(1, 2)])).map(|node| document(&[], &node)), Ok("'1': 2\n".into()));
}

/// A comment can be anything and changes nothing of what is read.
fn noted(node: Yaml, before: Vec<String>, end: Option<String>, gap: bool, flow: bool) -> Yaml {
    let before = before.into_iter().take(1).collect();
    Yaml { value: node.value, before, end, gap, flow }
}

fn trees() -> impl Strategy<Value = Yaml> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~\t\n]{0,12}",
        "[a-z]{0,3}[:#'\"{}\\[\\],&*!|>%@` \n-]{0,3}[a-z]{0,3}",
        proptest::sample::select(corpus()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Int(number.into())),
        any::<f64>().prop_filter("NaN is not equal to itself", |value| !value.is_nan()).prop_map(Value::Float),
        text.clone().prop_map(Value::Str),
    ];
    let node = leaf.prop_map(Yaml::new);
    node.prop_recursive(4, 24, 4, move |inner| {
        let key = text.clone();
        let value = prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Seq),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|entries| {
                let entry = |(key, node)| Entry { key, plain_key: false, node };
                Value::Map(entries.into_iter().map(entry).collect())
            }),
        ];
        let comment = "[ -~\n\u{85}\u{2028}é]{0,8}";
        (value, prop::collection::vec(comment, 0..2), prop::option::of(comment), any::<bool>(), any::<bool>())
            .prop_map(|(value, before, end, gap, flow)| noted(Yaml::new(value), before, end, gap, flow))
    })
}

proptest! {
    #[test]
    fn any_tree_reads_back(tree in trees()) {
        let text = document(&["header".into()], &tree);
        prop_assert_eq!(read(&text), bare(&tree), "{}", text);
    }

    #[test]
    fn any_stream_reads_back(trees in prop::collection::vec(trees(), 1..4)) {
        let text = stream(&[], &trees);
        let mut got = Vec::new();
        for document in serde_yaml::Deserializer::from_str(&text) {
            got.push(from_reader(&serde::Deserialize::deserialize(document).expect("reads")));
        }
        prop_assert_eq!(got, trees.iter().map(bare).collect::<Vec<_>>(), "{}", text);
    }
}
