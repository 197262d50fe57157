//! TLS settings of one side, the data nodes or the Sentinels.

use std::path::PathBuf;

use super::secret::Credentials;

/// How to speak TLS. Certificates are always verified: against `ca`, else the system's roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM file with the certificates to trust.
    pub ca: Option<PathBuf>,
    /// PEM file with our own certificate, for servers that ask for one.
    pub cert: Option<PathBuf>,
    /// PEM file with the key of `cert`.
    pub key: Option<PathBuf>,
    /// The name that must be in the server's certificate, instead of the address dialled.
    pub server_name: Option<String>,
}

/// How to introduce ourselves to the Sentinels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentinelLogin {
    /// Who we are; a seed's own credentials come first.
    pub credentials: Option<Credentials>,
    /// TLS, or `None` for plain TCP; a seed's own word comes first.
    pub tls: Option<Tls>,
}

/// How to introduce ourselves to the nodes that hold the data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataLogin {
    /// Who we are.
    pub credentials: Option<Credentials>,
    /// TLS, or `None` for plain TCP.
    pub tls: Option<Tls>,
    /// The database number.
    pub db: u32,
    /// The name shown by `CLIENT LIST`.
    pub client_name: Option<String>,
}
