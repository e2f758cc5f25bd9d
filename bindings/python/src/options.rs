//! Options: keyword arguments as the names and strings that the core's one parser takes.

use p2pmap::{Config, ErrorKind, MapOptions, Validator};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString, PyTuple};

use crate::errors::{raise, refuse};
use crate::face::Face;
use crate::validator::validator;

/// What options are set on.
pub(crate) trait Settings {
    fn set(&mut self, name: &str, value: &str) -> p2pmap::Result<()>;
    fn set_validator(&mut self, validator: Validator);
}

impl Settings for Config {
    fn set(&mut self, name: &str, value: &str) -> p2pmap::Result<()> {
        Config::set(self, name, value).map(drop)
    }

    fn set_validator(&mut self, validator: Validator) {
        self.validator(validator);
    }
}

impl Settings for MapOptions {
    fn set(&mut self, name: &str, value: &str) -> p2pmap::Result<()> {
        MapOptions::set(self, name, value).map(drop)
    }

    fn set_validator(&mut self, validator: Validator) {
        self.validator(validator);
    }
}

/// A configuration from a TOML file, then the environment, then keyword arguments: the later wins.
pub(crate) fn config(
    file: Option<std::path::PathBuf>,
    environment: bool,
    options: Option<&Bound<'_, PyDict>>,
    face: Face,
) -> PyResult<Config> {
    let mut config = Config::new();
    if let Some(file) = file {
        config.load(file).map_err(raise)?;
    }
    if environment {
        config.set_env().map_err(raise)?;
    }
    set_all(&mut config, options, face)?;
    Ok(config)
}

/// Sets every option; a `validator` that is a function sees keys and values as `face` shows them.
pub(crate) fn set_all(settings: &mut impl Settings, options: Option<&Bound<'_, PyDict>>, face: Face) -> PyResult<()> {
    for (name, value) in options.iter().flat_map(|options| options.iter()) {
        let name = name.cast::<PyString>()?.to_str()?.to_owned();
        if name == "validator" && value.is_callable() {
            settings.set_validator(validator(value, face));
        } else {
            set(settings, &name, &value)?;
        }
    }
    Ok(())
}

/// The one rule: None sets nothing; a mapping of mappings declares what it names; the rest is text.
fn set(settings: &mut impl Settings, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if value.is_none() {
        return Ok(());
    }
    let Ok(declared) = value.cast::<PyMapping>() else {
        return settings.set(name, &text(name, value)?).map_err(raise);
    };
    for (key, options) in declared.items()?.extract::<Vec<(String, Bound<'_, PyAny>)>>()? {
        settings.set(name, &key).map_err(raise)?;
        for (option, value) in options.cast::<PyMapping>()?.items()?.extract::<Vec<(String, Bound<'_, PyAny>)>>()? {
            let option = format!("{name}.{key}.{option}");
            settings.set(&option, &text(&option, &value)?).map_err(raise)?;
        }
    }
    Ok(())
}

fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
    {
        let items = value.try_iter()?.map(|item| list_item(name, &item?));
        return Ok(items.collect::<PyResult<Vec<_>>>()?.join(","));
    }
    scalar(name, value)
}

fn list_item(name: &str, item: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = scalar(name, item)?;
    if text.contains(',') {
        let message = format!("option `{name}`: an item of its list holds a comma, which separates items");
        return Err(refuse(ErrorKind::InvalidConfig, message));
    }
    Ok(text)
}

fn scalar(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(truth.is_true().to_string());
    }
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
        return Ok(value.str()?.to_str()?.to_owned());
    }
    if value.hasattr("__fspath__")? {
        return value.call_method0("__fspath__")?.extract();
    }
    let class = value.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "option `{name}` must be a str, int, float, bool, path, a list of them, a mapping or None, not {class}"
    )))
}

/// The table of options.
///
/// Returns:
///     One tuple for each: its name, whether it is an option of maps (a node takes it too, as the default of its maps), its
///     default, what is allowed and what it is about, in words.
#[pyfunction]
pub fn options() -> Vec<(&'static str, bool, &'static str, &'static str, &'static str)> {
    Config::options().iter().map(|row| (row.name, row.of_map, row.default, row.allowed, row.about)).collect()
}
