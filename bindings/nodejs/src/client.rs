//! One client of an event loop, and its views with other options.
//!
//! JavaScript owns sockets, TLS and the clock. It submits calls, does what `actions` says, and
//! reports what happened; whatever that settles is returned as one array of codes and values.

use crate::batch::{Batch, Script, command_at, raw};
use crate::convert::{Mode, arguments, options, read_list, with_room};
use crate::desk::Desk;
use crate::error;
use crate::js::{Js, Value};
use crate::runtime::{Bell, News};
use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use steadis::client::hosted::{Action, Completion, Session};
use steadis::client::{CallOptions, Exchange};
use steadis::config::{Config, Endpoint, Environment, Input, OptionValue, Resolved, Tls, Unit};
use steadis::lane::hosted::Token;
use steadis::topology::Topology;
use steadis::{Error, Kind, Result};

/// A client, or a view of one with other options for its calls.
#[napi_derive::napi]
pub struct Native {
    inner: Rc<RefCell<Inner>>,
    options: CallOptions,
    mode: Mode,
}

/// What all views of a client share.
struct Inner {
    session: Session,
    desk: Desk,
    resolved: Resolved,
    started: bool,
}

/// Takes outcomes in.
type Sink<'a> = dyn FnMut(Token, Completion<'_>) + 'a;

#[napi_derive::napi]
impl Native {
    /// Opens a client without touching the network; throws what is wrong with the settings.
    #[napi(factory, catch_unwind)]
    pub fn open(env: Env, url: Option<String>, given: Value) -> napi::Result<Self> {
        let js = Js(env.raw());
        let mut given = options(js, given);
        let bigints = take_flag(&mut given, "bigints");
        let environment = Environment::process();
        let input = Input { environment, url, options: given, unit: Unit::Milliseconds };
        let resolved = Config::resolve(&input).map_err(|error| thrown(js, &error))?;
        let session = Session::new(resolved.config.clone());
        let options = CallOptions::of(session.config());
        let inner = Inner { session, desk: Desk::default(), resolved, started: false };
        let mode = Mode { buffers: false, bigints };
        Ok(Self { inner: Rc::new(RefCell::new(inner)), options, mode })
    }

    /// The same client with other options for its calls.
    #[napi(catch_unwind)]
    pub fn view(&self, env: Env, given: Value) -> napi::Result<Self> {
        let js = Js(env.raw());
        let mut given = options(js, given);
        let mut mode = self.mode;
        if given.iter().any(|(name, _)| name == "buffers") {
            mode.buffers = take_flag(&mut given, "buffers");
        }
        if given.iter().any(|(name, _)| name == "bigints") {
            mode.bigints = take_flag(&mut given, "bigints");
        }
        let options = call_options(self.options, given).map_err(|error| thrown(js, &error))?;
        Ok(Self { inner: Rc::clone(&self.inner), options, mode })
    }

    /// The same client, reading from replicas.
    #[napi(catch_unwind)]
    pub fn replica(&self, env: Env, given: Value) -> napi::Result<Self> {
        let js = Js(env.raw());
        let mut given = options(js, given);
        for (name, _) in &mut given {
            if name == "policy" {
                "read_from".clone_into(name);
            }
        }
        if !given.iter().any(|(name, _)| name.to_lowercase().replace('_', "") == "readfrom") {
            given.push(("read_from".to_owned(), "prefer_replica".into()));
        }
        let options = call_options(self.options, given).map_err(|error| thrown(js, &error))?;
        let options = options.reading_from(options.read_from, options.max_lag);
        Ok(Self { inner: Rc::clone(&self.inner), options, mode: self.mode })
    }

    /// Begins to watch the deployment; `ring` is called when there is something to look after.
    #[napi(catch_unwind)]
    pub fn start(&self, env: Env, ring: Function<'_, FnArgs<(News,)>, Value>) -> napi::Result<()> {
        let bell = Bell::new(&ring)?;
        let mut inner = self.inner.borrow_mut();
        if inner.started {
            return Ok(());
        }
        inner.started = true;
        let (wake, tell) = (bell.clone(), bell);
        let started = inner.session.start(move || wake.ring(None));
        started.map_err(|error| thrown(Js(env.raw()), &error))?;
        inner.session.on_event(move |event| tell.ring(Some(event.clone())));
        Ok(())
    }

    /// Takes a command of the table on: its place, or an error.
    #[napi(catch_unwind)]
    pub fn submit(&self, env: Env, index: u32, list: Value) -> Value {
        self.take_on(env, |js| {
            let command = command_at(index)?;
            with_room(|room| {
                let (args, named) = arguments(js, room, command, list)?;
                Exchange::new(command, args, named)
            })
        })
    }

    /// Takes any command on.
    #[napi(catch_unwind)]
    pub fn submit_raw(&self, env: Env, list: Value) -> Value {
        self.take_on(env, |js| raw(js, list, |words| Exchange::raw(words)))
    }

    /// Takes the call of a script on.
    #[napi(catch_unwind)]
    pub fn submit_script(&self, env: Env, script: &Script, keys: Value, args: Value) -> Value {
        self.take_on(env, |js| {
            with_room(|room| {
                let (keys, args) = (read_list(js, room, keys)?, read_list(js, room, args)?);
                Exchange::script(&script.inner, keys, args)
            })
        })
    }

    /// Takes a pipeline or a transaction on.
    #[napi(catch_unwind)]
    pub fn submit_batch(&self, env: Env, batch: &Batch, transaction: bool) -> Value {
        let (now, options) = (Instant::now(), self.options);
        let batch = batch.take();
        self.place(env, |session| match transaction {
            true => session.submit_transaction(batch, options, now),
            false => session.submit_pipeline(batch, options, now),
        })
    }

    fn take_on(&self, env: Env, encode: impl FnOnce(Js) -> Result<Exchange>) -> Value {
        // Before anything is borrowed: reading objects runs their getters, which may call us.
        let js = Js(env.raw());
        match encode(js) {
            Ok(exchange) => {
                self.place(env, |session| session.submit(&exchange, self.options, Instant::now()))
            }
            Err(error) => error::instance(js, &error),
        }
    }

    fn place(&self, env: Env, submit: impl FnOnce(&mut Session) -> Result<Token>) -> Value {
        let js = Js(env.raw());
        let Inner { session, desk, .. } = &mut *self.inner.borrow_mut();
        match submit(session) {
            Ok(token) => js.small(desk.take_on(token, self.mode)),
            Err(error) => error::instance(js, &error),
        }
    }

    /// Nobody waits for this call any more.
    #[napi(catch_unwind)]
    pub fn cancel(&self, place: u32) {
        let Inner { session, desk, .. } = &mut *self.inner.borrow_mut();
        if let Some(token) = desk.withdraw(place) {
            session.cancel(token);
        }
    }

    /// What is to be written to a connection: a string of bytes, or a Buffer if it is long.
    #[napi(catch_unwind)]
    pub fn output(&self, env: Env, link: u32) -> Value {
        let js = Js(env.raw());
        let bytes = self.inner.borrow_mut().session.take_output(link);
        match bytes.len() {
            0 => js.undefined(),
            1..LONG => js.binary(&bytes),
            _ => js.buffer(&bytes),
        }
    }

    /// The next connection to open (an object) or to close (its number).
    #[napi(catch_unwind)]
    pub fn connection(&self, env: Env) -> Value {
        let js = Js(env.raw());
        match self.inner.borrow_mut().session.poll_connections() {
            Some(Action::Open { link, to, tls }) => describe(js, link, &to, tls.as_ref()),
            Some(Action::Close { link }) => js.small(link),
            Some(Action::Write { .. }) | None => js.undefined(),
        }
    }

    /// Milliseconds until `wake` has to be called at the latest; negative for never.
    #[napi(catch_unwind)]
    pub fn deadline(&self) -> f64 {
        let deadline = self.inner.borrow_mut().session.next_deadline();
        let left = |at: Instant| at.saturating_duration_since(Instant::now()).as_secs_f64();
        deadline.map_or(-1.0, |at| left(at) * 1000.0)
    }

    /// A connection is made.
    #[napi(catch_unwind)]
    pub fn opened(&self, env: Env, link: u32) -> Value {
        self.tell(env, |session, sink| session.opened(link, Instant::now(), sink))
    }

    /// A connection has read so many bytes into this Buffer.
    #[napi(catch_unwind)]
    pub fn received(&self, env: Env, link: u32, buffer: Value, count: u32) -> Value {
        let feed = |bytes: &[u8]| {
            let bytes = &bytes[..bytes.len().min(count as usize)];
            self.tell(env, |session, sink| session.received(link, bytes, Instant::now(), sink))
        };
        let js = Js(env.raw());
        js.with_bytes(buffer, feed).unwrap_or_else(|| js.undefined())
    }

    /// A connection is gone, or could not be made.
    #[napi(catch_unwind)]
    pub fn closed(&self, env: Env, link: u32, why: String) -> Value {
        let why = Error::new(Kind::Unavailable, why);
        self.tell(env, |session, sink| session.closed(link, 0, why, Instant::now(), sink))
    }

    /// Something has changed, or a deadline has passed.
    #[napi(catch_unwind)]
    pub fn wake(&self, env: Env) -> Value {
        self.tell(env, |session, sink| session.wake(Instant::now(), sink))
    }

    /// Ends everything.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) -> Value {
        self.tell(env, |session, sink| session.close(sink))
    }

    fn tell(&self, env: Env, work: impl FnOnce(&mut Session, &mut Sink<'_>)) -> Value {
        let js = Js(env.raw());
        let Inner { session, desk, .. } = &mut *self.inner.borrow_mut();
        work(session, &mut |token, completion| desk.settle(js, token, completion));
        desk.report(js)
    }

    /// A script, to be called by its digest.
    #[napi(catch_unwind)]
    pub fn script(&self, env: Env, source: Value) -> Script {
        let js = Js(env.raw());
        let bytes = js.with_bytes(source, <[u8]>::to_vec);
        let source = bytes.unwrap_or_else(|| js.to_text(js.spell(source)).into_bytes());
        Script { inner: self.inner.borrow_mut().session.script(source) }
    }

    /// Who is primary, as far as is known.
    #[napi(catch_unwind)]
    pub fn topology(&self, env: Env) -> Value {
        let topology = self.inner.borrow().session.topology();
        topology.map_or(Js(env.raw()).undefined(), |it| picture(Js(env.raw()), &it))
    }

    /// Which variable or argument supplied each setting, as JSON, passwords cut.
    #[napi(catch_unwind)]
    pub fn explain(&self) -> String {
        self.inner.borrow().resolved.explain().to_json()
    }

    /// What is odd about the settings.
    #[napi(catch_unwind)]
    pub fn warnings(&self) -> Vec<String> {
        self.inner.borrow().resolved.warnings.clone()
    }
}

/// Beyond this many bytes a Buffer costs less than a string.
const LONG: usize = 16 << 10;

/// An error for the caller to catch.
fn thrown(js: Js, error: &Error) -> napi::Error {
    js.throw(error::instance(js, error));
    napi::Error::new(napi::Status::PendingException, "")
}

fn take_flag(given: &mut Vec<(String, OptionValue)>, name: &str) -> bool {
    let place = given.iter().position(|(known, _)| known == name);
    place.is_some_and(|place| given.remove(place).1 == OptionValue::Bool(true))
}

/// Call options by name. The ones that a client has too are read as those are.
fn call_options(base: CallOptions, mut given: Vec<(String, OptionValue)>) -> Result<CallOptions> {
    let mut options = base;
    if let Some(place) = given.iter().position(|(name, _)| name == "timeout") {
        options.timeout = match given.remove(place).1 {
            OptionValue::Null => None,
            OptionValue::Float(ms) if ms > 0.0 && ms < 1e15 => {
                Some(Duration::from_secs_f64(ms / 1000.0))
            }
            _ => return Err(Error::usage("timeout is no number of milliseconds above zero")),
        };
    }
    if given.is_empty() {
        return Ok(options);
    }
    let names: Vec<String> =
        given.iter().map(|(name, _)| name.to_lowercase().replace('_', "")).collect();
    if let Some(odd) = names.iter().position(|name| !CALL_OPTIONS.contains(&name.as_str())) {
        let odd = &given[odd].0;
        let known = "timeout, signal, retryWrites, readFrom, maxLag, buffers, bigints";
        return Err(Error::usage(format!("a call has no option {odd}; it has {known}")));
    }
    let (environment, url) = (Environment::none(), None);
    let given = given.into_iter().chain([("host".to_owned(), "127.0.0.1".into())]).collect();
    let input = Input { environment, url, options: given, unit: Unit::Milliseconds };
    let read = CallOptions::of(&Config::resolve(&input)?.config);
    for name in names {
        match name.as_str() {
            "retrywrites" => options.retry_writes = read.retry_writes,
            "readfrom" => options.read_from = read.read_from,
            _ => options.max_lag = read.max_lag,
        }
    }
    Ok(options)
}

const CALL_OPTIONS: [&str; 3] = ["retrywrites", "readfrom", "maxlag"];

/// Where to connect to, in the words of `net.connect` and `tls.connect`.
fn describe(js: Js, link: u32, to: &Endpoint, tls: Option<&Tls>) -> Value {
    let text = |text: &str| js.text(text.as_bytes());
    let object = js.object();
    js.set(object, "link", js.small(link));
    match to {
        Endpoint::Tcp(address) => {
            js.set(object, "host", text(&address.host));
            js.set(object, "port", js.small(address.port.into()));
        }
        Endpoint::Unix(path) => js.set(object, "path", text(&path.to_string_lossy())),
    }
    if let Some(tls) = tls {
        let settings = js.object();
        let files = [("ca", &tls.ca), ("cert", &tls.cert), ("key", &tls.key)];
        for (name, path) in files {
            if let Some(path) = path {
                js.set(settings, name, text(&path.to_string_lossy()));
            }
        }
        if let Some(name) = &tls.server_name {
            js.set(settings, "servername", text(name));
        }
        js.set(object, "tls", settings);
    }
    object
}

/// The topology and how it fares.
fn picture(js: Js, topology: &Topology) -> Value {
    let text = |text: &str| js.text(text.as_bytes());
    let maybe = |some: Option<String>| some.map_or(js.null(), |it| text(&it));
    let health = topology.health();
    let state = js.object();
    js.set(state, "state", text(health.state.name()));
    js.set(state, "primary", maybe(health.primary.clone()));
    js.set(state, "replicas", js.double(health.replicas as f64));
    js.set(state, "sentinelsUp", js.double(health.sentinels_up as f64));
    js.set(state, "sentinels", js.double(health.sentinels as f64));
    js.set(state, "reason", maybe(health.reason));
    let object = js.object();
    js.set(object, "epoch", js.double(topology.epoch as f64));
    js.set(object, "phase", text(&format!("{:?}", topology.phase).to_lowercase()));
    js.set(object, "primary", maybe(health.primary));
    let replicas: Vec<Value> = topology.replicas.iter().map(|it| text(&it.to_string())).collect();
    js.set(object, "replicas", js.list(&replicas));
    let sentinels = topology.sentinels.iter().map(|it| {
        let sentinel = js.object();
        js.set(sentinel, "address", text(&it.address.to_string()));
        js.set(sentinel, "up", js.boolean(it.up));
        js.set(sentinel, "says", text(&it.says));
        sentinel
    });
    js.set(object, "sentinels", js.list(&sentinels.collect::<Vec<_>>()));
    js.set(object, "health", state);
    object
}
