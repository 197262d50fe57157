//! Where Redis is: behind Sentinels, or at one known place.

use super::address::{Address, Endpoint};
use super::secret::Credentials;
use std::fmt;

/// What to connect to.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A primary that Sentinels watch over.
    Sentinels {
        /// The Sentinels we were told of. Others are learned, these are never forgotten.
        seeds: Vec<Seed>,
        /// The name of the primary; `None` when the only one they watch is meant.
        primary: Option<String>,
    },
    /// One node, proxy or service address.
    Node(Endpoint),
}

/// For people: nothing of it is a secret.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(endpoint) => endpoint.fmt(f),
            Self::Sentinels { seeds, primary } => {
                let seeds: Vec<String> = seeds.iter().map(|it| it.address.to_string()).collect();
                let primary = primary.as_deref().unwrap_or("the only primary");
                write!(f, "{primary} at {}", seeds.join(","))
            }
        }
    }
}

/// One Sentinel we were told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Seed {
    /// Where it listens.
    pub address: Address,
    /// Credentials for this one, instead of those of all Sentinels.
    pub credentials: Option<Credentials>,
    /// Whether this one speaks TLS, where it differs from the others.
    pub tls: Option<bool>,
}

impl Seed {
    /// A Sentinel that is like the others.
    pub fn new(address: Address) -> Self {
        Self { address, credentials: None, tls: None }
    }
}
