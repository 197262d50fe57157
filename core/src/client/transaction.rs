//! MULTI … EXEC as one request: its commands run together or not at all.

use super::outcomes::Outcomes;
use super::verdict::refused;
use super::{Batch, Job};
use crate::command::Wait;
use crate::config::Address;
use crate::error::{Error, Kind, Result};
use crate::policy::Effect;
use crate::proto::ledger::Span;
use crate::proto::read::{Frame, Reader};

/// A batch, enclosed in MULTI and EXEC.
#[derive(Debug)]
pub(crate) struct Transaction {
    batch: Batch,
    bytes: Vec<u8>,
}

impl Transaction {
    pub(crate) fn new(mut batch: Batch) -> Self {
        let bytes = batch.enclosed();
        Self { batch, bytes }
    }

    pub(crate) fn job(&self) -> Job<'_> {
        let span = Span::Unit { bytes: self.bytes.len(), replies: self.batch.len() + 2 };
        let effect = self.batch.effect();
        // Nothing blocks inside a transaction; and replicas run transactions too, but the word
        // EXEC says no more of that.
        let on_replica = effect == Effect::Reads && self.batch.on_replica();
        Job { bytes: &self.bytes, span, effect, wait: Wait::No, on_replica, keeps_to: None }
    }

    /// What came of each command, out of the replies to the whole. `None`: a watched key had
    /// changed, and nothing ran.
    pub(crate) fn outcome(
        &self,
        frames: &[u8],
        node: Option<&Address>,
    ) -> Result<Option<Outcomes>> {
        let mut reader = Reader::new(Frame::trusted(frames));
        let name = |index| self.batch.job(index).name();
        let mut unqueued = None;
        reader.next_frame();
        for index in 0..self.batch.len() {
            let line = reader.next_frame().and_then(Frame::error);
            if let (Some(line), None) = (line, &unqueued) {
                unqueued = Some(refused(line, name(index), node));
            }
        }
        let Some(exec) = reader.next_frame() else { return Err(unreadable()) };
        if let Some(line) = exec.error() {
            return Err(unqueued.unwrap_or_else(|| refused(line, "EXEC".to_owned(), node)));
        }
        let Some((_, mut parts)) = exec.parts() else { return Ok(None) };
        let mut outcomes = Outcomes::default();
        for index in 0..self.batch.len() {
            let frame = parts.next_frame().ok_or_else(unreadable)?;
            match frame.error() {
                None => outcomes.push_reply(frame, self.batch.encoded(index).shape),
                Some(line) => outcomes.push_error(refused(line, name(index), node)),
            }
        }
        Ok(Some(outcomes))
    }
}

fn unreadable() -> Error {
    Error::new(Kind::Internal, "EXEC answered in an unknown way")
}
