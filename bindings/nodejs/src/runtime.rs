//! What other threads have to tell the event loop.

use crate::js::{Js, Value};
use napi::bindgen_prelude::{FnArgs, Function, ToNapiValue};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status, sys};
use std::sync::Arc;
use steadis::Event;

/// News for the event loop: an event, or only that there is something to look after.
#[derive(Debug)]
pub struct News(Option<Event>);

/// Rings on the event loop, and does not keep its process alive.
type Line = ThreadsafeFunction<News, Value, FnArgs<(News,)>, Status, false, true>;

#[derive(Clone)]
pub(crate) struct Bell(Arc<Line>);

impl Bell {
    pub(crate) fn new(ring: &Function<'_, FnArgs<(News,)>, Value>) -> Result<Self> {
        let line = ring
            .build_threadsafe_function::<News>()
            .weak::<true>()
            .build_callback(|context| Ok(FnArgs::from((context.value,))))?;
        Ok(Self(Arc::new(line)))
    }

    /// An event loop that has ended hears nothing, and need not.
    pub(crate) fn ring(&self, event: Option<Event>) {
        self.0.call(News(event), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

impl ToNapiValue for News {
    unsafe fn to_napi_value(env: sys::napi_env, news: Self) -> Result<sys::napi_value> {
        let js = Js(env);
        Ok(news.0.map_or(js.undefined(), |event| describe(js, &event)).0)
    }
}

/// An event with its name and its particulars.
fn describe(js: Js, event: &Event) -> Value {
    let text = |text: &str| js.text(text.as_bytes());
    let millis = |time: &std::time::Duration| js.double(time.as_secs_f64() * 1000.0);
    let rows: Vec<(&str, Value)> = match event {
        Event::Failover { from, to, detected_by, took, epoch, held, repeated, maybe_executed } => {
            vec![
                ("from", from.as_deref().map_or(js.null(), text)),
                ("to", text(to)),
                ("detectedBy", text(detected_by)),
                ("durationMs", millis(took)),
                ("epoch", js.double(*epoch as f64)),
                ("held", js.double(*held as f64)),
                ("repeated", js.double(*repeated as f64)),
                ("maybeExecuted", js.double(*maybe_executed as f64)),
            ]
        }
        Event::Hold { what, why } => vec![("what", text(what)), ("why", text(why))],
        Event::Resume { held_for } => vec![("heldForMs", millis(held_for))],
        Event::Sentinel { address, up, says } => {
            vec![("address", text(address)), ("up", js.boolean(*up)), ("says", text(says))]
        }
        Event::Replicas { addresses } => {
            let list = js.list(&addresses.iter().map(|it| text(it)).collect::<Vec<_>>());
            vec![("addresses", list)]
        }
        Event::Warning { message } => vec![("message", text(message))],
        _ => Vec::new(),
    };
    let object = js.object();
    js.set(object, "name", text(event.name()));
    rows.into_iter().for_each(|(name, value)| js.set(object, name, value));
    object
}
