//! `cargo bench --bench parse`: how fast a file is cut into declarations and how fast it is parsed. Wall time is the best
//! of many runs; speed is by processor time over all of them, so that it says the same on a busy machine.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

mod support;

use std::hint::black_box;
use std::time::{Duration, Instant};

use mlpc::source::FileId;
use mlpc::syntax;

/// Rounds that count.
const ROUNDS: u32 = 8;

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

/// Does the work in rounds of so many times each, and counts all but the first. What it gives is freed between two rounds:
/// a check frees no tree, and memory that the system has to bring first says more about the machine than about the work.
fn measure<T>(name: &str, text: &str, times: u32, mut work: impl FnMut() -> T) {
    let (mut best, mut used) = (Duration::MAX, Some(Duration::ZERO));
    for round in 0..=ROUNDS {
        let mut kept = Vec::with_capacity(times as usize);
        let before = cpu();
        for _ in 0..times {
            let start = Instant::now();
            kept.push(black_box(work()));
            best = best.min(start.elapsed());
        }
        if round > 0 {
            used = used.zip(before.zip(cpu())).map(|(used, (before, after))| used + (after - before));
        }
    }
    let used = used.map_or(best, |used| used / (times * ROUNDS));
    let megabytes = text.len() as f64 / 1e6;
    let speed = megabytes / used.as_secs_f64();
    let (best, used) = (best.as_secs_f64() * 1e3, used.as_secs_f64() * 1e3);
    println!("| {name} | {megabytes:.2} | {best:.2} | {used:.2} | {speed:.1} |");
}

fn main() {
    println!("| what | MB | ms, best | ms of processor | MB/s a core |");
    println!("|---|---:|---:|---:|---:|");
    for (stages, times) in [(50, 100), (1_000, 10), (10_000, 1)] {
        let text = support::pipeline(stages);
        let parsed = syntax::parse(FileId(0), &text);
        assert!(parsed.diagnostics.is_empty(), "the generated file is without a fault: {:?}", parsed.diagnostics);
        drop(parsed);
        measure(&format!("split, {stages} stages"), &text, times * 40, || syntax::count_declarations(black_box(&text)));
        measure(&format!("parse, {stages} stages"), &text, times, || syntax::parse(FileId(0), black_box(&text)));
    }
    let broken = "stage a { cod \"x\" }\n".repeat(10_000);
    let count = syntax::parse(FileId(0), &broken).diagnostics.len();
    measure(&format!("parse, {count} faults"), &broken, 1, || syntax::parse(FileId(0), black_box(&broken)));
}
