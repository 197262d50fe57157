//! Who is primary, for programs that keep a client library of their own.

use crate::error::{self, guarded_in_ruby};
use crate::events::Events;
use crate::runtime::waiting;
use crate::{settings, values};
use magnus::{Class, Error, Module, Object, RHash, RModule, Ruby, Value, function, method};
use steadis::Trouble;
use steadis::config::Endpoint;

/// Finds the primary and says when it changes.
#[magnus::wrap(class = "Steadis::Resolver", free_immediately, size)]
pub(crate) struct Resolver(steadis::Resolver);

impl Resolver {
    fn open(ruby: &Ruby, url: Value, options: RHash) -> Result<Self, Error> {
        guarded_in_ruby(ruby, || {
            let input = settings::input(ruby, url, options)?;
            steadis::Resolver::open(&input).map(Self).map_err(|why| error::raise(ruby, &why))
        })
    }

    fn primary(ruby: &Ruby, this: &Self, timeout: Option<f64>) -> Result<(String, u64), Error> {
        let timeout = settings::span(ruby, timeout)?;
        let found = waiting(ruby, |waiter| this.0.primary(timeout, waiter))?;
        Ok((found.address.to_string(), found.epoch))
    }

    fn replicas(ruby: &Ruby, this: &Self) -> Result<Vec<String>, Error> {
        let replicas = this.0.replicas().map_err(|why| error::raise(ruby, &why))?;
        Ok(replicas.iter().map(Endpoint::to_string).collect())
    }

    /// The epoch of the primary that new connections may go to; `nil` where they would wait.
    fn current(ruby: &Ruby, this: &Self) -> Result<Option<u64>, Error> {
        let current = this.0.current().map_err(|why| error::raise(ruby, &why))?;
        Ok(current.map(|found| found.epoch))
    }

    fn topology(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let topology = this.0.topology().map_err(|why| error::raise(ruby, &why))?;
        values::fields(ruby, topology.fields())
    }

    fn health(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let health = this.0.health().map_err(|why| error::raise(ruby, &why))?;
        values::fields(ruby, health.fields())
    }

    fn report(ruby: &Ruby, this: &Self, epoch: u64) -> Result<(), Error> {
        this.0.report(epoch, Trouble::Unreachable).map_err(|why| error::raise(ruby, &why))
    }

    /// Whether the error says that the node is no primary to write to.
    fn report_error(ruby: &Ruby, this: &Self, epoch: u64, line: String) -> Result<bool, Error> {
        let doubtful = this.0.report_error(epoch, line.as_bytes());
        doubtful.map_err(|why| error::raise(ruby, &why))
    }

    fn listen(ruby: &Ruby, this: &Self, events: &Events) -> Result<u64, Error> {
        this.0.on_change(events.on_change()).map_err(|why| error::raise(ruby, &why))
    }

    fn unlisten(&self, listener: u64) {
        self.0.off(listener);
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&self) {
        self.0.close();
    }

    fn inspect(&self) -> String {
        values::inspect("Resolver", self.0.config(), self.0.is_closed())
    }
}

pub(crate) fn define(ruby: &Ruby, home: RModule) -> Result<(), Error> {
    let class = home.define_class("Resolver", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_singleton_method("_open", function!(Resolver::open, 2))?;
    class.define_method("replicas", method!(Resolver::replicas, 0))?;
    class.define_method("closed?", method!(Resolver::is_closed, 0))?;
    class.define_method("inspect", method!(Resolver::inspect, 0))?;
    class.define_private_method("_primary", method!(Resolver::primary, 1))?;
    class.define_private_method("_topology", method!(Resolver::topology, 0))?;
    class.define_private_method("_health", method!(Resolver::health, 0))?;
    class.define_private_method("_report", method!(Resolver::report, 1))?;
    class.define_private_method("_report_error", method!(Resolver::report_error, 2))?;
    class.define_private_method("_close", method!(Resolver::close, 0))?;
    class.define_method("_current", method!(Resolver::current, 0))?;
    class.define_method("_listen", method!(Resolver::listen, 1))?;
    class.define_method("_unlisten", method!(Resolver::unlisten, 1))
}
