//! `mlpc explain`: the page of a diagnostic code.

use super::{Exit, Verb};
use crate::diagnostic::{catalogue, nearest};
use crate::host::Out;

/// Explain a diagnostic code
///
/// Shows the page of a code: what is wrong, an example that fails, the same put right, and why. Without a code, lists all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mlpc explain ungated-release")]
pub(crate) struct Explain {
    /// The code, as it stands behind a diagnostic
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Verb for Explain {
    const NAME: &'static str = "explain";

    fn run(self, out: &Out) -> Exit {
        let Some(code) = self.code else {
            for code in catalogue::all() {
                out.line(code.name());
            }
            return Exit::Fine;
        };
        // As it stands in a message: `error[unknown-name]`, `mlpc::unknown-name`.
        let name = code.rsplit("::").next().unwrap_or(&code).trim_matches(['[', ']', '`']);
        match catalogue::Code::find(name) {
            Some(code) => {
                out.write(code.page());
                Exit::Fine
            }
            None => {
                out.err_line(&format!("mlpc: no code `{name}`"));
                if let Some(near) = nearest(name, catalogue::all().map(catalogue::Code::name)) {
                    out.err_line(&format!("did you mean `{near}`?"));
                } else {
                    out.err_line("list them: mlpc explain");
                }
                Exit::Usage
            }
        }
    }
}
