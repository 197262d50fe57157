//! What other threads have to tell the event loop.

use crate::js::{Js, Value};
use crate::picture;
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
        Ok(news.0.map_or(js.undefined(), |event| picture::event(js, &event)).0)
    }
}
