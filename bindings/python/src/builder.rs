//! Replies become Python's values.

use crate::error;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PySet, PyString, PyTuple};
use steadis::Error;
use steadis::proto::read::{Build, Items};

/// Makes Python's values of a reply.
pub(crate) struct Builder<'py> {
    pub(crate) py: Python<'py>,
    /// Text instead of bytes.
    pub(crate) decode: bool,
}

impl<'py> Builder<'py> {
    fn items(&mut self, items: &mut Items<'_, '_>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut all = Vec::with_capacity(items.len());
        while let Some(item) = items.next(self) {
            all.push(item?);
        }
        Ok(all)
    }
}

impl<'py> Build for Builder<'py> {
    type Value = Bound<'py, PyAny>;
    type Error = PyErr;

    fn null(&mut self) -> PyResult<Self::Value> {
        Ok(self.py.None().into_bound(self.py))
    }

    fn integer(&mut self, value: i64) -> PyResult<Self::Value> {
        Ok(value.into_pyobject(self.py)?.into_any())
    }

    fn double(&mut self, value: f64) -> PyResult<Self::Value> {
        Ok(PyFloat::new(self.py, value).into_any())
    }

    fn boolean(&mut self, value: bool) -> PyResult<Self::Value> {
        Ok(PyBool::new(self.py, value).to_owned().into_any())
    }

    fn big_number(&mut self, digits: &[u8]) -> PyResult<Self::Value> {
        let digits = PyString::from_bytes(self.py, digits)?;
        self.py.get_type::<PyInt>().call1((digits,))
    }

    fn simple(&mut self, text: &[u8]) -> PyResult<Self::Value> {
        self.bulk(text)
    }

    fn bulk(&mut self, bytes: &[u8]) -> PyResult<Self::Value> {
        if self.decode {
            return PyString::from_bytes(self.py, bytes).map(Bound::into_any);
        }
        Ok(PyBytes::new(self.py, bytes).into_any())
    }

    fn error(&mut self, line: &[u8]) -> PyResult<Self::Value> {
        error::value(self.py, &Error::server(line))
    }

    fn list(&mut self, items: &mut Items<'_, '_>) -> PyResult<Self::Value> {
        PyList::new(self.py, self.items(items)?).map(Bound::into_any)
    }

    fn set(&mut self, items: &mut Items<'_, '_>) -> PyResult<Self::Value> {
        let items = self.items(items)?;
        match PySet::new(self.py, &items) {
            Ok(set) => Ok(set.into_any()),
            // What has no hash, such as a map, can be in no set.
            Err(_) => PyList::new(self.py, items).map(Bound::into_any),
        }
    }

    fn map(&mut self, items: &mut Items<'_, '_>) -> PyResult<Self::Value> {
        let map = PyDict::new(self.py);
        while let Some(key) = items.next(self) {
            let value = items.next(self).unwrap_or_else(|| self.null())?;
            let key = key?;
            if map.set_item(&key, &value).is_err() {
                // A list is no key, but a tuple is.
                map.set_item(self.py.get_type::<PyTuple>().call1((key,))?, value)?;
            }
        }
        Ok(map.into_any())
    }

    fn push(&mut self, items: &mut Items<'_, '_>) -> PyResult<Self::Value> {
        self.list(items)
    }
}
