//! What other threads have to tell the event loop.

use crate::js::{Js, Value};
use crate::picture;
use napi::bindgen_prelude::{FnArgs, Function, ToNapiValue};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status, sys};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};
use steadis::Event;

/// News for the event loop: an event, or only that there is something to look after.
#[derive(Debug)]
pub struct News(Option<Event>);

/// Rings on the event loop, and does not keep its process alive.
type Line = ThreadsafeFunction<(u32, News), Value, FnArgs<(u32, News)>, Status, false, true>;

thread_local! {
    /// One for all who listen on this thread, as long as there are any: the engine takes its time
    /// to set one up.
    static LINE: RefCell<Weak<Line>> = const { RefCell::new(Weak::new()) };
    static LISTENERS: Cell<u32> = const { Cell::new(0) };
}

/// What is called with a listener's number and its news.
pub(crate) type Ring<'a> = Function<'a, FnArgs<(u32, News)>, Value>;

/// Tells one listener. JavaScript knows it by its number.
#[derive(Clone)]
pub(crate) struct Bell {
    line: Arc<Line>,
    pub(crate) number: u32,
}

impl Bell {
    /// A bell on the line of this thread, which always calls the same `ring`.
    pub(crate) fn new(ring: &Ring<'_>) -> Result<Self> {
        let number = LISTENERS.get().wrapping_add(1);
        LISTENERS.set(number);
        if let Some(line) = LINE.with_borrow(Weak::upgrade).filter(|line| !line.aborted()) {
            return Ok(Self { line, number });
        }
        let line = ring
            .build_threadsafe_function::<(u32, News)>()
            .weak::<true>()
            .build_callback(|context| Ok(FnArgs::from(context.value)))?;
        let line = Arc::new(line);
        LINE.set(Arc::downgrade(&line));
        Ok(Self { line, number })
    }

    /// An event loop that has ended hears nothing, and need not.
    pub(crate) fn ring(&self, event: Option<Event>) {
        self.line.call((self.number, News(event)), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

impl ToNapiValue for News {
    unsafe fn to_napi_value(env: sys::napi_env, news: Self) -> Result<sys::napi_value> {
        let js = Js(env);
        Ok(news.0.map_or(js.undefined(), |event| picture::event(js, &event)).0)
    }
}
