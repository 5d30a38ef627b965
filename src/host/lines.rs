//! Files of records, a line each, that only grow. A copy or an editor may have taken away the end of the last line: who
//! adds to it ends that line first, so that two records never stand on one. Knows lines, not what they say.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use serde::Serialize;

/// Adds a record as a line of its own. A last line without end is taken for whole: whoever knows that it is half a record
/// takes it away before.
pub fn add(lines: &mut Vec<u8>, record: &impl Serialize) {
    end(lines);
    serde_json::to_writer(&mut *lines, record).expect("records are plain values with text keys");
    lines.push(b'\n');
}

/// Ends the last line, where it is not.
pub fn end(lines: &mut Vec<u8>) {
    if is_open(lines) {
        lines.push(b'\n');
    }
}

/// As [`end`], in a file that is open to read and to append.
///
/// # Errors
/// It can't be read or written.
pub fn end_file(file: &mut File) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if is_open(&last) { file.write_all(b"\n") } else { Ok(()) }
}

/// Tells whether the last line has no end.
#[must_use]
pub fn is_open(lines: &[u8]) -> bool {
    lines.last().is_some_and(|last| *last != b'\n')
}

/// Returns the lines that have an end, and what stands behind them.
#[must_use]
pub fn split(lines: &[u8]) -> (&[u8], &[u8]) {
    lines.split_at(lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_records_never_stand_on_one_line() {
        let mut lines = Vec::new();
        add(&mut lines, &1);
        add(&mut lines, &2);
        assert_eq!(lines, b"1\n2\n");
        assert_eq!(split(b"1\n2"), (&b"1\n"[..], &b"2"[..]));
        lines.pop();
        add(&mut lines, &3);
        assert_eq!(lines, b"1\n2\n3\n");
    }

    #[test]
    fn a_file_that_ends_within_a_line_is_ended_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        for (before, after) in [("", ""), ("a", "a\n"), ("a\n", "a\n")] {
            std::fs::write(&path, before).expect("written");
            let mut file = File::options().read(true).append(true).open(&path).expect("open");
            end_file(&mut file).expect("ended");
            assert_eq!(std::fs::read_to_string(&path).expect("read"), after);
        }
    }
}
