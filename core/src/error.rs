//! One error type, ten kinds. A kind answers "what do I do now?"; the message says what happened.

use std::fmt;

/// What a caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Settings are wrong or missing: fix the one the message names.
    Config,
    /// The call is wrong, in its arguments or its moment: fix the call.
    Usage,
    /// No verified primary within the deadline; the command did not run: try again later.
    Unavailable,
    /// The deadline passed before the command was sent, or while it only read; no write ran.
    Timeout,
    /// A write was sent and its answer never came: look, or repeat it if that does no harm.
    MaybeExecuted,
    /// Credentials or rights were refused; the message says by which side.
    Auth,
    /// The server's own error, word for word.
    Server,
    /// One of our limits is reached: slow down.
    Busy,
    /// The client was closed.
    Closed,
    /// A mistake of ours; the process lives on: report it.
    Internal,
}

impl Kind {
    pub const ALL: [Kind; 10] = [
        Kind::Config,
        Kind::Usage,
        Kind::Unavailable,
        Kind::Timeout,
        Kind::MaybeExecuted,
        Kind::Auth,
        Kind::Server,
        Kind::Busy,
        Kind::Closed,
        Kind::Internal,
    ];

    /// The name that every language uses for this kind.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Config => "Config",
            Kind::Usage => "Usage",
            Kind::Unavailable => "Unavailable",
            Kind::Timeout => "Timeout",
            Kind::MaybeExecuted => "MaybeExecuted",
            Kind::Auth => "Auth",
            Kind::Server => "Server",
            Kind::Busy => "Busy",
            Kind::Closed => "Closed",
            Kind::Internal => "Internal",
        }
    }
}

/// What went wrong, where, and whether the command can have run all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Details>);

#[derive(Clone, PartialEq, Eq)]
struct Details {
    kind: Kind,
    message: String,
    code: Option<String>,
    command: Option<String>,
    address: Option<String>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            message: message.into(),
            code: None,
            command: None,
            address: None,
        }))
    }

    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The server's error line without its leading `-`. The first word is its code; lines
    /// about credentials and rights are [`Kind::Auth`], the others [`Kind::Server`].
    pub fn server(line: &[u8]) -> Self {
        let message = String::from_utf8_lossy(line).into_owned();
        let word = message.split(' ').next().unwrap_or_default();
        let is_code = !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        let code = is_code.then(|| word.to_owned());
        let kind = match code.as_deref() {
            Some("NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED") => Kind::Auth,
            _ => Kind::Server,
        };
        let mut error = Self::new(kind, message);
        error.0.code = code;
        error
    }

    #[must_use]
    pub fn at(mut self, address: impl fmt::Display) -> Self {
        self.0.address = Some(address.to_string());
        self
    }

    #[must_use]
    pub fn during(mut self, command: impl Into<String>) -> Self {
        self.0.command = Some(command.into());
        self
    }

    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server's code word (`WRONGTYPE`, `READONLY`, …), if the server said one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The command that failed, by name only: arguments can be secrets.
    pub fn command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// The node that it concerns.
    pub fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The same call can succeed later, and calling it again cannot execute a write twice.
    pub fn retryable(&self) -> bool {
        match self.0.kind {
            Kind::Unavailable | Kind::Timeout | Kind::Busy => true,
            Kind::Server => self.code().is_some_and(crate::policy::refused_unexecuted),
            _ => false,
        }
    }

    pub fn maybe_executed(&self) -> bool {
        self.0.kind == Kind::MaybeExecuted
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match (&self.0.command, &self.0.address) {
            (Some(command), Some(address)) => write!(f, " ({command} at {address})"),
            (Some(command), None) => write!(f, " ({command})"),
            (None, Some(address)) => write!(f, " (at {address})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.kind.name())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_lines_keep_their_words() {
        let error = Error::server(b"WRONGTYPE Operation against a key holding the wrong kind");
        assert_eq!((error.kind(), error.code()), (Kind::Server, Some("WRONGTYPE")));
        assert_eq!(error.message(), "WRONGTYPE Operation against a key holding the wrong kind");
        assert!(!error.retryable());
        assert!(Error::server(b"LOADING Redis is loading the dataset in memory").retryable());
        assert_eq!(Error::server(b"WRONGPASS invalid username-password pair").kind(), Kind::Auth);
    }

    #[test]
    fn a_line_without_a_code_word_has_no_code() {
        assert_eq!(Error::server(b"value is not an integer").code(), None);
        assert_eq!(Error::server(b"").code(), None);
        assert_eq!(Error::server(b"\xff\xfe broken").message(), "\u{fffd}\u{fffd} broken");
    }

    #[test]
    fn display_names_command_and_node() {
        let error = Error::usage("SET takes a key and a value").during("SET").at("10.0.0.1:6379");
        assert_eq!(error.to_string(), "SET takes a key and a value (SET at 10.0.0.1:6379)");
    }
}
