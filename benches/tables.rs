//! `cargo bench --bench tables`: how fast a gate reads a table, hashing included. Wall time, the best of several; speed a core is by
//! processor time. `-- FILE…` measures tables of yours, also Parquet with the feature.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints it")]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlpc::data::{self, Builder, Format, Frozen, Input, Kind, Wanted};
use mlpc::host::fs::Placed;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of the generated table.
const SIZE: u64 = 200_000_000;
/// So often each row is measured.
const TIMES: u32 = 3;

/// A file that is hashed while it is read, as a gate does it.
struct Hashed(File, blake3::Hasher);

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.update(&buffer[..read]);
        Ok(read)
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files: Vec<PathBuf> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).map(PathBuf::from).collect();
    if files.is_empty() {
        let path = folder.path().join("table.csv");
        generate(&path);
        files.push(path);
    }
    println!("| what | MB | rows | ms, best | MB/s | MB/s a core |");
    println!("|---|---:|---:|---:|---:|---:|");
    for path in files {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let format = Format::find(extension).expect("a table is `.csv`, `.jsonl` or `.parquet`");
        let frozen = freeze(&path, format);
        let megabytes = std::fs::metadata(&path).expect("a file").len() as f64 / 1e6;
        let row = |what: &str, work: &dyn Fn()| {
            let mut best = Duration::MAX;
            let before = cpu();
            for _ in 0..TIMES {
                let start = Instant::now();
                work();
                best = best.min(start.elapsed());
            }
            let used = (cpu() - before) / TIMES;
            println!(
                "| {extension}, {what} | {megabytes:.1} | {} | {:.0} | {:.0} | {:.0} |",
                frozen.rows,
                best.as_secs_f64() * 1e3,
                megabytes / best.as_secs_f64(),
                megabytes / used.as_secs_f64(),
            );
        };
        row("nulls, rows", &|| look(&path, format, &Wanted::default()));
        let few = frozen.columns.iter().filter(|column| matches!(&column.kind, Kind::Categories { .. }));
        let classes = few.map(|column| column.name.clone()).collect();
        row("nulls, psi and ks of all columns, classes of the texts", &|| {
            look(
                &path,
                format,
                &Wanted { classes: Clone::clone(&classes), baselines: vec![("b", &frozen)], ..Wanted::default() },
            );
        });
        row("a baseline of it", &|| drop(freeze(&path, format)));
    }
}

fn look(path: &Path, format: Format, wanted: &Wanted<'_>) {
    if format.is_placed() {
        let file = Arc::new(Placed::open(path).expect("a file"));
        data::scan(format, Input::Places(file), wanted).expect("a table");
        let mut hasher = blake3::Hasher::new();
        hasher.update_mmap_rayon(path).expect("a file");
    } else {
        let mut input = Hashed(File::open(path).expect("a file"), blake3::Hasher::new());
        data::scan(format, &mut input, wanted).expect("a table");
    }
}

fn freeze(path: &Path, format: Format) -> Frozen {
    let start = |names: &[String]| Ok(Builder::new(names, &[]));
    let mut input = File::open(path).expect("a file");
    let builder: Builder = if format.is_placed() {
        data::read(format, Input::Places(Arc::new(Placed::open(path).expect("a file"))), &start)
    } else {
        data::read(format, &mut input, &start)
    }
    .expect("a table");
    builder.finish("blake3:00".into()).expect("rows")
}

/// Writes a table of ten columns: numbers, a few texts, times, some nulls; every twentieth row has a quoted text.
fn generate(path: &Path) {
    let mut out = BufWriter::new(File::create(path).expect("a file"));
    let mut written = 0;
    let mut line = String::from("id,amount,rate,age,score,label,kind,country,day,note\n");
    let mut state: u64 = 1;
    for id in 0_u64.. {
        out.write_all(line.as_bytes()).expect("written");
        written += line.len() as u64;
        if written >= SIZE {
            break;
        }
        // Knuth's constants: numbers of no order, and the same on every machine.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (high, low) = ((state >> 40) as u32, (state >> 16) as u32 & 0xff_ffff);
        let (kind, country) =
            (["card", "cash", "transfer"][high as usize % 3], ["DE", "NO", "NA", "FR"][low as usize % 4]);
        let age = if low % 25 == 0 { String::new() } else { (18 + high % 70).to_string() };
        let note = if id % 20 == 0 { "\"late, \"\"again\"\"\"" } else { "as usual" };
        line = format!(
            "{id},{:.2},{:.6},{age},{},{},{kind},{country},2026-{:02}-{:02},{note}\n",
            f64::from(high) / 97.0,
            f64::from(low) / 16_777_216.0,
            f64::from(high ^ low) / 1e3,
            u8::from(low % 10 == 0),
            1 + high % 12,
            1 + low % 28,
        );
    }
    out.flush().expect("written");
}

/// Returns the processor time of this process so far, all threads together, in steps of 10 ms; nothing where the system does not tell.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
