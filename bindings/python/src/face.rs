//! How a map handle shows keys and values: the core's bytes as Python objects, and back.

use std::borrow::Cow;

use p2pmap::ErrorKind;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyString};

use crate::errors::refuse;

/// What keys are in Python.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Text, as UTF-8. Bytes that are not UTF-8 become lone surrogates, as in file names: every key has a text, and goes back.
    Str,
    Bytes,
}

/// What values are in Python.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Codec {
    Bytes,
    Utf8,
    Json,
}

/// The `keys` and `codec` that a map was opened with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Face {
    keys: Keys,
    codec: Codec,
}

impl Face {
    /// Bytes for bytes: what a validator of a whole node sees.
    pub(crate) const BYTES: Face = Face { keys: Keys::Bytes, codec: Codec::Bytes };

    /// Errors: `InvalidConfig` for a word that is not known.
    pub(crate) fn parse(keys: &str, codec: Option<&str>) -> PyResult<Self> {
        let keys = match keys {
            "str" => Keys::Str,
            "bytes" => Keys::Bytes,
            _ => return Err(unknown("keys", "'str' or 'bytes'")),
        };
        let codec = match codec {
            None | Some("bytes") => Codec::Bytes,
            Some("utf8") => Codec::Utf8,
            Some("json") => Codec::Json,
            Some(_) => return Err(unknown("codec", "None, 'bytes', 'utf8' or 'json'")),
        };
        Ok(Self { keys, codec })
    }

    /// Whether values are made without running Python code, and so can be made while the map holds them: see `plain_value`.
    pub(crate) fn is_plain(self) -> bool {
        self.codec != Codec::Json
    }

    /// The value, if `is_plain` and the bytes are of this codec: the short way of every read.
    #[inline]
    pub(crate) fn plain_value<'py>(self, py: Python<'py>, value: &[u8]) -> Option<Bound<'py, PyAny>> {
        match self.codec {
            Codec::Bytes => Some(PyBytes::new(py, value).into_any()),
            Codec::Utf8 => PyString::from_bytes(py, value).ok().map(Bound::into_any),
            Codec::Json => None,
        }
    }

    /// The bytes of a key of the usual kind, without the detours that others need: the short way of every read.
    #[inline]
    pub(crate) fn plain_key<'a>(self, key: &'a Bound<'_, PyAny>) -> Option<&'a [u8]> {
        match self.keys {
            Keys::Str => key.cast::<PyString>().ok()?.to_str().ok().map(str::as_bytes),
            Keys::Bytes => key.cast::<PyBytes>().ok().map(|key| key.as_bytes()),
        }
    }

    /// A key's bytes; borrowed where Python holds them already.
    pub(crate) fn encode_key<'a>(self, key: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
        match self.keys {
            Keys::Bytes => buffer(key, "key", "this map has keys='bytes'"),
            Keys::Str => {
                let Ok(text) = key.cast::<PyString>() else {
                    return Err(wrong_type(key, "key", "str", "open the map with keys='bytes' for bytes"));
                };
                match text.to_str() {
                    Ok(text) => Ok(Cow::Borrowed(text.as_bytes())),
                    Err(_) => {
                        let bytes = key.call_method1(intern!(key.py(), "encode"), ("utf-8", "surrogateescape"))?;
                        Ok(Cow::Owned(bytes.cast::<PyBytes>()?.as_bytes().to_vec()))
                    }
                }
            }
        }
    }

    /// A value's bytes; borrowed where Python holds them already.
    pub(crate) fn encode_value<'a>(self, value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
        match self.codec {
            Codec::Bytes => buffer(value, "value", "open the map with codec='utf8' or codec='json' for others"),
            Codec::Utf8 => match value.cast::<PyString>() {
                Ok(text) => Ok(Cow::Borrowed(text.to_str()?.as_bytes())),
                Err(_) => Err(wrong_type(value, "value", "str", "this map has codec='utf8'")),
            },
            Codec::Json => {
                let text = Json::of(value.py())?.encode.bind(value.py()).call1((value,))?;
                Ok(Cow::Owned(text.cast::<PyString>()?.to_str()?.as_bytes().to_vec()))
            }
        }
    }

    pub(crate) fn decode_key<'py>(self, py: Python<'py>, key: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self.keys {
            Keys::Bytes => Ok(PyBytes::new(py, key).into_any()),
            Keys::Str => decode_text(py, key, "surrogateescape"),
        }
    }

    /// Errors: `UnicodeDecodeError`, `json.JSONDecodeError`: someone wrote other values than this handle's codec has.
    pub(crate) fn decode_value<'py>(self, py: Python<'py>, value: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self.codec {
            Codec::Bytes => Ok(PyBytes::new(py, value).into_any()),
            Codec::Utf8 => decode_text(py, value, "strict"),
            Codec::Json => Json::of(py)?.decode.bind(py).call1((decode_text(py, value, "strict")?,)),
        }
    }
}

fn decode_text<'py>(py: Python<'py>, bytes: &[u8], errors: &str) -> PyResult<Bound<'py, PyAny>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text).into_any()),
        Err(_) => PyBytes::new(py, bytes).call_method1(intern!(py, "decode"), ("utf-8", errors)),
    }
}

fn buffer<'a>(object: &'a Bound<'_, PyAny>, what: &str, hint: &str) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    if let Ok(bytes) = object.cast::<PyByteArray>() {
        return Ok(Cow::Owned(bytes.to_vec()));
    }
    match PyBuffer::<u8>::get(object) {
        Ok(buffer) => Ok(Cow::Owned(buffer.to_vec(object.py())?)),
        Err(_) => Err(wrong_type(object, what, "bytes", hint)),
    }
}

fn wrong_type(object: &Bound<'_, PyAny>, what: &str, wanted: &str, hint: &str) -> PyErr {
    match object.get_type().name() {
        Ok(name) => PyTypeError::new_err(format!("a {what} must be {wanted}, not {name}; {hint}")),
        Err(failure) => failure,
    }
}

fn unknown(option: &str, allowed: &str) -> PyErr {
    refuse(ErrorKind::InvalidConfig, format!("option `{option}`: not a word it knows; allowed: {allowed}"))
}

/// Python's own `json`: compact, not escaped to ASCII, and without the NaN that is not JSON.
struct Json {
    encode: Py<PyAny>,
    decode: Py<PyAny>,
}

impl Json {
    fn of(py: Python<'_>) -> PyResult<&Self> {
        static JSON: PyOnceLock<Json> = PyOnceLock::new();
        JSON.get_or_try_init(py, || {
            let json = py.import("json")?;
            let options = PyDict::new(py);
            options.set_item("allow_nan", false)?;
            options.set_item("ensure_ascii", false)?;
            options.set_item("separators", (",", ":"))?;
            let encoder = json.getattr("JSONEncoder")?.call((), Some(&options))?;
            Ok(Self { encode: encoder.getattr("encode")?.unbind(), decode: json.getattr("loads")?.unbind() })
        })
    }
}
