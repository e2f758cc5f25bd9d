//! Options: one table of names, one parser, for every language.
use crate::Result;
use std::sync::Arc;

/// A function of (key, value) that says yes (`Ok`) or why not. It runs on local writes and on everything received, outside every lock.
pub type Validator = Arc<dyn Fn(&[u8], &[u8]) -> std::result::Result<(), String> + Send + Sync>;

/// One row of the table of options.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    pub name: &'static str,
    /// Whether it is an option of maps (a node's configuration takes it too: as the default of its maps).
    pub of_map: bool,
    pub default: &'static str,
    /// What values are allowed, in words.
    pub allowed: &'static str,
    pub about: &'static str,
}

/// A node's configuration, and the defaults of the maps opened on it.
#[derive(Clone)]
pub struct Config(());
impl Config {
    pub fn new() -> Self { todo!() }
    /// Sets an option by name; lists are separated by commas. Also `maps.<map>.<option>`, which declares a map.
    /// Errors: `InvalidConfig`, which names the option, the reason and what is allowed.
    pub fn set(&mut self, _name: &str, _value: &str) -> Result<&mut Self> { todo!() }
    /// Sets every option of a TOML document; maps are declared as `[maps.<name>]` tables.
    pub fn set_toml(&mut self, _toml: &str) -> Result<&mut Self> { todo!() }
    /// `set_toml` of a file's text.
    pub fn load(&mut self, _path: impl AsRef<std::path::Path>) -> Result<&mut Self> { todo!() }
    /// Sets what the environment says: `P2PMAP_BOOTSTRAP` is `bootstrap`, and so on.
    pub fn set_env(&mut self) -> Result<&mut Self> { todo!() }
    /// The default validator of this node's maps.
    pub fn validator(&mut self, _validator: Validator) -> &mut Self { todo!() }
    /// The table.
    pub fn options() -> &'static [OptionInfo] { todo!() }
}
impl Default for Config { fn default() -> Self { Self::new() } }

/// A map's options; what is not set comes from the node's configuration.
#[derive(Clone, Default)]
pub struct MapOptions(());
impl MapOptions {
    pub fn new() -> Self { todo!() }
    pub fn set(&mut self, _name: &str, _value: &str) -> Result<&mut Self> { todo!() }
    pub fn validator(&mut self, _validator: Validator) -> &mut Self { todo!() }
}
