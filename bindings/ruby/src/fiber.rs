//! Calls of fibers that a scheduler runs: each in a thread of its own, so that the fiber alone
//! waits, by the scheduler's own means.

use crate::error;
use crate::runtime::{Waiter, waiting_here};
use magnus::rb_sys::{AsRawValue, FromRawValue, protect};
use magnus::value::ReprValue;
use magnus::{Error, Ruby, Value};
use rb_sys::{Qnil, VALUE};
use std::ffi::c_void;

struct Job<F, T> {
    run: Option<F>,
    result: Option<Result<T, Error>>,
}

/// Runs it in another thread and joins that, which makes room for other fibers.
pub(crate) fn aside<T, F>(ruby: &Ruby, run: F) -> Result<T, Error>
where
    F: FnOnce(&Waiter) -> steadis::Result<T> + Send,
{
    let mut job = Job { run: Some(run), result: None };
    let place: *mut c_void = (&raw mut job).cast();
    // SAFETY: the thread has ended before the place goes, see below.
    let thread = protect(|| unsafe { rb_sys::rb_thread_create(Some(work::<F, T>), place) })?;
    // SAFETY: it is what Ruby has just returned, alive on this stack.
    let thread = unsafe { Value::from_raw(thread) };
    let joined: Result<Value, Error> = thread.funcall("join", ());
    if let Err(raised) = joined {
        // The thread works on our stack: nobody leaves before it has ended.
        let _: Result<Value, Error> = thread.funcall("kill", ());
        while thread.funcall("alive?", ())? {
            let _: Result<Value, Error> = thread.funcall("join", ());
        }
        return Err(raised);
    }
    std::hint::black_box(thread.as_raw());
    job.result.unwrap_or_else(|| {
        let killed = "somebody has killed the thread that made this call for a fiber";
        Err(error::raise(ruby, &steadis::Error::new(steadis::Kind::Unavailable, killed)))
    })
}

unsafe extern "C" fn work<F, T>(job: *mut c_void) -> VALUE
where
    F: FnOnce(&Waiter) -> steadis::Result<T> + Send,
{
    // SAFETY: what `aside` has handed over, which waits for this thread.
    let job = unsafe { &mut *job.cast::<Job<F, T>>() };
    if let (Ok(ruby), Some(run)) = (Ruby::get(), job.run.take()) {
        job.result = Some(waiting_here(&ruby, run));
    }
    Qnil as VALUE
}
