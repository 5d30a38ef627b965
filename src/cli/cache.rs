//! `mlpc cache`: what the cache holds, whether it is sound, what of it may go, and what is shared with other machines.

use std::path::Path;
use std::time::{Duration, SystemTime};

use clap::Subcommand;
use serde::Serialize;

use super::project::PipelineArgs;
use super::render::Format;
use super::run::{exit, failed, setup};
use super::{Exit, Verb};
use crate::cache::remote::{Answer, REMOTE, Saved, Settings, Shared, Trust, open};
use crate::cache::{Policy, Store};
use crate::exec::{self, RunError, Setup};
use crate::host::{Error, Out, fs, human};
use crate::runtime;
use crate::syntax::number::{self, NumberValue};

/// Look after the cache of this workspace, and share results with other machines
///
/// Results are shared where a stage has a runtime, since nobody knows what else made them. Exit codes: 0 fine, 1 it could not be
/// done, 2 usage, 11 something in the cache was not what it should be.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mlpc cache stat\n  mlpc cache gc --keep-runs 10 --max-size 20GiB --dry-run\n  mlpc cache verify\n  \
                        mlpc cache remote s3://team-cache/fraud?region=eu-west-1\n  mlpc cache push\n  mlpc cache pull train"
)]
pub(super) struct CacheVerb {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// How to write it
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Counts results, objects and bytes
    Stat,
    /// Removes what was not used for long: results, objects, records of runs, environments, checkpoints
    Gc {
        /// Keep what the last runs used, and their records
        #[arg(long, value_name = "N", default_value_t = 20)]
        keep_runs: usize,
        /// Keep what was made or used in this time
        #[arg(long, value_name = "TIME", default_value = "30d")]
        older_than: String,
        /// Keep so much, besides what the last runs used; what was not used for longest goes first
        #[arg(long, value_name = "SIZE")]
        max_size: Option<String>,
        /// Say what would go, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Reads everything again; removes what is not what it should be, and forgets results that refer to what is gone
    Verify,
    /// Saves results of this machine to the remote: into the part that anybody may write, if not said otherwise
    Push {
        /// Stages whose results are saved; all if none is named
        stages: Vec<String>,
        /// Into the part that releases read, which needs a credential that may write there
        #[arg(long)]
        trusted: bool,
    },
    /// Fetches results from the remote
    Pull {
        /// Stages whose results are fetched; all if none is named
        stages: Vec<String>,
        /// Only from the part that releases read
        #[arg(long)]
        trusted: bool,
    },
    /// Shows, or sets, the remote of this workspace: a folder or `s3://bucket/prefix?region=…&endpoint=…`
    Remote {
        /// Its address
        url: Option<String>,
        /// Have none any more
        #[arg(long, conflicts_with = "url")]
        clear: bool,
    },
}

impl Verb for CacheVerb {
    const NAME: &'static str = "cache";

    fn run(self, out: &Out) -> Exit {
        let go = || -> Result<Exit, RunError> {
            let usage = |message: String| RunError { exit: 2, message, help: None };
            let file = self.pipeline.find().map_err(usage)?;
            let file = std::fs::canonicalize(&file).map_err(|error| usage(format!("`{}`: {error}", file.display())))?;
            let setup = setup(fs::parent(&file).to_owned())?;
            self.act(out, &setup)
        };
        go().unwrap_or_else(|error| failed(out, &error))
    }
}

impl CacheVerb {
    fn act(&self, out: &Out, setup: &Setup) -> Result<Exit, RunError> {
        let state = setup.workspace.join(".mlpc");
        let store = match self.action {
            Action::Stat | Action::Remote { url: None, clear: false } => Store::look(&state)?,
            _ => Store::open(&state)?,
        };
        match &self.action {
            Action::Stat => self.stat(out, &store),
            Action::Gc { keep_runs, older_than, max_size, dry_run } => {
                let age = duration(older_than)?;
                let most = max_size.as_deref().map(size).transpose()?;
                self.gc(out, &store, setup, (*keep_runs, age, most, *dry_run))
            }
            Action::Verify => self.verify(out, &store),
            Action::Push { stages, trusted } => {
                let trust = if *trusted { Trust::Trusted } else { Trust::Other };
                self.push(out, &store, setup, stages, trust)
            }
            Action::Pull { stages, trusted } => self.pull(out, &store, setup, stages, *trusted),
            Action::Remote { url, clear } => remote(out, &store, setup, url.as_deref(), *clear),
        }
    }

    /// Shows something as JSON, or else as these lines.
    fn show(&self, out: &Out, value: &impl Serialize, lines: &[String]) {
        match (self.format, serde_json::to_string_pretty(value)) {
            (Format::Json, Ok(text)) => out.json(&text),
            _ => lines.iter().for_each(|line| out.line(line)),
        }
    }

    fn stat(&self, out: &Out, store: &Store) -> Result<Exit, RunError> {
        let stat = store.stat()?;
        let runs = exec::runs(store.state())?.len();
        let mut lines = vec![
            format!("{} objects, {}", stat.objects, human(stat.bytes)),
            format!("{} results, {} borrowed from where anybody may write", stat.results, stat.borrowed),
            format!("{runs} runs"),
        ];
        if stat.loose > 0 {
            lines.push(format!(
                "{} objects, {}, belong to no result: `mlpc cache gc`",
                stat.loose,
                human(stat.loose_bytes)
            ));
        }
        self.show(out, &stat, &lines);
        Ok(Exit::Fine)
    }

    fn gc(
        &self,
        out: &Out,
        store: &Store,
        setup: &Setup,
        (keep_runs, age, most, dry_run): (usize, Duration, Option<u64>, bool),
    ) -> Result<Exit, RunError> {
        #[derive(Serialize)]
        struct Gone {
            #[serde(flatten)]
            swept: crate::cache::Swept,
            runs: usize,
            runtimes: usize,
            checkpoints: usize,
            dry_run: bool,
        }
        let since = SystemTime::from(setup.clock.now()).checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let usage = exec::usage(store.state(), keep_runs, since)?;
        let sources = exec::prune_fetched(store.state(), since, dry_run)?;
        let policy = Policy { used: usage.kept, last: usage.last, sources, since, most, dry_run };
        let swept = store.gc(&policy)?;
        let shut = store.scratch().alone(store.state())?;
        if shut.is_none() {
            return Err(Error::new("a run began meanwhile: records of runs and runtimes stay for now").into());
        }
        if !dry_run {
            exec::prune(store.state(), &usage.old)?;
        }
        let runtimes = runtime::sweep(&setup.workspace, since, dry_run)?;
        let checkpoints = exec::prune_checkpoints(store.state(), since, dry_run)?;
        let gone = Gone { swept, runs: usage.old.len(), runtimes, checkpoints, dry_run };
        let verb = if dry_run { "would go" } else { "went" };
        let lines = [
            format!(
                "{} results and {} objects, {}, {verb}; {} stay",
                gone.swept.results,
                gone.swept.objects,
                human(gone.swept.bytes),
                human(gone.swept.kept_bytes)
            ),
            format!("{} runs, {} runtimes and {} checkpoints {verb}", gone.runs, gone.runtimes, gone.checkpoints),
        ];
        self.show(out, &gone, &lines);
        Ok(Exit::Fine)
    }

    fn verify(&self, out: &Out, store: &Store) -> Result<Exit, RunError> {
        let found = store.verify_all()?;
        let mut lines: Vec<String> =
            found.bad.iter().map(|name| format!("object {name}: not what it should be; removed")).collect();
        lines.extend(found.torn.iter().map(|name| format!("result {name}: can't be read; removed")));
        lines.extend(found.missing.iter().map(|one| {
            format!("result {} of `{}`: its output `{}` is gone; forgotten", &one.key[..12], one.node, one.output)
        }));
        lines.push(format!(
            "{} objects read: {}",
            found.objects,
            if found.is_clean() { "all is well" } else { "the next run makes anew what is lost" }
        ));
        self.show(out, &found, &lines);
        Ok(if found.is_clean() { Exit::Fine } else { Exit::Undecided })
    }

    fn push(&self, out: &Out, store: &Store, setup: &Setup, stages: &[String], trust: Trust) -> Result<Exit, RunError> {
        let shared = shared(store, setup)?;
        let records = store.shareable()?;
        let records: Vec<_> = records.iter().filter(|record| is_wanted(stages, &record.provenance.node)).collect();
        let (mut new, mut failures) = (0, 0);
        for record in &records {
            let node = &record.provenance.node;
            match shared.save(store, record, trust) {
                Ok(Saved::New) => new += 1,
                Ok(Saved::Same) => {}
                Ok(Saved::Different(outputs, who)) => {
                    out.err_line(&format!(
                        "warning: `{node}` is not deterministic: {} differ from what `{who}` saved, which stands",
                        outputs.join(", ")
                    ));
                }
                Err(error) => {
                    failures += 1;
                    out.err_line(&format!("error: the result of `{node}` could not be saved: {error}"));
                }
            }
            if setup.interrupt.is_raised() {
                return Ok(exit(130));
            }
        }
        let told = serde_json::json!({ "results": records.len(), "new": new, "failed": failures, "part": trust });
        let mut lines =
            vec![format!("{} results, {new} of them new in `{}`", records.len() - failures, trust.prefix())];
        if records.is_empty() {
            lines = vec!["no result can be shared: results are shared where a stage has a runtime".to_owned()];
        }
        self.show(out, &told, &lines);
        Ok(if failures == 0 { Exit::Fine } else { Exit::Failed })
    }

    fn pull(
        &self,
        out: &Out,
        store: &Store,
        setup: &Setup,
        stages: &[String],
        trusted: bool,
    ) -> Result<Exit, RunError> {
        let shared = shared(store, setup)?;
        let parts: &[Trust] = if trusted { &[Trust::Trusted] } else { &[Trust::Trusted, Trust::Other] };
        let (mut fetched, mut refused) = (0, 0);
        for &trust in parts {
            for key in shared.keys(trust)? {
                if store.result(&key).is_some() || (trust == Trust::Other && store.borrowed(&key).is_some()) {
                    continue;
                }
                if !stages.is_empty() {
                    let Some(entry) = shared.look(store, &key, trust)? else { continue };
                    if !is_wanted(stages, &entry.result.provenance.node) {
                        continue;
                    }
                }
                match shared.fetch(store, &key, trust)? {
                    Answer::Nothing => {}
                    Answer::Found(entry) => {
                        store.sync()?;
                        match trust {
                            Trust::Trusted => drop(store.record(&entry.result)?),
                            Trust::Other => store.borrow(&entry.result)?,
                        }
                        fetched += 1;
                    }
                    Answer::Refused(why) => {
                        refused += 1;
                        out.err_line(&format!("error: the result {} was refused: {why}", &key.to_string()[..12]));
                    }
                }
                if setup.interrupt.is_raised() {
                    return Ok(exit(130));
                }
            }
        }
        let told = serde_json::json!({ "fetched": fetched, "refused": refused });
        self.show(out, &told, &[format!("{fetched} results fetched")]);
        Ok(if refused == 0 { Exit::Fine } else { Exit::Undecided })
    }
}

fn is_wanted(stages: &[String], node: &str) -> bool {
    stages.is_empty() || stages.iter().any(|stage| stage == node || node.split('[').next() == Some(stage))
}

fn shared(store: &Store, setup: &Setup) -> Result<Shared, RunError> {
    let settings = Settings::of(store.state(), &setup.caller)?.ok_or_else(|| RunError {
        exit: 2,
        message: "this workspace has no remote".into(),
        help: Some(format!("`mlpc cache remote URL`, or set `{REMOTE}`")),
    })?;
    let remote = open(&settings.url, &setup.workspace, &setup.caller)?;
    Ok(Shared::new(remote, exec::writer(&setup.caller)))
}

fn remote(out: &Out, store: &Store, setup: &Setup, url: Option<&str>, clear: bool) -> Result<Exit, RunError> {
    let file = store.state().join("remote");
    if clear {
        fs::remove(&file)?;
        out.line("this workspace has no remote any more");
    } else if let Some(url) = url {
        if url.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')))
        {
            let message =
                "an address with a password in it is not kept: credentials come from the environment".to_owned();
            return Err(RunError {
                exit: 2,
                message,
                help: Some("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".into()),
            });
        }
        open(url, &setup.workspace, &setup.caller)?;
        write(&file, url)?;
        out.line(&format!("the remote is `{url}`; runs read it, and write nothing unless `MLPC_REMOTE_WRITE` says so"));
    } else {
        match Settings::of(store.state(), &setup.caller)? {
            None => out.line("this workspace has no remote"),
            Some(Settings { url, write: None }) => out.line(&format!("`{url}`, which runs read")),
            Some(Settings { url, write: Some(trust) }) => {
                out.line(&format!("`{url}`, which runs read, and write into `{}`", trust.prefix()));
            }
        }
    }
    Ok(Exit::Fine)
}

fn write(file: &Path, url: &str) -> Result<(), Error> {
    fs::write_atomic(file, format!("{url}\n").as_bytes())
}

fn duration(text: &str) -> Result<Duration, RunError> {
    match number::value(text) {
        Ok(NumberValue::Duration(nanoseconds)) => Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))),
        _ => Err(wrong(text, "a time such as `30d` or `12h`")),
    }
}

fn size(text: &str) -> Result<u64, RunError> {
    match number::value(text) {
        Ok(NumberValue::Size(bytes)) => Ok(bytes),
        _ => Err(wrong(text, "a size such as `20GiB` or `500MB`")),
    }
}

fn wrong(text: &str, wanted: &str) -> RunError {
    RunError { exit: 2, message: format!("`{text}` is not {wanted}"), help: None }
}
