//! Signals while a call waits. A program of its own: its handler is the whole process's.

mod support;

use std::num::NonZeroUsize;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use steadis::client::Exchange;
use steadis::lane::call::Host;
use steadis::{Client, Reply};
use support::{Redis, config};

static SIGNALS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::SeqCst);
}

/// As languages do it: system calls end with EINTR, so that the host can run its own handler.
fn listen() {
    // SAFETY: zero is a valid sigaction without flags; the handler only counts.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
    }
}

/// A host that lets the call go on until so many signals have come.
struct Until(u64);

impl Host for Until {
    fn interrupted(&self) -> bool {
        SIGNALS.load(Ordering::SeqCst) >= self.0
    }
}

fn count_in_redis(client: &Client, host: &Until) -> steadis::Result<()> {
    let mut exchange = Exchange::raw(&["INCR", "n"])?;
    client.run(&mut exchange, &client.options(), host).map(drop)
}

/// The call ends when its host says so; the connection and its neighbours there do not.
#[test]
fn signals_end_the_call_that_they_interrupt_and_no_other() {
    listen();
    let redis = Redis::start();
    let mut config = config(redis.port);
    config.lanes = Some(NonZeroUsize::MIN);
    let client = Client::new(config);
    let connection = client.call(&["CLIENT", "ID"]).unwrap();
    for turn in 1..=2 {
        SIGNALS.store(0, Ordering::SeqCst);
        redis.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
        let ours = client.clone();
        let interrupted = thread::spawn(move || count_in_redis(&ours, &Until(100 * turn)));
        let ours = client.clone();
        let neighbour = thread::spawn(move || ours.call(&["ECHO", "here"]));
        while !interrupted.is_finished() {
            // SAFETY: the thread was not joined yet, so its name is its own.
            unsafe { libc::pthread_kill(interrupted.as_pthread_t(), libc::SIGUSR1) };
            thread::yield_now();
        }
        let ended = interrupted.join().unwrap().unwrap_err();
        assert!(ended.message().contains("interrupted"), "{ended}");
        redis.cli(&["CLIENT", "UNPAUSE"]);
        assert_eq!(neighbour.join().unwrap().unwrap(), Reply::Bulk(b"here".into()));
    }
    assert_eq!(client.call(&["CLIENT", "ID"]).unwrap(), connection);
}
