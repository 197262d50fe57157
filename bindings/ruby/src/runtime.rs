//! Ruby around a call that waits: its lock is free, and what other threads raise is heard.
//!
//! The lock is released once around write and read. Whoever raises into the waiting thread
//! (`Thread#raise`, `Thread#kill`, `Timeout`, a signal) has Ruby call [`unblock`], which wakes
//! the thread; it then asks Ruby, between two reads, whether the call is to end.

use crate::error::{self, guarded, guarded_in_ruby};
use magnus::rb_sys::protect;
use magnus::{Error, Ruby};
use rb_sys::{Qnil, VALUE};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use steadis::lane::call::Host;
use steadis::lane::door::{Door, Outing};

/// Ruby neither throws a finished result away nor starts a thread for each call.
const FLAGS: i32 = (rb_sys::RB_NOGVL_INTR_FAIL | rb_sys::RB_NOGVL_UBF_ASYNC_SAFE) as i32;

/// A thread that waits, as Ruby's other threads see it.
pub(crate) struct Waiter {
    thread: libc::pthread_t,
    called: AtomicBool,
    /// Ruby does not always call the main thread when a signal has come.
    is_main: bool,
    /// What ends the call.
    raised: RefCell<Option<Error>>,
    /// It was raised on the way back from Ruby, so the lock is ours.
    holds_lock: Cell<bool>,
    outing: Outing,
}

impl Waiter {
    fn new() -> Self {
        // SAFETY: plain questions to Ruby and to the C library, with Ruby's lock held.
        let (thread, is_main) = unsafe {
            (libc::pthread_self(), rb_sys::rb_thread_current() == rb_sys::rb_thread_main())
        };
        Self {
            thread,
            called: AtomicBool::new(false),
            is_main,
            raised: RefCell::new(None),
            holds_lock: Cell::new(false),
            outing: Outing::new(Door::of_this_process()),
        }
    }
}

impl Host for Waiter {
    fn interrupted(&self) -> bool {
        if self.called.swap(false, Ordering::AcqRel) || self.is_main {
            self.visit(|_| check_interrupts());
        }
        self.raised.borrow().is_some()
    }

    fn outing(&self) -> Option<&Outing> {
        Some(&self.outing)
    }
}

impl Waiter {
    /// Takes Ruby's lock for a moment. What is raised meanwhile ends the call, and nobody visits
    /// Ruby after that: the lock may be ours already.
    fn visit<F: FnOnce(&Ruby) -> Result<(), Error>>(&self, look: F) {
        if self.raised.borrow().is_some() {
            return;
        }
        let mut look = Some(look);
        let mut visit = |ruby: &Ruby| {
            let seen = look.take().map(|look| guarded_in_ruby(ruby, || look(ruby)));
            if let Some(Err(raised)) = seen {
                self.raised.replace(Some(raised));
            }
        };
        let mut visit: &mut dyn FnMut(&Ruby) = &mut visit;
        let place = (&raw mut visit).cast();
        // Nothing jumps out of `look`, but Ruby itself looks once more before it gives the lock up
        // again. A jump past the core would leave its locks locked.
        let jump = protect(|| {
            // SAFETY: this is a thread of Ruby's that has released the lock.
            unsafe { rb_sys::rb_thread_call_with_gvl(Some(inside), place) };
            Qnil as VALUE
        });
        if let Err(raised) = jump {
            self.raised.replace(Some(raised));
            self.holds_lock.set(true);
        }
    }
}

fn data<T>(of: &T) -> *mut c_void {
    std::ptr::from_ref(of).cast_mut().cast()
}

unsafe extern "C" fn inside(visit: *mut c_void) -> *mut c_void {
    // SAFETY: what `visit` has handed over.
    let visit = unsafe { &mut *visit.cast::<&mut dyn FnMut(&Ruby)>() };
    if let Ok(ruby) = Ruby::get() {
        visit(&ruby);
    }
    null_mut()
}

/// Wakes a thread that waits. Also called from signal handlers.
unsafe extern "C" fn unblock(waiter: *mut c_void) {
    // SAFETY: Ruby calls this only while the wait that it belongs to lasts. The signal is Ruby's
    // own for this purpose: its handler does nothing but end a system call.
    unsafe {
        let waiter = &*waiter.cast::<Waiter>();
        waiter.called.store(true, Ordering::Release);
        libc::pthread_kill(waiter.thread, libc::SIGVTALRM);
    }
}

fn check_interrupts() -> Result<(), Error> {
    protect(|| {
        // SAFETY: Ruby's lock is held, and what it raises is caught.
        unsafe { rb_sys::rb_thread_check_ints() };
        Qnil as VALUE
    })
    .map(drop)
}

thread_local! {
    /// The call that this thread waits in.
    static CURRENT: Cell<*const Waiter> = const { Cell::new(null()) };
}

/// One call of this thread.
struct Turn;

impl Turn {
    /// Ruby code that runs in the middle of a call could wait for that very call.
    fn begin(ruby: &Ruby, waiter: &Waiter) -> Result<Self, Error> {
        if !CURRENT.get().is_null() {
            return Err(error::usage(
                ruby,
                "a trap handler or a password callable runs in the middle of a call of this \
                 thread, and cannot make another one; write Thread.new { … } in it",
            ));
        }
        CURRENT.set(waiter);
        Ok(Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        CURRENT.set(null());
    }
}

/// Runs what may wait, without Ruby's lock. What is raised meanwhile goes before whatever came of
/// it. Under a fiber scheduler the fiber waits alone, and the others go on.
pub(crate) fn waiting<T: Send>(
    ruby: &Ruby,
    run: impl FnOnce(&Waiter) -> steadis::Result<T> + Send,
) -> Result<T, Error> {
    // SAFETY: a plain question, with Ruby's lock held.
    if unsafe { rb_sys::rb_fiber_scheduler_current() } != Qnil as VALUE {
        crate::fiber::aside(ruby, run)
    } else {
        waiting_here(ruby, run)
    }
}

struct Call<'a, F, T> {
    waiter: &'a Waiter,
    run: Option<F>,
    result: Option<steadis::Result<T>>,
}

/// The same on this very thread.
pub(crate) fn waiting_here<T, F>(ruby: &Ruby, run: F) -> Result<T, Error>
where
    F: FnOnce(&Waiter) -> steadis::Result<T>,
{
    let waiter = Waiter::new();
    let _turn = Turn::begin(ruby, &waiter)?;
    let mut call = Call { waiter: &waiter, run: Some(run), result: None };
    let result = loop {
        let place = (&raw mut call).cast();
        let begun = protect(|| {
            // SAFETY: both places outlive the call, and `enter` lets no panic out.
            unsafe {
                // Of several exceptions that came at once Ruby announces the first alone.
                rb_sys::rb_thread_check_ints();
                rb_sys::rb_nogvl(Some(enter::<F, T>), place, Some(unblock), data(&waiter), FLAGS)
            };
            Qnil as VALUE
        });
        waiter.outing.enter();
        begun?;
        // Without a result something came up before it began.
        if let Some(result) = call.result.take() {
            break result;
        }
    };
    match waiter.raised.take() {
        Some(raised) => Err(raised),
        None => result.map_err(|why| error::raise(ruby, &why)),
    }
}

unsafe extern "C" fn enter<F, T>(call: *mut c_void) -> *mut c_void
where
    F: FnOnce(&Waiter) -> steadis::Result<T>,
{
    // SAFETY: what `waiting_here` has handed over; nobody else touches it meanwhile.
    let call = unsafe { &mut *call.cast::<Call<'_, F, T>>() };
    let waiter = call.waiter;
    waiter.outing.leave();
    call.result = call.run.take().map(|run| guarded(|| run(waiter)));
    waiter.outing.knock();
    if waiter.holds_lock.get()
        && let Some(raised) = waiter.raised.take()
    {
        // Ruby would wait for the lock that we hold. Nothing is left to be dropped in between.
        // SAFETY: the lock is held, and `waiting_here` catches it.
        unsafe { magnus::rb_sys::resume_error(raised) };
    }
    null_mut()
}

/// Runs Ruby code in the middle of the call that this thread waits in; what it raises ends that
/// call, which is `Some(None)`. `None`: no call of Ruby's waits here.
pub(crate) fn in_ruby<T>(run: impl FnOnce(&Ruby) -> Result<T, Error>) -> Option<Option<T>> {
    // SAFETY: it is cleared before the waiter goes, by this very thread.
    let waiter = unsafe { CURRENT.get().as_ref() }?;
    let mut answer = None;
    waiter.visit(|ruby| run(ruby).map(|it| answer = Some(it)));
    Some(answer)
}
