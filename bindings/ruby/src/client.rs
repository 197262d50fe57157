//! The client.

use crate::convert::{Builder, items, words};
use crate::error::{self, guarded_in_ruby};
use crate::events::Events;
use crate::pipeline::{Queue, replies};
use crate::pubsub::Subscription;
use crate::runtime::waiting;
use crate::scan::Scan;
use crate::script::Script;
use crate::watch::View;
use crate::{method, settings, values};
use magnus::typed_data::Obj;
use magnus::value::ReprValue;
use magnus::{
    Class, Error, Module, Object, RArray, RClass, RHash, RModule, RString, Ruby, Value,
    method as ruby_method,
};
use std::num::NonZeroUsize;
use steadis::client::{Batch, CallOptions, Exchange};
use steadis::config::{OptionValue, Unit};

/// A client, or a view of one with other options.
#[magnus::wrap(class = "Steadis::Client", free_immediately, size)]
pub(crate) struct Client {
    pub(crate) core: steadis::Client,
    options: CallOptions,
}

impl Client {
    fn open_as(ruby: &Ruby, class: RClass, url: Value, options: RHash) -> Result<Obj<Self>, Error> {
        guarded_in_ruby(ruby, || {
            let input = settings::input(ruby, url, options)?;
            // Ruby's lock lets one thread in at a time: more connections would not keep it busier.
            let core = steadis::Client::open_with_lanes(&input, NonZeroUsize::MIN);
            let core = core.map_err(|why| error::raise(ruby, &why))?;
            let options = core.options();
            Ok(ruby.obj_wrap_as(Self { core, options }, class))
        })
    }

    /// Another object of the same class, that shares everything but the options.
    fn view(
        ruby: &Ruby,
        this: Obj<Self>,
        options: steadis::Result<CallOptions>,
    ) -> Result<Obj<Self>, Error> {
        let options = options.map_err(|why| error::raise(ruby, &why))?;
        let core = this.core.clone();
        Ok(ruby.obj_wrap_as(Self { core, options }, this.class()))
    }

    pub(crate) fn run(&self, ruby: &Ruby, exchange: &mut Exchange) -> Result<(), Error> {
        waiting(ruby, |waiter| self.core.run(exchange, &self.options, waiter))
    }

    fn reply(&self, ruby: &Ruby, mut exchange: Exchange) -> Result<Value, Error> {
        self.run(ruby, &mut exchange)?;
        answer(ruby, &exchange)
    }

    /// A command of the table.
    fn command(ruby: &Ruby, this: &Self, args: &[Value]) -> Result<Value, Error> {
        guarded_in_ruby(ruby, || this.reply(ruby, method::exchange(ruby, args)?))
    }

    fn call(ruby: &Ruby, this: &Self, args: &[Value]) -> Result<Value, Error> {
        guarded_in_ruby(ruby, || this.reply(ruby, raw(ruby, args)?))
    }

    fn with_options(ruby: &Ruby, this: Obj<Self>, given: RHash) -> Result<Obj<Self>, Error> {
        let options = this.options.with(settings::pairs(ruby, given)?, Unit::Seconds);
        Self::view(ruby, this, options)
    }

    fn replica(ruby: &Ruby, this: Obj<Self>, given: RHash) -> Result<Obj<Self>, Error> {
        let options = this.options.replica(settings::pairs(ruby, given)?, Unit::Seconds);
        Self::view(ruby, this, options)
    }

    fn ready(ruby: &Ruby, this: &Self, timeout: Value) -> Result<(), Error> {
        let mut options = this.core.options();
        let given = settings::value_of(ruby, "timeout", timeout)?;
        if given != OptionValue::Null {
            let with = options.with(vec![("timeout".to_owned(), given)], Unit::Seconds);
            options = with.map_err(|why| error::raise(ruby, &why))?;
        }
        let mut ping = Exchange::raw(&["PING"]).map_err(|why| error::raise(ruby, &why))?;
        waiting(ruby, |waiter| this.core.run(&mut ping, &options, waiter))?;
        ping.answer().map(drop).map_err(|why| error::raise(ruby, &why))
    }

    /// Sends what was queued; the replies in order, or with `exception` the first error.
    fn send(
        ruby: &Ruby,
        this: &Self,
        queue: &Queue,
        transaction: bool,
        exception: bool,
    ) -> Result<RArray, Error> {
        guarded_in_ruby(ruby, || {
            let batch: Batch = queue.take(ruby)?;
            if batch.is_empty() {
                return Ok(ruby.ary_new());
            }
            let outcomes = waiting(ruby, |waiter| match transaction {
                true => this.core.run_transaction(batch, &this.options, waiter),
                false => this.core.run_pipeline(batch, &this.options, waiter),
            })?;
            replies(ruby, &outcomes, exception)
        })
    }

    fn script(&self, source: RString) -> Script {
        // SAFETY: the bytes are copied before Ruby gets to do anything.
        Script::new(self.core.script(unsafe { source.as_slice() }))
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

    fn watch(ruby: &Ruby, this: &Self, keys: RArray) -> Result<View, Error> {
        let keys = words(ruby, "watch", items(&keys))?;
        let watch = this.core.watching(&keys, &this.options);
        Ok(View::new(watch.map_err(|why| error::raise(ruby, &why))?))
    }

    fn scan(
        ruby: &Ruby,
        _this: &Self,
        name: String,
        args: RArray,
        named: RHash,
    ) -> Result<Scan, Error> {
        Scan::new(ruby, &name, items(&args), named)
    }

    /// The elements of the next page; `nil` after the last.
    fn scan_page(ruby: &Ruby, this: &Self, scan: &Scan) -> Result<Value, Error> {
        guarded_in_ruby(ruby, || {
            let Some(mut exchange) = scan.request(ruby)? else {
                return Ok(ruby.qnil().as_value());
            };
            this.run(ruby, &mut exchange)?;
            scan.take(ruby, &exchange)
        })
    }

    fn subscription(&self) -> Subscription {
        Subscription::new(self.core.subscription())
    }

    fn topology(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let topology = this.core.topology().map_err(|why| error::raise(ruby, &why))?;
        values::fields(ruby, topology.fields())
    }

    fn health(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let health = this.core.health().map_err(|why| error::raise(ruby, &why))?;
        values::fields(ruby, health.fields())
    }

    fn stats(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let figures = ruby.hash_new();
        for (name, _, value) in this.core.stats().figures() {
            figures.aset(ruby.to_symbol(name), value)?;
        }
        Ok(figures)
    }

    fn prometheus(&self) -> String {
        self.core.stats().prometheus()
    }

    fn explain(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        values::explanation(ruby, &this.core.explain())
    }

    fn warnings(&self) -> Vec<String> {
        self.core.warnings().to_vec()
    }

    fn is_eager(&self) -> bool {
        self.core.config().eager
    }

    fn listen(ruby: &Ruby, this: &Self, events: &Events) -> Result<u64, Error> {
        this.core.on(events.listener()).map_err(|why| error::raise(ruby, &why))
    }

    /// A client that was closed has no listeners any more.
    fn unlisten(&self, listener: u64) {
        self.core.off(listener);
    }

    fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    fn close(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        guarded_in_ruby(ruby, || {
            this.core.close();
            Ok(())
        })
    }

    /// Where it leads to; no password is part of that.
    fn inspect(&self) -> String {
        values::inspect("Client", self.core.config(), self.core.is_closed())
    }
}

/// Any command, encoded.
pub(crate) fn raw(ruby: &Ruby, args: &[Value]) -> Result<Exchange, Error> {
    Exchange::raw(&words(ruby, "call", args)?).map_err(|why| error::raise(ruby, &why))
}

/// The value of a reply, or the server's error.
pub(crate) fn answer(ruby: &Ruby, exchange: &Exchange) -> Result<Value, Error> {
    let answer = exchange.answer().map_err(|why| error::raise(ruby, &why))?;
    answer.build(&mut Builder { ruby })
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("Client", ruby.class_object())?;
    class.undef_default_alloc_func();
    method::attach(ruby, class, ruby_method!(Client::command, -1))?;
    class.define_method("call", ruby_method!(Client::call, -1))?;
    class.define_method("closed?", ruby_method!(Client::is_closed, 0))?;
    class.define_method("inspect", ruby_method!(Client::inspect, 0))?;
    class.define_singleton_method("_open", ruby_method!(Client::open_as, 2))?;
    class.define_private_method("_options", ruby_method!(Client::with_options, 1))?;
    class.define_private_method("_replica", ruby_method!(Client::replica, 1))?;
    class.define_private_method("_ready", ruby_method!(Client::ready, 1))?;
    class.define_private_method("_send", ruby_method!(Client::send, 3))?;
    class.define_private_method("_script", ruby_method!(Client::script, 1))?;
    class.define_method("_run_script", ruby_method!(Client::run_script, 3))?;
    class.define_private_method("_watch", ruby_method!(Client::watch, 1))?;
    class.define_private_method("_scan", ruby_method!(Client::scan, 3))?;
    class.define_private_method("_scan_page", ruby_method!(Client::scan_page, 1))?;
    class.define_private_method("_subscription", ruby_method!(Client::subscription, 0))?;
    class.define_private_method("_topology", ruby_method!(Client::topology, 0))?;
    class.define_private_method("_health", ruby_method!(Client::health, 0))?;
    class.define_private_method("_stats", ruby_method!(Client::stats, 0))?;
    class.define_private_method("_prometheus", ruby_method!(Client::prometheus, 0))?;
    class.define_private_method("_explain", ruby_method!(Client::explain, 0))?;
    class.define_method("_warnings", ruby_method!(Client::warnings, 0))?;
    class.define_method("_eager?", ruby_method!(Client::is_eager, 0))?;
    class.define_method("_listen", ruby_method!(Client::listen, 1))?;
    class.define_method("_unlisten", ruby_method!(Client::unlisten, 1))?;
    class.define_private_method("_close", ruby_method!(Client::close, 0))
}
