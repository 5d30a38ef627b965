//! The one writer to stdout and stderr. A reader that goes away ends it quietly; colours appear on terminals only.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::shown;

/// Writes what the user reads. Clones write to the same place.
#[derive(Clone)]
pub struct Out(Arc<Mutex<Ends>>);

struct Ends {
    out: End,
    err: End,
}

struct End {
    writer: Box<dyn Write + Send>,
    terminal: bool,
    colour: bool,
    /// Whoever reads takes some lines for commands: the log of a runner of GitHub.
    obeys: bool,
    state: State,
}

enum State {
    Open,
    /// The reader went away; nobody misses the rest.
    Closed,
    /// The device failed; whoever reads got less than we said.
    Failed(io::Error),
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Out")
    }
}

impl Out {
    /// Makes the writer to this process's stdout and stderr.
    #[must_use]
    pub fn host() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let obeys = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let end = |writer: Box<dyn Write + Send>, terminal: bool| End {
            writer,
            terminal,
            colour: terminal && !plain,
            obeys,
            state: State::Open,
        };
        Self(Arc::new(Mutex::new(Ends {
            out: end(Box::new(io::stdout()), io::stdout().is_terminal()),
            err: end(Box::new(io::stderr()), io::stderr().is_terminal()),
        })))
    }

    /// Makes a writer to other places, without colours.
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        let end = |writer| End { writer, terminal: false, colour: false, obeys: false, state: State::Open };
        Self(Arc::new(Mutex::new(Ends { out: end(out), err: end(err) })))
    }

    /// Writes to stdout as it is: what programs read, commands of a runner, and what a program of the user says.
    pub fn write(&self, text: &str) {
        self.ends().out.write(text.as_bytes());
    }

    /// Writes bytes to stdout as they are.
    pub fn write_bytes(&self, bytes: &[u8]) {
        self.ends().out.write(bytes);
    }

    /// Writes JSON to stdout, which programs read. No text in it is a command of a runner, wherever it stands in its line;
    /// the values are the same.
    pub fn json(&self, text: &str) {
        self.data(&text.trim_end_matches('\n').replace("##[", "#\\u0023["));
    }

    /// Writes a line to stdout as it is: what programs read, and what a program of the user says.
    pub fn data(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// Writes text for people to stdout. As in all that is for people, the only controls that get through are ends of lines,
    /// tabs and, where there are colours, colours.
    pub fn text(&self, text: &str) {
        self.ends().out.show(text);
    }

    /// Writes a line for people to stdout.
    pub fn line(&self, text: &str) {
        self.ends().out.show(&format!("{text}\n"));
    }

    /// Writes text for people to stderr.
    pub fn err(&self, text: &str) {
        self.ends().err.show(text);
    }

    /// Writes a line for people to stderr.
    pub fn err_line(&self, text: &str) {
        self.ends().err.show(&format!("{text}\n"));
    }

    /// Tells whether colours may be written to stdout.
    #[must_use]
    pub fn colour(&self) -> bool {
        self.ends().out.colour
    }

    /// Tells whether colours may be written to stderr.
    #[must_use]
    pub fn err_colour(&self) -> bool {
        self.ends().err.colour
    }

    /// Tells whether a person sees stdout at once.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.ends().out.terminal
    }

    /// Tells whether a person sees stderr at once.
    #[must_use]
    pub fn err_is_terminal(&self) -> bool {
        self.ends().err.terminal
    }

    /// Tells whether nobody reads stdout any more, so that it is idle to compute more of it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !matches!(self.ends().out.state, State::Open)
    }

    /// Flushes, and returns why output was lost, if it was; a reader that went away is no loss.
    pub fn finish(&self) -> Result<(), String> {
        let mut ends = self.ends();
        let flushed = ends.out.writer.flush();
        ends.out.note(flushed);
        match &ends.out.state {
            State::Failed(error) => Err(format!("cannot write the output: {}", super::error::reason(error))),
            State::Open | State::Closed => Ok(()),
        }
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn show(&mut self, text: &str) {
        let text = if self.colour { shown::coloured(text) } else { shown::lines(text) };
        match self.obeys {
            true => self.write(super::github::harmless(&text).as_bytes()),
            false => self.write(text.as_bytes()),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Open) {
            let written = self.writer.write_all(bytes).and_then(|()| self.writer.flush());
            self.note(written);
        }
    }

    fn note(&mut self, result: io::Result<()>) {
        if let (Err(error), State::Open) = (result, &self.state) {
            self.state = if error.kind() == io::ErrorKind::BrokenPipe { State::Closed } else { State::Failed(error) };
        }
    }
}

/// Returns a count of bytes as a person reads it: `12.3 MiB`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a person reads three digits")]
pub fn human(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_text_in_json_is_a_command_of_a_runner() {
        let kept = Kept::default();
        let values = serde_json::json!({ "##[group]": ["a ###[add-mask]x", "# [", "#["] });
        for text in [values.to_string(), values.to_string() + "\n"] {
            Out::to(Box::new(kept.clone()), Box::new(io::sink())).json(&text);
            let written = String::from_utf8(std::mem::take(&mut *kept.0.lock().expect("not poisoned"))).expect("text");
            assert!(!written.contains("##[") && written.ends_with("}\n"), "{written}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON"), values);
        }
    }

    #[test]
    fn a_closed_pipe_ends_quietly_and_a_full_device_does_not() {
        let out = Out::to(Box::new(Broken(io::ErrorKind::BrokenPipe)), Box::new(io::sink()));
        out.line("lost");
        assert!(out.is_closed());
        assert_eq!(out.finish(), Ok(()));
        let out = Out::to(Box::new(Broken(io::ErrorKind::StorageFull)), Box::new(io::sink()));
        out.line("lost");
        assert_eq!(out.finish(), Err("cannot write the output: no storage space".to_owned()));
    }
}
