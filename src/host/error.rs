//! What the host answers when it fails us: what was being done, and the cause.

use std::fmt;
use std::io;
use std::path::Path;

/// A failure of the host, told in the voice of diagnostics.
#[derive(Debug)]
pub struct Error {
    message: String,
    cause: Option<io::Error>,
}

/// Shorthand for results of the host.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error without a cause of the operating system.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// Returns the kind of the operating system's error, if there is one.
    #[must_use]
    pub fn kind(&self) -> Option<io::ErrorKind> {
        self.cause.as_ref().map(io::Error::kind)
    }

    /// Tells whether this may not be written, by whom it runs as or by anybody.
    #[must_use]
    pub fn is_not_writable(&self) -> bool {
        matches!(self.kind(), Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem))
    }

    /// Tells whether the thing that was looked for is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind() == Some(io::ErrorKind::NotFound)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.cause {
            Some(cause) => write!(f, ": {}", reason(cause)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// Returns the operating system's reason, which begins in lower case unless its first word is an acronym, without its number.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let word = text.split(' ').next().unwrap_or_default();
    if word.chars().skip(1).any(char::is_uppercase) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Says what was being done when an operation of the operating system failed.
pub trait Context<T> {
    /// Wraps the error with "cannot `verb` `path`".
    fn cannot(self, verb: &str, path: &Path) -> Result<T>;
    /// Wraps the error with a message of its own.
    fn context(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for std::result::Result<T, E> {
    fn cannot(self, verb: &str, path: &Path) -> Result<T> {
        self.context(|| format!("cannot {verb} `{}`", path.display()))
    }

    fn context(self, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error { message: message(), cause: Some(cause.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_done_and_why_it_failed() {
        let error = std::fs::read("/nowhere/x").cannot("read", Path::new("x")).expect_err("no such file");
        assert_eq!(error.to_string(), "cannot read `x`: no such file or directory");
        assert!(error.is_not_found());
    }

    #[test]
    fn an_acronym_keeps_its_letters() {
        let told = |text: &str| reason(&io::Error::other(text.to_owned()));
        assert_eq!(told("EOF while parsing a value"), "EOF while parsing a value");
        assert_eq!(told("Is a directory (os error 21)"), "is a directory");
        assert_eq!(told("A b"), "a b");
    }
}
