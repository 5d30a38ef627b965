//! A shell in the folder of a stage, with its variables, for a person who wants to look around.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::context::{Force, Options, Run, Setup, Stop};
use super::event::{Event, Listener};
use super::folder::{Folder, Script};
use super::pick::{self, Pick};
use super::run::{RunError, run};
use super::{predict, prepare};
use crate::cache::{Memory, Store};
use crate::host::process;
use crate::plan::{Bound, NodeKind, Why};

/// Runs what a stage reads from, then opens a shell where its command would run. Returns the exit code; how a person leaves a
/// shell says nothing.
pub fn shell(
    bound: &Bound,
    setup: &Setup,
    options: &Options,
    name: &str,
    listener: &dyn Listener,
) -> Result<u8, RunError> {
    let node = pick::one(bound, name)?;
    let NodeKind::Stage(stage) = &node.kind else {
        return Err(RunError::new(2, format!("`{name}` is a {}, not a stage", node.kind.keyword())));
    };
    let before: BTreeSet<_> =
        node.waits.iter().filter(|wait| wait.why == Why::Data).map(|wait| wait.node.clone()).collect();
    let pick = Pick::until(before.into_iter().collect());
    let options = Options { pick, force: Force::Nothing, ..options.clone() };
    if !options.pick.is_all() {
        let summary = run(bound, setup, &options, None, listener)?;
        if summary.exit != 0 {
            return Ok(summary.exit);
        }
    }
    let store = Store::open(&setup.workspace.join(".mlpc"))?;
    let memory = Memory::open(&store.memory_file(), &setup.workspace);
    let context = Run::new(bound, (setup, &options), (&store, &memory), listener, "shell".to_owned());
    predict::gather(&context);
    let work = || -> Result<u8, Stop> {
        let prepared = prepare::stage(&context, name, stage)?;
        let outputs: Vec<&str> = stage.outputs.iter().map(|output| output.path.as_str()).collect();
        let folder = Folder::make(&context, name, &prepared, &outputs)?;
        let mut spec = folder.spec(&context, &stage.work, &prepared, Script::InFile)?;
        let command: Vec<_> = spec.argv.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let note = format!("this is its folder; `exit` leaves; its command is: {}", command.join(" "));
        context.tell(Event::Note { node: name.to_owned(), text: note });
        let caller = |name: &str| setup.caller.get(&OsString::from(name)).cloned();
        spec.argv = vec![caller("SHELL").unwrap_or_else(|| "sh".into())];
        spec.env.extend(caller("TERM").map(|term| (OsString::from("TERM"), term)));
        process::interactive(&spec)?;
        if options.keep {
            let kept = store.scratch().keep(folder.root(), store.state(), name)?;
            context.note(name, format!("its folder is kept: `{}`", kept.display()));
        }
        Ok(0)
    };
    work().map_err(|stop| match stop {
        Stop::Failed(why) | Stop::Skip(why) => RunError::new(1, why),
        Stop::Unsound(why) => RunError::new(11, why),
        Stop::Interrupted => RunError::new(130, "interrupted"),
    })
}
