//! One client of an event loop, and its views with other options.
//!
//! JavaScript owns sockets, TLS and the clock. It submits calls, does what `actions` says, and
//! reports what happened; whatever that settles is returned as one array of codes and values.

use crate::batch::{self, Script, raw};
use crate::convert::{read_list, with_room};
use crate::desk::Desk;
use crate::js::{Js, Value};
use crate::options::{options, spelled, take_flag};
use crate::reply::Mode;
use crate::runtime::{Bell, Ring};
use crate::view::{Inner, View};
use crate::{error, picture, trunk};
use napi::Env;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use steadis::client::hosted::{Action, Session};
use steadis::client::{CallOptions, Exchange};
use steadis::config::{Config, Environment, Input, Unit};
use steadis::{Error, Kind};

/// The first two are core's; JavaScript has taken `signal` out before.
const CALL_OPTIONS: [&str; 5] = ["timeout", "retryWrites", "signal", "buffers", "bigints"];

/// A client, or a view of one with other options for its calls.
#[napi_derive::napi]
#[derive(Debug)]
pub struct Native {
    pub(crate) view: Rc<View>,
}

#[napi_derive::napi]
impl Native {
    /// Opens a client without touching the network; throws what is wrong with the settings.
    #[napi(factory, catch_unwind)]
    pub fn open(env: Env, url: Option<String>, given: Value) -> napi::Result<Self> {
        let js = Js(env.raw());
        let opened = options(js, given).and_then(|mut given| {
            let bigints = take_flag(&mut given, "bigints")?.unwrap_or_default();
            let private = take_flag(&mut given, "ownConnection")?.unwrap_or_default();
            let environment = Environment::process();
            let input = Input { environment, url, options: given, unit: Unit::Milliseconds };
            let mut resolved = Config::resolve(&input)?;
            resolved.config = trunk::known(resolved.config);
            Ok((resolved, bigints, private))
        });
        let (resolved, bigints, private) = opened.map_err(|error| thrown(js, &error))?;
        let session = Session::new(Arc::clone(&resolved.config));
        let options = CallOptions::of(session.config());
        let inner = Inner { session, desk: Desk::default(), resolved, private };
        let mode = Mode { buffers: false, bigints };
        Ok(Self { view: Rc::new(View { inner: Rc::new(RefCell::new(inner)), options, mode }) })
    }

    fn with(&self, options: CallOptions, mode: Mode) -> Self {
        Self { view: Rc::new(View { inner: Rc::clone(&self.view.inner), options, mode }) }
    }

    /// What the functions that every command goes through know it by.
    #[napi(catch_unwind)]
    pub fn handle(&self, env: Env) -> Value {
        Js(env.raw()).wrap(Rc::clone(&self.view))
    }

    /// The same client with other options for its calls.
    #[napi(catch_unwind)]
    pub fn view(&self, env: Env, given: Value) -> napi::Result<Self> {
        let js = Js(env.raw());
        let read = options(js, given).and_then(|mut given| {
            let mut mode = self.view.mode;
            mode.buffers = take_flag(&mut given, "buffers")?.unwrap_or(mode.buffers);
            mode.bigints = take_flag(&mut given, "bigints")?.unwrap_or(mode.bigints);
            let given = spelled(given, &CALL_OPTIONS)?;
            Ok((self.view.options.with(given, Unit::Milliseconds)?, mode))
        });
        let (options, mode) = read.map_err(|error| thrown(js, &error))?;
        Ok(self.with(options, mode))
    }

    /// The same client, reading from replicas.
    #[napi(catch_unwind)]
    pub fn replica(&self, env: Env, given: Value) -> napi::Result<Self> {
        let js = Js(env.raw());
        let read = options(js, given).and_then(|given| {
            let given = spelled(given, &["policy", "maxLag"])?;
            self.view.options.replica(given, Unit::Milliseconds)
        });
        let options = read.map_err(|error| thrown(js, &error))?;
        Ok(self.with(options, self.view.mode))
    }

    /// Begins to watch the deployment: the number by which the client's listener is called when
    /// there is something to look after.
    #[napi(catch_unwind)]
    pub fn start(&self, env: Env, ring: Ring<'_>) -> napi::Result<u32> {
        let bell = Bell::new(&ring)?;
        let (number, wake, tell) = (bell.number, bell.clone(), bell);
        let session = &mut self.view.inner.borrow_mut().session;
        let started = session.start(move || wake.ring(None));
        started.map_err(|error| thrown(Js(env.raw()), &error))?;
        session.on_event(move |event| tell.ring(Some(event.clone())));
        Ok(number)
    }

    /// Takes any command on.
    #[napi(catch_unwind)]
    pub fn submit_raw(&self, env: Env, list: Value) -> Value {
        let js = Js(env.raw());
        self.view.take_on(js, raw(js, list, Exchange::raw))
    }

    /// Takes another name for the client on.
    #[napi(catch_unwind)]
    pub fn rename(&self, env: Env, name: String) -> Value {
        let options = self.view.options;
        self.view.place(Js(env.raw()), |session| session.rename(&name, options, Instant::now()))
    }

    /// Takes the call of a script on.
    #[napi(catch_unwind)]
    pub fn submit_script(&self, env: Env, script: &Script, keys: Value, args: Value) -> Value {
        let js = Js(env.raw());
        let exchange = with_room(|room| {
            let (keys, args) = (read_list(js, room, keys)?, read_list(js, room, args)?);
            Exchange::script(&script.inner, keys, args)
        });
        self.view.take_on(js, exchange)
    }

    /// Takes a pipeline or a transaction on.
    #[napi(catch_unwind)]
    pub fn submit_batch(&self, env: Env, commands: Value, transaction: bool) -> Value {
        let (js, now, options) = (Js(env.raw()), Instant::now(), self.view.options);
        let batch = batch::take(js, commands);
        self.view.place(js, |session| match transaction {
            true => session.submit_transaction(batch, options, now),
            false => session.submit_pipeline(batch, options, now),
        })
    }

    /// Nobody waits for this call any more.
    #[napi(catch_unwind)]
    pub fn cancel(&self, place: u32) {
        let Inner { session, desk, .. } = &mut *self.view.inner.borrow_mut();
        if let Some(token) = desk.withdraw(place) {
            session.cancel(token);
        }
    }

    /// The next connection to open (an object) or to close (its number).
    #[napi(catch_unwind)]
    pub fn connection(&self, env: Env) -> Value {
        let (js, inner) = (Js(env.raw()), &self.view.inner);
        let action = inner.borrow_mut().session.poll_connections();
        match action {
            Some(Action::Open { link, to, tls, shareable }) => {
                let place = trunk::take_seat(inner, link, &to, shareable);
                picture::connection(js, link, place, &to, tls.as_ref())
            }
            Some(Action::Close { link }) => js.small(link),
            Some(Action::Write { .. }) | None => js.undefined(),
        }
    }

    /// Leaves a connection that others crowd for another.
    #[napi(catch_unwind)]
    pub fn part(&self, env: Env, link: u32) -> Value {
        self.view.tell(Js(env.raw()), |session, sink| session.part(link, Instant::now(), sink))
    }

    /// From now on it has its connections to itself.
    #[napi(catch_unwind)]
    pub fn withdraw(&self, env: Env) -> Value {
        trunk::withdraw(Js(env.raw()), &self.view.inner)
    }

    /// Milliseconds until `wake` has to be called at the latest; negative for never.
    #[napi(catch_unwind)]
    pub fn deadline(&self) -> f64 {
        let deadline = self.view.inner.borrow_mut().session.next_deadline();
        let left = |at: Instant| at.saturating_duration_since(Instant::now()).as_secs_f64();
        deadline.map_or(-1.0, |at| left(at) * 1000.0)
    }

    /// A connection is made.
    #[napi(catch_unwind)]
    pub fn opened(&self, env: Env, link: u32, socket: u32) -> Value {
        let neighbour = trunk::neighbour(&self.view.inner, socket);
        let other = neighbour.as_ref().and_then(|(it, link)| Some((it.try_borrow().ok()?, *link)));
        self.view.tell(Js(env.raw()), |session, sink| {
            let now = Instant::now();
            let proven = other.is_some_and(|(other, theirs)| {
                session.join(link, &other.session, theirs, now, sink)
            });
            if !proven {
                session.opened(link, now, sink);
            }
        })
    }

    /// A connection is gone, or could not be made.
    #[napi(catch_unwind)]
    pub fn closed(&self, env: Env, link: u32, why: String) -> Value {
        let why = Error::new(Kind::Unavailable, why);
        self.view
            .tell(Js(env.raw()), |session, sink| session.closed(link, 0, why, Instant::now(), sink))
    }

    /// Something has changed, or a deadline has passed.
    #[napi(catch_unwind)]
    pub fn wake(&self, env: Env) -> Value {
        self.view.tell(Js(env.raw()), |session, sink| session.wake(Instant::now(), sink))
    }

    /// Ends everything.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) -> Value {
        self.view.tell(Js(env.raw()), |session, sink| session.close(sink))
    }

    /// A script, to be called by its digest.
    #[napi(catch_unwind)]
    pub fn script(&self, env: Env, source: Value) -> Script {
        let js = Js(env.raw());
        let bytes = js.with_bytes(source, <[u8]>::to_vec);
        let source = bytes.unwrap_or_else(|| js.to_text(js.spell(source)).into_bytes());
        Script { inner: self.view.inner.borrow_mut().session.script(source) }
    }

    /// Who is primary, as far as is known.
    #[napi(catch_unwind)]
    pub fn topology(&self, env: Env) -> Value {
        let topology = self.view.inner.borrow().session.topology();
        topology.map_or(Js(env.raw()).undefined(), |it| picture::fields(Js(env.raw()), it.fields()))
    }

    /// How it fares.
    #[napi(catch_unwind)]
    pub fn health(&self, env: Env) -> Value {
        let topology = self.view.inner.borrow().session.topology();
        let health = topology.map(|it| it.health().fields());
        health.map_or(Js(env.raw()).undefined(), |it| picture::fields(Js(env.raw()), it))
    }

    /// Figures by name, counted since the client was made.
    #[napi(catch_unwind)]
    pub fn stats(&self, env: Env) -> Value {
        picture::stats(Js(env.raw()), &self.view.inner.borrow().session.stats())
    }

    /// The same in the text format of Prometheus.
    #[napi(catch_unwind)]
    pub fn prometheus(&self) -> String {
        self.view.inner.borrow().session.stats().prometheus()
    }

    /// Which variable or argument supplied each setting, as JSON, passwords cut.
    #[napi(catch_unwind)]
    pub fn explain(&self) -> String {
        self.view.inner.borrow().resolved.explain().to_json()
    }

    /// What is odd about the settings.
    #[napi(catch_unwind)]
    pub fn warnings(&self) -> Vec<String> {
        self.view.inner.borrow().resolved.warnings.clone()
    }
}

/// An error for the caller to catch.
pub(crate) fn thrown(js: Js, error: &Error) -> napi::Error {
    js.throw(error::instance(js, error));
    napi::Error::new(napi::Status::PendingException, "")
}
