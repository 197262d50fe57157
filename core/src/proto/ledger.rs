//! Which command waits for which reply, and how much of it left this process.
//!
//! Every command is known by its byte range in the stream. Together with the count of bytes that
//! the kernel took, a lost connection tells for each command exactly what can have become of it.

use std::collections::VecDeque;
use std::ops::Range;

/// What can have become of a command whose connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Not a byte was written: it cannot have run.
    NotSent,
    /// Cut in the middle: the server never saw its end, so it cannot have run.
    PartlySent,
    /// Written to the end: it ran, or it did not.
    Sent,
}

impl Fate {
    /// Whether the command can have run.
    pub fn unknown(self) -> bool {
        self == Fate::Sent
    }
}

/// What a caller appended in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// One command, one reply.
    Command { bytes: usize },
    /// Commands that run together or not at all (MULTI … EXEC), with a reply each.
    Unit { bytes: usize, replies: usize },
    /// Commands that run one by one; `ends[i]` is the count of bytes up to the end of command i.
    Batch { ends: Vec<usize> },
}

impl Span {
    pub fn bytes(&self) -> usize {
        match self {
            Span::Command { bytes } | Span::Unit { bytes, .. } => *bytes,
            Span::Batch { ends } => ends.last().copied().unwrap_or(0),
        }
    }

    pub fn replies(&self) -> usize {
        match self {
            Span::Command { .. } => 1,
            Span::Unit { replies, .. } => *replies,
            Span::Batch { ends } => ends.len(),
        }
    }
}

#[derive(Debug)]
struct Entry<T> {
    token: T,
    span: Span,
    start: u64,
    answered: usize,
}

/// One token's commands on a lost connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost<T> {
    pub token: T,
    /// How many replies had come; those commands have no fate but their reply.
    pub answered: usize,
    /// The fates of the commands without a reply, in order; a unit has one fate for all.
    pub fates: Vec<Fate>,
}

/// The commands of one connection that were appended and are not answered yet, in order.
#[derive(Debug)]
pub struct Ledger<T> {
    entries: VecDeque<Entry<T>>,
    appended: u64,
    written: u64,
}

impl<T> Default for Ledger<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), appended: 0, written: 0 }
    }
}

impl<T> Ledger<T> {
    /// Notes that these commands' bytes were put at the end of the out-buffer.
    pub fn append(&mut self, token: T, span: Span) {
        let start = self.appended;
        self.appended += span.bytes() as u64;
        self.entries.push_back(Entry { token, span, start, answered: 0 });
    }

    /// Notes that the next `bytes` of the stream were accepted: by the kernel, or by TLS, whose
    /// records cannot be called back.
    pub fn wrote(&mut self, bytes: usize) {
        self.written = (self.written + bytes as u64).min(self.appended);
    }

    /// Corrects [`wrote`](Self::wrote): the last `bytes` of it are known never to have left.
    pub fn unwrote(&mut self, bytes: usize) {
        self.written = self.written.saturating_sub(bytes as u64);
    }

    /// How many replies the oldest token still waits for.
    pub fn awaited(&self) -> usize {
        self.entries.front().map_or(0, |front| front.span.replies() - front.answered)
    }

    /// Takes the next reply: whose it is, and whether it completes what that token waits for.
    /// `None`: nobody asked.
    pub fn answer(&mut self) -> Option<(&T, bool)> {
        self.answer_some(1)
    }

    /// Takes the next replies, of which there are no more than [`awaited`](Self::awaited) says.
    pub fn answer_some(&mut self, replies: usize) -> Option<(&T, bool)> {
        let front = self.entries.front_mut()?;
        front.answered += replies;
        let last = front.answered >= front.span.replies();
        Some((&front.token, last))
    }

    /// Removes what [`answer`](Self::answer) completed.
    pub fn retire(&mut self) -> Option<T> {
        let front = self.entries.front()?;
        if front.answered < front.span.replies() {
            return None;
        }
        self.entries.pop_front().map(|done| done.token)
    }

    /// Tokens that wait, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|entry| &entry.token)
    }

    pub fn waiting_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|entry| &mut entry.token)
    }

    /// Tokens of whose commands not a byte was accepted, oldest first.
    pub fn unsent(&self) -> impl Iterator<Item = &T> {
        let unsent = self.entries.partition_point(|entry| entry.start < self.written);
        self.entries.range(unsent..).map(|entry| &entry.token)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What would become of this token's commands if the connection were lost now.
    pub fn fates(&self, is_it: impl Fn(&T) -> bool) -> Option<Lost<()>> {
        let entry = self.entries.iter().find(|entry| is_it(&entry.token))?;
        Some(Lost { token: (), answered: entry.answered, fates: entry.fates(self.written) })
    }

    /// Takes back commands of which no byte has left the out-buffer yet. The buffer holds the
    /// last `buffered` bytes of the stream; the answer is the range to cut out of it.
    pub fn withdraw(
        &mut self,
        buffered: usize,
        is_it: impl Fn(&T) -> bool,
    ) -> Option<Range<usize>> {
        let index = self.entries.iter().position(|entry| is_it(&entry.token))?;
        let left = self.appended - buffered as u64;
        let entry = &self.entries[index];
        let start = usize::try_from(entry.start.checked_sub(left)?).ok()?;
        let bytes = entry.span.bytes();
        self.entries.remove(index);
        for later in self.entries.range_mut(index..) {
            later.start -= bytes as u64;
        }
        self.appended -= bytes as u64;
        Some(start..start + bytes)
    }

    /// Gives memory back after a burst.
    pub fn shrink(&mut self) {
        if self.entries.is_empty() && self.entries.capacity() > 64 {
            self.entries = VecDeque::new();
        }
    }

    /// Bytes of memory held for entries.
    pub fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<Entry<T>>()
    }

    /// The connection is gone: every command's fate, oldest first. The ledger is empty after it.
    pub fn lost(&mut self) -> Vec<Lost<T>> {
        let written = self.written;
        let lost = |entry: Entry<T>| {
            let fates = entry.fates(written);
            Lost { token: entry.token, answered: entry.answered, fates }
        };
        self.entries.drain(..).map(lost).collect()
    }
}

fn fate(start: u64, end: u64, written: u64) -> Fate {
    if end <= written {
        Fate::Sent
    } else if start < written {
        Fate::PartlySent
    } else {
        Fate::NotSent
    }
}

impl<T> Entry<T> {
    fn fates(&self, written: u64) -> Vec<Fate> {
        let fate = |from: usize, to: usize| {
            fate(self.start + from as u64, self.start + to as u64, written)
        };
        match &self.span {
            Span::Command { bytes } | Span::Unit { bytes, .. } => vec![fate(0, *bytes)],
            Span::Batch { ends } => (self.answered..ends.len())
                .map(|i| fate(if i == 0 { 0 } else { ends[i - 1] }, ends[i]))
                .collect(),
        }
    }
}
