//! What went wrong in the lab, in a sentence.

use std::fmt;

/// One sentence for the person at the keyboard or the author of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

/// The result of everything the lab does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that says `sentence`.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Says what was being done when the operating system refused.
pub(crate) trait Doing<T> {
    /// Turns the error into a sentence that begins with `what`.
    fn doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Error::new(format!("cannot {what}: {error}")))
    }
}
