//! Reads what `strace -ff -y` wrote: which files were opened to be read, and which were looked for in vain. Knows nothing
//! of stages.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The calls that are traced; those that a machine does not have are left out.
pub(super) const CALLS: &str = "trace=?open,?openat,?openat2,?creat,execve,?execveat";

/// What a command did with files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    /// Opened to be read, as the kernel resolved the path; or started as a program.
    pub(super) read: BTreeSet<PathBuf>,
    /// Opened to be read, but not there.
    pub(super) missed: BTreeSet<PathBuf>,
    /// How many programs were started: none means that nothing was traced.
    pub(super) programs: usize,
}

impl Trace {
    /// Takes in what was written of one process that began in `folder`.
    pub(super) fn take(&mut self, text: &[u8], folder: &Path) {
        for line in text.split(|&byte| byte == b'\n') {
            self.line(line, folder);
        }
    }

    fn line(&mut self, line: &[u8], folder: &Path) -> Option<()> {
        let open = position(line, b"(")?;
        let call = line[..open].trim_ascii_start();
        let begin = open + position(&line[open..], b"\"")?;
        let (path, rest) = quoted(&line[begin + 1..])?;
        // Flags stand before the result, which may name a file that is called like one.
        let (flags, result) = rest.split_at(last(rest, b" = ")?);
        let result = &result[3..];
        if call.starts_with(b"execve") {
            if result.starts_with(b"0") {
                self.programs += 1;
                self.read.insert(folder.join(path));
            }
            return Some(());
        }
        let has = |flag: &[u8]| position(flags, flag).is_some();
        if call == b"creat" || [&b"O_WRONLY"[..], b"O_TRUNC", b"O_DIRECTORY", b"O_PATH"].into_iter().any(has) {
            return None;
        }
        if result.starts_with(b"-1 ENOENT") {
            // `openat(AT_FDCWD</where/it/is>, "name", …`
            let base = &line[open + 1..begin];
            let base = position(base, b"<").and_then(|from| unescaped(base.get(from + 1..last(base, b">")?)?));
            self.missed.insert(base.map_or(folder.to_owned(), PathBuf::from).join(path));
            return Some(());
        }
        // `3</where/it/is>`
        let (from, to) = (position(result, b"<")?, last(result, b">")?);
        self.read.insert(PathBuf::from(unescaped(result.get(from + 1..to)?)?));
        Some(())
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).rposition(|window| window == wanted)
}

/// Reads up to the closing quote; returns the text and what stands behind it.
fn quoted(bytes: &[u8]) -> Option<(OsString, &[u8])> {
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some((unescaped(&bytes[..at])?, &bytes[at + 1..])),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Undoes the escapes of C that strace writes. `None` where something is cut off.
fn unescaped(bytes: &[u8]) -> Option<OsString> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        text.push(match rest.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'v' => 0x0b,
            b'f' => 0x0c,
            digit @ b'0'..=b'7' => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|next| (b'0'..=b'7').contains(next)) else { break };
                    value = value * 8 + u32::from(digit - b'0');
                }
                u8::try_from(value).ok()?
            }
            other => other,
        });
    }
    Some(OsString::from_vec(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As strace 6.1 wrote it.
    const RECORDED: &str = r#"execve("/usr/bin/bash", ["bash", "-c", "cat a = b"], 0x7ffda07fca40 /* 35 vars */) = 0
openat(AT_FDCWD</stage>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
openat(AT_FDCWD</stage>, "/dev/tty", O_RDWR|O_NONBLOCK) = -1 ENXIO (No such device or address)
openat(AT_FDCWD</stage/src>, "util.py", O_RDONLY|O_CLOEXEC) = 3</stage/src/util.py>
openat(AT_FDCWD</stage/src>, "../gone.csv", O_RDONLY) = -1 ENOENT (No such file or directory)
openat(AT_FDCWD</stage>, "a b\303\251\"q O_WRONLY.txt", O_RDONLY) = 4</stage/a b\303\251\"q O_WRONLY.txt>
openat(AT_FDCWD</stage>, "out/model.pkl", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 3</stage/out/model.pkl>
openat(AT_FDCWD</stage>, "data", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3</stage/data>
openat(5</stage/data>, "part-1.csv", O_RDONLY) = 6</stage/data/part-1.csv>
openat2(AT_FDCWD</stage>, "two.csv", {flags=O_RDONLY|O_CLOEXEC, resolve=0}, 24) = 3</stage/two.csv>
[pid 12] open("old.txt", O_RDONLY) = 3</stage/old.txt>
execve("./tool", ["./tool"], 0x7ffda07fca40 /* 35 vars */) = 0
execve("/usr/local/bin/cat", ["cat"], 0x7ffda07fca40 /* 35 vars */) = -1 ENOENT (No such file or directory)
--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7867, si_uid=0, si_status=0} ---
openat(AT_FDCWD</stage>, "cut of"#;

    #[test]
    fn what_was_read_is_told_from_what_was_written_listed_or_looked_for() {
        let mut trace = Trace::default();
        trace.take(RECORDED.as_bytes(), Path::new("/stage"));
        let shown = |paths: &BTreeSet<PathBuf>| {
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(
            shown(&trace.read),
            "/etc/ld.so.cache, /stage/a bé\"q O_WRONLY.txt, /stage/data/part-1.csv, /stage/old.txt, \
             /stage/src/util.py, /stage/./tool, /stage/two.csv, /usr/bin/bash"
        );
        assert_eq!(shown(&trace.missed), "/stage/src/../gone.csv");
        assert_eq!(trace.programs, 2);
    }

    #[test]
    fn any_bytes_are_read() {
        let mut trace = Trace::default();
        for end in 0..RECORDED.len() {
            trace.take(&RECORDED.as_bytes()[end..], Path::new("/"));
        }
        trace.take(b"open(\"\\777\", O_RDONLY) = 3</\\>\nopen(\"\\\nx(\" = <>\n", Path::new("/"));
    }
}
