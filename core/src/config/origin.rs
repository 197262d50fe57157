//! Where a setting came from: the answer of `explain`, and the subject of error messages.

use std::fmt;
use std::path::PathBuf;

/// The source of one setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// An option, under the name it was given by.
    Option(String),
    /// A part of the `url` argument.
    Url,
    /// An environment variable.
    Variable(String),
    /// A part of the URL in an environment variable.
    UrlVariable(String),
    /// The file that an environment variable names.
    File {
        /// The variable, ending in `_FILE`.
        variable: String,
        /// The file.
        path: PathBuf,
    },
    /// Another option, whose value this one takes while it is unset.
    Same(&'static str),
}

impl Origin {
    /// The subject of a sentence about the option `name` from here.
    pub(super) fn subject(&self, name: &str) -> String {
        match self {
            Self::Default | Self::Same(_) => name.to_owned(),
            Self::Option(_) | Self::Variable(_) | Self::File { .. } => self.to_string(),
            Self::Url | Self::UrlVariable(_) => format!("{name} in {self}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Option(name) => write!(f, "the option {name}"),
            Self::Url => f.write_str("the url argument"),
            Self::Variable(name) | Self::UrlVariable(name) => f.write_str(name),
            Self::File { variable, path } => write!(f, "{variable} ({})", path.display()),
            Self::Same(name) => write!(f, "as {name}"),
        }
    }
}
