//! What has come for a subscriber and was not taken yet. A slow one misses messages, which it is
//! told; it never costs more memory than this.

use crate::client::pubsub::Incoming;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::time::SystemTime;

/// As much as a server keeps, unless told otherwise, for a subscriber that does not read.
const MOST_BYTES: usize = 32 << 20;
const MOST: usize = 1 << 16;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    items: VecDeque<Result<Incoming>>,
    /// Of the messages' channels and data.
    bytes: usize,
    /// Since when messages are missing. Until that is over and told, none is added.
    gap: Option<SystemTime>,
}

impl Inbox {
    /// Adds a message, or opens a gap for want of room. `true`: it was empty before.
    pub(super) fn add(&mut self, incoming: Incoming) -> bool {
        let bytes = self.bytes + size(&incoming);
        let empty = self.items.is_empty();
        if self.items.len() >= MOST || (bytes > MOST_BYTES && !empty) {
            self.open_gap(SystemTime::now());
        }
        if self.gap.is_some() {
            return false;
        }
        self.bytes = bytes;
        self.items.push_back(Ok(incoming));
        empty
    }

    /// Adds an error, if there is room. `true`: it was empty before.
    pub(super) fn add_error(&mut self, error: Error) -> bool {
        let empty = self.items.is_empty();
        if self.items.len() < MOST {
            self.items.push_back(Err(error));
        }
        empty
    }

    pub(super) fn open_gap(&mut self, since: SystemTime) {
        self.gap.get_or_insert(since);
    }

    /// Messages can be added again, once there is room for many: else there would be a gap
    /// between any two.
    pub(super) fn close_gap(&mut self) {
        let roomy = self.items.len() <= MOST / 2 && self.bytes <= MOST_BYTES / 2;
        if let Some(since) = self.gap.take_if(|_| roomy) {
            self.items.push_back(Ok(Incoming::Gap { since, until: SystemTime::now() }));
        }
    }

    pub(super) fn next(&mut self) -> Option<Result<Incoming>> {
        let item = self.items.pop_front()?;
        self.bytes -= item.as_ref().map_or(0, size);
        Some(item)
    }

    /// The first error; what else has come stays.
    pub(super) fn take_error(&mut self) -> Option<Error> {
        let place = self.items.iter().position(Result::is_err)?;
        self.items.remove(place)?.err()
    }
}

fn size(incoming: &Incoming) -> usize {
    match incoming {
        Incoming::Message { channel, pattern, data } => {
            channel.len() + pattern.as_ref().map_or(0, Vec::len) + data.len()
        }
        Incoming::Gap { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(data: Vec<u8>) -> Incoming {
        Incoming::Message { channel: b"news".into(), pattern: None, data }
    }

    /// Takes what is there, with a look before each whether the gap can be closed.
    fn drain(inbox: &mut Inbox) -> Vec<Incoming> {
        let mut taken = Vec::new();
        loop {
            inbox.close_gap();
            match inbox.next() {
                Some(item) => taken.push(item.unwrap()),
                None => return taken,
            }
        }
    }

    #[test]
    fn a_slow_subscriber_is_told_what_it_missed() {
        let mut inbox = Inbox::default();
        assert!(inbox.add(message(b"first".into())));
        for _ in 0..MOST + 100 {
            assert!(!inbox.add(message(b"more".into())));
        }
        assert_eq!(inbox.items.len(), MOST);
        let taken = drain(&mut inbox);
        assert_eq!(taken.len(), MOST + 1);
        assert!(matches!(taken[MOST], Incoming::Gap { since, until } if since <= until));
        assert_eq!(inbox.bytes, 0);
        assert!(inbox.add(message(b"again".into())));
        assert_eq!(drain(&mut inbox), [message(b"again".into())]);
    }

    #[test]
    fn bytes_are_bounded_too_but_one_message_of_any_size_has_room() {
        let mut inbox = Inbox::default();
        assert!(inbox.add(message(vec![0; MOST_BYTES + 1])));
        assert!(!inbox.add(message(b"too much".into())));
        let taken = drain(&mut inbox);
        assert!(matches!(taken[..], [Incoming::Message { .. }, Incoming::Gap { .. }]));
    }

    #[test]
    fn nothing_comes_between_a_loss_and_the_word_of_it() {
        let mut inbox = Inbox::default();
        inbox.open_gap(SystemTime::now());
        assert!(!inbox.add(message(b"early".into())));
        assert!(inbox.add_error(Error::usage("no primary")));
        inbox.close_gap();
        inbox.add(message(b"after".into()));
        assert!(inbox.take_error().is_some() && inbox.take_error().is_none());
        let taken = drain(&mut inbox);
        assert!(matches!(taken[0], Incoming::Gap { .. }));
        assert_eq!(taken[1..], [message(b"after".into())]);
    }
}
