//! The locks and threads of the lanes: std's, or under the feature `model` those of a scheduler
//! that tries thousands of interleavings.

#[cfg(not(feature = "model"))]
pub(crate) use std::{
    sync::{Mutex, MutexGuard},
    thread,
};

#[cfg(feature = "model")]
pub(crate) use shuttle::{
    sync::{Mutex, MutexGuard},
    thread,
};

/// A panic under one of our locks is caught at the host's edge; what the lock guards is left
/// whole by construction, so the next caller goes on with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
