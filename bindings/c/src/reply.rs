//! A reply as C sees it: a tree in one block of memory.

use crate::block::free;
use crate::error::steadis_error;
use std::ffi::{CStr, c_char, c_int};
use std::ptr::null;
use steadis_reply_type::STEADIS_REPLY_MAP;

/// What a reply is, with the numbers of hiredis.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum steadis_reply_type {
    /// str and len.
    STEADIS_REPLY_STRING = 1,
    /// elements and element.
    STEADIS_REPLY_ARRAY = 2,
    /// integer.
    STEADIS_REPLY_INTEGER = 3,
    STEADIS_REPLY_NIL = 4,
    /// str and len: OK, PONG, ...
    STEADIS_REPLY_STATUS = 5,
    /// str and len, and error.
    STEADIS_REPLY_ERROR = 6,
    /// dval, and str and len.
    STEADIS_REPLY_DOUBLE = 7,
    /// integer, 1 or 0.
    STEADIS_REPLY_BOOL = 8,
    /// elements and element: keys and values in turn.
    STEADIS_REPLY_MAP = 9,
    /// elements and element.
    STEADIS_REPLY_SET = 10,
    /// elements and element.
    STEADIS_REPLY_PUSH = 12,
    /// str and len: decimal digits.
    STEADIS_REPLY_BIGNUM = 13,
    /// str, len and vtype.
    STEADIS_REPLY_VERB = 14,
}

/// A reply, for reading. All of a tree is one block of memory: free its root alone. Later versions
/// may append members, so do not make or copy one.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct steadis_reply {
    /// A steadis_reply_type.
    pub r#type: c_int,
    /// The format of a verbatim string, such as "txt".
    pub vtype: [c_char; 4],
    pub integer: i64,
    pub dval: f64,
    /// Ends with a NUL, and may hold others; NULL where there is no text.
    pub str: *const c_char,
    /// The length of str without its last NUL.
    pub len: usize,
    pub elements: usize,
    pub element: *const *const steadis_reply,
    /// What an error means, for one of a command in a pipeline too; NULL for what is none.
    pub error: *const steadis_error,
}

/// Frees a reply with all that is in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_reply_free(reply: *mut steadis_reply) {
    // SAFETY: every reply that is given away is a block.
    unsafe { free(reply) }
}

/// The text of a reply, "" if it has none; never NULL, also for a reply that is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_reply_str(reply: *const steadis_reply) -> *const c_char {
    // SAFETY: NULL, or a node of a living reply.
    let text = unsafe { reply.as_ref() }.map_or(null(), |reply| reply.str);
    if text.is_null() { c"".as_ptr() } else { text }
}

/// The value that a map has for a key, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_reply_get(
    reply: *const steadis_reply,
    key: *const c_char,
) -> *const steadis_reply {
    // SAFETY: a reply, or part of one, that was not freed; its elements are as many as it says.
    unsafe {
        let Some(map) = reply.as_ref().filter(|it| it.r#type == STEADIS_REPLY_MAP as c_int) else {
            return null();
        };
        if key.is_null() || map.elements == 0 {
            return null();
        }
        let key = CStr::from_ptr(key).to_bytes();
        let pairs = std::slice::from_raw_parts(map.element, map.elements).chunks_exact(2);
        let is_it = |pair: &&[*const steadis_reply]| {
            let text = (*pair[0]).str;
            !text.is_null() && std::slice::from_raw_parts(text.cast::<u8>(), (*pair[0]).len) == key
        };
        pairs.into_iter().find(is_it).map_or(null(), |pair| pair[1])
    }
}
