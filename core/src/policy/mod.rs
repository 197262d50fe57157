//! What may be sent again after what. Pure: no I/O, no clock.
//!
//! The rule behind every line here: a command goes out a second time only when it provably did
//! not run the first time, when it only reads, or when the caller asked for it.

/// Error words with which a server (or a proxy in front of it) says that it did not run the
/// command. An error from inside a script proves nothing, whatever its first word.
pub(crate) fn refused_unexecuted(code: &str) -> bool {
    matches!(
        code,
        "READONLY" | "LOADING" | "MASTERDOWN" | "NOREPLICAS" | "CLUSTERDOWN" | "TRYAGAIN"
    )
}
