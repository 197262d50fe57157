//! Subscriptions.

use crate::convert::{Builder, items, words};
use crate::error::{self, guarded_in_ruby};
use crate::runtime::{Waiter, waiting};
use crate::settings;
use magnus::value::ReprValue;
use magnus::{Class, Error, Module, RArray, RModule, Ruby, Value, method};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use steadis::Kind;
use steadis::client::{By, Incoming, blocking};
use steadis::lane::call::Host;

/// A subscription for one thread at a time. Any thread may close it.
#[magnus::wrap(class = "Steadis::Subscription", free_immediately, size)]
pub(crate) struct Subscription {
    core: RefCell<Option<blocking::Subscription>>,
    closed: AtomicBool,
}

/// Waits until another thread closes the subscription.
struct WhileOpen<'a> {
    closed: &'a AtomicBool,
    waiter: &'a Waiter,
}

impl Host for WhileOpen<'_> {
    fn interrupted(&self) -> bool {
        self.closed.load(Ordering::Acquire) || self.waiter.interrupted()
    }
}

impl Subscription {
    pub(crate) fn new(core: blocking::Subscription) -> Self {
        Self { core: RefCell::new(Some(core)), closed: AtomicBool::new(false) }
    }

    fn with<T>(
        &self,
        ruby: &Ruby,
        run: impl FnOnce(&mut blocking::Subscription) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Ok(mut core) = self.core.try_borrow_mut() else {
            return Err(error::usage(ruby, "another thread is waiting on this subscription"));
        };
        match core.as_mut() {
            Some(core) if !self.closed.load(Ordering::Acquire) => run(core),
            _ => Err(error::raise(ruby, &closed())),
        }
    }

    fn wait<T: Send>(
        &self,
        ruby: &Ruby,
        run: impl FnOnce(&mut blocking::Subscription, &dyn Host) -> steadis::Result<T> + Send,
    ) -> Result<T, Error> {
        let over = &self.closed;
        let outcome = guarded_in_ruby(ruby, || {
            self.with(ruby, |core| {
                waiting(ruby, |waiter| {
                    let outcome = run(core, &WhileOpen { closed: over, waiter });
                    if over.load(Ordering::Acquire) { Err(closed()) } else { outcome }
                })
            })
        });
        if over.load(Ordering::Acquire) {
            self.close();
        }
        outcome
    }

    fn change(
        ruby: &Ruby,
        this: &Self,
        by: String,
        names: RArray,
        wanted: bool,
    ) -> Result<(), Error> {
        let names = words(ruby, "subscribe", items(&names))?;
        let by = match by.as_str() {
            "pattern" => By::Pattern,
            "shard" => By::Shard,
            _ => By::Channel,
        };
        this.with(ruby, |core| {
            names.iter().for_each(|name| match wanted {
                true => core.add(by, name),
                false => core.remove(by, name),
            });
            Ok(())
        })
    }

    fn ready(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        this.wait(ruby, |core, host| core.ready(host))
    }

    /// What comes next; `nil` if nothing does within `timeout`.
    fn next(ruby: &Ruby, this: &Self, timeout: Option<f64>) -> Result<Option<Value>, Error> {
        let timeout = settings::span(ruby, timeout)?;
        let incoming = this.wait(ruby, |core, host| core.next(timeout, host))?;
        incoming.map(|incoming| value(ruby, &incoming)).transpose()
    }

    /// Whoever waits closes the connection when it leaves.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Ok(mut core) = self.core.try_borrow_mut() {
            core.take();
        }
    }
}

fn closed() -> steadis::Error {
    steadis::Error::new(Kind::Closed, "the subscription was closed")
}

/// A message or a gap.
fn value(ruby: &Ruby, incoming: &Incoming) -> Result<Value, Error> {
    let class = |name: &str| error::home(ruby)?.const_get::<_, Value>(name);
    let builder = Builder { ruby };
    match incoming {
        Incoming::Message { channel, pattern, data } => {
            let pattern = pattern.as_deref().map(|it| builder.text(it));
            class("Message")?.funcall("new", (builder.text(channel), pattern, builder.text(data)))
        }
        Incoming::Gap { since, until } => {
            class("Gap")?.funcall("new", (seconds(*since), seconds(*until)))
        }
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map(|it| it.as_secs_f64()).unwrap_or_default()
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("Subscription", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_private_method("_change", method!(Subscription::change, 3))?;
    class.define_private_method("_ready", method!(Subscription::ready, 0))?;
    class.define_private_method("_next", method!(Subscription::next, 1))?;
    class.define_method("close", method!(Subscription::close, 0))
}
