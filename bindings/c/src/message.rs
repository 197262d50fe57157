//! What reaches a subscription.

use crate::runtime::take_back;
use std::ffi::{c_char, c_int};
use std::ptr::null;
use std::time::SystemTime;
use steadis::client::Incoming;

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
    // SAFETY: every message that is given away is a `Message`.
    unsafe { take_back(message.cast::<Message>()) }
}

/// A message with the texts that it points to.
#[repr(C)]
pub(crate) struct Message {
    /// In the first place, so that a pointer to it is a pointer to all.
    pub(crate) public: steadis_message,
    texts: [Vec<u8>; 3],
}

impl Message {
    pub(crate) fn new(incoming: &Incoming) -> Self {
        let text = |bytes: &[u8]| [bytes, b"\0"].concat();
        let milliseconds = |at: &SystemTime| {
            at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
        };
        let (kind, parts, times) = match incoming {
            Incoming::Message { channel, pattern, data } => {
                let parts = [Some(channel), pattern.as_ref(), Some(data)];
                (steadis_message_type::STEADIS_MESSAGE, parts, [0, 0])
            }
            Incoming::Gap { since, until } => {
                let times = [since, until].map(milliseconds);
                (steadis_message_type::STEADIS_GAP, [None; 3], times)
            }
        };
        let texts = parts.map(|part| part.map_or_else(Vec::new, |part| text(part)));
        let pointer = |at: usize| match parts[at] {
            Some(_) => texts[at].as_ptr().cast(),
            None => null(),
        };
        let length = |at: usize| parts[at].map_or(0, Vec::len);
        let public = steadis_message {
            r#type: kind as c_int,
            channel: pointer(0),
            channel_len: length(0),
            pattern: pointer(1),
            pattern_len: length(1),
            data: pointer(2),
            data_len: length(2),
            since_ms: times[0],
            until_ms: times[1],
        };
        Self { public, texts }
    }
}
