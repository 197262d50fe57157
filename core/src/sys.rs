//! The two things that only the C library can do for us.

#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Counts the forks between the first process and this one. What was made in another generation
/// belongs to another process: its threads do not exist here, its sockets are not ours.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Lets [`generation`] grow in every child from now on.
pub(crate) fn watch_forks() {
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::SeqCst);
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handler touches one atomic and nothing else, which is allowed in a child
        // whose other threads vanished in the middle of whatever they did.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

/// Keeps signals away from the calling thread: they are for the host's own threads.
pub fn block_signals() {
    // SAFETY: the set is filled before it is read, and changing this thread's mask cannot fail
    // with these arguments.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
}
