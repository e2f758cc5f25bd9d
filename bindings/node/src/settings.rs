//! Options, as JavaScript hands them over.

use napi::Env;
use napi_derive::napi;
use p2pmap::{Config, MapOptions};

use crate::validator::{JsValidator, validator};

/// What `lib/options.cjs` makes of an options object.
#[napi(object)]
pub struct Settings {
    /// A TOML file, read first.
    pub file: Option<String>,
    /// Whether the environment variables `P2PMAP_*` count; read second.
    pub env: bool,
    /// Names and values by turns.
    pub options: Vec<String>,
}

impl Settings {
    /// A node's configuration. Reads the file, if there is one.
    pub fn config(&self, validator: Option<p2pmap::Validator>) -> p2pmap::Result<Config> {
        let mut config = Config::new();
        if let Some(file) = &self.file {
            config.load(file)?;
        }
        if self.env {
            config.set_env()?;
        }
        for (name, value) in self.pairs() {
            config.set(name, value)?;
        }
        if let Some(validator) = validator {
            config.validator(validator);
        }
        Ok(config)
    }

    /// A map's options.
    pub fn map_options(&self, validator: Option<p2pmap::Validator>) -> p2pmap::Result<MapOptions> {
        let mut options = MapOptions::new();
        for (name, value) in self.pairs() {
            options.set(name, value)?;
        }
        if let Some(validator) = validator {
            options.validator(validator);
        }
        Ok(options)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str()))
    }
}

/// The core's validator for the function given, if one was.
pub fn optional_validator(env: &Env, function: Option<JsValidator<'_>>) -> napi::Result<Option<p2pmap::Validator>> {
    function.map(|function| validator(env, &function)).transpose()
}
