//! Commands that are sent in one go.

use crate::client::raw;
use crate::convert::{Builder, with_args};
use crate::error::{self, guarded_in_ruby};
use crate::method;
use crate::script::Script;
use magnus::typed_data::Obj;
use magnus::{
    Class, Error, Module, Object, RArray, RModule, Ruby, Value, function, method as ruby_method,
};
use std::cell::RefCell;
use steadis::client::{Batch, Outcomes};

/// Commands in a row, not sent yet.
#[derive(Default)]
#[magnus::wrap(class = "Steadis::Pipeline", free_immediately, size)]
pub(crate) struct Queue(RefCell<Option<Batch>>);

impl Queue {
    fn new() -> Self {
        Self(RefCell::new(Some(Batch::default())))
    }

    fn with<T>(
        &self,
        ruby: &Ruby,
        run: impl FnOnce(&mut Batch) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Converting an argument may run Ruby's code, and with it another thread.
        let Ok(mut batch) = self.0.try_borrow_mut() else {
            return Err(error::usage(ruby, "the pipeline is being used by another thread"));
        };
        match batch.as_mut() {
            Some(batch) => run(batch),
            None => Err(error::usage(ruby, "the pipeline was sent: use it inside its block")),
        }
    }

    /// All of it, to be sent.
    pub(crate) fn take(&self, ruby: &Ruby) -> Result<Batch, Error> {
        let batch = self.0.try_borrow_mut().ok().and_then(|mut batch| batch.take());
        batch.ok_or_else(|| error::usage(ruby, "the pipeline was sent already"))
    }

    /// A command of the table.
    fn command(ruby: &Ruby, this: Obj<Self>, args: &[Value]) -> Result<Obj<Self>, Error> {
        guarded_in_ruby(ruby, || {
            let command = method::current(ruby)?;
            let (args, named) = method::split(args);
            this.with(ruby, |batch| {
                with_args(ruby, command.name, args, named, |args, named| {
                    batch.add(command, args, named)
                })
            })?;
            Ok(this)
        })
    }

    fn call(ruby: &Ruby, this: Obj<Self>, args: &[Value]) -> Result<Obj<Self>, Error> {
        let exchange = raw(ruby, args)?;
        this.with(ruby, |batch| {
            batch.add_exchange(&exchange);
            Ok(this)
        })
    }

    fn run_script(
        ruby: &Ruby,
        this: Obj<Self>,
        script: &Script,
        keys: Value,
        args: Value,
    ) -> Result<Obj<Self>, Error> {
        let exchange = script.exchange(ruby, keys, args)?;
        this.with(ruby, |batch| {
            batch.add_exchange(&exchange);
            Ok(this)
        })
    }

    fn length(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, Batch::len)
    }
}

/// What came of each command. The first error is raised, or all stand in the list.
pub(crate) fn replies(ruby: &Ruby, outcomes: &Outcomes, exception: bool) -> Result<RArray, Error> {
    if exception && let Some(error) = outcomes.iter().find_map(Result::err) {
        return Err(error::raise(ruby, error));
    }
    let all = ruby.ary_new_capa(outcomes.len());
    for outcome in outcomes.iter() {
        match outcome {
            Ok(answer) => all.push(answer.build(&mut Builder { ruby })?)?,
            Err(error) => all.push(error::value(ruby, error)?)?,
        }
    }
    Ok(all)
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("Pipeline", ruby.class_object())?;
    class.undef_default_alloc_func();
    method::attach(ruby, class, ruby_method!(Queue::command, -1))?;
    class.define_singleton_method("new", function!(Queue::new, 0))?;
    class.define_method("call", ruby_method!(Queue::call, -1))?;
    class.define_method("length", ruby_method!(Queue::length, 0))?;
    class.define_method("_run_script", ruby_method!(Queue::run_script, 3))
}
