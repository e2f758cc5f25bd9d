//! What makes a map handle a Python `MutableMapping`.

use p2pmap::ScanOptions;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};

use crate::errors::raise;
use crate::map::Map;
use crate::scan::{Scan, Yields};

impl Map {
    #[inline]
    fn find<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.face.plain_key(key) {
            Some(bytes) => self.read(key.py(), bytes),
            None => self.read(key.py(), &self.face.encode_key(key)?),
        }
    }

    #[inline]
    fn read<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.face.is_plain() {
            match self.core.get_with(bytes, |value| self.face.plain_value(py, value)).map_err(raise)? {
                None => return Ok(None),
                Some(Some(value)) => return Ok(Some(value)),
                Some(None) => {}
            }
        }
        let value = self.core.get(bytes).map_err(raise)?;
        value.map(|value| self.face.decode_value(py, &value)).transpose()
    }

    fn iterate(&self, yields: Yields, reverse: bool) -> PyResult<Scan> {
        let scan = self.core.scan(ScanOptions { reverse, ..ScanOptions::default() }).map_err(raise)?;
        Ok(Scan::new(scan, yields, self.face))
    }

    /// Writes what a mapping, anything with `keys`, or an iterable of pairs holds.
    fn absorb<'py>(&self, other: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Ok(mapping) = other.cast::<PyMapping>() {
            return self.absorb_pairs(mapping.items()?.as_any());
        }
        if other.hasattr(intern!(other.py(), "keys"))? {
            for key in other.call_method0(intern!(other.py(), "keys"))?.try_iter()? {
                let key = key?;
                self.__setitem__(&key, &other.get_item(&key)?)?;
            }
            return Ok(());
        }
        self.absorb_pairs(other)
    }

    fn absorb_pairs<'py>(&self, pairs: &Bound<'py, PyAny>) -> PyResult<()> {
        for pair in pairs.try_iter()? {
            let (key, value) = pair?.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>()?;
            self.__setitem__(&key, &value)?;
        }
        Ok(())
    }

    fn view<'py>(slf: &Bound<'py, Self>, class: &str) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("p2pmap._views")?.getattr(class)?.call1((slf,))
    }
}

#[pymethods]
impl Map {
    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.find(key)?.ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, key, value) = (key.py(), self.face.encode_key(key)?, self.face.encode_value(value)?);
        self.write(py, move |map| map.put(key, value)).map(drop)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.remove(key)? {
            true => Ok(()),
            false => Err(PyKeyError::new_err(key.clone().unbind())),
        }
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.core.contains(self.face.encode_key(key)?).map_err(raise)
    }

    fn __len__(&self) -> PyResult<usize> {
        self.core.len().map_err(raise)
    }

    fn __iter__(&self) -> PyResult<Scan> {
        self.iterate(Yields::Keys, false)
    }

    fn __reversed__(&self) -> PyResult<Scan> {
        self.iterate(Yields::Keys, true)
    }

    /// Equal to any mapping with equal items now; so, like a dict, a map has no hash.
    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if slf.is(other) {
            return Ok(true.into_pyobject(py)?.to_owned().into_any().unbind());
        }
        let Ok(other) = other.cast::<PyMapping>() else { return Ok(py.NotImplemented()) };
        let dict = py.get_type::<PyDict>();
        let mine = dict.call1((slf.get().iterate(Yields::Items, false)?,))?;
        Ok(mine.eq(dict.call1((other.items()?,))?)?.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __ior__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.absorb(other)
    }

    /// A key's value, or `default` if it is absent.
    ///
    /// Raises:
    ///     ValueError: The bytes are not of this map's codec.
    ///     Closed: The map was closed.
    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(&self, key: &Bound<'py, PyAny>, default: Option<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.find(key)?.or(default))
    }

    /// A key's value, after writing `default` if it was absent.
    #[pyo3(signature = (key, default=None, /))]
    fn setdefault<'py>(&self, key: &Bound<'py, PyAny>, default: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(value) = self.find(key)? {
            return Ok(value);
        }
        let default = default.unwrap_or_else(|| key.py().None().into_bound(key.py()));
        self.__setitem__(key, &default)?;
        Ok(default)
    }

    /// Removes a key and returns its value; `default` if it is absent.
    ///
    /// Of several threads of this process that pop one value, one gets it. Other processes may pop the same value.
    ///
    /// Raises:
    ///     KeyError: The key is absent and no default was given.
    #[pyo3(signature = (key, /, *default))]
    fn pop<'py>(&self, key: &Bound<'py, PyAny>, default: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        if default.len() > 1 {
            return Err(PyTypeError::new_err("pop takes a key and at most one default"));
        }
        if let Some(value) = self.find(key)?
            && self.remove(key)?
        {
            return Ok(value);
        }
        if default.is_empty() {
            return Err(PyKeyError::new_err(key.clone().unbind()));
        }
        default.get_item(0)
    }

    /// Removes the entry with the least key and returns its key and value.
    ///
    /// Raises:
    ///     KeyError: The map is empty.
    fn popitem<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        for entry in self.core.scan(ScanOptions::default()).map_err(raise)? {
            if self.write(py, |map| map.remove(&**entry.key()))? {
                return Ok((self.face.decode_key(py, entry.key())?, self.face.decode_value(py, entry.value())?));
            }
        }
        Err(PyKeyError::new_err("popitem(): the map is empty"))
    }

    /// Writes every item of a mapping or of an iterable of pairs, then the keyword arguments, one after the other.
    ///
    /// What was written before an error stays written; use `batch` for all or nothing.
    #[pyo3(signature = (other=None, /, **items), text_signature = "($self, other=(), /, **items)")]
    fn update(&self, other: Option<&Bound<'_, PyAny>>, items: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        if let Some(other) = other {
            self.absorb(other)?;
        }
        items.map_or(Ok(()), |items| self.absorb(items.as_any()))
    }

    /// Removes every key, in one batch, from this map: on all nodes.
    ///
    /// Raises:
    ///     TooLarge: More keys than a batch holds; nothing was removed.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.core.remove_prefix(b"")).map(drop).map_err(raise)
    }

    /// A view of the keys, in order.
    fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::view(slf, "Keys")
    }

    /// A view of the values, in the order of their keys.
    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::view(slf, "Values")
    }

    /// A view of the pairs of key and value, in the order of the keys.
    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::view(slf, "Items")
    }

    fn _values(&self, reverse: bool) -> PyResult<Scan> {
        self.iterate(Yields::Values, reverse)
    }

    fn _items(&self, reverse: bool) -> PyResult<Scan> {
        self.iterate(Yields::Items, reverse)
    }
}
