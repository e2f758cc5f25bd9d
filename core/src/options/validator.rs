//! What values must be: declarative checks and a function.

use std::fmt;
use std::sync::Arc;

use super::invalid;
use crate::error::Result;

/// A function of (key, value) that says yes (`Ok`) or why not.
///
/// Threads: it runs on the writer's thread for local writes and on a library thread for everything received, outside every
/// lock. A panic counts as no.
pub type Validator = Arc<dyn Fn(&[u8], &[u8]) -> std::result::Result<(), String> + Send + Sync>;

/// Everything a value must pass.
#[derive(Clone, Default)]
pub struct Validators {
    pub checks: Vec<Check>,
    pub function: Option<Validator>,
}

/// A declarative check: quick, and the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    Utf8,
    Json,
    MaxBytes(usize),
}

/// Parses one check.
pub fn check(text: &str) -> Result<Check> {
    match (text, text.strip_prefix("max_bytes:").map(str::parse)) {
        ("utf8", _) => Ok(Check::Utf8),
        ("json", _) => Ok(Check::Json),
        (_, Some(Ok(limit))) => Ok(Check::MaxBytes(limit)),
        _ => Err(invalid(format!("`validator` cannot be `{text}`: allowed are utf8, json and max_bytes:<n>"))),
    }
}

impl Validators {
    /// Whether user code is among them, which may take its time.
    pub fn may_block(&self) -> bool {
        self.function.is_some()
    }

    /// Why not, if not. It never says the value.
    pub fn refuse(&self, key: &[u8], value: &[u8]) -> Option<String> {
        self.checks.iter().find_map(|check| check.refuse(value)).or_else(|| {
            let function = self.function.as_ref()?;
            let verdict = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| function(key, value)));
            verdict.unwrap_or_else(|_| Err("the validator panicked".to_owned())).err()
        })
    }
}

impl Check {
    fn refuse(self, value: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(value).err().map(|error| format!("not UTF-8: {error}")),
            Self::Json => serde_json::from_slice::<serde::de::IgnoredAny>(value).err().map(|error| {
                // The message of a JSON error may quote the value: say only where it is.
                format!("not JSON: line {} column {}", error.line(), error.column())
            }),
            Self::MaxBytes(limit) => {
                (value.len() > limit).then(|| format!("{} bytes, more than the {limit} of max_bytes:{limit}", value.len()))
            }
        }
    }
}

impl PartialEq for Validators {
    fn eq(&self, other: &Self) -> bool {
        let same_function = match (&self.function, &other.function) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        same_function && self.checks == other.checks
    }
}

impl fmt::Debug for Validators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validators").field("checks", &self.checks).field("function", &self.function.is_some()).finish()
    }
}
