//! The edge to C: no panic crosses it, no NULL is followed, no text is trusted.

use crate::error::{self, steadis_error, steadis_status};
use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use steadis::{Error, Kind, Result};

/// Runs the body of a function that can fail. A panic becomes `STEADIS_INTERNAL`.
///
/// # Safety
/// `error` is NULL or can be written.
pub(crate) unsafe fn guard(
    error: *mut *mut steadis_error,
    body: impl FnOnce() -> Result<()>,
) -> steadis_status {
    silence();
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let why = format!("a mistake in libsteadis: {}", text.unwrap_or_default());
        Err(Error::new(Kind::Internal, why))
    });
    match outcome {
        Ok(()) => steadis_status::STEADIS_OK,
        Err(failure) => {
            let status = steadis_status::of(failure.kind());
            // SAFETY: the caller's word: NULL or writable.
            if let Some(place) = unsafe { error.as_mut() } {
                *place = error::block(&failure).into_raw();
            }
            status
        }
    }
}

/// The same for functions that give something away, in `out`: nothing is done if that is NULL.
///
/// # Safety
/// As [`guard`], and `out` is NULL or can be written.
pub(crate) unsafe fn giving<T>(
    error: *mut *mut steadis_error,
    out: *mut *mut T,
    name: &str,
    body: impl FnOnce() -> Result<*mut T>,
) -> steadis_status {
    // SAFETY: the caller's word.
    unsafe {
        guard(error, || {
            let out = place(out, name)?;
            *out = body()?;
            Ok(())
        })
    }
}

/// The same for functions that cannot fail, and do nothing for NULL.
///
/// # Safety
/// As [`lent`].
pub(crate) unsafe fn at_ease<T>(handle: *const T, body: impl FnOnce(&T)) {
    // SAFETY: the caller's word.
    if let Some(handle) = unsafe { handle.as_ref() } {
        quietly((), || body(handle));
    }
}

/// Runs what cannot fail, and has no way to tell of a panic.
pub(crate) fn quietly<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    silence();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

/// A library does not print: what a panic has to say is in the error that it becomes.
fn silence() {
    // No `Once`: a fork could leave it half done for ever in the child.
    static SILENT: AtomicBool = AtomicBool::new(false);
    if !SILENT.load(Ordering::Relaxed) && !SILENT.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(|_| {}));
    }
}

/// A handle that was lent to us.
///
/// # Safety
/// `handle` is NULL, or came from this library and was not freed yet.
pub(crate) unsafe fn lent<'a, T>(handle: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: the caller's word.
    unsafe { handle.as_ref() }.ok_or_else(|| is_null(name))
}

/// A handle that belongs to the calling thread alone.
///
/// # Safety
/// As [`lent`], and no other thread uses it meanwhile.
pub(crate) unsafe fn lent_mut<'a, T>(handle: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: the caller's word.
    unsafe { handle.as_mut() }.ok_or_else(|| is_null(name))
}

/// Where a result goes; refused before anything is done if it is NULL.
pub(crate) fn place<T>(out: *mut T, name: &str) -> Result<*mut T> {
    if out.is_null() { Err(is_null(name)) } else { Ok(out) }
}

/// A handle to give away.
pub(crate) fn handle<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Tells the number of something, if the program wants to know it.
///
/// # Safety
/// `id` is NULL or can be written.
pub(crate) unsafe fn tell(id: *mut u64, number: u64) {
    // SAFETY: the caller's word.
    if let Some(id) = unsafe { id.as_mut() } {
        *id = number;
    }
}

/// Takes a handle back, to be dropped.
///
/// # Safety
/// `handle` is NULL, or came from [`handle`] and is used by nobody any more.
pub(crate) unsafe fn take_back<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: the caller's word.
        let handle = unsafe { Box::from_raw(handle) };
        quietly((), move || drop(handle));
    }
}

/// Text up to its NUL.
///
/// # Safety
/// `text` is NULL or ends with a NUL.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: not NULL, and ends by the caller's word.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|_| Error::usage(format!("{name} is not UTF-8; write it in UTF-8")))
}

/// Bytes of a given length.
///
/// # Safety
/// `length` bytes can be read from `bytes`, which may be NULL if there are none.
pub(crate) unsafe fn bytes<'a>(
    bytes: *const c_char,
    length: usize,
    name: &str,
) -> Result<&'a [u8]> {
    // SAFETY: the caller's word.
    unsafe { readable(bytes, length) }.ok_or_else(|| match bytes.is_null() {
        true => is_null(name),
        false => Error::usage(format!("the length of {name} is {length}; was it negative?")),
    })
}

/// The same without a word on what is wrong.
///
/// # Safety
/// As [`bytes`].
#[inline]
pub(crate) unsafe fn readable<'a>(bytes: *const c_char, length: usize) -> Option<&'a [u8]> {
    if bytes.is_null() {
        return (length == 0).then_some(&[]);
    }
    if length > isize::MAX as usize {
        return None;
    }
    // SAFETY: not NULL, and readable by the caller's word.
    Some(unsafe { std::slice::from_raw_parts(bytes.cast(), length) })
}

/// A count that C passes as an `int`.
pub(crate) fn count(count: c_int, name: &str) -> Result<usize> {
    let why = || Error::usage(format!("{name} is {count}; a count cannot be negative"));
    usize::try_from(count).map_err(|_| why())
}

/// Milliseconds, where zero stands for the client's own timeouts.
pub(crate) fn timeout(milliseconds: i64, name: &str) -> Result<Option<Duration>> {
    let why = || Error::usage(format!("{name} is {milliseconds}; write 0 for none"));
    let span = u64::try_from(milliseconds).map(Duration::from_millis).map_err(|_| why())?;
    Ok((!span.is_zero()).then_some(span))
}

pub(crate) fn is_null(name: &str) -> Error {
    Error::usage(format!("{name} is NULL"))
}

/// A format string that `format.c` does not understand; not for programs.
#[unsafe(no_mangle)]
unsafe extern "C" fn steadis_refuse_format(
    why: *const c_char,
    format: *const c_char,
    at: usize,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: format.c passes texts; `error` is its caller's.
    unsafe {
        guard(error, || {
            let (why, format) = (CStr::from_ptr(why), CStr::from_ptr(format).to_string_lossy());
            let why = why.to_string_lossy();
            if format.is_empty() {
                return Err(Error::usage(format!("the format {why}")));
            }
            Err(Error::usage(format!("the format {format:?} {why} (byte {})", at + 1)))
        })
    }
}

/// Panics on purpose, so that the tests see what becomes of it: with words of its own, or without
/// any. No library that is installed has it.
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
unsafe extern "C" fn steadis_mistake(
    words: *const c_char,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as for every function.
    unsafe {
        guard(error, || match words.is_null() {
            true => std::panic::panic_any(()),
            false => panic!("{}", text(words, "words")?),
        })
    }
}
