//! `cargo bench --bench parse`: how fast a file is cut into declarations and how fast it is parsed. Wall time is the best
//! of many runs; speed is by processor time over all of them, so that it says the same on a busy machine.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use mlpc::source::FileId;
use mlpc::syntax;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Returns the processor time of this process so far, all threads together, where the system tells: in steps of 10 ms.
fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

fn measure(name: &str, text: &str, times: u32, mut work: impl FnMut()) {
    let mut best = Duration::MAX;
    let before = cpu();
    for _ in 0..times {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed());
    }
    let used = before.zip(cpu()).map_or(best, |(before, after)| (after - before) / times);
    let megabytes = text.len() as f64 / 1e6;
    let speed = megabytes / used.as_secs_f64();
    let (best, used) = (best.as_secs_f64() * 1e3, used.as_secs_f64() * 1e3);
    println!("| {name} | {megabytes:.2} | {best:.2} | {used:.2} | {speed:.1} |");
}

fn main() {
    println!("| what | MB | ms, best | ms of processor | MB/s a core |");
    println!("|---|---:|---:|---:|---:|");
    for (stages, times) in [(50, 500), (1_000, 25), (10_000, 3)] {
        let text = support::pipeline(stages);
        let parsed = syntax::parse(FileId(0), &text);
        assert!(parsed.diagnostics.is_empty(), "the generated file is without a fault: {:?}", parsed.diagnostics);
        drop(parsed);
        measure(&format!("split, {stages} stages"), &text, times * 40, || {
            black_box(syntax::count_declarations(black_box(&text)));
        });
        measure(&format!("parse, {stages} stages"), &text, times, || {
            black_box(syntax::parse(FileId(0), black_box(&text)));
        });
    }
    let broken = "stage a { cod \"x\" }\n".repeat(10_000);
    let count = syntax::parse(FileId(0), &broken).diagnostics.len();
    measure(&format!("parse, {count} faults"), &broken, 5, || {
        black_box(syntax::parse(FileId(0), black_box(&broken)));
    });
}
