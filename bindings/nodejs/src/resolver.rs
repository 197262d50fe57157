//! Who is primary, for programs that keep a client library of their own.

use crate::client::thrown;
use crate::js::{Js, Value};
use crate::options::options;
use crate::picture;
use crate::runtime::{Bell, Ring};
use napi::Env;
use std::cell::Cell;
use std::time::Duration;
use steadis::config::{Endpoint, Environment, Input, Unit};
use steadis::{Error, Found, Trouble};

/// Finds the primary and says when it changes.
#[napi_derive::napi]
#[derive(Debug)]
pub struct NativeResolver {
    inner: steadis::Resolver,
    listener: Cell<Option<u64>>,
}

#[napi_derive::napi]
impl NativeResolver {
    /// Opens a resolver without touching the network.
    #[napi(factory, catch_unwind)]
    pub fn open(env: Env, url: Option<String>, given: Value) -> napi::Result<Self> {
        let js = Js(env.raw());
        let opened = options(js, given).and_then(|options| {
            let (environment, unit) = (Environment::process(), Unit::Milliseconds);
            steadis::Resolver::open(&Input { environment, url, options, unit })
        });
        let inner = opened.map_err(|error| thrown(js, &error))?;
        Ok(Self { inner, listener: Cell::new(None) })
    }

    /// Begins to watch the deployment: the number by which the resolver's listener is called
    /// whenever the primary changes.
    #[napi(catch_unwind)]
    pub fn start(&self, env: Env, ring: Ring<'_>) -> napi::Result<u32> {
        let bell = Bell::new(&ring)?;
        let number = bell.number;
        let listener = self.inner.on_change(move |_| bell.ring(None));
        let listener = listener.map_err(|error| thrown(Js(env.raw()), &error))?;
        if let Some(former) = self.listener.replace(Some(listener)) {
            self.inner.off(former);
        }
        Ok(number)
    }

    /// The primary, if it is known now; throws what only the user can mend.
    #[napi(catch_unwind)]
    pub fn primary(&self, env: Env) -> napi::Result<Value> {
        let js = Js(env.raw());
        let found = self.inner.primary(Some(Duration::ZERO), &());
        let found = found.map_err(|error| thrown(js, &error))?;
        Ok(describe(js, &found))
    }

    /// How to reach the known replicas.
    #[napi(catch_unwind)]
    pub fn replicas(&self, env: Env) -> napi::Result<Value> {
        let js = Js(env.raw());
        let replicas = self.inner.replicas().map_err(|error| thrown(js, &error))?;
        Ok(js.list(&replicas.iter().map(|to| endpoint(js, to)).collect::<Vec<_>>()))
    }

    /// What is known of the deployment.
    #[napi(catch_unwind)]
    pub fn topology(&self, env: Env) -> napi::Result<Value> {
        let js = Js(env.raw());
        let topology = self.inner.topology().map_err(|error| thrown(js, &error))?;
        Ok(picture::fields(js, topology.fields()))
    }

    /// A connection of this epoch met trouble: with an error line of the node, or none at all.
    #[napi(catch_unwind)]
    pub fn report(&self, env: Env, epoch: f64, line: Option<String>) -> napi::Result<bool> {
        let reported = match line {
            Some(line) => self.inner.report_error(epoch as u64, line.as_bytes()),
            None => self.inner.report(epoch as u64, Trouble::Unreachable).map(|()| true),
        };
        reported.map_err(|error: Error| thrown(Js(env.raw()), &error))
    }

    #[napi(catch_unwind)]
    pub fn close(&self) {
        if let Some(listener) = self.listener.take() {
            self.inner.off(listener);
        }
        self.inner.close();
    }
}

fn describe(js: Js, found: &Found) -> Value {
    let object = endpoint(js, &found.address);
    js.set(object, "epoch", js.double(found.epoch as f64));
    object
}

fn endpoint(js: Js, to: &Endpoint) -> Value {
    let object = js.object();
    match to {
        Endpoint::Tcp(address) => {
            js.set(object, "host", js.text(address.host.as_bytes()));
            js.set(object, "port", js.small(address.port.into()));
        }
        Endpoint::Unix(path) => {
            js.set(object, "path", js.text(path.to_string_lossy().as_bytes()));
        }
    }
    object
}
