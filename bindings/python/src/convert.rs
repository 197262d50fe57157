//! Python's values become arguments.

use crate::error;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyMemoryView, PyString, PyTuple,
};
use pyo3::{Borrowed, intern};
use std::cell::OnceCell;
use std::fmt;
use steadis::Error;
use steadis::client::Exchange;
use steadis::command::Arg;
use typed_arena::Arena;

/// Lists inside lists beyond this depth are a mistake, such as a list that contains itself.
const DEEPEST: usize = 8;

/// Keeps alive what arguments borrow from. Most calls have nothing to keep.
#[derive(Default)]
pub(crate) struct Keep<'a, 'py>(OnceCell<Box<Kept<'a, 'py>>>);

#[derive(Default)]
struct Kept<'a, 'py> {
    objects: Arena<Bound<'py, PyAny>>,
    args: Arena<Arg<'a>>,
    pairs: Arena<(Arg<'a>, Arg<'a>)>,
}

impl<'a, 'py> Keep<'a, 'py> {
    fn kept(&'a self) -> &'a Kept<'a, 'py> {
        self.0.get_or_init(Box::default)
    }

    fn hold(&'a self, object: Bound<'py, PyAny>) -> Borrowed<'a, 'py, PyAny> {
        (*self.kept().objects.alloc(object)).as_borrowed()
    }
}

/// Where in a call an argument stands.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Position(usize),
    Option(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Position(index) => write!(f, "argument {}", index + 1),
            Place::Option(name) => write!(f, "{name}"),
        }
    }
}

/// Positional arguments, converted, for the time of `run`.
pub(crate) fn with_args<'py, T>(
    command: &str,
    args: &Bound<'py, PyTuple>,
    skip: usize,
    named: Option<&Bound<'py, PyDict>>,
    run: impl FnOnce(&[Arg<'_>], &[(&str, Arg<'_>)]) -> PyResult<T>,
) -> PyResult<T> {
    const FEW: usize = 8;
    let keep = Keep::default();
    let count = args.len().saturating_sub(skip);
    let convert = |index: usize| {
        let object = args.get_borrowed_item(index + skip)?;
        arg(&keep, object, command, Place::Position(index))
    };
    let mut options = Vec::new();
    for (name, value) in named.into_iter().flatten() {
        let name: &str = keep.hold(name).extract()?;
        let value = keep.hold(value);
        options.push((name, arg(&keep, value, command, Place::Option(name))?));
    }
    if count <= FEW {
        let mut few = [Arg::Null; FEW];
        for (index, place) in few.iter_mut().take(count).enumerate() {
            *place = convert(index)?;
        }
        run(&few[..count], &options)
    } else {
        let many = (0..count).map(convert).collect::<PyResult<Vec<_>>>()?;
        run(&many, &options)
    }
}

/// A list of arguments, such as the keys of a script.
pub(crate) fn with_list<'py, T>(
    command: &str,
    name: &str,
    list: Option<&Bound<'py, PyAny>>,
    run: impl FnOnce(&[Arg<'_>]) -> PyResult<T>,
) -> PyResult<T> {
    let keep = Keep::default();
    match list {
        None => run(&[]),
        Some(list) => match arg(&keep, list.as_borrowed(), command, Place::Option(name))? {
            Arg::List(items) => run(items),
            item => run(&[item]),
        },
    }
}

fn arg<'a, 'py>(
    keep: &'a Keep<'a, 'py>,
    object: Borrowed<'a, 'py, PyAny>,
    command: &str,
    place: Place<'_>,
) -> PyResult<Arg<'a>> {
    nested(keep, object, 0).map_err(|unfit| unfit.explain(object.py(), command, place))
}

/// Why a value is no argument.
enum Unfit {
    Type(String),
    Surrogates,
    Depth,
    Python(PyErr),
}

impl From<PyErr> for Unfit {
    fn from(error: PyErr) -> Self {
        Unfit::Python(error)
    }
}

impl Unfit {
    fn explain(self, py: Python<'_>, command: &str, place: Place<'_>) -> PyErr {
        let why = match self {
            Unfit::Python(error) => return error,
            Unfit::Type(name) => {
                format!("holds a value of type {name}; give bytes, str, int or float")
            }
            Unfit::Surrogates => {
                "holds half a surrogate pair, which has no UTF-8 form; give bytes".to_owned()
            }
            Unfit::Depth => format!("has more than {DEEPEST} lists inside one another"),
        };
        error::raise(py, &Error::usage(format!("{place} {why}")).during(command))
    }
}

fn nested<'a, 'py>(
    keep: &'a Keep<'a, 'py>,
    object: Borrowed<'a, 'py, PyAny>,
    depth: usize,
) -> Result<Arg<'a>, Unfit> {
    // Text and bytes are what most arguments are.
    if object.is_instance_of::<PyString>() {
        return object.extract().map(Arg::Text).map_err(|_| Unfit::Surrogates);
    }
    if object.is_instance_of::<PyBytes>() {
        return Ok(Arg::Bytes(object.extract().map_err(PyErr::from)?));
    }
    if object.is_instance_of::<PyBool>() {
        return Ok(Arg::Bool(object.is_truthy()?));
    }
    if object.is_instance_of::<PyInt>() {
        return integer(keep, object);
    }
    if object.is_instance_of::<PyFloat>() {
        return Ok(Arg::Float(object.extract()?));
    }
    if object.is_none() {
        return Ok(Arg::Null);
    }
    if depth == DEEPEST {
        return Err(Unfit::Depth);
    }
    container(keep, object, depth)
}

fn integer<'a, 'py>(
    keep: &'a Keep<'a, 'py>,
    object: Borrowed<'a, 'py, PyAny>,
) -> Result<Arg<'a>, Unfit> {
    match object.extract() {
        Ok(number) => Ok(Arg::Int(number)),
        // Beyond 64 bits its digits go.
        Err(_) => Ok(Arg::Text(keep.hold(object.str()?.into_any()).extract()?)),
    }
}

fn container<'a, 'py>(
    keep: &'a Keep<'a, 'py>,
    object: Borrowed<'a, 'py, PyAny>,
    depth: usize,
) -> Result<Arg<'a>, Unfit> {
    let py = object.py();
    if let Ok(map) = object.cast::<PyDict>() {
        let mut pairs = Vec::with_capacity(map.len());
        for (key, value) in map.iter() {
            let key = nested(keep, keep.hold(key), depth + 1)?;
            pairs.push((key, nested(keep, keep.hold(value), depth + 1)?));
        }
        return Ok(Arg::Map(keep.kept().pairs.alloc_extend(pairs)));
    }
    if object.is_instance_of::<PyByteArray>() || object.is_instance_of::<PyMemoryView>() {
        let bytes = py.get_type::<PyBytes>().call1((object,))?;
        return Ok(Arg::Bytes(keep.hold(bytes).extract().map_err(PyErr::from)?));
    }
    if let Ok(number) = object.call_method0(intern!(py, "__index__")) {
        return integer(keep, keep.hold(number));
    }
    // A tuple cannot change while its parts are borrowed.
    let Ok(items) = py.get_type::<PyTuple>().call1((object,)) else {
        return Err(Unfit::Type(object.get_type().name()?.to_string()));
    };
    let items: &'a Bound<'py, PyAny> = keep.kept().objects.alloc(items);
    let items = items.cast::<PyTuple>().map_err(PyErr::from)?;
    let mut args = Vec::with_capacity(items.len());
    for index in 0..items.len() {
        args.push(nested(keep, items.get_borrowed_item(index)?, depth + 1)?);
    }
    Ok(Arg::List(keep.kept().args.alloc_extend(args)))
}

/// Any command, encoded.
pub(crate) fn raw(args: &Bound<'_, PyTuple>) -> PyResult<Exchange> {
    let py = args.py();
    with_args("call", args, 0, None, |args, _| {
        Exchange::raw(&words(py, "call", args)?).map_err(|why| error::raise(py, &why))
    })
}

/// Arguments as they are sent.
pub(crate) fn words(py: Python<'_>, method: &str, args: &[Arg<'_>]) -> PyResult<Vec<Vec<u8>>> {
    let word = |(index, arg): (usize, &Arg<'_>)| {
        arg.to_word().ok_or_else(|| {
            let why = format!(
                "argument {} of {method} is {arg:?}; give bytes, str, int or float",
                index + 1
            );
            error::usage(py, why)
        })
    };
    args.iter().enumerate().map(word).collect()
}
