//! Ruby's values become arguments, and replies become Ruby's values.

use crate::error;
use magnus::r_hash::ForEach;
use magnus::rb_sys::{AsRawValue, FromRawValue};
use magnus::value::ReprValue;
use magnus::{Error, Float, Integer, RArray, RHash, RString, Ruby, Symbol, Value};
use rb_sys::macros::{RSTRING_LEN, RSTRING_PTR};
use std::fmt;
use steadis::command::Arg;
use steadis::proto::read::{Build, Items};
use typed_arena::Arena;

/// Lists inside lists beyond this depth are a mistake, such as a list that contains itself.
const DEEPEST: usize = 8;

/// Keeps what arguments borrow from. Asks for memory only when there are containers.
pub(crate) struct Keep<'a> {
    args: Arena<Arg<'a>>,
    pairs: Arena<(Arg<'a>, Arg<'a>)>,
    digits: Arena<u8>,
}

impl Keep<'_> {
    fn new() -> Self {
        Self {
            args: Arena::with_capacity(0),
            pairs: Arena::with_capacity(0),
            digits: Arena::with_capacity(0),
        }
    }
}

/// Where in a call an argument stands.
#[derive(Clone, Copy)]
enum Place<'a> {
    Position(usize),
    Option(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Position(index) => write!(f, "argument {}", index + 1),
            Place::Option(name) => write!(f, "{name}:"),
        }
    }
}

/// The arguments of a call, converted, for the time of `run`. Keywords are options; pairs without
/// braces whose keys are no symbols (`hset("k", "field" => 1)`) are a map like any other.
///
/// Nothing here lets Ruby collect or move what the arguments borrow.
pub(crate) fn with_args<T>(
    ruby: &Ruby,
    command: &str,
    args: &[Value],
    named: Option<RHash>,
    run: impl FnOnce(&[Arg<'_>], &[(&str, Arg<'_>)]) -> steadis::Result<T>,
) -> Result<T, Error> {
    const FEW: usize = 8;
    let keep = Keep::new();
    let convert = |index: usize| {
        let place = Place::Position(index);
        nested(&keep, args[index], 0).map_err(|unfit| unfit.explain(ruby, command, place))
    };
    let (mut options, mut pairs) = (Vec::new(), Vec::new());
    if let Some(named) = named {
        each(named, |name, value| {
            let place = Symbol::from_value(name).map(|_| name_of(name)).transpose()?;
            let arg = nested(&keep, value, 0);
            let place_of = place.map_or(Place::Position(args.len()), Place::Option);
            let arg = arg.map_err(|unfit| unfit.explain(ruby, command, place_of))?;
            match place {
                Some(option) => options.push((option, arg)),
                None => {
                    let key = nested(&keep, name, 0);
                    pairs.push((key.map_err(|it| it.explain(ruby, command, place_of))?, arg));
                }
            }
            Ok(())
        })?;
    }
    let raised = |why| error::raise(ruby, &why);
    if args.len() < FEW {
        let mut few = [Arg::Null; FEW];
        let mut count = args.len();
        for (index, place) in few.iter_mut().take(count).enumerate() {
            *place = convert(index)?;
        }
        if !pairs.is_empty() {
            few[count] = Arg::Map(keep.pairs.alloc_extend(pairs));
            count += 1;
        }
        run(&few[..count], &options).map_err(raised)
    } else {
        let mut many = (0..args.len()).map(convert).collect::<Result<Vec<_>, _>>()?;
        if !pairs.is_empty() {
            many.push(Arg::Map(keep.pairs.alloc_extend(pairs)));
        }
        run(&many, &options).map_err(raised)
    }
}

/// A list of arguments, such as the keys of a script.
pub(crate) fn with_list<T>(
    ruby: &Ruby,
    command: &str,
    name: &str,
    list: Value,
    run: impl FnOnce(&[Arg<'_>]) -> Result<T, Error>,
) -> Result<T, Error> {
    let keep = Keep::new();
    let arg = nested(&keep, list, 0);
    match arg.map_err(|unfit| unfit.explain(ruby, command, Place::Option(name)))? {
        Arg::Null => run(&[]),
        Arg::List(items) => run(items),
        item => run(&[item]),
    }
}

/// Arguments as they are sent: of lists and maps, what is in them.
pub(crate) fn words(ruby: &Ruby, method: &str, args: &[Value]) -> Result<Vec<Vec<u8>>, Error> {
    fn add(arg: &Arg<'_>, words: &mut Vec<Vec<u8>>) -> bool {
        match arg {
            Arg::List(items) => items.iter().all(|item| add(item, words)),
            Arg::Map(pairs) => {
                pairs.iter().all(|(key, value)| add(key, words) && add(value, words))
            }
            arg => arg.to_word().map(|word| words.push(word)).is_some(),
        }
    }
    let mut all = Vec::with_capacity(args.len());
    with_args(ruby, method, args, None, |args, _| {
        args.iter().enumerate().try_for_each(|(index, arg)| {
            if add(arg, &mut all) {
                return Ok(());
            }
            let why = format!("argument {} is {arg:?}; give a String, Symbol or number", index + 1);
            Err(steadis::Error::usage(why).during(method))
        })
    })?;
    Ok(all)
}

/// What is in a list, for as long as no Ruby code runs.
pub(crate) fn items(list: &RArray) -> &[Value] {
    // SAFETY: as arguments they are only read, and nobody gets to change the list meanwhile.
    unsafe { list.as_slice() }
}

/// Why a value is no argument.
enum Unfit {
    Class(String),
    Depth,
    Ruby(Error),
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        Unfit::Ruby(error)
    }
}

impl Unfit {
    fn explain(self, ruby: &Ruby, command: &str, place: Place<'_>) -> Error {
        let why = match self {
            Unfit::Ruby(error) => return error,
            Unfit::Class(name) => {
                format!("holds an object of class {name}; give a String, Symbol or number")
            }
            Unfit::Depth => format!("has more than {DEEPEST} lists inside one another"),
        };
        error::raise(ruby, &steadis::Error::usage(format!("{place} {why}")).during(command))
    }
}

fn nested<'a>(keep: &'a Keep<'a>, value: Value, depth: usize) -> Result<Arg<'a>, Unfit> {
    if let Some(text) = RString::from_value(value) {
        return Ok(Arg::Bytes(bytes_of(text)));
    }
    if let Some(number) = Integer::from_value(value) {
        return match number.to_i64() {
            Ok(number) => Ok(Arg::Int(number)),
            Err(_) => digits(keep, number),
        };
    }
    if let Some(symbol) = Symbol::from_value(value) {
        return Ok(Arg::Bytes(bytes_of_symbol(symbol)));
    }
    if value.is_nil() {
        return Ok(Arg::Null);
    }
    if let Some(number) = Float::from_value(value) {
        return Ok(Arg::Float(number.to_f64()));
    }
    let ruby = Ruby::get_with(value);
    if value.is_kind_of(ruby.class_true_class()) || value.is_kind_of(ruby.class_false_class()) {
        return Ok(Arg::Bool(value.to_bool()));
    }
    if depth == DEEPEST {
        return Err(Unfit::Depth);
    }
    if let Some(items) = RArray::from_value(value) {
        // SAFETY: no Ruby runs meanwhile, so nobody changes it.
        let items = unsafe { items.as_slice() };
        let mut args = Vec::with_capacity(items.len());
        for item in items {
            args.push(nested(keep, *item, depth + 1)?);
        }
        return Ok(Arg::List(keep.args.alloc_extend(args)));
    }
    if let Some(map) = RHash::from_value(value) {
        let mut pairs = Vec::with_capacity(map.len());
        let mut unfit = None;
        each(map, |key, value| {
            let pair = nested(keep, key, depth + 1)
                .and_then(|key| Ok((key, nested(keep, value, depth + 1)?)));
            match pair {
                Ok(pair) => pairs.push(pair),
                Err(why) => _ = unfit.get_or_insert(why),
            }
            Ok(())
        })?;
        return match unfit {
            Some(why) => Err(why),
            None => Ok(Arg::Map(keep.pairs.alloc_extend(pairs))),
        };
    }
    // SAFETY: the name is copied at once.
    Err(Unfit::Class(unsafe { value.classname() }.into_owned()))
}

/// Beyond 64 bits its digits go.
fn digits<'a>(keep: &'a Keep<'a>, number: Integer) -> Result<Arg<'a>, Unfit> {
    // To write them makes an object, and the collector must not move those that are borrowed.
    // SAFETY: plain switches of Ruby's, with its lock held.
    let was_off = unsafe { rb_sys::rb_gc_disable() };
    let text = number.funcall::<_, _, String>("to_s", ());
    if was_off == rb_sys::Qfalse as rb_sys::VALUE {
        // SAFETY: as above.
        unsafe { rb_sys::rb_gc_enable() };
    }
    Ok(Arg::Bytes(keep.digits.alloc_extend(text?.into_bytes())))
}

fn each(map: RHash, mut with: impl FnMut(Value, Value) -> Result<(), Error>) -> Result<(), Error> {
    map.foreach(|key: Value, value: Value| with(key, value).map(|()| ForEach::Continue))
}

/// For as long as neither Ruby code runs nor the collector.
fn bytes_of<'a>(text: RString) -> &'a [u8] {
    let text = text.as_raw();
    // SAFETY: it is a string, and who calls this keeps it as it is.
    unsafe {
        let length = usize::try_from(RSTRING_LEN(text)).unwrap_or_default();
        std::slice::from_raw_parts(RSTRING_PTR(text).cast(), length)
    }
}

fn bytes_of_symbol<'a>(symbol: Symbol) -> &'a [u8] {
    // SAFETY: the name of a symbol is a string that lives as long as the symbol.
    let name = unsafe { Value::from_raw(rb_sys::rb_sym2str(symbol.as_raw())) };
    RString::from_value(name).map(bytes_of).unwrap_or_default()
}

/// The name of an option.
fn name_of<'a>(name: Value) -> Result<&'a str, Error> {
    let bytes = Symbol::from_value(name).map(bytes_of_symbol).unwrap_or_default();
    let wrong = || error::usage(&Ruby::get_with(name), "the name of an option is no UTF-8");
    std::str::from_utf8(bytes).map_err(|_| wrong())
}

/// Makes Ruby's values of a reply.
pub(crate) struct Builder<'a> {
    pub(crate) ruby: &'a Ruby,
}

impl Builder<'_> {
    /// Text where the bytes are UTF-8, else binary.
    pub(crate) fn text(&self, bytes: &[u8]) -> RString {
        let (start, length) = (bytes.as_ptr().cast(), bytes.len() as std::ffi::c_long);
        // SAFETY: Ruby copies the bytes, and returns a string.
        let text = unsafe {
            Value::from_raw(match std::str::from_utf8(bytes) {
                Ok(_) => rb_sys::rb_utf8_str_new(start, length),
                Err(_) => rb_sys::rb_str_new(start, length),
            })
        };
        RString::from_value(text).unwrap_or_else(|| self.ruby.str_from_slice(bytes))
    }
}

impl Build for Builder<'_> {
    type Value = Value;
    type Error = Error;

    fn null(&mut self) -> Result<Value, Error> {
        Ok(self.ruby.qnil().as_value())
    }

    fn integer(&mut self, value: i64) -> Result<Value, Error> {
        Ok(self.ruby.integer_from_i64(value).as_value())
    }

    fn double(&mut self, value: f64) -> Result<Value, Error> {
        Ok(self.ruby.float_from_f64(value).as_value())
    }

    fn boolean(&mut self, value: bool) -> Result<Value, Error> {
        Ok(if value { self.ruby.qtrue().as_value() } else { self.ruby.qfalse().as_value() })
    }

    fn big_number(&mut self, digits: &[u8]) -> Result<Value, Error> {
        self.text(digits).funcall("to_i", ())
    }

    fn simple(&mut self, text: &[u8]) -> Result<Value, Error> {
        self.bulk(text)
    }

    fn bulk(&mut self, bytes: &[u8]) -> Result<Value, Error> {
        Ok(self.text(bytes).as_value())
    }

    fn error(&mut self, line: &[u8]) -> Result<Value, Error> {
        error::value(self.ruby, &steadis::Error::server(line))
    }

    fn list(&mut self, items: &mut Items<'_, '_>) -> Result<Value, Error> {
        // Ruby sees the array on the stack, and through it what is in it already.
        let array = self.ruby.ary_new_capa(items.len());
        while let Some(item) = items.next(self) {
            array.push(item?)?;
        }
        Ok(array.as_value())
    }

    fn set(&mut self, items: &mut Items<'_, '_>) -> Result<Value, Error> {
        self.list(items)
    }

    fn map(&mut self, items: &mut Items<'_, '_>) -> Result<Value, Error> {
        let map = self.ruby.hash_new();
        while let Some(key) = items.next(self) {
            let key = key?;
            if let Some(key) = RString::from_value(key) {
                // Otherwise Ruby makes a frozen copy.
                key.freeze();
            }
            let value = items.next(self).unwrap_or_else(|| self.null())?;
            map.aset(key, value)?;
        }
        Ok(map.as_value())
    }

    fn push(&mut self, items: &mut Items<'_, '_>) -> Result<Value, Error> {
        self.list(items)
    }
}
