//! `cargo bench --bench parse`: how fast a file is cut into declarations and how fast it is parsed, best of many.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use mlpc::source::FileId;
use mlpc::syntax;

fn best(times: usize, mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..times {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed());
    }
    best
}

fn report(name: &str, text: &str, time: Duration) {
    let megabytes = text.len() as f64 / 1e6;
    let lines = text.lines().count();
    let speed = megabytes / time.as_secs_f64();
    println!("{name:<24} {lines:>7} lines {megabytes:>6.2} MB {:>9.3} ms {speed:>7.1} MB/s", time.as_secs_f64() * 1e3);
}

fn main() {
    for (stages, times) in [(50, 200), (1_000, 20), (10_000, 5)] {
        let text = support::pipeline(stages);
        let parsed = syntax::parse(FileId(0), &text);
        assert!(parsed.diagnostics.is_empty(), "the generated file is without a fault: {:?}", parsed.diagnostics);
        report(
            &format!("split {stages} stages"),
            &text,
            best(times, || {
                black_box(syntax::count_declarations(black_box(&text)));
            }),
        );
        report(
            &format!("parse {stages} stages"),
            &text,
            best(times, || {
                black_box(syntax::parse(FileId(0), black_box(&text)));
            }),
        );
    }
    let broken = "stage a { cod \"x\" }\n".repeat(10_000);
    let count = syntax::parse(FileId(0), &broken).diagnostics.len();
    report(
        &format!("parse {count} faults"),
        &broken,
        best(3, || {
            black_box(syntax::parse(FileId(0), black_box(&broken)));
        }),
    );
}
