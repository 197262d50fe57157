//! What other threads have to tell the event loop.

use crate::js::{Js, Value};
use crate::picture;
use napi::bindgen_prelude::{FnArgs, Function, ToNapiValue};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status, sys};
use std::cell::{Cell, OnceCell};
use steadis::Event;

/// News for the event loop: an event, or only that there is something to look after.
#[derive(Debug)]
pub struct News(Option<Event>);

/// Rings on the event loop, and does not keep its process alive.
type Line = ThreadsafeFunction<(u32, News), Value, FnArgs<(u32, News)>, Status, false, true>;

thread_local! {
    /// One for all who listen on this thread: the engine takes its time to set one up.
    static LINE: OnceCell<&'static Line> = const { OnceCell::new() };
    static LISTENERS: Cell<u32> = const { Cell::new(0) };
}

/// Tells one listener. JavaScript knows it by its number.
#[derive(Clone, Copy)]
pub(crate) struct Bell {
    line: Option<&'static Line>,
    pub(crate) number: u32,
}

impl Bell {
    pub(crate) fn new() -> Self {
        let number = LISTENERS.get().wrapping_add(1);
        LISTENERS.set(number);
        Self { line: LINE.with(|line| line.get().copied()), number }
    }

    /// An event loop that has ended hears nothing, and need not.
    pub(crate) fn ring(self, event: Option<Event>) {
        if let Some(line) = self.line {
            line.call((self.number, News(event)), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// Gives the native part what it is to call with a listener's number and its news; once for each
/// thread.
#[napi_derive::napi]
pub fn listen(ring: Function<'_, FnArgs<(u32, News)>, Value>) -> Result<()> {
    let line = ring
        .build_threadsafe_function::<(u32, News)>()
        .weak::<true>()
        .build_callback(|context| Ok(FnArgs::from(context.value)))?;
    // It ends with the engine, which knows it; whoever rings may outlive both.
    let line: &'static Line = Box::leak(Box::new(line));
    LINE.with(|known| known.set(line).ok());
    Ok(())
}

impl ToNapiValue for News {
    unsafe fn to_napi_value(env: sys::napi_env, news: Self) -> Result<sys::napi_value> {
        let js = Js(env);
        Ok(news.0.map_or(js.undefined(), |event| picture::event(js, &event)).0)
    }
}
