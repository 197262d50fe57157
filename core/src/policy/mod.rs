//! What may be sent again after what. Pure: no I/O, no clock.
//!
//! The rule behind every line here: a command goes out a second time only when it provably did
//! not run the first time, when it only reads, or when the caller asked for it.

#![forbid(unsafe_code)]

mod backoff;

pub use crate::proto::ledger::Fate;
pub use backoff::Backoff;

/// What a command does to the data, as far as sending it again is concerned.
///
/// In this order: of several commands that run together, the last one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Changes nothing: asking again does no harm.
    Reads,
    /// Changes something, or may.
    Writes,
    /// Runs code on the server: whatever error text it answers may have been made up by that
    /// code after it wrote.
    Runs,
}

/// What a failure says about the node, besides what it says about the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    None,
    /// It could not be reached.
    Unreachable,
    /// It is not the primary.
    NotPrimary,
    /// It has not answered in time.
    Overdue,
}

/// What to do with a command that has no good reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send it to the verified primary, within its deadline.
    Again,
    /// Tell the caller that it may have run.
    MaybeExecuted,
    /// Hand the server's error to the caller.
    Deliver,
}

/// The connection was lost, or given up on, before the reply came.
pub fn after_loss(effect: Effect, fate: Fate, repeat_writes: bool) -> Next {
    match effect {
        Effect::Reads => Next::Again,
        _ if !fate.unknown() || repeat_writes => Next::Again,
        _ => Next::MaybeExecuted,
    }
}

/// The server answered with an error line (without its `-`).
pub fn after_error(effect: Effect, line: &[u8], repeat_writes: bool) -> Next {
    let Some(refusal) = Refusal::of(line) else {
        return Next::Deliver;
    };
    match effect {
        Effect::Reads | Effect::Writes => Next::Again,
        Effect::Runs if refusal.before_running(line) || repeat_writes => Next::Again,
        Effect::Runs => Next::MaybeExecuted,
    }
}

/// Whether this error line says that the node is not, or not now, the primary to write to.
pub fn doubts_primary(line: &[u8]) -> bool {
    matches!(
        Refusal::of(line),
        Some(Refusal::ReadOnly | Refusal::MasterDown | Refusal::NoReplicas | Refusal::Unblocked)
    )
}

/// Whether an error with this code word proves that the command did not run.
pub(crate) fn refused_unexecuted(code: &str) -> bool {
    Refusal::named(code.as_bytes()).is_some()
}

/// Words with which a server, or a proxy in front of it, refuses a command unexecuted and for
/// reasons that pass: a failover, a restart, replicas out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    ReadOnly,
    Loading,
    MasterDown,
    NoReplicas,
    ClusterDown,
    TryAgain,
    Unblocked,
}

impl Refusal {
    fn of(line: &[u8]) -> Option<Self> {
        // A refused transaction carries the refusal of its EXEC as the reason.
        const ABORTED: &[u8] = b"EXECABORT Transaction discarded because of: ";
        let line = line.strip_prefix(ABORTED).unwrap_or(line);
        Self::named(line.split(|&b| b == b' ').next().unwrap_or_default())
    }

    fn named(code: &[u8]) -> Option<Self> {
        Some(match code {
            b"READONLY" => Self::ReadOnly,
            b"LOADING" => Self::Loading,
            b"MASTERDOWN" => Self::MasterDown,
            b"NOREPLICAS" => Self::NoReplicas,
            b"CLUSTERDOWN" => Self::ClusterDown,
            b"TRYAGAIN" => Self::TryAgain,
            b"UNBLOCKED" => Self::Unblocked,
            _ => return None,
        })
    }

    /// The server's own words for "I did not even start this script". Anything else may have
    /// been said by the script, after whatever it did.
    fn before_running(self, line: &[u8]) -> bool {
        match self {
            Self::Loading => line == b"LOADING Redis is loading the dataset in memory",
            Self::MasterDown => line.starts_with(b"MASTERDOWN Link with MASTER is down and"),
            Self::ReadOnly => {
                line == b"READONLY You can not run script with write flag on readonly replica."
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READONLY: &[u8] = b"READONLY You can't write against a read only replica.";

    #[test]
    fn only_an_unknown_fate_of_a_write_reaches_the_caller() {
        for fate in [Fate::NotSent, Fate::PartlySent, Fate::Sent] {
            assert_eq!(after_loss(Effect::Reads, fate, false), Next::Again);
            assert_eq!(after_loss(Effect::Writes, fate, true), Next::Again);
        }
        for effect in [Effect::Writes, Effect::Runs] {
            assert_eq!(after_loss(effect, Fate::NotSent, false), Next::Again);
            assert_eq!(after_loss(effect, Fate::PartlySent, false), Next::Again);
            assert_eq!(after_loss(effect, Fate::Sent, false), Next::MaybeExecuted);
        }
    }

    #[test]
    fn refusals_are_known_by_name_and_nothing_else_is_one() {
        for word in ["READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "UNBLOCKED"] {
            let line = format!("{word} whatever the version says");
            assert_eq!(after_error(Effect::Writes, line.as_bytes(), false), Next::Again, "{word}");
        }
        for line in
            ["WRONGTYPE Operation", "ERR READONLY", "OOM command", "MISCONF", "", "readonly x"]
        {
            let next = after_error(Effect::Writes, line.as_bytes(), true);
            assert_eq!(next, Next::Deliver, "{line}");
        }
    }

    #[test]
    fn an_error_from_inside_a_script_proves_nothing() {
        let raised = [READONLY, b" script: 21fed, on @user_script:1."].concat();
        for line in [
            READONLY,
            &raised,
            b"LOADING said the script",
            b"NOREPLICAS Not enough good replicas to write.",
        ] {
            assert_eq!(after_error(Effect::Runs, line, false), Next::MaybeExecuted);
            assert_eq!(after_error(Effect::Runs, line, true), Next::Again);
        }
        let refused = b"LOADING Redis is loading the dataset in memory";
        assert_eq!(after_error(Effect::Runs, refused, false), Next::Again);
    }

    #[test]
    fn a_transaction_refused_as_a_whole_did_not_run() {
        let line = b"EXECABORT Transaction discarded because of: READONLY You can't write";
        assert_eq!(after_error(Effect::Writes, line, false), Next::Again);
        let line = b"EXECABORT Transaction discarded because of previous errors.";
        assert_eq!(after_error(Effect::Writes, line, false), Next::Deliver);
        assert!(doubts_primary(READONLY) && !doubts_primary(b"LOADING Redis is loading"));
    }
}
