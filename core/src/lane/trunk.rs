//! One connection that several hosted lanes share, each as if it were its own.
//!
//! Whoever sends is answered in turn: a command gets one reply, and replies come in the order of
//! the commands. So all there is to know is whose turn it is.

use crate::error::{Error, Kind, Result};
use crate::proto::read::Frame;
use crate::proto::scan::{Limits, Malformed, Scanner};
use std::collections::VecDeque;

/// Names one of those who share.
pub type Seat = u32;

/// More replies for others than this are not worth waiting for: another connection is.
const MANY: usize = 256;
/// The same for the bytes of one reply that has not come to its end.
const LARGE: usize = 1 << 20;

#[derive(Debug)]
pub struct Trunk {
    scanner: Scanner,
    input: Vec<u8>,
    /// Whose replies come next, and how many.
    turns: VecDeque<(Seat, usize)>,
    /// The replies of all turns together.
    awaited: usize,
    /// What was sent were no commands, so nobody knows whose the next reply is.
    lost_count: bool,
}

impl Trunk {
    pub fn new(limits: Limits) -> Self {
        Self {
            scanner: Scanner::new(limits),
            input: Vec::new(),
            turns: VecDeque::new(),
            awaited: 0,
            lost_count: false,
        }
    }

    /// These commands, whole, are being written to the connection.
    pub fn sent(&mut self, seat: Seat, bytes: &[u8]) {
        let mut commands = Scanner::new(Limits { bytes: usize::MAX, ..Limits::default() });
        let (mut at, mut count) = (0, 0);
        while at < bytes.len() {
            let Ok(Some(length)) = commands.scan(&bytes[at..]) else {
                self.lost_count = true;
                return;
            };
            at += length;
            count += 1;
        }
        self.awaited += count;
        match self.turns.back_mut() {
            Some((last, turns)) if *last == seat => *turns += count,
            _ if count > 0 => self.turns.push_back((seat, count)),
            _ => {}
        }
    }

    /// Deals out what the connection has read, in whole replies; those of a seat that was left as
    /// well. After an error nobody knows any more whose anything is.
    pub fn feed(&mut self, bytes: &[u8], mut show: impl FnMut(Seat, &[u8])) -> Result<()> {
        // What is whole in one read needs no copy.
        let mut input = std::mem::take(&mut self.input);
        let buffered = !input.is_empty();
        if buffered {
            input.extend_from_slice(bytes);
        }
        let all = if buffered { input.as_slice() } else { bytes };
        let (mut start, mut end, mut whose) = (0, 0, None);
        let dealt = loop {
            let (length, next) = match self.next(&all[end..]) {
                Ok(Some(found)) => found,
                Ok(None) => break Ok(()),
                Err(why) => break Err(why),
            };
            if next != whose {
                whose.into_iter().for_each(|seat| show(seat, &all[start..end]));
                (start, whose) = (end, next);
            }
            end += length;
        };
        whose.into_iter().for_each(|seat| show(seat, &all[start..end]));
        if buffered {
            input.drain(..end);
        } else {
            input.extend_from_slice(&bytes[end..]);
        }
        if !input.is_empty() {
            self.input = input;
        }
        dealt
    }

    /// How long the first reply is and whose; nobody's is what is told without having been asked for.
    fn next(&mut self, bytes: &[u8]) -> Result<Option<(usize, Option<Seat>)>> {
        let malformed = |why: Malformed| Error::new(Kind::Server, why.to_string());
        if bytes.is_empty() {
            return Ok(None);
        }
        let Some(length) = self.scanner.scan(bytes).map_err(malformed)? else { return Ok(None) };
        let is_push = Frame::trusted(&bytes[..length]).is_push();
        Ok(Some((length, if is_push { None } else { Some(self.take_turn()?) })))
    }

    /// Whose the next reply is.
    fn take_turn(&mut self) -> Result<Seat> {
        let unasked = "the server sent a reply that nobody asked for";
        let first = self.turns.front_mut().filter(|_| !self.lost_count);
        let (seat, left) = first.ok_or_else(|| Error::new(Kind::Server, unasked))?;
        let seat = *seat;
        *left -= 1;
        self.awaited -= 1;
        if *left == 0 {
            self.turns.pop_front();
        }
        Ok(seat)
    }

    /// Nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.awaited == 0 && self.input.is_empty() && !self.lost_count
    }

    /// Whether others have so much under way that this seat's replies would come late.
    pub fn is_crowded(&self, seat: Seat) -> bool {
        let next_is_other = self.turns.front().is_some_and(|&(next, _)| next != seat);
        if self.input.len() > LARGE && next_is_other {
            return true;
        }
        if self.awaited <= MANY {
            return false;
        }
        let own = self.turns.iter().filter(|(whose, _)| *whose == seat);
        self.awaited - own.map(|(_, turns)| turns).sum::<usize>() > MANY
    }
}
