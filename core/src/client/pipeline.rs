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

#[derive(Debug)]
enum State {
    /// Still to be executed; or once more, if it was sent and the caller agreed to repetitions.
    Open {
        may_have_run: bool,
    },
    Done(Item),
}

impl State {
    fn may_have_run(&self) -> bool {
        matches!(self, State::Open { may_have_run: true })
    }
}

/// The commands of a batch, and how far they have come.
#[derive(Debug)]
pub(super) struct Pipeline {
    batch: Batch,
    repeats_writes: bool,
    states: Vec<State>,
    /// The replies so far.
    frames: Vec<u8>,
    /// The commands of the request under way, and its bytes unless it is the whole batch.
    sent: Vec<usize>,
    bytes: Option<Vec<u8>>,
    answered: usize,
    /// The node that the request went to.
    node: Option<Address>,
}

impl Pipeline {
    pub(super) fn new(batch: Batch, repeats_writes: bool) -> Self {
        let sent = (0..batch.len()).collect();
        let states = (0..batch.len()).map(|_| State::Open { may_have_run: false }).collect();
        let (frames, bytes, node) = (Vec::new(), None, None);
        Self { batch, repeats_writes, states, frames, sent, bytes, answered: 0, node }
    }

    /// The commands of the next request.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.batch.bytes())
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
        let effects = self.sent.iter().map(|&index| self.batch.encoded(index).effect);
        effects.max().unwrap_or(Effect::Reads)
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
        self.sent.len() - self.answered
    }

    /// Takes the next reply. An error line in it is handed back for what it says of the node.
    pub(super) fn reply<'a>(&mut self, frame: Frame<'a>) -> Option<&'a [u8]> {
        let start = self.frames.len();
        self.frames.extend_from_slice(frame.bytes());
        self.note(frame, start)
    }

    /// Takes all replies of the request at once.
    pub(super) fn replies(&mut self, replies: &mut Vec<u8>) -> Option<Error> {
        let mut start = self.frames.len();
        // Those to the first request are all there is, as a rule, and need not be copied.
        let frames = match start {
            0 => std::mem::take(replies),
            _ => [std::mem::take(&mut self.frames), std::mem::take(replies)].concat(),
        };
        let mut reader = Reader::new(Frame::trusted(&frames[start..]));
        let mut refusal = None;
        while let Some(frame) = reader.next_frame() {
            refusal = self.note(frame, start).map(Error::server).or(refusal);
            start += frame.bytes().len();
        }
        self.frames = frames;
        refusal
    }

    /// Notes the next reply, which is in the frames from `start` on.
    fn note<'a>(&mut self, frame: Frame<'a>, start: usize) -> Option<&'a [u8]> {
        let &index = self.sent.get(self.answered)?;
        self.answered += 1;
        let line = frame.error();
        self.states[index] = match line {
            None => {
                let place = start..start + frame.bytes().len();
                State::Done(Item::Reply(place, self.batch.encoded(index).shape))
            }
            Some(line) => self.refused(index, line),
        };
        line
    }

    /// What becomes of a command that the server answered with an error.
    fn refused(&mut self, index: usize, line: &[u8]) -> State {
        let before = self.states[index].may_have_run();
        if script::is_missing(line)
            && let Some(bytes) = self.batch.spelled_out(index)
        {
            self.batch.replace(index, bytes);
            return State::Open { may_have_run: before };
        }
        let (job, error) = (self.batch.job(index), Error::server(line));
        match policy::after_error(job.effect, line, self.repeats_writes) {
            Next::Again => {
                let doubtful = policy::after_error(job.effect, line, false);
                State::Open { may_have_run: before || doubtful == Next::MaybeExecuted }
            }
            Next::Deliver => {
                State::Done(Item::Failed(refused(line, job.name(), self.node.as_ref())))
            }
            Next::MaybeExecuted => {
                State::Done(Item::Failed(maybe_executed(&job, self.node.as_ref(), &error)))
            }
        }
    }

    /// The request was lost with these fates for what has no reply.
    pub(super) fn lost(&mut self, fates: &[Fate], reason: &Error) {
        for (&index, &fate) in self.sent[self.answered..].iter().zip(fates) {
            let job = self.batch.job(index);
            if policy::after_loss(job.effect, fate, false) != Next::MaybeExecuted {
                continue;
            }
            self.states[index] = if self.repeats_writes {
                State::Open { may_have_run: true }
            } else {
                State::Done(Item::Failed(maybe_executed(&job, self.node.as_ref(), reason)))
            };
        }
    }

    /// Puts together the next request of what is still open. `false`: nothing is.
    pub(super) fn resume(&mut self) -> bool {
        self.answered = 0;
        let is_open = |index: &usize| matches!(self.states[*index], State::Open { .. });
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
            if let State::Open { may_have_run } = self.states[index] {
                let job = self.batch.job(index);
                self.states[index] = State::Done(Item::Failed(match may_have_run {
                    true => maybe_executed(&job, None, reason),
                    false => unexecuted(&job),
                }));
            }
        }
    }

    /// Whether any command has an outcome, or may have run without one.
    pub(super) fn has_begun(&self) -> bool {
        self.states.iter().any(|state| !matches!(state, State::Open { may_have_run: false }))
    }

    /// The outcomes, once nothing is open.
    pub(super) fn finish(&mut self) -> Outcomes {
        let items = std::mem::take(&mut self.states).into_iter().filter_map(|state| match state {
            State::Done(item) => Some(item),
            State::Open { .. } => None,
        });
        Outcomes::of(std::mem::take(&mut self.frames), items.collect())
    }
}
