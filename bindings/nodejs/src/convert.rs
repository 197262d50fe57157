//! JavaScript's values become arguments and options; replies become JavaScript's values.

use crate::error;
use crate::js::{Hook, Js, Value};
use bumpalo::Bump;
use napi::sys::ValueType;
use std::cell::Cell;
use steadis::client::Answer;
use steadis::command::{Arg, Command};
use steadis::config::{self, OptionValue};
use steadis::proto::read::{Build, Items};
use steadis::{Error, Result};

/// What strings and large integers of replies become.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    pub(crate) buffers: bool,
    pub(crate) bigints: bool,
}

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
const DEEPEST: usize = 8;
const DEEP: &str = "a list or an object that is nested too deeply";
const FUNCTION: &str = "a function";

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
fn entries(js: Js, object: Value) -> Result<Value, &'static str> {
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
fn number(number: f64) -> Result<Arg<'static>, &'static str> {
    if number.is_nan() {
        return Err("NaN");
    }
    let whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    Ok(if whole { Arg::Int(number as i64) } else { Arg::Float(number) })
}

/// Reads the value of an option of the client, or says what it is instead.
fn option(js: Js, value: Value, depth: usize) -> Result<OptionValue, &'static str> {
    Ok(match js.kind(value) {
        ValueType::napi_undefined | ValueType::napi_null => OptionValue::Null,
        ValueType::napi_boolean => OptionValue::Bool(js.to_bool(value)),
        ValueType::napi_number => match number(js.to_double(value)) {
            Ok(Arg::Int(number)) => OptionValue::Int(number),
            _ => OptionValue::Float(js.to_double(value)),
        },
        ValueType::napi_bigint => match js.to_integer(value) {
            Some(number) => OptionValue::Int(number),
            None => OptionValue::Text(js.to_text(js.spell(value))),
        },
        ValueType::napi_string => OptionValue::Text(js.to_text(value)),
        ValueType::napi_object => {
            if let Some(bytes) = js.with_bytes(value, <[u8]>::to_vec) {
                return Ok(OptionValue::Bytes(bytes));
            }
            let deeper = depth.checked_sub(1).ok_or(DEEP)?;
            if js.is_array(value) {
                let items = js.items(value).map(|item| option(js, item, deeper));
                return items.collect::<Result<_, _>>().map(OptionValue::List);
            }
            let entries = entries(js, value)?;
            if js.kind(entries) == ValueType::napi_string {
                return Ok(OptionValue::Text(js.to_text(entries)));
            }
            OptionValue::Map(named_options(js, entries, deeper).map_err(|(_, what)| what)?)
        }
        ValueType::napi_symbol => return Err("a symbol"),
        ValueType::napi_function => return Err(FUNCTION),
        _ => return Err("no value for an option"),
    })
}

/// Names and values in turn; where one is none, its name and what it is instead.
fn named_options(
    js: Js,
    entries: Value,
    depth: usize,
) -> Result<Vec<(String, OptionValue)>, (String, &'static str)> {
    let mut options = Vec::new();
    for pair in 0..js.length(entries) / 2 {
        let name = js.to_text(js.item(entries, pair * 2));
        match option(js, js.item(entries, pair * 2 + 1), depth) {
            Ok(value) => options.push((name, value)),
            // Other clients take functions for what is done by itself here.
            Err(FUNCTION) if config::find_option(&name).is_none() => {}
            Err(what) => return Err((name, what)),
        }
    }
    Ok(options)
}

/// Reads an object of options.
pub(crate) fn options(js: Js, object: Value) -> Result<Vec<(String, OptionValue)>> {
    let entries = entries(js, object)
        .map_err(|what| Error::config(format!("the options are {what}; write a plain object")))?;
    named_options(js, entries, DEEPEST).map_err(|(name, what)| {
        let hint = "write text, a number, true or false, or a list or object of these";
        Error::config(format!("the option {name} is {what}; {hint}"))
    })
}

/// Makes JavaScript's value of a reply.
pub(crate) fn build(js: Js, mode: Mode, answer: Answer<'_>) -> Value {
    let mut builder =
        Builder { js, mode, frame: answer.frame.bytes(), whole: None, depth: 0, stack: vec![] };
    let Ok(value) = answer.build(&mut builder);
    value
}

struct Builder<'a> {
    js: Js,
    mode: Mode,
    frame: &'a [u8],
    /// The frame as a Buffer, of which others are views.
    whole: Option<Value>,
    /// How many aggregates the next value is inside of.
    depth: usize,
    /// The items of those aggregates, inner ones last.
    stack: Vec<Value>,
}

type Built = Result<Value, std::convert::Infallible>;

impl Builder<'_> {
    /// A Buffer for bytes of the frame. One for each would be several times slower than views of
    /// one for all.
    fn buffer(&mut self, bytes: &[u8]) -> Value {
        let js = self.js;
        let start = (bytes.as_ptr() as usize).wrapping_sub(self.frame.as_ptr() as usize);
        if self.depth == 0 || start > self.frame.len() {
            return js.buffer(bytes);
        }
        let whole = *self.whole.get_or_insert_with(|| js.buffer(self.frame));
        let (start, end) = (js.double(start as f64), js.double((start + bytes.len()) as f64));
        js.hook(Hook::Slice, &[whole, start, end])
    }

    fn aggregate(
        &mut self,
        items: &mut Items<'_, '_>,
        make: impl FnOnce(Js, &[Value]) -> Value,
    ) -> Built {
        let start = self.stack.len();
        self.depth += 1;
        while let Some(item) = items.next(self) {
            let Ok(item) = item;
            self.stack.push(item);
        }
        self.depth -= 1;
        let value = make(self.js, &self.stack[start..]);
        self.stack.truncate(start);
        Ok(value)
    }
}

impl Build for Builder<'_> {
    type Value = Value;
    type Error = std::convert::Infallible;

    fn null(&mut self) -> Built {
        Ok(self.js.null())
    }

    fn integer(&mut self, value: i64) -> Built {
        Ok(self.js.integer(value, self.mode.bigints))
    }

    fn double(&mut self, value: f64) -> Built {
        Ok(self.js.double(value))
    }

    fn boolean(&mut self, value: bool) -> Built {
        Ok(self.js.boolean(value))
    }

    fn big_number(&mut self, digits: &[u8]) -> Built {
        let text = self.js.text(digits);
        Ok(if self.mode.bigints { self.js.hook(Hook::BigInt, &[text]) } else { text })
    }

    fn simple(&mut self, text: &[u8]) -> Built {
        Ok(self.js.text(text))
    }

    fn bulk(&mut self, bytes: &[u8]) -> Built {
        Ok(if self.mode.buffers { self.buffer(bytes) } else { self.js.text(bytes) })
    }

    fn error(&mut self, line: &[u8]) -> Built {
        Ok(error::instance(self.js, &Error::server(line)))
    }

    fn list(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::list)
    }

    fn set(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::list)
    }

    fn map(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::map)
    }

    fn push(&mut self, items: &mut Items<'_, '_>) -> Built {
        self.aggregate(items, Js::list)
    }
}
