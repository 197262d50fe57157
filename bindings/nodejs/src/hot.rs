//! The functions that every command goes through, without the checks that wrap the others: those
//! cost several times what the work does.

use crate::batch::{self, command_at};
use crate::convert::{arguments, with_room};
use crate::error;
use crate::js::{Js, Value};
use crate::trunk;
use crate::view::View;
use napi::sys;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;
use std::time::Instant;
use steadis::client::Exchange;
use steadis::{Error, Kind};

/// What JavaScript calls. The first argument is what it is about.
type Function = fn(Js, &[Value]) -> Value;

/// Takes a command of the table on, for a view: its number, then its arguments.
fn submit(js: Js, args: &[Value]) -> Value {
    let [view, index, args @ ..] = args else { return js.undefined() };
    let Some(view) = js.unwrap::<Rc<View>>(*view) else { return js.undefined() };
    // Before anything is borrowed: reading objects runs their getters, which may call us.
    let exchange = command_at(js.to_double(*index) as u32).and_then(|command| {
        with_room(|room| {
            let (args, named) = arguments(js, room, command, args)?;
            Exchange::new(command, args, named)
        })
    });
    view.take_on(js, exchange)
}

/// What a view is to write to a connection.
fn output(js: Js, args: &[Value]) -> Value {
    let &[view, link] = args else { return js.undefined() };
    let Some(view) = js.unwrap::<Rc<View>>(view) else { return js.undefined() };
    let link = js.to_double(link) as u32;
    let bytes = view.inner.borrow_mut().session.take_output(link);
    js.bytes_to_write(&bytes)
}

impl Js {
    /// A string of bytes, or a Buffer if they are many; `undefined` if there are none.
    pub(crate) fn bytes_to_write(self, bytes: &[u8]) -> Value {
        match bytes.len() {
            0 => self.undefined(),
            1..LONG => self.binary(bytes),
            _ => self.buffer(bytes),
        }
    }
}

/// A connection of a view has read so many bytes into a Buffer.
fn received(js: Js, args: &[Value]) -> Value {
    let &[view, link, buffer, count] = args else { return js.undefined() };
    let Some(view) = js.unwrap::<Rc<View>>(view) else { return js.undefined() };
    let (link, count) = (js.to_double(link) as u32, js.to_double(count) as usize);
    let feed = |bytes: &[u8]| {
        let bytes = &bytes[..bytes.len().min(count)];
        view.tell(js, |session, sink| session.received(link, bytes, Instant::now(), sink))
    };
    js.with_bytes(buffer, feed).unwrap_or_else(|| js.undefined())
}

/// Beyond this many bytes a Buffer costs less than a string.
const LONG: usize = 16 << 10;

static FUNCTIONS: [(&str, Function); 8] = [
    ("submit", submit),
    ("batch", |js, _| batch::batch(js)),
    ("add", batch::add),
    ("output", output),
    ("received", received),
    ("sharedOutput", trunk::output),
    ("sharedReceived", trunk::received),
    ("leave", trunk::leave),
];

/// These functions by their names, for one thread.
#[napi_derive::napi(catch_unwind)]
pub fn functions(env: napi::Env) -> Value {
    let js = Js(env.raw());
    let object = js.object();
    for (name, function) in &FUNCTIONS {
        let behind = std::ptr::from_ref(function).cast_mut().cast();
        let mut made = null_mut();
        // SAFETY: the engine copies the name, and what is behind the function lives for ever.
        unsafe {
            let name = (name.as_ptr().cast(), name.len() as isize);
            sys::napi_create_function(js.0, name.0, name.1, Some(enter), behind, &mut made);
        }
        js.set(object, name, Value(made));
    }
    object
}

/// Most commands have fewer arguments.
const FEW: usize = 8;

/// Every function is entered here.
unsafe extern "C" fn enter(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (js, mut count, mut behind) = (Js(env), FEW, null_mut());
    let mut few = [Value(null_mut()); FEW];
    let mut many = Vec::new();
    // SAFETY: the engine writes as many arguments as there is room for, and how many there are.
    let args = unsafe {
        let room = few.as_mut_ptr().cast();
        sys::napi_get_cb_info(env, info, &mut count, room, null_mut(), &mut behind);
        if count <= FEW {
            &few[..count]
        } else {
            many.resize(count, Value(null_mut()));
            let room = many.as_mut_ptr().cast();
            sys::napi_get_cb_info(env, info, &mut count, room, null_mut(), null_mut());
            &many[..]
        }
    };
    // SAFETY: what `functions` put there.
    let function = unsafe { *behind.cast::<Function>() };
    let panicked = |_| error::instance(js, &Error::new(Kind::Internal, "the native part panicked"));
    catch_unwind(AssertUnwindSafe(|| function(js, args))).unwrap_or_else(panicked).0
}
