//! Optimistic transactions.

use crate::client::{answer, raw};
use crate::error::{self, guarded_in_ruby};
use crate::method;
use crate::pipeline::{Queue, replies};
use crate::runtime::{Waiter, waiting};
use crate::script::Script;
use magnus::{Class, Error, Module, RArray, RModule, Ruby, Value, method as ruby_method};
use std::cell::RefCell;
use steadis::client::Exchange;
use steadis::client::blocking::Watch;

/// What `watch` hands over to read the watched keys with.
#[magnus::wrap(class = "Steadis::View", free_immediately, size)]
pub(crate) struct View(RefCell<Option<Watch>>);

impl View {
    pub(crate) fn new(watch: Watch) -> Self {
        Self(RefCell::new(Some(watch)))
    }

    fn with<T: Send>(
        &self,
        ruby: &Ruby,
        run: impl FnOnce(&mut Watch, &Waiter) -> steadis::Result<T> + Send,
    ) -> Result<T, Error> {
        let Ok(mut watch) = self.0.try_borrow_mut() else {
            return Err(error::usage(ruby, "another thread is waiting on this view"));
        };
        let Some(watch) = watch.as_mut() else {
            return Err(error::usage(ruby, "the watch is over: use its view inside the block"));
        };
        waiting(ruby, |waiter| run(watch, waiter))
    }

    fn reply(&self, ruby: &Ruby, mut exchange: Exchange) -> Result<Value, Error> {
        self.with(ruby, |watch, waiter| watch.run(&mut exchange, waiter))?;
        answer(ruby, &exchange)
    }

    /// A command of the table.
    fn command(ruby: &Ruby, this: &Self, args: &[Value]) -> Result<Value, Error> {
        guarded_in_ruby(ruby, || this.reply(ruby, method::exchange(ruby, args)?))
    }

    fn call(ruby: &Ruby, this: &Self, args: &[Value]) -> Result<Value, Error> {
        guarded_in_ruby(ruby, || this.reply(ruby, raw(ruby, args)?))
    }

    fn run_script(
        ruby: &Ruby,
        this: &Self,
        script: &Script,
        keys: Value,
        args: Value,
    ) -> Result<Value, Error> {
        guarded_in_ruby(ruby, || this.reply(ruby, script.exchange(ruby, keys, args)?))
    }

    fn begin(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        this.with(ruby, |watch, waiter| watch.begin(waiter))
    }

    /// `nil`: somebody else has changed the keys.
    fn commit(ruby: &Ruby, this: &Self, queue: &Queue) -> Result<Option<RArray>, Error> {
        guarded_in_ruby(ruby, || {
            let batch = queue.take(ruby)?;
            let outcomes = this.with(ruby, |watch, waiter| watch.commit(batch, waiter))?;
            outcomes.map(|outcomes| replies(ruby, &outcomes, true)).transpose()
        })
    }

    /// Whether the last error came of a connection that was lost, so that the next attempt helps.
    fn is_lost(&self) -> bool {
        self.0.try_borrow().is_ok_and(|watch| watch.as_ref().is_some_and(Watch::is_lost))
    }

    fn end(&self) {
        if let Ok(mut watch) = self.0.try_borrow_mut() {
            watch.take();
        }
    }
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("View", ruby.class_object())?;
    class.undef_default_alloc_func();
    method::attach(ruby, class, ruby_method!(View::command, -1))?;
    class.define_method("call", ruby_method!(View::call, -1))?;
    class.define_method("_run_script", ruby_method!(View::run_script, 3))?;
    class.define_method("_begin", ruby_method!(View::begin, 0))?;
    class.define_method("_commit", ruby_method!(View::commit, 1))?;
    class.define_method("_lost?", ruby_method!(View::is_lost, 0))?;
    class.define_method("_end", ruby_method!(View::end, 0))
}
