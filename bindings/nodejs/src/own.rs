//! What has a connection of its own: watched keys, and subscriptions.

use crate::batch::{self, command_at, raw};
use crate::client::Native;
use crate::convert::{arguments, with_room};
use crate::error;
use crate::js::{Js, Value};
use crate::view::Inner;
use napi::Env;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use steadis::Error;
use steadis::client::{By, Exchange, Incoming};

#[napi_derive::napi]
impl Native {
    /// Attempts that watch these keys: their number, or an error.
    #[napi(catch_unwind)]
    pub fn watch_open(&self, env: Env, keys: Value) -> Value {
        let js = Js(env.raw());
        let session = &mut self.view.inner.borrow_mut().session;
        let opened =
            raw(js, keys, |keys| session.watch_open(keys, self.view.options, Instant::now()));
        opened.map_or_else(|error| error::instance(js, &error), |id| js.double(id as f64))
    }

    /// Begins an attempt. It is told of `undefined` when the keys are watched.
    #[napi(catch_unwind)]
    pub fn watch_begin(&self, env: Env, id: f64) -> Value {
        self.view.place(Js(env.raw()), |session| session.watch_begin(id as _, Instant::now()))
    }

    /// Executes a command that reads, on the connection that watches.
    #[napi(catch_unwind)]
    pub fn watch_run(&self, env: Env, id: f64, index: u32, list: Value) -> Value {
        let js = Js(env.raw());
        let values: Vec<Value> = js.items(list).collect();
        let exchange = command_at(index).and_then(|command| {
            with_room(|room| {
                let (args, named) = arguments(js, room, command, &values)?;
                Exchange::new(command, args, named)
            })
        });
        match exchange {
            Ok(exchange) => {
                self.view.place(js, |session| session.watch_run(id as _, &exchange, Instant::now()))
            }
            Err(error) => error::instance(js, &error),
        }
    }

    /// Executes the transaction. It is told of the outcomes, or of null: begin again.
    #[napi(catch_unwind)]
    pub fn watch_commit(&self, env: Env, id: f64, commands: Value) -> Value {
        let (js, now) = (Js(env.raw()), Instant::now());
        let batch = batch::take(js, commands);
        self.view.place(js, |session| session.watch_commit(id as _, batch, now))
    }

    /// Whether the attempt's connection is gone.
    #[napi(catch_unwind)]
    pub fn watch_is_lost(&self, id: f64) -> bool {
        self.view.inner.borrow().session.watch_is_lost(id as _)
    }

    /// Ends all attempts.
    #[napi(catch_unwind)]
    pub fn watch_close(&self, id: f64) {
        self.view.inner.borrow_mut().session.watch_close(id as _);
    }

    /// A subscription without channels yet: its place.
    #[napi(catch_unwind)]
    pub fn subscribe(&self) -> u32 {
        let Inner { session, desk, .. } = &mut *self.view.inner.borrow_mut();
        desk.take_on(session.subscribe(Instant::now()), self.view.mode, None)
    }

    /// Wants one more channel; `by` is 0 for a channel, 1 for a pattern, 2 for one of a shard.
    #[napi(catch_unwind)]
    pub fn subscription_add(&self, env: Env, place: u32, by: u32, name: Value) -> Value {
        self.on_subscription(env, place, name, |inner, token, name| {
            inner.session.subscription_add(token, way(by), name, Instant::now());
        })
    }

    /// Wants a channel no more.
    #[napi(catch_unwind)]
    pub fn subscription_remove(&self, env: Env, place: u32, by: u32, name: Value) -> Value {
        self.on_subscription(env, place, name, |inner, token, name| {
            inner.session.subscription_remove(token, way(by), name);
        })
    }

    fn on_subscription(
        &self,
        env: Env,
        place: u32,
        name: Value,
        work: impl FnOnce(&mut Inner, u64, &[u8]),
    ) -> Value {
        let js = Js(env.raw());
        let list = js.list(&[name]);
        let inner = &mut *self.view.inner.borrow_mut();
        let done = raw(js, list, |words| {
            let token = inner.desk.token(place).ok_or_else(gone)?;
            work(inner, token, &words[0]);
            Ok(())
        });
        done.map_or_else(|error| error::instance(js, &error), |()| js.undefined())
    }

    /// The next thing that has come: `[channel, pattern, data]`, `[since, until]` of a gap in
    /// milliseconds, or an error; `undefined` if there is none.
    #[napi(catch_unwind)]
    pub fn subscription_next(&self, env: Env, place: u32) -> Value {
        let js = Js(env.raw());
        let inner = &mut *self.view.inner.borrow_mut();
        let token = inner.desk.token(place).ok_or_else(gone);
        let buffers = self.view.mode.buffers;
        let text = |bytes: &[u8]| if buffers { js.buffer(bytes) } else { js.text(bytes) };
        match token.and_then(|token| inner.session.subscription_next(token)) {
            Ok(None) => js.undefined(),
            Ok(Some(Incoming::Message { channel, pattern, data })) => js.list(&[
                js.text(&channel),
                pattern.map_or(js.null(), |pattern| js.text(&pattern)),
                text(&data),
            ]),
            Ok(Some(Incoming::Gap { since, until })) => {
                js.list(&[millis(js, since), millis(js, until)])
            }
            Err(error) => error::instance(js, &error),
        }
    }

    /// Whether all channels are confirmed.
    #[napi(catch_unwind)]
    pub fn subscription_ready(&self, place: u32) -> bool {
        let inner = self.view.inner.borrow();
        inner.desk.token(place).is_some_and(|token| inner.session.subscription_ready(token))
    }

    /// Ends a subscription.
    #[napi(catch_unwind)]
    pub fn unsubscribe(&self, place: u32) {
        let Inner { session, desk, .. } = &mut *self.view.inner.borrow_mut();
        if let Some(token) = desk.withdraw(place) {
            session.unsubscribe(token);
        }
    }
}

fn way(by: u32) -> By {
    match by {
        0 => By::Channel,
        1 => By::Pattern,
        _ => By::Shard,
    }
}

fn millis(js: Js, time: SystemTime) -> Value {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    js.double(since.as_secs_f64() * 1000.0)
}

fn gone() -> Error {
    Error::usage("this subscription has ended: open another")
}
