//! A fuzzer on stable Rust: takes texts of this repository, breaks them, and looks whether what holds for any input holds.
//!
//! `FUZZ_SECONDS` says how long (1 without it), `FUZZ_SEED` where to begin; the seed is printed, and one input is made from
//! one seed, so that `FUZZ_SEED=N FUZZ_SECONDS=0` shows a finding again. Findings are written to `target/fuzz`.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a fuzzer faces the host")]

mod corpus;
mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mutate::Random;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn main() -> ExitCode {
    // A test runner may ask for a list or name a filter; this is one test.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let seconds = number("FUZZ_SECONDS").unwrap_or(1);
    let first = number("FUZZ_SEED").unwrap_or(1);
    let corpus = corpus::read();
    let folder = PathBuf::from(std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned())).join("fuzz");
    std::fs::create_dir_all(&folder).expect("the folder of findings");
    // A stack that overflows ends the process at once: the seed stands in a file before its input is tried.
    let trace = folder.join("seed");
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut slowest = (Duration::ZERO, first);
    let (mut seed, mut bytes, mut findings) = (first, 0_u64, 0);
    loop {
        std::fs::write(&trace, seed.to_string()).expect("the seed's file");
        let mut random = Random::new(seed);
        let (kind, input) = mutate::input(&corpus, &mut random);
        let began = Instant::now();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| targets::try_all(kind, &input, &mut random))) {
            let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let file = folder.join(format!("{seed}.{}", kind.extension()));
            std::fs::write(&file, &input).expect("the finding's file");
            println!("FUZZ_SEED={seed}: {} ({})", said.unwrap_or("a panic"), file.display());
            findings += 1;
        }
        let took = began.elapsed();
        if took > slowest.0 {
            slowest = (took, seed);
        }
        bytes += input.len() as u64;
        seed += 1;
        if Instant::now() >= deadline || findings == 20 {
            break;
        }
    }
    let tried = seed - first;
    let megabytes = bytes as f64 / 1e6;
    println!(
        "fuzz: {tried} inputs of {megabytes:.1} MB from {} texts, seeds {first} to {}, {findings} findings",
        corpus.len(),
        seed - 1
    );
    println!("fuzz: the slowest took {:.0} ms, seed {}", slowest.0.as_secs_f64() * 1e3, slowest.1);
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
