//! What the callers were told, and what the nodes did.

use crate::node::OpId;
use crate::queue::Time;
use steadis::Kind;

#[derive(Default)]
pub(crate) struct History {
    ops: Vec<Op>,
}

pub(crate) struct Op {
    /// The write that it looks for, if it is a read.
    pub(crate) reads: Option<OpId>,
    /// The caller agreed to repetitions.
    pub(crate) repeats: bool,
    /// Where and when it was executed.
    pub(crate) executed: Vec<(usize, Time)>,
    pub(crate) fate: Fate,
    pub(crate) ended: Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    Done,
    Maybe,
    Failed(Kind),
    /// The caller has gone; what was sent may run.
    Cancelled,
    /// The caller has gone while there was no connection to send anything on.
    CancelledUnsent,
}

impl History {
    /// Numbers start at one, so that a number can be an increment.
    pub(crate) fn add(&mut self, reads: Option<OpId>, repeats: bool) -> OpId {
        let (executed, fate, ended) = (Vec::new(), Fate::Open, Time::ZERO);
        self.ops.push(Op { reads, repeats, executed, fate, ended });
        self.ops.len() as OpId
    }

    pub(crate) fn op(&self, id: OpId) -> &Op {
        &self.ops[id as usize - 1]
    }

    pub(crate) fn execute(&mut self, id: OpId, node: usize, at: Time) {
        self.ops[id as usize - 1].executed.push((node, at));
    }

    pub(crate) fn settle(&mut self, id: OpId, at: Time, fate: Fate) {
        let op = &mut self.ops[id as usize - 1];
        (op.fate, op.ended) = (fate, at);
    }

    pub(crate) fn is_write(&self, id: OpId) -> bool {
        self.op(id).reads.is_none()
    }

    /// Whether it was acknowledged by then.
    pub(crate) fn was_done(&self, id: OpId, by: Time) -> bool {
        let op = self.op(id);
        op.reads.is_none() && op.fate == Fate::Done && op.ended <= by
    }

    pub(crate) fn ops(&self) -> impl Iterator<Item = (OpId, &Op)> {
        self.ops.iter().enumerate().map(|(index, op)| (index as OpId + 1, op))
    }
}
