//! Options: one table of names, one parser, for every language, file and environment variable.

mod address;
mod disk;
mod secret;
mod table;
#[cfg(test)]
mod tests;
mod validator;
mod writers;

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::store;
pub use disk::Durability;
pub(crate) use disk::OnStorageError;
pub use table::OptionInfo;
pub(crate) use table::{MapSettings, NodeSettings, check_map_name, check_node};
pub use validator::Validator;

/// A node's configuration, and the defaults of the maps opened on it.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub(crate) node: NodeSettings,
}

impl Config {
    /// Every option at its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option by name. Lists are separated by commas. An option of maps sets the default of this node's maps, and
    /// `maps.<map>.<option>` declares a map that opens with the node.
    ///
    /// Errors: `InvalidConfig`, which names the option, what is wrong and what is allowed. Nothing changed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&mut Self> {
        match name.strip_prefix("maps.") {
            Some(rest) => {
                // Map names may contain dots; option names do not.
                let (map, option) = rest
                    .rsplit_once('.')
                    .ok_or_else(|| invalid(format!("`{name}`: a declared map's option is written `maps.<map>.<option>`")))?;
                check_map_name(map)?;
                let mut options = self.node.declared.get(map).cloned().unwrap_or_default();
                options.set(option, value)?;
                self.node.declared.insert(map.to_owned(), options);
            }
            None => table::set_node(&mut self.node, name, value)?,
        }
        Ok(self)
    }

    /// Sets every option of a TOML document; `[maps.<name>]` tables declare maps.
    ///
    /// Errors: `InvalidConfig`; nothing changed.
    pub fn set_toml(&mut self, text: &str) -> Result<&mut Self> {
        let document: toml::Table = text.parse().map_err(|error| invalid(format!("not TOML: {error}")))?;
        let mut next = self.clone();
        for (name, value) in &document {
            match value {
                toml::Value::Table(maps) if name == "maps" => {
                    for (map, options) in maps {
                        let toml::Value::Table(options) = options else {
                            return Err(invalid(format!("`maps.{map}`: expected a table of map options")));
                        };
                        table::set_node(&mut next.node, "maps", map)?;
                        for (option, value) in options {
                            next.set(&format!("maps.{map}.{option}"), &toml_text(option, value)?)?;
                        }
                    }
                }
                _ => {
                    next.set(name, &toml_text(name, value)?)?;
                }
            }
        }
        *self = next;
        Ok(self)
    }

    /// `set_toml` of a file. Errors: also `InvalidConfig` when the file cannot be read.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<&mut Self> {
        let path = path.as_ref();
        let text = store::read_text(path).map_err(|error| invalid(format!("{}: {error}", path.display())))?;
        self.set_toml(&text)
    }

    /// Sets what the environment says: `P2PMAP_BOOTSTRAP` is `bootstrap`, and so on for every option of the table.
    pub fn set_env(&mut self) -> Result<&mut Self> {
        for option in table::OPTIONS {
            let variable = format!("P2PMAP_{}", option.name.to_ascii_uppercase());
            if let Ok(value) = std::env::var(&variable) {
                self.set(option.name, &value)?;
            }
        }
        Ok(self)
    }

    /// The default validator function of this node's maps, beside the declarative ones.
    pub fn validator(&mut self, validator: Validator) -> &mut Self {
        self.node.map_defaults.validator(validator);
        self
    }

    /// The table of all options, a node's and a map's.
    pub fn options() -> &'static [OptionInfo] {
        table::OPTIONS
    }
}

/// A map's options; what is not set comes from the node's configuration.
#[derive(Clone, Default)]
pub struct MapOptions {
    pub(crate) set: Vec<(&'static str, String)>,
    pub(crate) function: Option<Validator>,
}

impl MapOptions {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option by name. Errors: `InvalidConfig`, also for an option of nodes. Nothing changed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<&mut Self> {
        let name = table::set_map(&mut MapSettings::default(), name, value)?;
        self.set.retain(|(known, _)| *known != name);
        self.set.push((name, value.to_owned()));
        Ok(self)
    }

    /// A validator function, beside the declarative ones.
    pub fn validator(&mut self, validator: Validator) -> &mut Self {
        self.function = Some(validator);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.function.is_none()
    }

    /// These options over those.
    pub(crate) fn over(&self, base: &MapOptions) -> MapOptions {
        let mut merged = base.clone();
        for (name, value) in &self.set {
            merged.set.retain(|(known, _)| known != name);
            merged.set.push((name, value.clone()));
        }
        merged.function = self.function.clone().or(merged.function);
        merged
    }

    /// What they come to.
    pub(crate) fn settings(&self) -> Result<MapSettings> {
        let mut settings = MapSettings::default();
        for (name, value) in &self.set {
            table::set_map(&mut settings, name, value)?;
        }
        settings.validators.function = self.function.clone();
        if !settings.writers.is_empty() && !settings.signed {
            return Err(invalid("`writers` needs `signed=true`: without signatures nobody knows who has written an entry"));
        }
        Ok(settings)
    }
}

impl std::fmt::Debug for MapOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapOptions").field("set", &self.set).field("function", &self.function.is_some()).finish()
    }
}

fn toml_text(name: &str, value: &toml::Value) -> Result<String> {
    Ok(match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Array(items) => {
            let items: Result<Vec<_>> = items.iter().map(|item| toml_text(name, item)).collect();
            items?.join(",")
        }
        _ => return Err(invalid(format!("`{name}`: expected a string, an integer, a boolean or a list of them"))),
    })
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidConfig, message)
}
