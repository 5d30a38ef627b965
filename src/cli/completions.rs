//! `mlpc completions`: what a shell needs to complete verbs and options.

use clap_complete::{Shell, generate};

use super::{Exit, Verb, command};
use crate::host::Out;

/// Write a script that completes verbs and options, for your shell to read
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mlpc completions bash > ~/.local/share/bash-completion/completions/mlpc\n  \
                        mlpc completions zsh > ~/.zfunc/_mlpc\n  \
                        mlpc completions fish > ~/.config/fish/completions/mlpc.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Verb for Completions {
    const NAME: &'static str = "completions";

    fn run(self, out: &Out) -> Exit {
        let mut script = Vec::new();
        generate(self.shell, &mut command(), "mlpc", &mut script);
        out.write(&String::from_utf8_lossy(&script));
        Exit::Fine
    }
}
