//! Ruby around a call that waits: its lock is free, and what other threads raise is heard.
//!
//! The lock is released once around write and read. Whoever raises into the waiting thread
//! (`Thread#raise`, `Thread#kill`, `Timeout`, a signal) has Ruby call [`unblock`], which wakes
//! the thread; it then asks Ruby, between two reads, whether the call is to end.

use crate::error::{self, guarded};
use magnus::rb_sys::protect;
use magnus::{Error, Ruby};
use rb_sys::{Qnil, VALUE};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use steadis::lane::call::Host;

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
        }
    }
}

impl Host for Waiter {
    fn interrupted(&self) -> bool {
        if self.raised.borrow().is_none()
            && (self.called.swap(false, Ordering::AcqRel) || self.is_main)
        {
            // `heed` lets nothing jump out of it, but Ruby itself looks once more before it gives
            // the lock up again.
            let visit = protect(|| {
                // SAFETY: this is a thread of Ruby's that has released the lock.
                unsafe { rb_sys::rb_thread_call_with_gvl(Some(heed), data(self)) };
                Qnil as VALUE
            });
            if let Err(raised) = visit {
                self.raised.replace(Some(raised));
                self.holds_lock.set(true);
            }
        }
        self.raised.borrow().is_some()
    }
}

fn data<T>(of: &T) -> *mut c_void {
    std::ptr::from_ref(of).cast_mut().cast()
}

/// Runs trap handlers, and keeps what is raised.
unsafe extern "C" fn heed(waiter: *mut c_void) -> *mut c_void {
    // SAFETY: what `interrupted` has handed over.
    let waiter = unsafe { &*waiter.cast::<Waiter>() };
    if let Err(raised) = check_interrupts() {
        waiter.raised.replace(Some(raised));
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
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

/// One call of this thread.
struct Turn;

impl Turn {
    /// A trap handler that runs in the middle of a call could wait for that very call.
    fn begin(ruby: &Ruby) -> Result<Self, Error> {
        if WAITS.replace(true) {
            return Err(error::usage(
                ruby,
                "a trap handler interrupts a call of this thread, and cannot make another one; \
                 write Thread.new { … } in the handler",
            ));
        }
        Ok(Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        WAITS.set(false);
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
    let _turn = Turn::begin(ruby)?;
    let waiter = Waiter::new();
    let mut call = Call { waiter: &waiter, run: Some(run), result: None };
    let result = loop {
        let place = (&raw mut call).cast();
        protect(|| {
            // SAFETY: both places outlive the call, and `enter` lets no panic out.
            unsafe {
                rb_sys::rb_nogvl(Some(enter::<F, T>), place, Some(unblock), data(&waiter), FLAGS)
            };
            Qnil as VALUE
        })?;
        match call.result.take() {
            Some(result) => break result,
            // Something was raised before it began.
            None => check_interrupts()?,
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
    call.result = call.run.take().map(|run| guarded(|| run(waiter)));
    if waiter.holds_lock.get()
        && let Some(raised) = waiter.raised.take()
    {
        // Ruby would wait for the lock that we hold. Nothing is left to be dropped in between.
        // SAFETY: the lock is held, and `waiting_here` catches it.
        unsafe { magnus::rb_sys::resume_error(raised) };
    }
    null_mut()
}

/// Runs Ruby code in the middle of a call that waits. `None`: this is no thread of Ruby's.
/// What is raised comes back as the name of its class.
pub(crate) fn in_ruby<T>(run: impl FnOnce(&Ruby) -> Result<T, Error>) -> Option<Result<T, String>> {
    struct Visit<F, T>(Option<F>, Option<Result<T, String>>);
    unsafe extern "C" fn enter<F, T>(visit: *mut c_void) -> *mut c_void
    where
        F: FnOnce(&Ruby) -> Result<T, Error>,
    {
        // SAFETY: what is handed over below.
        let visit = unsafe { &mut *visit.cast::<Visit<F, T>>() };
        if let (Ok(ruby), Some(run)) = (Ruby::get(), visit.0.take()) {
            visit.1 = Some(error::guarded_in_ruby(&ruby, || run(&ruby)).map_err(class_of));
        }
        null_mut()
    }
    fn enter_with<F, T>(_: &Visit<F, T>) -> unsafe extern "C" fn(*mut c_void) -> *mut c_void
    where
        F: FnOnce(&Ruby) -> Result<T, Error>,
    {
        enter::<F, T>
    }
    // SAFETY: a plain question.
    if unsafe { rb_sys::ruby_native_thread_p() } == 0 {
        return None;
    }
    let mut visit = Visit(Some(run), None);
    let enter = enter_with(&visit);
    // SAFETY: this is a thread of Ruby's that has released the lock, and nothing jumps out.
    unsafe { rb_sys::rb_thread_call_with_gvl(Some(enter), (&raw mut visit).cast()) };
    visit.1
}

fn class_of(error: Error) -> String {
    use magnus::value::ReprValue;
    // SAFETY: the name is copied at once.
    error.value().map_or("a jump".into(), |it| unsafe { it.classname() }.into_owned())
}
