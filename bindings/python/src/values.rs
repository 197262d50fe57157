//! What a client says of itself and of its deployment.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use steadis::config::{Config, Explanation};
use steadis::picture::{Field, Picture};

/// Fields by name. A time is in seconds.
pub(crate) fn fields<'py>(py: Python<'py>, fields: Vec<Field>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, told) in fields {
        dict.set_item(name, shown(py, told)?)?;
    }
    Ok(dict)
}

fn shown(py: Python<'_>, told: Picture) -> PyResult<Bound<'_, PyAny>> {
    match told {
        Picture::Nothing => Ok(py.None().into_bound(py)),
        Picture::Flag(flag) => flag.into_bound_py_any(py),
        Picture::Count(count) => count.into_bound_py_any(py),
        Picture::Time(time) => time.as_secs_f64().into_bound_py_any(py),
        Picture::Text(said) => said.into_bound_py_any(py),
        Picture::List(items) => {
            let items = items.into_iter().map(|item| shown(py, item));
            items.collect::<PyResult<Vec<_>>>()?.into_bound_py_any(py)
        }
        Picture::Fields(told) => fields(py, told).map(Bound::into_any),
    }
}

/// A table for people, and name, value and source of each setting.
pub(crate) fn explanation(
    explanation: &Explanation,
) -> (String, Vec<(&'static str, String, String)>) {
    let rows = explanation.rows.iter().map(|row| (row.name, row.value.clone(), row.source()));
    (explanation.to_string(), rows.collect())
}

pub(crate) fn repr(class: &str, config: &Config, closed: bool) -> String {
    format!("<steadis.{class} of {}{}>", config.target, if closed { ", closed" } else { "" })
}
