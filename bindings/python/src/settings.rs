//! Keyword arguments become options of the core.

use crate::error;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDelta, PyDict, PyFloat, PyInt, PyList, PyMapping, PySet, PyString, PyTuple,
};
use std::time::Duration;
use steadis::config::{Environment, Input, OptionValue, Secret};

/// What `connect` is given.
pub(crate) fn input(
    url: Option<&Bound<'_, PyAny>>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Input> {
    let mut input = Input::new(Environment::process());
    if let Some(url) = url {
        let Ok(url) = url.extract::<String>() else {
            let name = url.get_type().name()?;
            return Err(error::usage(url.py(), format!("url is of type {name}; give text")));
        };
        input = input.url(url);
    }
    for (name, value) in pairs(options)? {
        input = input.option(name, value);
    }
    Ok(input)
}

/// Names and values.
pub(crate) fn pairs(options: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<(String, OptionValue)>> {
    let pair = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name: String = name.extract()?;
        let value = value_of(&name, &value)?;
        Ok((name, value))
    };
    options.into_iter().flatten().map(pair).collect()
}

fn value_of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<OptionValue> {
    let all = |items: Vec<Bound<'_, PyAny>>| {
        let items = items.iter().map(|item| value_of(name, item));
        Ok(OptionValue::List(items.collect::<PyResult<_>>()?))
    };
    if value.is_none() {
        Ok(OptionValue::Null)
    } else if value.is_instance_of::<PyBool>() {
        Ok(OptionValue::Bool(value.is_truthy()?))
    } else if value.is_instance_of::<PyInt>() {
        value.extract().map(OptionValue::Int).or_else(|_| Ok(OptionValue::Float(value.extract()?)))
    } else if value.is_instance_of::<PyFloat>() {
        Ok(OptionValue::Float(value.extract()?))
    } else if value.is_instance_of::<PyString>() {
        Ok(OptionValue::Text(value.extract()?))
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        Ok(OptionValue::Bytes(bytes.as_bytes().to_vec()))
    } else if value.is_instance_of::<PyDelta>() {
        duration(name, value)
    } else if value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
    {
        all(value.try_iter()?.collect::<PyResult<_>>()?)
    } else if let Ok(map) = value.cast::<PyMapping>() {
        let pairs = map.items()?.iter().map(|pair| {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
            let key = key.str()?.to_string();
            let value = value_of(&key, &value)?;
            Ok((key, value))
        });
        Ok(OptionValue::Map(pairs.collect::<PyResult<_>>()?))
    } else if value.is_callable() {
        Ok(OptionValue::Secret(secret(name, value.clone().unbind())))
    } else if let Ok(path) = value.call_method0("__fspath__") {
        value_of(name, &path)
    } else {
        let kind = value.get_type().name()?;
        Err(error::usage(value.py(), format!("{name} cannot be of type {kind}")))
    }
}

fn duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<OptionValue> {
    let seconds: f64 = value.call_method0("total_seconds")?.extract()?;
    let negative = || error::usage(value.py(), format!("{name} is negative; give zero or more"));
    Duration::try_from_secs_f64(seconds).map(OptionValue::Duration).map_err(|_| negative())
}

/// A function that returns the password, or a pair of user and password.
fn secret(name: &str, function: Py<PyAny>) -> Secret {
    let name = name.to_owned();
    Secret::ask(move || {
        let gone = || steadis::Error::new(steadis::Kind::Closed, "the interpreter is ending");
        let asked = Python::try_attach(|py| {
            let answer = function.call0(py);
            let answer = answer.and_then(|answer| {
                let answer = answer.bind(py);
                let login: PyResult<(String, String)> = answer.extract();
                match login {
                    Ok((user, password)) => Ok((Some(user), password)),
                    Err(_) => Ok((None, answer.extract::<String>()?)),
                }
            });
            answer.map_err(|raised| error::of_callback(py, &name, &raised))
        });
        asked.unwrap_or_else(|| Err(gone()))
    })
}
