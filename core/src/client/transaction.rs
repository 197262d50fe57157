//! MULTI … EXEC as one request: its commands run together or not at all.

use super::Job;
use crate::command;
use crate::error::{Error, Kind, Result};
use crate::policy::Effect;
use crate::proto::encode;
use crate::proto::ledger::Span;
use crate::proto::read::{Frame, Reader};
use crate::proto::reply::Reply;

/// An encoded transaction.
#[derive(Debug)]
pub(crate) struct Transaction<'a, A> {
    commands: &'a [Vec<A>],
    bytes: Vec<u8>,
    effect: Effect,
}

impl<'a, A: AsRef<[u8]>> Transaction<'a, A> {
    pub(crate) fn new(commands: &'a [Vec<A>]) -> Self {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, &["MULTI"]);
        let mut effect = Effect::Reads;
        for args in commands {
            encode::command(&mut bytes, args);
            effect = effect.max(command::effect(args));
        }
        encode::command(&mut bytes, &["EXEC"]);
        Self { commands, bytes, effect }
    }

    pub(crate) fn job(&self) -> Job<'_> {
        let span = Span::Unit { bytes: self.bytes.len(), replies: self.commands.len() + 2 };
        Job { bytes: &self.bytes, span, effect: self.effect }
    }

    /// The reply of each command, out of those of the whole.
    pub(crate) fn outcome(&self, frames: &[u8]) -> Result<Vec<Reply>> {
        let mut reader = Reader::new(Frame::trusted(frames));
        let mut refused = None;
        for args in std::iter::once(None).chain(self.commands.iter().map(Some)) {
            let line = reader.next_frame().and_then(Frame::error);
            if let (Some(line), Some(args), None) = (line, args, &refused) {
                refused = Some(Error::server(line).during(command::name(args)));
            }
        }
        match Reply::next(&mut reader) {
            Some(Reply::List(replies)) => Ok(replies),
            Some(Reply::Error(line)) => {
                Err(refused.unwrap_or_else(|| Error::server(&line).during("EXEC")))
            }
            _ => Err(Error::new(Kind::Internal, "EXEC answered in an unknown way")),
        }
    }
}
