//! JavaScript's values become arguments.

use crate::hooks::Hook;
use crate::js::{Js, Value};
use bumpalo::Bump;
use napi::sys::ValueType;
use std::cell::Cell;
use steadis::command::{Arg, Command};
use steadis::{Error, Result};

thread_local! {
    /// The room of the last call's arguments.
    static ROOM: Cell<Option<Bump>> = const { Cell::new(None) };
}

/// Lends room for the arguments of one call.
pub(crate) fn with_room<T>(work: impl FnOnce(&Bump) -> T) -> T {
    // Reading an object runs its getters, which may call us again: then there is none to take.
    let mut room = ROOM.take().unwrap_or_else(|| Bump::with_capacity(4 << 10));
    let result = work(&room);
    if room.allocated_bytes() <= 64 << 10 {
        room.reset();
        ROOM.set(Some(room));
    }
    result
}

/// The arguments of a call: those by position, and those by name.
pub(crate) type Given<'a> = (&'a [Arg<'a>], &'a [(&'a str, Arg<'a>)]);

/// Reads the arguments of a command. An object at the end holds options, unless it is data.
pub(crate) fn arguments<'a>(
    js: Js,
    room: &'a Bump,
    command: &Command,
    values: &[Value],
) -> Result<Given<'a>> {
    let args = read_all(js, room, values.iter().copied())?;
    match args.split_last() {
        Some((Arg::Map(pairs), before)) if !command.takes_as_data(pairs, before) => {
            Ok((before, named(room, pairs)))
        }
        _ => Ok((args, &[])),
    }
}

/// Names and values of options.
pub(crate) fn named<'a>(
    room: &'a Bump,
    pairs: &'a [(Arg<'a>, Arg<'a>)],
) -> &'a [(&'a str, Arg<'a>)] {
    room.alloc_slice_fill_iter(pairs.iter().map(|(name, value)| {
        let name = match name {
            Arg::Bytes(name) => std::str::from_utf8(name).unwrap_or_default(),
            _ => "",
        };
        (name, *value)
    }))
}

/// Reads an array of arguments.
pub(crate) fn read_list<'a>(js: Js, room: &'a Bump, list: Value) -> Result<&'a [Arg<'a>]> {
    read_all(js, room, js.items(list))
}

fn read_all<'a>(
    js: Js,
    room: &'a Bump,
    values: impl ExactSizeIterator<Item = Value>,
) -> Result<&'a [Arg<'a>]> {
    let mut failed = None;
    let args = room.alloc_slice_fill_iter(values.enumerate().map(|(index, value)| {
        if failed.is_some() {
            return Arg::Null;
        }
        read(js, room, value, DEEPEST).unwrap_or_else(|odd| {
            failed = Some((index + 1, odd));
            Arg::Null
        })
    }));
    let Some((number, Odd { what, inside })) = failed else { return Ok(args) };
    let is = if inside { "holds" } else { "is" };
    let hint = "write text, a number, a Buffer, or a list or object of these";
    Err(Error::usage(format!("argument {number} {is} {what}; {hint}")))
}

/// What is no argument.
struct Odd {
    what: &'static str,
    /// It is inside of a list or of an object.
    inside: bool,
}

impl From<&'static str> for Odd {
    fn from(what: &'static str) -> Self {
        Self { what, inside: false }
    }
}

/// Lists and objects are not read any deeper than this: some hold themselves.
pub(crate) const DEEPEST: usize = 8;
pub(crate) const DEEP: &str = "a list or an object that is nested too deeply";
pub(crate) const FUNCTION: &str = "a function";

/// Reads one argument, or says what it is instead.
fn read<'a>(js: Js, room: &'a Bump, value: Value, depth: usize) -> Result<Arg<'a>, Odd> {
    Ok(match js.kind(value) {
        ValueType::napi_string => {
            js.with_text(value, |bytes| Arg::Bytes(room.alloc_slice_copy(bytes)))
        }
        ValueType::napi_number => number(js.to_double(value))?,
        ValueType::napi_bigint => match js.to_integer(value) {
            Some(number) => Arg::Int(number),
            None => {
                js.with_text(js.spell(value), |digits| Arg::Bytes(room.alloc_slice_copy(digits)))
            }
        },
        ValueType::napi_boolean => Arg::Bool(js.to_bool(value)),
        ValueType::napi_undefined | ValueType::napi_null => Arg::Null,
        ValueType::napi_object => {
            if let Some(bytes) = js.with_bytes(value, |bytes| room.alloc_slice_copy(bytes)) {
                return Ok(Arg::Bytes(bytes));
            }
            let deeper = depth.checked_sub(1).ok_or(DEEP)?;
            if js.is_array(value) {
                return items(js, room, value, deeper).map(Arg::List);
            }
            let entries = entries(js, value)?;
            if js.kind(entries) == ValueType::napi_string {
                return read(js, room, entries, depth);
            }
            let items = items(js, room, entries, deeper)?;
            let pairs = items.chunks_exact(2).map(|pair| (pair[0], pair[1]));
            Arg::Map(room.alloc_slice_fill_iter(pairs))
        }
        ValueType::napi_symbol => return Err("a symbol".into()),
        ValueType::napi_function => return Err(FUNCTION.into()),
        _ => return Err("no value that Redis knows".into()),
    })
}

/// What an object holds, keys and values in turn; or the text that it stands for.
pub(crate) fn entries(js: Js, object: Value) -> Result<Value, &'static str> {
    let entries = js.hook(Hook::Entries, &[object]);
    if js.caught().is_some() {
        return Err("an object that cannot be read");
    }
    match js.kind(entries) {
        ValueType::napi_string | ValueType::napi_object => Ok(entries),
        _ => Err("an object of a class of its own"),
    }
}

fn items<'a>(js: Js, room: &'a Bump, list: Value, depth: usize) -> Result<&'a [Arg<'a>], Odd> {
    let mut failed = None;
    let items = room.alloc_slice_fill_iter(js.items(list).map(|item| {
        if failed.is_some() {
            return Arg::Null;
        }
        read(js, room, item, depth).unwrap_or_else(|odd| {
            failed = Some(Odd { inside: true, ..odd });
            Arg::Null
        })
    }));
    failed.map_or(Ok(items), Err)
}

/// Numbers of JavaScript are integers as long as they can be.
pub(crate) fn number(number: f64) -> Result<Arg<'static>, &'static str> {
    if number.is_nan() {
        return Err("NaN");
    }
    let whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    Ok(if whole { Arg::Int(number as i64) } else { Arg::Float(number) })
}
