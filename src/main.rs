//! The `mlpc` binary: hands the command line to the library and ends with its exit code.

/// Trees are many small pieces; see the line in Cargo.toml.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mlpc::cli::main()
}
