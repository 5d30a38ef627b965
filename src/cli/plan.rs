//! `mlpc plan`: says what a run would do, and why.

use clap::Args;

use super::pick::PickArgs;
use super::project::{PipelineArgs, load};
use super::run::{WORTH_EXPECTING, duration, failed, setup};
use super::selection::SelectionArgs;
use super::{Exit, Verb};
use crate::exec::{Event, Expected, Forecast, Options, Prediction, Reason, Setup, forecast, predict_aloud};
use crate::host::Out;
use crate::plan::Bound;
use crate::types::Value;

/// Say what `mlpc run` would do, and why, without doing it
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mlpc plan\n  mlpc plan train --set epochs=5\n  mlpc plan --from features --until train"
)]
pub(super) struct PlanVerb {
    /// Nodes to look at, with all that they wait for; all if none
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,

    #[command(flatten)]
    pipeline: PipelineArgs,

    #[command(flatten)]
    pick: PickArgs,

    #[command(flatten)]
    select: SelectionArgs,

    /// Write it as JSON
    #[arg(long)]
    json: bool,
}

impl Verb for PlanVerb {
    const NAME: &'static str = "plan";

    fn run(self, out: &Out) -> Exit {
        let pick = match self.pick.pick(&self.nodes) {
            Ok(pick) => pick,
            Err(message) => {
                out.err_line(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        let go = || {
            let loaded = load(out, &self.pipeline)?;
            let bound = self.select.bind_here(out, &loaded.plan, &loaded.project.workspace)?;
            let setup = setup(loaded.project.workspace).map_err(|error| failed(out, &error))?;
            let options = Options { pick, ..Options::default() };
            Ok(show(out, &bound, &setup, &options, self.json))
        };
        go().unwrap_or_else(|exit| exit)
    }
}

/// Shows what a run would do.
pub(super) fn show(out: &Out, bound: &Bound, setup: &Setup, options: &Options, json: bool) -> Exit {
    let note = |event: &Event| {
        if let Event::Note { text, .. } = event {
            out.err_line(&format!("note: {text}"));
        }
    };
    let predictions = match predict_aloud(bound, setup, options, &note) {
        Ok(predictions) => predictions,
        Err(error) => return failed(out, &error),
    };
    if json {
        if let Ok(text) = serde_json::to_string_pretty(&predictions) {
            out.json(&text);
        }
        return Exit::Fine;
    }
    let width = predictions.iter().map(|prediction| prediction.node.chars().count()).max().unwrap_or(0);
    for prediction in &predictions {
        out.line(&format!("  {:<width$}  {}", prediction.node, told(prediction)));
    }
    let runs = |surely: bool| {
        let counted = predictions.iter().filter(|prediction| match &prediction.what {
            Expected::Runs(Reason::Upstream(_)) => !surely,
            Expected::Runs(_) => surely,
            _ => false,
        });
        counted.count()
    };
    let hits = predictions.iter().filter(|prediction| prediction.what == Expected::Hit).count();
    let (sure, perhaps) = (runs(true), runs(false));
    let perhaps = if perhaps > 0 { format!(", {perhaps} perhaps") } else { String::new() };
    let time = forecast(bound, options, &predictions).map(time).unwrap_or_default();
    out.line(&format!("{sure} to run{perhaps}, {hits} from the cache{time}"));
    for monitor in &bound.plan.beside.monitors {
        let every = Value::Duration(monitor.every);
        out.line(&format!("beside the runs: monitor {}, every {every}; nothing serves it yet", monitor.name));
    }
    Exit::Fine
}

/// `; about 3 m 20 s, and 2 stages of which no time is known`
fn time(forecast: Forecast) -> String {
    if forecast.milliseconds < WORTH_EXPECTING {
        return String::new();
    }
    let untimed = match forecast.untimed {
        0 => String::new(),
        1 => ", and 1 stage of which no time is known".to_owned(),
        more => format!(", and {more} stages of which no time is known"),
    };
    format!("; about {}{untimed}", duration(forecast.milliseconds))
}

/// Says what a node would do.
pub(super) fn told(prediction: &Prediction) -> String {
    match &prediction.what {
        Expected::Hit => "from the cache".to_owned(),
        Expected::Runs(why @ Reason::Upstream(_)) => format!("runs {why}"),
        Expected::Runs(why) => format!("runs: {why}"),
        Expected::Skipped(why) => format!("skipped: {why}"),
        Expected::Fails(why) => format!("can't run: {why}"),
        Expected::NotReleased(why) => format!("not released here: {why}"),
        Expected::Asks(gate) => format!("asks, if `{gate}` does"),
        Expected::Later => format!("{}, when its turn comes", later(prediction.kind)),
    }
}

fn later(kind: &str) -> &'static str {
    match kind {
        "gate" => "decides",
        "approval" => "asks",
        "register" => "registers",
        "promote" => "promotes",
        _ => "acts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_where_it_is_worth_it() {
        let told = |milliseconds, untimed| time(Forecast { milliseconds, untimed });
        assert_eq!(told(4_999, 3), "");
        assert_eq!(told(200_000, 0), "; about 3 m 20 s");
        assert_eq!(told(5_000, 1), "; about 5.0 s, and 1 stage of which no time is known");
    }
}
