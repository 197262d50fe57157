//! Keeps the processors from falling asleep.
//!
//! On a virtual machine, to wake one takes longer than a whole round trip to the server, and every
//! contender would be measured by how often it happens to sleep. So a thread of the lowest class
//! there is spins on each processor, in a process of its own, whose time is nobody's: it gives way
//! to anybody else at once.

use std::io::{Read, stdin};
use std::process::{Child, Command, Stdio};

/// The argument that makes this program spin.
pub(crate) const SPIN: &str = "spin";

pub(crate) struct Awake(Option<Child>);

impl Awake {
    pub(crate) fn keep() -> Self {
        let program = std::env::current_exe().expect("this program");
        Self(Command::new(program).arg(SPIN).stdin(Stdio::piped()).spawn().ok())
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // The end of its stdin is its end.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Spins until stdin ends, whatever ends it.
pub(crate) fn spin() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..processors {
        std::thread::spawn(|| {
            while lowest_class() {
                (0..1_000_000).for_each(|_| std::hint::spin_loop());
            }
        });
    }
    let _ = stdin().read_to_end(&mut Vec::new());
}

/// Puts the calling thread behind all others. A spinning thread of a better class would be worse
/// than none.
fn lowest_class() -> bool {
    // SAFETY: the structure is plain data, for which zeros are valid and what this class asks for.
    let parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is good for the call; 0 means this thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) == 0 }
}
