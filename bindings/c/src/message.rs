//! What reaches a subscription.

use crate::block::{Arena, Block, free};
use std::ffi::{c_char, c_int};
use std::ptr::null;
use std::time::SystemTime;
use steadis::client::Incoming;

/// Enough for most messages and their texts.
const ROOM: usize = 512;

/// What has reached a subscription.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum steadis_message_type {
    /// channel, pattern and data.
    STEADIS_MESSAGE = 1,
    /// since_ms and until_ms: the connection was lost and is back, and what was published in
    /// between may have been missed.
    STEADIS_GAP = 2,
}

/// A message, for reading. Texts end with a NUL, and may hold others. Later versions may append
/// members.
#[repr(C)]
#[derive(Debug)]
pub struct steadis_message {
    /// A steadis_message_type.
    pub r#type: c_int,
    pub channel: *const c_char,
    pub channel_len: usize,
    /// The pattern that matched, or NULL if it did not come by one.
    pub pattern: *const c_char,
    pub pattern_len: usize,
    pub data: *const c_char,
    pub data_len: usize,
    /// Milliseconds since 1970.
    pub since_ms: i64,
    pub until_ms: i64,
}

/// Frees a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_message_free(message: *mut steadis_message) {
    // SAFETY: every message that is given away is a block.
    unsafe { free(message) }
}

/// A message with its texts.
pub(crate) fn block(incoming: &Incoming) -> Block<steadis_message> {
    let mut arena = Arena::new(ROOM);
    let place: *mut steadis_message = arena.take(1);
    let mut text = |text: Option<&[u8]>| match text {
        Some(text) => (arena.text(text), text.len()),
        None => (null(), 0),
    };
    let milliseconds = |at: &SystemTime| {
        at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
    };
    let (kind, parts, times) = match incoming {
        Incoming::Message { channel, pattern, data } => {
            let parts = [Some(channel.as_slice()), pattern.as_deref(), Some(data.as_slice())];
            (steadis_message_type::STEADIS_MESSAGE, parts, [0, 0])
        }
        Incoming::Gap { since, until } => {
            (steadis_message_type::STEADIS_GAP, [None; 3], [since, until].map(milliseconds))
        }
    };
    let [(channel, channel_len), (pattern, pattern_len), (data, data_len)] = parts.map(&mut text);
    let [since_ms, until_ms] = times;
    let public = steadis_message {
        r#type: kind as c_int,
        channel,
        channel_len,
        pattern,
        pattern_len,
        data,
        data_len,
        since_ms,
        until_ms,
    };
    // SAFETY: a message was taken first, and is written here.
    unsafe {
        place.write(public);
        arena.block()
    }
}
