//! `mlpc lsp`: the language server over standard input and output.

use std::io;

use super::{Exit, Verb};
use crate::host::Out;
use crate::lsp;

/// Serve editors over standard input and output, by the Language Server Protocol
///
/// Diagnostics while typing, hover, definition, references, symbols, completion, formatting, renaming, fixes. An editor starts it; the book has
/// a page about that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc lsp")]
pub(super) struct Lsp {
    /// Taken for editors that always give it; standard input and output are the only way
    #[arg(long)]
    stdio: bool,
}

impl Verb for Lsp {
    const NAME: &'static str = "lsp";

    fn run(self, out: &Out) -> Exit {
        let (connection, threads) = lsp::connect(|| Box::new(io::stdin().lock()), io::stdout());
        let served = lsp::serve(&connection);
        drop(connection);
        // The writer ends when nobody sends any more; the reader when the client closes its end, after goodbye or not.
        match served {
            Ok(()) => match threads.join() {
                Ok(()) => Exit::Fine,
                Err(error) => {
                    out.err_line(&format!("mlpc: {error}"));
                    Exit::Failed
                }
            },
            Err(message) => {
                out.err_line(&format!("mlpc: {}", threads.fault().unwrap_or(message)));
                Exit::Failed
            }
        }
    }
}
