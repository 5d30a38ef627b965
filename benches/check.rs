//! `cargo bench --bench check`: what checking costs, phase by phase, and how it grows with the pipeline. Wall time, the best of several;
//! `cpu` is the processor time of a whole check, which says the same on a busy machine.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

mod support;

use std::hint::black_box;
use std::time::Instant;

use mlpc::modules::Scopes;
use mlpc::source::{FileId, Sources};
use mlpc::{check, graph, plan, resolve, syntax};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    println!("| stages | MB | parse | resolve | check | graph | plan | drop | whole, best ms |");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000] } else { sizes };
    for stages in sizes {
        let sources = Sources::single("p.mlp", support::pipeline(stages));
        let mut best = [f64::MAX; 7];
        for _ in 0..(30_000 / stages).clamp(2, 20) {
            let ms = |start: Instant| start.elapsed().as_secs_f64() * 1e3;
            let whole = Instant::now();
            let start = Instant::now();
            let parsed = syntax::parse(FileId(0), sources.file(FileId(0)).text());
            let parse = ms(start);
            let start = Instant::now();
            let (model, found) = resolve::resolve(&sources, &parsed.file, &Scopes::default(), &[], false);
            let resolved = ms(start);
            assert!(found.is_empty(), "the generated file is without a fault: {:?}", found.first());
            let start = Instant::now();
            let found = check::check(&sources, &model);
            let checked = ms(start);
            assert!(found.is_empty(), "the generated file is without a fault: {:?}", found.first());
            let start = Instant::now();
            let drawn = graph::build(&model);
            black_box(graph::cycles(&model, &drawn));
            black_box(graph::deadlocks(&model, &drawn));
            black_box(graph::unapproved(&model, &drawn));
            let graphed = ms(start);
            let start = Instant::now();
            let plan = plan::build(&sources, &model, &drawn);
            let planned = ms(start);
            let start = Instant::now();
            drop((parsed, model, drawn, plan));
            let dropped = ms(start);
            for (best, took) in best.iter_mut().zip([parse, resolved, checked, graphed, planned, dropped, ms(whole)]) {
                *best = best.min(took);
            }
        }
        let megabytes = sources.file(FileId(0)).text().len() as f64 / 1e6;
        let row: Vec<String> = best.iter().map(|took| format!("{took:.1}")).collect();
        println!("| {stages} | {megabytes:.2} | {} |", row.join(" | "));
    }
}
