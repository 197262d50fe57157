//! A pipeline on its way: each of its commands is sent, sent again, or given up, in its order.

use super::Job;
use super::verdict::{maybe_executed, too_late};
use crate::command;
use crate::error::{Error, Result};
use crate::policy::{self, Effect, Fate, Next};
use crate::proto::encode;
use crate::proto::ledger::Span;
use crate::proto::read::{Frame, Reader};
use crate::proto::reply::Reply;
use std::ops::Range;

/// Encoded commands that have nothing to do with each other.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    effects: Vec<Effect>,
}

impl Batch {
    /// Appends a command.
    pub fn push<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        encode::command(&mut self.bytes, args);
        self.ends.push(self.bytes.len());
        self.effects.push(command::effect(args));
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn bytes_of(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    fn job(&self, index: usize) -> Job<'_> {
        let bytes = self.bytes_of(index);
        Job { bytes, span: Span::Command { bytes: bytes.len() }, effect: self.effects[index] }
    }
}

#[derive(Debug, Clone)]
enum Item {
    /// Still to be executed; or once more, if it was sent and the caller agreed to repetitions.
    Open {
        may_have_run: bool,
    },
    /// Where in the frames its reply is.
    Reply(Range<usize>),
    Failed(Error),
}

impl Item {
    fn may_have_run(&self) -> bool {
        matches!(self, Item::Open { may_have_run: true })
    }
}

/// What came of each command, in order.
#[derive(Debug)]
pub struct Outcomes {
    frames: Vec<u8>,
    items: Vec<Item>,
}

impl Outcomes {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The reply of each command, or why there is none.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<Frame<'_>, &Error>> {
        self.items.iter().map(|item| match item {
            Item::Reply(range) => Ok(Frame::trusted(&self.frames[range.clone()])),
            Item::Failed(error) => Err(error),
            // A pipeline ends only when nothing is open.
            Item::Open { .. } => Ok(Frame::trusted(b"_\r\n")),
        })
    }

    pub fn into_replies(self) -> Vec<Result<Reply>> {
        let reply = |outcome: Result<Frame<'_>, &Error>| match outcome {
            Ok(frame) => Ok(Reply::from_frame(frame)),
            Err(error) => Err(error.clone()),
        };
        self.iter().map(reply).collect()
    }
}

/// The commands of a batch, and how far they have come.
#[derive(Debug)]
pub(super) struct Pipeline {
    batch: Batch,
    repeats_writes: bool,
    outcomes: Outcomes,
    /// The commands of the request under way, and its bytes unless it is the whole batch.
    sent: Vec<usize>,
    bytes: Option<Vec<u8>>,
    answered: usize,
}

impl Pipeline {
    pub(super) fn new(batch: Batch, repeats_writes: bool) -> Self {
        let sent = (0..batch.len()).collect();
        let items = vec![Item::Open { may_have_run: false }; batch.len()];
        let outcomes = Outcomes { frames: Vec::new(), items };
        Self { batch, repeats_writes, outcomes, sent, bytes: None, answered: 0 }
    }

    /// The commands of the next request.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(&self.batch.bytes)
    }

    pub(super) fn span(&self) -> Span {
        let mut end = 0;
        let ends = self.sent.iter().map(|&index| {
            end += self.batch.bytes_of(index).len();
            end
        });
        Span::Batch { ends: ends.collect() }
    }

    /// What the next request may do, taken together.
    pub(super) fn effect(&self) -> Effect {
        let effects = self.sent.iter().map(|&index| self.batch.effects[index]);
        effects.max().unwrap_or(Effect::Reads)
    }

    /// How many commands of the request have no reply yet.
    pub(super) fn unanswered(&self) -> usize {
        self.sent.len() - self.answered
    }

    /// Takes the next reply. An error line in it is handed back for what it says of the node.
    pub(super) fn reply<'a>(&mut self, frame: Frame<'a>) -> Option<&'a [u8]> {
        let &index = self.sent.get(self.answered)?;
        self.answered += 1;
        let line = frame.error();
        self.outcomes.items[index] = match line {
            None => {
                let start = self.outcomes.frames.len();
                self.outcomes.frames.extend_from_slice(frame.bytes());
                Item::Reply(start..self.outcomes.frames.len())
            }
            Some(line) => {
                let (job, error) = (self.batch.job(index), Error::server(line));
                match policy::after_error(job.effect, line, self.repeats_writes) {
                    Next::Again => {
                        let doubtful = policy::after_error(job.effect, line, false);
                        let before = self.outcomes.items[index].may_have_run();
                        Item::Open { may_have_run: before || doubtful == Next::MaybeExecuted }
                    }
                    Next::Deliver => Item::Failed(error.during(job.name())),
                    Next::MaybeExecuted => Item::Failed(maybe_executed(&job, None, &error)),
                }
            }
        };
        line
    }

    /// Takes all replies of the request at once.
    pub(super) fn replies(&mut self, frames: &[u8]) -> Option<Error> {
        let mut reader = Reader::new(Frame::trusted(frames));
        let mut refusal = None;
        while let Some(frame) = reader.next_frame() {
            refusal = self.reply(frame).map(Error::server).or(refusal);
        }
        refusal
    }

    /// The request was lost with these fates for what has no reply.
    pub(super) fn lost(&mut self, fates: &[Fate], reason: &Error, address: Option<&str>) {
        for (&index, &fate) in self.sent[self.answered..].iter().zip(fates) {
            let job = self.batch.job(index);
            if policy::after_loss(job.effect, fate, false) != Next::MaybeExecuted {
                continue;
            }
            self.outcomes.items[index] = if self.repeats_writes {
                Item::Open { may_have_run: true }
            } else {
                Item::Failed(maybe_executed(&job, address.map(str::to_owned), reason))
            };
        }
    }

    /// Puts together the next request of what is still open. `false`: nothing is.
    pub(super) fn resume(&mut self) -> bool {
        self.answered = 0;
        let is_open = |index: &usize| matches!(self.outcomes.items[*index], Item::Open { .. });
        self.sent = (0..self.batch.len()).filter(is_open).collect();
        let bytes = self.sent.iter().flat_map(|&index| self.batch.bytes_of(index)).copied();
        self.bytes = Some(bytes.collect());
        !self.sent.is_empty()
    }

    /// The deadline has passed for what is open.
    pub(super) fn expire(&mut self, reason: &Error) {
        self.give_up(reason, |job| too_late(job, reason));
    }

    /// What is open failed for the same reason.
    pub(super) fn fail(&mut self, error: &Error) {
        self.give_up(error, |job| error.clone().during(job.name()));
    }

    fn give_up(&mut self, reason: &Error, unexecuted: impl Fn(&Job<'_>) -> Error) {
        for index in 0..self.batch.len() {
            if let Item::Open { may_have_run } = self.outcomes.items[index] {
                let job = self.batch.job(index);
                self.outcomes.items[index] = Item::Failed(match may_have_run {
                    true => maybe_executed(&job, None, reason),
                    false => unexecuted(&job),
                });
            }
        }
    }

    /// Whether any command has an outcome, or may have run without one.
    pub(super) fn has_begun(&self) -> bool {
        self.outcomes.items.iter().any(|item| !matches!(item, Item::Open { may_have_run: false }))
    }

    pub(super) fn finish(self) -> Outcomes {
        self.outcomes
    }

    pub(super) fn take(&mut self) -> Outcomes {
        let empty = Outcomes { frames: Vec::new(), items: Vec::new() };
        std::mem::replace(&mut self.outcomes, empty)
    }
}
