//! A pipeline on its way: each of its commands is sent, sent again, or given up, in its order.

use super::outcomes::{Item, Outcomes};
use super::script;
use super::verdict::{maybe_executed, refused, too_late};
use super::{Batch, Job};
use crate::command::Wait;
use crate::config::Address;
use crate::error::Error;
use crate::policy::{self, Effect, Fate, Next};
use crate::proto::ledger::Span;
use crate::proto::read::{Frame, Reader};

/// The commands of a batch, and how far they have come.
#[derive(Debug)]
pub(super) struct Pipeline {
    batch: Batch,
    repeats_writes: bool,
    /// What came of each command so far.
    outcomes: Outcomes,
    /// What the request under way consists of, unless it is the whole batch.
    rest: Option<Rest>,
    answered: usize,
    /// The node that the request went to.
    node: Option<Address>,
}

/// The commands that have to be sent again.
#[derive(Debug)]
struct Rest {
    indices: Vec<usize>,
    bytes: Vec<u8>,
}

impl Pipeline {
    pub(super) fn new(batch: Batch, repeats_writes: bool) -> Self {
        let outcomes = Outcomes::open(batch.len());
        Self { batch, repeats_writes, outcomes, rest: None, answered: 0, node: None }
    }

    /// The commands of the next request.
    pub(super) fn bytes(&self) -> &[u8] {
        self.rest.as_ref().map_or(self.batch.bytes(), |rest| &rest.bytes)
    }

    pub(super) fn span(&self) -> Span {
        let Some(rest) = &self.rest else { return Span::Batch { ends: self.batch.ends() } };
        let mut end = 0;
        let ends = rest.indices.iter().map(|&index| {
            end += self.batch.bytes_of(index).len();
            end
        });
        Span::Batch { ends: ends.collect() }
    }

    /// How many commands the request under way has.
    fn len(&self) -> usize {
        self.rest.as_ref().map_or(self.batch.len(), |rest| rest.indices.len())
    }

    /// Which command of the batch comes at this place of the request under way.
    fn index(&self, place: usize) -> Option<usize> {
        match &self.rest {
            None => Some(place).filter(|&place| place < self.batch.len()),
            Some(rest) => rest.indices.get(place).copied(),
        }
    }

    /// What the next request may do, taken together.
    pub(super) fn effect(&self) -> Effect {
        match &self.rest {
            None => self.batch.effect(),
            Some(rest) => {
                let effects = rest.indices.iter().map(|&index| self.batch.encoded(index).effect);
                effects.max().unwrap_or(Effect::Reads)
            }
        }
    }

    /// The next request.
    pub(super) fn job(&self) -> Job<'_> {
        let (bytes, span, effect) = (self.bytes(), self.span(), self.effect());
        let on_replica = self.batch.on_replica();
        Job { bytes, span, effect, wait: Wait::No, on_replica, keeps_to: None }
    }

    /// The request is on its way to this node.
    pub(super) fn sent_to(&mut self, node: Option<&Address>) {
        self.node = node.cloned();
    }

    /// How many commands of the request have no reply yet.
    pub(super) fn unanswered(&self) -> usize {
        self.len() - self.answered
    }

    /// Takes the next reply. An error line in it is handed back for what it says of the node.
    pub(super) fn reply<'a>(&mut self, frame: Frame<'a>) -> Option<&'a [u8]> {
        let start = self.outcomes.frames.len();
        self.outcomes.frames.extend_from_slice(frame.bytes());
        self.note(frame, start)
    }

    /// Takes all replies of the request at once.
    pub(super) fn replies(&mut self, replies: &mut Vec<u8>) -> Option<Error> {
        let mut frames = std::mem::take(&mut self.outcomes.frames);
        let mut start = frames.len();
        // Those to the first request are all there is, as a rule, and need not be copied.
        if frames.is_empty() {
            std::mem::swap(&mut frames, replies);
        } else {
            frames.append(replies);
        }
        let mut reader = Reader::new(Frame::trusted(&frames[start..]));
        let mut refusal = None;
        while let Some(frame) = reader.next_frame() {
            refusal = self.note(frame, start).map(Error::server).or(refusal);
            start += frame.bytes().len();
        }
        self.outcomes.frames = frames;
        refusal
    }

    /// Notes the next reply, which is in the frames from `start` on.
    fn note<'a>(&mut self, frame: Frame<'a>, start: usize) -> Option<&'a [u8]> {
        let index = self.index(self.answered)?;
        self.answered += 1;
        let line = frame.error();
        self.outcomes.items[index] = match line {
            None => {
                let place = start..start + frame.bytes().len();
                Item::Reply(place, self.batch.encoded(index).shape)
            }
            Some(line) => self.refused(index, line),
        };
        line
    }

    /// What becomes of a command that the server answered with an error.
    fn refused(&mut self, index: usize, line: &[u8]) -> Item {
        let before = matches!(self.outcomes.items[index], Item::Open { may_have_run: true });
        if script::is_missing(line)
            && let Some(bytes) = self.batch.spelled_out(index)
        {
            self.batch.replace(index, bytes);
            return Item::Open { may_have_run: before };
        }
        let (job, error) = (self.batch.job(index), Error::server(line));
        match policy::after_error(job.effect, line, self.repeats_writes) {
            Next::Again => {
                let doubtful = policy::after_error(job.effect, line, false);
                Item::Open { may_have_run: before || doubtful == Next::MaybeExecuted }
            }
            Next::Deliver => Item::Failed(refused(line, job.name(), self.node.as_ref())),
            Next::MaybeExecuted => Item::Failed(maybe_executed(&job, self.node.as_ref(), &error)),
        }
    }

    /// The request was lost with these fates for what has no reply.
    pub(super) fn lost(&mut self, fates: &[Fate], reason: &Error) {
        for (place, &fate) in (self.answered..).zip(fates) {
            let Some(index) = self.index(place) else { return };
            let job = self.batch.job(index);
            if policy::after_loss(job.effect, fate, false) != Next::MaybeExecuted {
                continue;
            }
            self.outcomes.items[index] = if self.repeats_writes {
                Item::Open { may_have_run: true }
            } else {
                Item::Failed(maybe_executed(&job, self.node.as_ref(), reason))
            };
        }
    }

    /// Puts together the next request of what is still open. `false`: nothing is.
    pub(super) fn resume(&mut self) -> bool {
        let open = self.outcomes.items.iter().enumerate();
        let open = open.filter(|(_, item)| matches!(item, Item::Open { .. }));
        let indices: Vec<_> = open.map(|(index, _)| index).collect();
        let bytes = indices.iter().flat_map(|&index| self.batch.bytes_of(index)).copied();
        let bytes = bytes.collect();
        let is_any = !indices.is_empty();
        self.answered = 0;
        self.rest = Some(Rest { indices, bytes });
        is_any
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
        for (index, item) in self.outcomes.items.iter_mut().enumerate() {
            if let Item::Open { may_have_run } = *item {
                let job = self.batch.job(index);
                *item = Item::Failed(match may_have_run {
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

    /// The outcomes, once nothing is open.
    pub(super) fn finish(&mut self) -> Outcomes {
        std::mem::take(&mut self.outcomes)
    }
}
