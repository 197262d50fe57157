//! What came of commands that were sent in one go.

use super::Origin;
use crate::error::{Error, Kind};
use crate::proto::read::{Build, Frame};
use crate::proto::reply::Reply;
use crate::proto::shape::Shape;
use std::ops::Range;
use std::sync::LazyLock;

/// A good reply, and the shape that its command gives it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub frame: Frame<'a>,
    pub shape: &'static Shape,
    /// Which node it came from, for what goes on there.
    pub origin: Origin,
}

impl Answer<'_> {
    /// Makes the host's values of it.
    pub fn build<B: Build>(self, builder: &mut B) -> Result<B::Value, B::Error> {
        self.frame.build_shaped(self.shape, builder)
    }

    /// An owned reply.
    pub fn to_reply(self) -> Reply {
        Reply::shaped(self.frame, self.shape)
    }
}

/// What came of each command, in order.
#[derive(Debug, Default)]
pub struct Outcomes {
    pub(super) frames: Vec<u8>,
    pub(super) items: Vec<Item>,
}

#[derive(Debug)]
pub(super) enum Item {
    /// Where in the frames its reply is.
    Reply(Range<usize>, &'static Shape),
    Failed(Error),
    /// Still to be executed; or once more, if it was sent and the caller agreed to repetitions.
    Open {
        may_have_run: bool,
    },
}

/// Whoever gives outcomes away has closed them all.
static LEFT_OPEN: LazyLock<Error> =
    LazyLock::new(|| Error::new(Kind::Internal, "a command of a pipeline was left open"));

impl Outcomes {
    /// Those of so many commands that are still to be executed.
    pub(super) fn open(count: usize) -> Self {
        let items = std::iter::repeat_with(|| Item::Open { may_have_run: false });
        Self { frames: Vec::new(), items: items.take(count).collect() }
    }

    pub(super) fn push_reply(&mut self, frame: Frame<'_>, shape: &'static Shape) {
        let start = self.frames.len();
        self.frames.extend_from_slice(frame.bytes());
        self.items.push(Item::Reply(start..self.frames.len(), shape));
    }

    pub(super) fn push_error(&mut self, error: Error) {
        self.items.push(Item::Failed(error));
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The replies, end to end: those of [`iter`](Self::iter) are parts of it.
    pub fn frames(&self) -> Frame<'_> {
        Frame::trusted(&self.frames)
    }

    /// The reply of each command, or why there is none.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<Answer<'_>, &Error>> {
        self.items.iter().map(|item| match item {
            Item::Reply(range, shape) => {
                let frame = Frame::trusted(&self.frames[range.clone()]);
                Ok(Answer { frame, shape, origin: Origin::default() })
            }
            Item::Failed(error) => Err(error),
            Item::Open { .. } => Err(&*LEFT_OPEN),
        })
    }

    /// Owned replies.
    pub fn into_replies(self) -> Vec<Result<Reply, Error>> {
        self.iter().map(|outcome| outcome.map(Answer::to_reply).map_err(Error::clone)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_is_a_part_of_the_frames() {
        let mut outcomes = Outcomes::default();
        outcomes.push_reply(Frame::trusted(b"+OK\r\n"), &Shape::Raw);
        outcomes.push_error(Error::server(b"ERR no"));
        outcomes.push_reply(Frame::trusted(b":7\r\n"), &Shape::Raw);
        let whole = outcomes.frames().bytes().as_ptr_range();
        let replies: Vec<_> = outcomes.iter().flatten().collect();
        assert_eq!(replies.len(), 2);
        assert!(replies.iter().all(|reply| whole.contains(&reply.frame.bytes().as_ptr())));
    }
}
