//! Messages over standard input and output: a header, an empty line, JSON. A length beyond reason ends the session before
//! anything is set aside for it; text that is no message is said to be none, and the next one is read.

use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lsp_server::{Connection, Message, Notification};
use serde_json::json;

/// Bytes of the largest message: more than any pipeline's text.
const LARGEST: u64 = 256 * 1024 * 1024;
/// Bytes of the longest line of a header.
const LONGEST: u64 = 8 * 1024;

/// The threads behind a connection.
pub struct Threads {
    reader: JoinHandle<()>,
    writer: JoinHandle<io::Result<()>>,
    fault: Fault,
}

/// What was against the protocol; it is there before the connection is seen to end.
type Fault = Arc<Mutex<Option<String>>>;

impl Threads {
    /// Waits for both. The reader ends with the client's goodbye or its input, the writer when nobody sends any more.
    ///
    /// # Errors
    /// What was against the protocol, or could not be written.
    pub fn join(self) -> Result<(), String> {
        let ended = |_| "a thread of the connection ended early".to_owned();
        self.reader.join().map_err(ended)?;
        self.writer.join().map_err(ended)?.map_err(|error| error.to_string())?;
        taken(&self.fault).map_or(Ok(()), Err)
    }

    /// Returns what the client did against the protocol, without waiting for it to go.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        taken(&self.fault)
    }
}

/// Connects to a client over `input` and `output`.
pub fn connect<R, W>(input: R, mut output: W) -> (Connection, Threads)
where
    R: FnOnce() -> Box<dyn BufRead> + Send + 'static,
    W: Write + Send + 'static,
{
    let (server, client) = Connection::memory();
    let Connection { sender: to_server, receiver: from_server } = client;
    let told = server.sender.clone();
    let writer = std::thread::spawn(move || from_server.iter().try_for_each(|message| message.write(&mut output)));
    let fault = Fault::default();
    let seen = fault.clone();
    let reader = std::thread::spawn(move || {
        if let Err(message) = pass_on(&mut *input(), &|it| to_server.send(it).is_ok(), &|it| told.send(it).is_ok()) {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        }
    });
    (server, Threads { reader, writer, fault })
}

fn taken(fault: &Fault) -> Option<String> {
    fault.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Tells whether somebody took a message.
type Take<'t> = dyn Fn(Message) -> bool + 't;

/// Passes messages on until the client says goodbye, its input ends or nobody listens.
fn pass_on(input: &mut dyn BufRead, to_server: &Take<'_>, to_client: &Take<'_>) -> Result<(), String> {
    while let Some(text) = frame(input)? {
        let message: Message = match serde_json::from_slice(&whole(text)) {
            Ok(message) => message,
            Err(error) => {
                let said = json!({ "type": 1, "message": format!("mlpc: a message that is none: {error}") });
                let said = Notification { method: "window/logMessage".to_owned(), params: said };
                if to_client(said.into()) {
                    continue;
                }
                return Ok(());
            }
        };
        let goodbye = matches!(&message, Message::Notification(notification) if notification.method == "exit");
        if !to_server(message) || goodbye {
            return Ok(());
        }
    }
    Ok(())
}

/// Returns a message with U+FFFD for each half of a pair of surrogates that stands alone, as one does while an editor takes a
/// character apart. It is one unit of UTF-16 too, and three bytes, so that places stay what they are.
fn whole(mut text: Vec<u8>) -> Vec<u8> {
    let unit = |text: &[u8], at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(found) = text[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match unit(&text, at) {
            Some(0xd800..=0xdbff) if matches!(unit(&text, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                text[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
            Some(_) => at += 6,
            // Another escape; a backslash that is one itself begins none.
            None => at = text.len().min(at + 2),
        }
    }
    text
}

/// Reads the text of one message; none at the end of the input.
fn frame(input: &mut dyn BufRead) -> Result<Option<Vec<u8>>, String> {
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.take(LONGEST).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(None);
        }
        if !line.ends_with(b"\n") {
            return Err(format!("a line of a header that is no header: more than {LONGEST} bytes, or cut off"));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            let value = value.trim();
            length = Some(value.parse::<u64>().map_err(|_| format!("`{value}` is no length of a message"))?);
        }
    }
    let length = length.ok_or("a header without `Content-Length`")?;
    if length > LARGEST {
        return Err(format!("a message of {length} bytes; at most {LARGEST} are read"));
    }
    // Grows with what comes, not with what was announced.
    let mut text = Vec::new();
    input.take(length).read_to_end(&mut text).map_err(|error| error.to_string())?;
    match text.len() as u64 == length {
        true => Ok(Some(text)),
        false => Err(format!("a message of {length} bytes was cut off after {}", text.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Vec<u8>>, String> {
        frame(&mut text.as_bytes())
    }

    #[test]
    fn lengths_beyond_reason_and_broken_frames_end_it_with_a_word() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("Content-Length: 2\r\n\r\n{}"), Ok(Some(b"{}".to_vec())));
        assert_eq!(read("content-length: 2\r\nContent-Type: x\r\n\r\n{}"), Ok(Some(b"{}".to_vec())));
        for bad in [
            "Content-Length: 18446744073709551615\r\n\r\n{}",
            "Content-Length: 9000000000\r\n\r\n{}",
            "Content-Length: -1\r\n\r\n{}",
            "Content-Length: 3\r\n\r\n{}",
            "Content-Type: x\r\n\r\n{}",
            &"x".repeat(9000),
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn half_a_pair_of_surrogates_is_one_character_of_its_own() {
        let cases = [
            (r#""\ud83d\ude00""#, "\u{1f600}"),
            (r#""a\uD83Db""#, "a\u{fffd}b"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ud83d\n\u0041""#, "\u{fffd}\nA"),
            (r#""\\ud83d \"\\""#, "\\ud83d \"\\"),
        ];
        for (text, value) in cases {
            let read: String = serde_json::from_slice(&whole(text.as_bytes().to_vec())).expect("JSON");
            assert_eq!(read, value, "{text}");
        }
        for broken in [r"\", r"\u", r"\ud8", r"\ud800\", r"\ud800\udc"] {
            assert_eq!(whole(broken.as_bytes().to_vec()).len(), broken.len());
        }
    }

    #[test]
    fn what_is_no_message_is_said_and_the_next_one_is_read() {
        let goodbye = r#"{"jsonrpc":"2.0","method":"exit"}"#;
        let text = format!("Content-Length: 1\r\n\r\n{{Content-Length: {}\r\n\r\n{goodbye}", goodbye.len());
        let (connection, threads) = connect(move || Box::new(io::Cursor::new(text)), io::sink());
        let first = connection.receiver.recv().expect("the next message");
        assert!(matches!(first, Message::Notification(notification) if notification.method == "exit"));
        drop(connection);
        assert_eq!(threads.join(), Ok(()));
    }
}
