//! Subscriptions.

use crate::convert::{Builder, items, words};
use crate::error::{self, guarded_in_ruby};
use crate::runtime::{Waiter, waiting};
use magnus::value::ReprValue;
use magnus::{Class, Error, Module, RArray, RModule, Ruby, Value, method};
use std::cell::RefCell;
use std::time::{Duration, SystemTime};
use steadis::client::{By, Incoming, blocking};

/// A subscription for one thread at a time.
#[magnus::wrap(class = "Steadis::Subscription", free_immediately, size)]
pub(crate) struct Subscription(RefCell<Option<blocking::Subscription>>);

impl Subscription {
    pub(crate) fn new(core: blocking::Subscription) -> Self {
        Self(RefCell::new(Some(core)))
    }

    fn with<T>(
        &self,
        ruby: &Ruby,
        run: impl FnOnce(&mut blocking::Subscription) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Ok(mut core) = self.0.try_borrow_mut() else {
            return Err(error::usage(ruby, "another thread is waiting on this subscription"));
        };
        let Some(core) = core.as_mut() else {
            let why = steadis::Error::new(steadis::Kind::Closed, "the subscription was closed");
            return Err(error::raise(ruby, &why));
        };
        run(core)
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
        this.with(ruby, |core| waiting(ruby, |waiter| core.ready(waiter)))
    }

    /// What comes next; `nil` if nothing does within `timeout`.
    fn next(ruby: &Ruby, this: &Self, timeout: Option<f64>) -> Result<Option<Value>, Error> {
        let timeout = timeout.map(Duration::try_from_secs_f64).transpose();
        let negative = |_| error::usage(ruby, "timeout is negative; give zero or more");
        let timeout = timeout.map_err(negative)?;
        guarded_in_ruby(ruby, || {
            let next =
                |waiter: &Waiter, core: &mut blocking::Subscription| core.next(timeout, waiter);
            let incoming = this.with(ruby, |core| waiting(ruby, |waiter| next(waiter, core)))?;
            incoming.map(|incoming| value(ruby, &incoming)).transpose()
        })
    }

    fn close(&self) {
        if let Ok(mut core) = self.0.try_borrow_mut() {
            core.take();
        }
    }
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
