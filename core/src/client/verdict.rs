//! What a caller is told when there is no good reply. The same words for all kinds of client.

use super::Job;
use crate::config::{Address, Config, Target};
use crate::error::{Error, Kind};
use crate::policy::Effect;
use crate::proto::handshake::Role;
use crate::proto::ledger::Span;
use crate::proto::read::{Frame, Reader};
use crate::topology::{Phase, Sentinel, Topology};
use std::time::Duration;

/// The error line that decides about the whole. In a transaction it is that of EXEC, or what
/// EXEC only alludes to: the reason why the first command was not even queued.
pub(super) fn refusal<'a>(span: &Span, frames: &'a [u8]) -> Option<&'a [u8]> {
    let whole = Frame::trusted(frames);
    if matches!(span, Span::Command { .. }) {
        return whole.error();
    }
    let mut reader = Reader::new(whole);
    let replies: Vec<_> = std::iter::from_fn(|| reader.next_frame()).collect();
    let last = replies.last()?.error()?;
    let first = replies.iter().find_map(|reply| reply.error());
    if last.starts_with(b"EXECABORT") { first } else { Some(last) }
}

/// A write was sent, and what became of it is unknown.
pub(super) fn maybe_executed(job: &Job<'_>, node: Option<&Address>, reason: &Error) -> Error {
    let message =
        format!("sent, but never answered, so it may have run or not: {}", reason.message());
    let mut error = Error::new(Kind::MaybeExecuted, message);
    if let Some(code) = reason.code() {
        error = error.with_code(code);
    }
    at(error.during(job.name()), node)
}

/// The server's own error, and whose it was.
pub(super) fn refused(line: &[u8], command: String, node: Option<&Address>) -> Error {
    at(Error::server(line).during(command), node)
}

fn at(error: Error, node: Option<&Address>) -> Error {
    match node {
        Some(node) => error.at(node),
        None => error,
    }
}

/// The deadline has passed, and the command did not run.
pub(super) fn too_late(job: &Job<'_>, reason: &Error) -> Error {
    let kind = if job.effect == Effect::Reads { Kind::Timeout } else { Kind::Unavailable };
    let error = match reason.code() {
        // The server has said why, again and again.
        Some(_) => reason.clone(),
        None => Error::new(kind, format!("not executed before the deadline: {}", reason.message())),
    };
    error.during(job.name())
}

/// Nobody was found in time, and why.
pub(crate) fn unavailable(
    config: &Config,
    topology: &Topology,
    heard: &[(Address, Duration)],
    reason: Option<&Error>,
) -> Error {
    let say = |Sentinel { address, says, .. }: &Sentinel| {
        let ago = heard.iter().find(|(who, _)| who == address);
        let ago =
            ago.map_or(String::new(), |(_, ago)| format!(" ({:.1} s ago)", ago.as_secs_f64()));
        format!("{address} says {says}{ago}")
    };
    let mut said: Vec<String> = topology.sentinels.iter().map(say).collect();
    said.extend(topology.reason.clone().or_else(|| reason.map(ToString::to_string)));
    let who = match &config.target {
        Target::Sentinels { primary: Some(name), .. } => format!("no primary {name:?}"),
        Target::Sentinels { primary: None, .. } => "no primary".to_owned(),
        Target::Node(endpoint) => format!("{endpoint} is no primary"),
    };
    let named = matches!(config.target, Target::Sentinels { .. }) && topology.reason.is_some();
    if named && topology.epoch == 0 && config.address_map.is_empty() {
        said.push(
            "if the address that they name leads nowhere from here, say how to reach it (option \
             address_map, REDIS_ADDRESS_MAP)"
                .to_owned(),
        );
    }
    let what = match topology.phase {
        Phase::Fenced => " (a failover is under way)",
        _ => "",
    };
    let message = format!("{who} before the deadline{what}: {}", said.join("; "));
    Error::new(Kind::Unavailable, message)
}

/// It is no replica, or one without a link to its primary.
pub(super) fn unfit(node: impl std::fmt::Display, role: &Role) -> Error {
    let why = match role {
        Role::Replica { .. } => "has lost its link to the primary".to_owned(),
        other => format!("is no replica but a {}", other.name()),
    };
    Error::new(Kind::Unavailable, format!("{node} {why}"))
}

/// Connected, and then nothing.
pub(super) fn mute() -> Error {
    Error::new(Kind::Unavailable, "connected, but the handshake got no answer in time")
}

pub(super) fn overdue() -> Error {
    Error::new(Kind::Timeout, "no reply in time")
}

/// A command may wait on the server, but this one has gone.
pub(super) fn silent() -> Error {
    Error::new(Kind::Timeout, "the server has fallen silent")
}

pub(super) fn unwatched() -> Error {
    Error::new(Kind::Unavailable, "the connection that watched the keys is gone")
}

pub(super) fn full(most: usize) -> Error {
    let message = format!("{most} commands wait for replies already (option max_in_flight)");
    Error::new(Kind::Busy, message)
}

pub(super) fn waiting_room_full(count: usize, bytes: usize) -> Error {
    let message = format!(
        "{count} commands of {bytes} bytes wait for a primary already (options max_held, \
         max_held_bytes)"
    );
    Error::new(Kind::Busy, message)
}

/// The host has ended the wait, and knows why.
pub(crate) fn interrupted() -> Error {
    Error::new(Kind::Unavailable, "the wait was interrupted")
}

pub(super) fn closed() -> Error {
    Error::new(Kind::Closed, "the client is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decides(replies: &[u8]) -> Option<&[u8]> {
        refusal(&Span::Unit { bytes: 0, replies: 3 }, replies)
    }

    #[test]
    fn a_transaction_is_refused_for_what_kept_its_commands_from_the_queue() {
        let discarded = b"+OK\r\n-READONLY no\r\n-EXECABORT Transaction discarded because of previous errors.\r\n";
        assert_eq!(decides(discarded), Some(b"READONLY no".as_slice()));
        // MULTI was refused, so its commands ran one by one.
        let apart = b"-NOPERM no\r\n:1\r\n-ERR EXEC without MULTI\r\n";
        assert_eq!(decides(apart), Some(b"ERR EXEC without MULTI".as_slice()));
        assert_eq!(decides(b"+OK\r\n+QUEUED\r\n*1\r\n-READONLY said a script\r\n"), None);
    }
}
