//! Where Redis is: behind Sentinels, or at one known place.

use super::address::{Address, Endpoint};
use super::secret::Credentials;

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
