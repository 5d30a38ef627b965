//! What holds for every text: compiling ends without a panic, and a plan runs each node after all that it waits for.

use std::collections::HashSet;

use mlpc::compile::compile;
use mlpc::plan::{Plan, Selection, bind};
use mlpc::source::Sources;
use proptest::prelude::*;

const TEXTS: [&str; 6] = [
    include_str!("../fixtures/flagship/main.mlp"),
    include_str!("../fixtures/whole-language/main.mlp"),
    include_str!("../fixtures/values/main.mlp"),
    include_str!("../fixtures/guards/main.mlp"),
    include_str!("../fixtures/baseline_paths/main.mlp"),
    include_str!("../fixtures/many_mistakes/main.mlp"),
];

/// Cuts a text at three places and puts the pieces together in another way.
fn shuffled(text: &str, cuts: [usize; 3], form: u8) -> String {
    let mut at = cuts.map(|cut| {
        let cut = cut % (text.len() + 1);
        (0..=cut).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    });
    at.sort_unstable();
    let [a, b, c] = at;
    match form % 4 {
        0 => [&text[..a], &text[b..]].concat(),
        1 => [&text[..a], &text[b..c], &text[a..b], &text[c..]].concat(),
        2 => [&text[..b], &text[a..]].concat(),
        _ => text[..a].to_owned(),
    }
}

fn check(plan: &Plan) {
    let mut done = HashSet::new();
    for node in plan.ordered() {
        for wait in &node.waits {
            assert!(done.contains(wait.node.as_str()), "`{}` before `{}`", node.name, wait.node);
        }
        assert!(done.insert(node.name.as_str()), "`{}` twice", node.name);
    }
    assert_eq!(done.len(), plan.nodes.len());
    let json = serde_json::to_string(plan).expect("a plan is JSON");
    assert_eq!(&serde_json::from_str::<Plan>(&json).expect("a plan reads back"), plan);
    // A plan may need parameters that nobody gave; more than saying so it does not do.
    let _ = bind(plan, &Selection::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_compiler_panic(
        which in 0..TEXTS.len(),
        cuts in prop::array::uniform3(any::<usize>()),
        form in any::<u8>(),
        again in prop::array::uniform3(any::<usize>()),
    ) {
        let once = shuffled(TEXTS[which], cuts, form);
        for text in [shuffled(&once, again, form / 4), once] {
            let sources = Sources::single("main.mlp", text);
            let compiled = compile(&sources);
            if let Some(plan) = &compiled.plan {
                check(plan);
            }
            for diagnostic in &compiled.diagnostics {
                for label in &diagnostic.labels {
                    let _ = sources.slice(label.span);
                }
            }
        }
    }
}

#[test]
fn plans_run_each_node_after_what_it_waits_for() {
    for text in [TEXTS[2], TEXTS[3], TEXTS[4], include_str!("../../examples/quickstart/pipeline.mlp")] {
        check(&compile(&Sources::single("main.mlp", text)).plan.expect("it has no errors"));
    }
}
