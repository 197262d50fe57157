//! Children with clients that they inherited. A program of its own: a test harness has threads
//! whose locks a child would inherit as well.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use steadis::lane::door::Door;
use steadis::{Client, Reply, Resolver};
use support::{Redis, config};

/// Runs `work` in a child, and says whether it ended well.
fn in_child(work: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child uses nothing but what it is handed, and leaves by _exit, so that no
    // destructor of the parent's runs twice.
    match unsafe { libc::fork() } {
        0 => {
            let well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: ends this process and nothing else.
            unsafe { libc::_exit(if well.unwrap_or(false) { 0 } else { 1 }) }
        }
        child => {
            let mut status = 0;
            // SAFETY: waits for the child that was just made, and writes its status here.
            unsafe { libc::waitpid(child, &mut status, 0) };
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
        }
    }
}

fn increments(client: &Client, key: &str, times: i64) -> bool {
    (0..times).all(|_| matches!(client.call(&["INCR", key]), Ok(Reply::Integer(_))))
}

static PASSED: AtomicU64 = AtomicU64::new(0);

fn check(well: bool, what: &str) {
    assert!(well, "{what}");
    PASSED.fetch_add(1, Ordering::Relaxed);
}

fn main() {
    let redis = Redis::start();
    let client = Client::new(config(redis.port));

    check(in_child(|| increments(&client, "before", 10)), "a client that was never used");
    check(increments(&client, "parent", 10), "the parent after its first fork");
    check(in_child(|| increments(&client, "after", 10)), "a client with connections");
    let grandchild = || in_child(|| increments(&client, "grandchild", 5));
    check(in_child(|| increments(&client, "child", 5) && grandchild()), "a child of a child");

    // The parent goes on all the while, on its own connections.
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    assert!(increments(&client, "busy", 1));
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..40 {
            check(in_child(|| increments(&client, "storm", 3)), &format!("child {round}"));
        }
        stop.store(true, Ordering::Relaxed);
    });
    check(increments(&client, "parent", 1), "the parent after many forks");

    let resolver = Resolver::new(config(redis.port));
    let finds = || resolver.primary(None, &()).is_ok_and(|found| found.epoch == 1);
    check(in_child(finds), "a resolver that was never asked");
    check(finds(), "the parent's resolver");
    check(in_child(finds), "a resolver that watches");
    check(finds(), "the parent's resolver after it");

    let door = Door::of_this_process();
    let is_the_same = || Arc::ptr_eq(&door, &Door::of_this_process());
    check(in_child(|| !is_the_same()), "those in line at the parent's door are not the child's");
    check(is_the_same(), "the parent keeps its door");

    let count = |key: &str| redis.cli(&["GET", key]);
    let done = done.into_inner().to_string();
    check(count("busy") == done, "nothing of the parent's lost, nothing twice");
    for (key, expected) in
        [("before", "10"), ("after", "10"), ("child", "5"), ("grandchild", "5"), ("storm", "120")]
    {
        check(count(key) == expected, key);
    }
    println!("{} passed, 0 failed", PASSED.load(Ordering::Relaxed));
}
