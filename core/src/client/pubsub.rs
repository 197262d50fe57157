//! What subscribers want and what reaches them, whatever carries it.

use crate::proto::encode;
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
use std::time::SystemTime;

/// What reaches a subscriber.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    Message {
        channel: Vec<u8>,
        /// The pattern that matched, if it came by one.
        pattern: Option<Vec<u8>>,
        data: Vec<u8>,
    },
    /// The connection was lost and is back: what was published in between may have been missed.
    Gap { since: SystemTime, until: SystemTime },
}

/// How a channel is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Channel,
    Pattern,
    /// Of a shard (Redis 7).
    Shard,
}

impl By {
    fn subscribe(self) -> &'static str {
        match self {
            By::Channel => "SUBSCRIBE",
            By::Pattern => "PSUBSCRIBE",
            By::Shard => "SSUBSCRIBE",
        }
    }

    fn unsubscribe(self) -> &'static str {
        match self {
            By::Channel => "UNSUBSCRIBE",
            By::Pattern => "PUNSUBSCRIBE",
            By::Shard => "SUNSUBSCRIBE",
        }
    }
}

/// The channels that are wanted now.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    names: Vec<(By, Vec<u8>)>,
}

impl Wanted {
    /// Adds a channel. `false`: it is wanted already.
    pub fn add(&mut self, by: By, name: &[u8]) -> bool {
        let new = !self.names.iter().any(|(how, known)| *how == by && known == name);
        if new {
            self.names.push((by, name.to_vec()));
        }
        new
    }

    pub fn remove(&mut self, by: By, name: &[u8]) {
        self.names.retain(|(how, known)| *how != by || known != name);
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The commands that subscribe to everything, and how many answers they get. One for each
    /// channel: a user may have no right to one, and all to the others.
    pub(crate) fn request(&self) -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        for (by, name) in &self.names {
            Self::subscribe_one(*by, name, &mut bytes);
        }
        (bytes, self.names.len())
    }

    pub(crate) fn subscribe_one(by: By, name: &[u8], out: &mut Vec<u8>) {
        encode::command(out, &[by.subscribe().as_bytes(), name]);
    }

    pub(crate) fn unsubscribe_one(by: By, name: &[u8], out: &mut Vec<u8>) {
        encode::command(out, &[by.unsubscribe().as_bytes(), name]);
    }
}

/// A frame on a subscribed connection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Message(Incoming),
    /// A subscription is confirmed.
    Confirmed,
    /// The answer to a PING, or something that says no more than that the server lives.
    Pulse,
    /// The server's error line.
    Refused(Vec<u8>),
}

/// Reads a frame of a subscribed connection: a push in RESP3, an array in RESP2.
pub(crate) fn hear(frame: Frame<'_>) -> Heard {
    if let Some(line) = frame.error() {
        return Heard::Refused(line.to_vec());
    }
    let reply = Reply::from_frame(frame);
    let parts: Vec<&[u8]> =
        reply.as_list().into_iter().flatten().filter_map(Reply::as_bytes).collect();
    let message = |channel: &[u8], pattern: Option<&[u8]>, data: &[u8]| {
        Heard::Message(Incoming::Message {
            channel: channel.to_vec(),
            pattern: pattern.map(<[u8]>::to_vec),
            data: data.to_vec(),
        })
    };
    match parts.as_slice() {
        [b"message" | b"smessage", channel, data] => message(channel, None, data),
        [b"pmessage", pattern, channel, data] => message(channel, Some(pattern), data),
        [b"subscribe" | b"psubscribe" | b"ssubscribe", ..] => Heard::Confirmed,
        _ => Heard::Pulse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_protocols() {
        let hear = |bytes: &'static [u8]| hear(Frame::trusted(bytes));
        let message = Heard::Message(Incoming::Message {
            channel: b"news".into(),
            pattern: None,
            data: b"hi".into(),
        });
        assert_eq!(hear(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"), message);
        assert_eq!(hear(b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"), message);
        assert_eq!(hear(b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"), Heard::Confirmed);
        assert_eq!(hear(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"), Heard::Pulse);
        assert_eq!(hear(b"+PONG\r\n"), Heard::Pulse);
        assert_eq!(hear(b"-NOPERM no\r\n"), Heard::Refused(b"NOPERM no".into()));
    }

    #[test]
    fn one_command_for_each_channel() {
        let mut wanted = Wanted::default();
        assert!(wanted.add(By::Channel, b"a") && wanted.add(By::Pattern, b"b*"));
        assert!(!wanted.add(By::Channel, b"a") && wanted.add(By::Channel, b"c"));
        let (bytes, confirmations) = wanted.request();
        let expected =
            b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n*2\r\n$10\r\nPSUBSCRIBE\r\n$2\r\nb*\r\n\
            *2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n";
        assert_eq!((bytes.as_slice(), confirmations), (expected.as_slice(), 3));
    }
}
