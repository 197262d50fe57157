//! An error as C sees it.

use crate::block::{Arena, Block, free};
use std::ffi::c_char;
use std::ptr::null;
use steadis::{Error, Kind};

/// What came of a call. The numbers never change; between them is room for more.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum steadis_status {
    STEADIS_OK = 0,
    /// Settings are wrong or missing: mend the one the message names.
    STEADIS_CONFIG = 10,
    /// The call is wrong, in its arguments or its moment: mend the call.
    STEADIS_USAGE = 20,
    /// No verified primary within the deadline; the command did not run: try again later.
    STEADIS_UNAVAILABLE = 30,
    /// The deadline passed before the command was sent, or while it only read: try again.
    STEADIS_TIMEOUT = 40,
    /// A write was sent and its answer never came: look, or repeat it if that does no harm.
    STEADIS_MAYBE_EXECUTED = 50,
    /// Credentials or rights were refused; the message says by which side.
    STEADIS_AUTH = 60,
    /// The server's own error, word for word.
    STEADIS_SERVER = 70,
    /// One of the client's limits is reached: slow down.
    STEADIS_BUSY = 80,
    /// The client was closed.
    STEADIS_CLOSED = 90,
    /// A mistake in the library; the process lives on: report it.
    STEADIS_INTERNAL = 100,
}

impl steadis_status {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Config => Self::STEADIS_CONFIG,
            Kind::Usage => Self::STEADIS_USAGE,
            Kind::Unavailable => Self::STEADIS_UNAVAILABLE,
            Kind::Timeout => Self::STEADIS_TIMEOUT,
            Kind::MaybeExecuted => Self::STEADIS_MAYBE_EXECUTED,
            Kind::Auth => Self::STEADIS_AUTH,
            Kind::Server => Self::STEADIS_SERVER,
            Kind::Busy => Self::STEADIS_BUSY,
            Kind::Closed => Self::STEADIS_CLOSED,
            _ => Self::STEADIS_INTERNAL,
        }
    }
}

/// Enough for most errors and their texts.
const ROOM: usize = 512;

/// What went wrong, for reading. Later versions may append members.
#[repr(C)]
#[derive(Debug)]
pub struct steadis_error {
    pub status: steadis_status,
    /// The same call can succeed later, and calling it again cannot execute a write twice.
    pub retryable: bool,
    /// The command was sent and may have run.
    pub maybe_executed: bool,
    /// A sentence for people; never NULL, and never with a password in it.
    pub message: *const c_char,
    /// The server's code word (WRONGTYPE, READONLY, ...), or NULL if it said none.
    pub code: *const c_char,
    /// The command by its name alone, or NULL.
    pub command: *const c_char,
    /// The node that it concerns, or NULL.
    pub address: *const c_char,
    /// All of it in one line, for logs; never NULL.
    pub description: *const c_char,
}

/// Writes an error, and the texts that it points to.
pub(crate) fn write(error: &Error, arena: &mut Arena) -> *const steadis_error {
    let place: *mut steadis_error = arena.take(1);
    // A NUL would end a text early.
    let mut text = |text: &str| arena.text(text.replace('\0', "\u{fffd}").as_bytes());
    let public = steadis_error {
        status: steadis_status::of(error.kind()),
        retryable: error.retryable(),
        maybe_executed: error.maybe_executed(),
        message: text(error.message()),
        code: error.code().map_or(null(), &mut text),
        command: error.command().map_or(null(), &mut text),
        address: error.address().map_or(null(), &mut text),
        description: text(&error.to_string()),
    };
    // SAFETY: room for one was taken.
    unsafe { place.write(public) };
    place
}

/// An error of its own.
pub(crate) fn block(error: &Error) -> Block<steadis_error> {
    let mut arena = Arena::new(ROOM);
    write(error, &mut arena);
    // SAFETY: an error was written first.
    unsafe { arena.block() }
}

/// Frees an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_error_free(error: *mut steadis_error) {
    // SAFETY: every error that is given away is a block.
    unsafe { free(error) }
}
