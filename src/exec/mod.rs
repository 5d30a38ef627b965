//! The executor: runs a plan on this machine. A written state machine decides what may run; stages run in folders of
//! their own, are looked up in the cache before and stored in it after.
//!
//! Returns values and tells events; it prints nothing.

mod ambient;
mod context;
mod dvc;
mod event;
mod fetch;
mod folder;
mod forecast;
mod held;
mod hint;
mod infer;
mod journal;
mod mask;
mod nodes;
mod outputs;
mod outside;
mod pick;
mod predict;
mod prepare;
mod prune;
mod reads;
mod record;
mod run;
mod sharing;
mod shell;
mod software;
mod stand;
mod state;
mod times;
mod tokens;
mod watch;

pub use context::{Force, Options, Release, Seen, Setup};
pub use event::{Event, Listener, NodeReport, Reason, SCHEMA as EVENTS_SCHEMA};
pub use fetch::bring_sources;
pub use forecast::{Forecast, forecast};
pub use infer::{Change, Inferred, Line, infer};
pub use outputs::check_output;
pub(crate) use outputs::read_value;
pub use pick::{Chosen, Pick, choose, closure};
pub use predict::{Expected, Explanation, Prediction, predict, predict_aloud, why};
pub(crate) use prepare::value_path;
pub use prune::{Usage, prune, prune_checkpoints, prune_fetched, usage};
pub use record::{NodeRecord, RunRecord, is_run, runs, runs_of};
pub use run::{RunError, Summary, go_on, nothing_to_do, run};
pub(crate) use sharing::writer;
pub use shell::shell;
pub use stand::{Part, Question, SHOWN, Shape, Standing, Untouched, stand};
pub use state::{Ending, Schedule, State, exit_code};
pub use tokens::Tokens;

#[cfg(test)]
mod tests;
