//! The command line: a verb is arguments, a function and help. Logic lives in the library.
//!
//! A verb is one file here and one line in [`VERBS`]. The doc comment on its `Args` is its help.

mod approve;
mod baseline;
mod cache;
mod check;
mod completions;
mod compile;
mod diff;
mod exec;
mod exit;
mod fmt;
mod explain;
mod gate;
mod graph;
mod history;
mod import;
mod infer;
mod init;
mod lineage;
mod lock;
mod lsp;
mod pick;
mod plan;
mod project;
mod registry;
mod report;
mod render;
mod repair;
mod run;
mod seen;
mod selection;
mod tree;
mod verify;
mod why;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

pub use exit::Exit;

use crate::host::Out;

/// A verb: its arguments are the implementing type, which clap fills.
trait Verb: clap::Args {
    /// The word on the command line.
    const NAME: &'static str;

    /// Does it.
    fn run(self, out: &Out) -> Exit;
}

/// A row of the list of verbs.
struct Entry {
    name: &'static str,
    command: fn() -> Command,
    run: fn(&ArgMatches, &Out) -> Exit,
}

const fn verb<V: Verb>() -> Entry {
    Entry {
        name: V::NAME,
        command: || V::augment_args(Command::new(V::NAME)),
        run: |matches, out| match V::from_arg_matches(matches) {
            Ok(verb) => verb.run(out),
            Err(error) => usage(&error, out),
        },
    }
}

/// Every verb, in the order of the help; a line each.
#[rustfmt::skip]
const VERBS: &[Entry] = &[
    verb::<init::Init>(),
    verb::<import::ImportVerb>(),
    verb::<check::Check>(),
    verb::<fmt::Fmt>(),
    verb::<run::Run>(),
    verb::<plan::PlanVerb>(),
    verb::<why::WhyVerb>(),
    verb::<infer::Infer>(),
    verb::<history::History>(),
    verb::<diff::DiffVerb>(),
    verb::<report::ReportVerb>(),
    verb::<lineage::LineageVerb>(),
    verb::<lock::LockVerb>(),
    verb::<cache::CacheVerb>(),
    verb::<gate::GateArgs>(),
    verb::<approve::Approve>(),
    verb::<verify::Verify>(),
    verb::<baseline::Baseline>(),
    verb::<registry::RegistryVerb>(),
    verb::<graph::Graph>(),
    verb::<explain::Explain>(),
    verb::<lsp::Lsp>(),
    verb::<completions::Completions>(),
    verb::<compile::Compile>(),
    verb::<exec::ExecArgs>(),
];

/// Runs the command line of this process and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let out = Out::host();
    let exit = match command().try_get_matches() {
        Ok(matches) => dispatch(&matches, &out),
        Err(error) => usage(&error, &out),
    };
    match out.finish() {
        // Output that was lost must not look like success.
        Err(_) if exit == Exit::Fine => Exit::Failed.into(),
        _ => exit.into(),
    }
}

/// Returns the whole command line as clap sees it; the reference page is made from it.
#[must_use]
pub fn command() -> Command {
    let top = Command::new("mlpc")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The compiler for machine-learning delivery: checks, runs and compiles .mlp pipelines")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100);
    VERBS.iter().fold(top, |top, entry| top.subcommand((entry.command)()))
}

fn dispatch(matches: &ArgMatches, out: &Out) -> Exit {
    let Some((name, matches)) = matches.subcommand() else { return Exit::Usage };
    match VERBS.iter().find(|entry| entry.name == name) {
        Some(entry) => (entry.run)(matches, out),
        None => Exit::Usage,
    }
}

/// Shows what clap has to say: help and version on stdout, mistakes on stderr.
fn usage(error: &clap::Error, out: &Out) -> Exit {
    if error.use_stderr() {
        let text = error.render();
        out.err(&if out.err_colour() { text.ansi().to_string() } else { text.to_string() });
        Exit::Usage
    } else {
        let text = error.render();
        out.write(&if out.colour() { text.ansi().to_string() } else { text.to_string() });
        Exit::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_verb_has_help_with_an_example() {
        command().debug_assert();
        for entry in VERBS {
            let mut verb = (entry.command)();
            let help = verb.render_long_help().to_string();
            assert!(help.contains(&format!("mlpc {}", entry.name)), "`{}` has no example:\n{help}", entry.name);
        }
    }
}
