//! The functions that every command goes through, without the checks that wrap the others: those
//! cost several times what the work does.

use crate::batch::{self, command_at};
use crate::convert::{arguments, with_room};
use crate::error;
use crate::js::{Js, Value};
use crate::view::View;
use napi::sys;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;
use std::time::Instant;
use steadis::client::Exchange;
use steadis::{Error, Kind};

/// A function of JavaScript with a view behind it.
type Function = fn(&View, Js, &[Value]) -> Value;

/// Takes a command of the table on: its number, then its arguments.
fn submit(view: &View, js: Js, args: &[Value]) -> Value {
    let Some((index, args)) = args.split_first() else { return js.undefined() };
    // Before anything is borrowed: reading objects runs their getters, which may call us.
    let exchange = command_at(js.to_double(*index) as u32).and_then(|command| {
        with_room(|room| {
            let (args, named) = arguments(js, room, command, args)?;
            Exchange::new(command, args, named)
        })
    });
    view.take_on(js, exchange)
}

/// What is to be written to a connection: a string of bytes, or a Buffer if it is long.
fn output(view: &View, js: Js, args: &[Value]) -> Value {
    let link = args.first().map_or(0, |link| js.to_double(*link) as u32);
    let bytes = view.inner.borrow_mut().session.take_output(link);
    match bytes.len() {
        0 => js.undefined(),
        1..LONG => js.binary(&bytes),
        _ => js.buffer(&bytes),
    }
}

/// A connection has read so many bytes into a Buffer.
fn received(view: &View, js: Js, args: &[Value]) -> Value {
    let &[link, buffer, count] = args else { return js.undefined() };
    let (link, count) = (js.to_double(link) as u32, js.to_double(count) as usize);
    let feed = |bytes: &[u8]| {
        let bytes = &bytes[..bytes.len().min(count)];
        view.tell(js, |session, sink| session.received(link, bytes, Instant::now(), sink))
    };
    js.with_bytes(buffer, feed).unwrap_or_else(|| js.undefined())
}

/// Beyond this many bytes a Buffer costs less than a string.
const LONG: usize = 16 << 10;

/// The functions by name.
const FUNCTIONS: [(&str, Function); 5] = [
    ("submit", submit),
    ("batch", |_, js, _| batch::batch(js)),
    ("add", |_, js, args| batch::add(js, args)),
    ("output", output),
    ("received", received),
];

/// An object with the functions of a view.
pub(crate) fn functions(js: Js, view: &Rc<View>) -> Value {
    let object = js.object();
    for (name, function) in FUNCTIONS {
        let behind = Box::into_raw(Box::new((Rc::clone(view), function))).cast();
        let mut made = null_mut();
        // SAFETY: the engine copies the name. What is behind the function lives until the engine
        // has no more use for it, and is given back then.
        unsafe {
            let name = (name.as_ptr().cast(), name.len() as isize);
            sys::napi_create_function(js.0, name.0, name.1, Some(enter), behind, &mut made);
            let (release, none) = (Some(release as _), null_mut());
            sys::napi_add_finalizer(js.0, made, behind, release, null_mut(), none);
        }
        js.set(object, name, Value(made));
    }
    object
}

type Behind = (Rc<View>, Function);

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
    // SAFETY: what `functions` put there, which is not released while the function can be called.
    let behind = ManuallyDrop::new(unsafe { Box::from_raw(behind.cast::<Behind>()) });
    let (view, function) = &**behind;
    let panicked = |_| error::instance(js, &Error::new(Kind::Internal, "the native part panicked"));
    catch_unwind(AssertUnwindSafe(|| function(view, js, args))).unwrap_or_else(panicked).0
}

unsafe extern "C" fn release(_: sys::napi_env, behind: *mut c_void, _: *mut c_void) {
    // SAFETY: it came from a box, and this is called once.
    drop(unsafe { Box::from_raw(behind.cast::<Behind>()) });
}
