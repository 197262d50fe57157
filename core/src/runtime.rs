//! The one background thread: started with the first deployment, gone with the last.
//!
//! After a fork the child has no such thread, only its memory. It starts its own; what it
//! inherited is leaked on purpose, since dropping an inherited socket would take it out of the
//! epoll set that parent and child share, and the parent would wait for it in vain.

use crate::error::{Error, Kind, Result};
use crate::sys;
use arc_swap::ArcSwapOption;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

static CURRENT: ArcSwapOption<Runtime> = ArcSwapOption::const_empty();

#[derive(Debug)]
struct Runtime {
    generation: u64,
    /// Zero is for ever: the thread is on its way out then.
    users: AtomicUsize,
    tasks: UnboundedSender<Option<Task>>,
}

/// The right to run tasks on the thread; the thread lives as long as anybody has one.
#[derive(Debug)]
pub(crate) struct Lease(Arc<Runtime>);

impl Lease {
    pub(crate) fn take() -> Result<Self> {
        sys::watch_forks();
        // No lock here: a fork could leave it locked for ever in the child.
        loop {
            let current = CURRENT.load_full();
            if let Some(runtime) = &current
                && runtime.generation == sys::generation()
                && runtime.join()
            {
                return Ok(Self(Arc::clone(runtime)));
            }
            let fresh = Runtime::start()?;
            let previous = CURRENT.compare_and_swap(&current, Some(Arc::clone(&fresh)));
            let ours = match (&*previous, &current) {
                (None, None) => true,
                (Some(previous), Some(current)) => Arc::ptr_eq(previous, current),
                _ => false,
            };
            if ours {
                if let Some(inherited) = current.filter(|it| it.generation != sys::generation()) {
                    std::mem::forget(inherited);
                }
                return Ok(Self(fresh));
            }
            fresh.leave();
        }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Fails only once the thread has ended, which it does not while we are here.
        let _ = self.0.tasks.send(Some(Box::pin(task)));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.generation == sys::generation() {
            self.0.leave();
        }
    }
}

impl Runtime {
    fn start() -> Result<Arc<Self>> {
        let (tasks, queue) = unbounded_channel();
        let failed = |error: std::io::Error| {
            Error::new(Kind::Unavailable, format!("cannot start the background thread: {error}"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // Names are resolved on threads of their own, now and then.
            .thread_keep_alive(Duration::from_secs(1))
            .build()
            .map_err(failed)?;
        std::thread::Builder::new()
            .name("steadis".into())
            .spawn(move || {
                sys::block_signals();
                runtime.block_on(run(queue));
                // Names that are still being resolved must not keep a process from ending.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Arc::new(Self { generation: sys::generation(), users: AtomicUsize::new(1), tasks }))
    }

    fn join(&self) -> bool {
        let one_more = |users| (users > 0).then_some(users + 1);
        self.users.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    fn leave(&self) {
        if self.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _ = self.tasks.send(None);
        }
    }
}

async fn run(mut queue: UnboundedReceiver<Option<Task>>) {
    while let Some(Some(task)) = queue.recv().await {
        tokio::spawn(task);
    }
}
