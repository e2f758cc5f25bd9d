//! What is asked of a disk: the map options `durability` and `on_storage_error`.

use super::table::{OptionInfo, refused};
use crate::error::Result;

/// How long what was written lasts: the map option `durability`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// As long as one process that has it.
    #[default]
    None,
    /// On disk soon.
    Async,
    /// On disk when a write returns.
    Sync,
}

impl Durability {
    pub(super) fn parse(option: &OptionInfo, value: &str) -> Result<Self> {
        match value {
            "none" => Ok(Self::None),
            "async" => Ok(Self::Async),
            "sync" => Ok(Self::Sync),
            _ => Err(refused(option, value)),
        }
    }

    /// What the option calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Async => "async",
            Self::Sync => "sync",
        }
    }
}

/// What a map does when its disk fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStorageError {
    #[default]
    Refuse,
    Memory,
}

impl OnStorageError {
    pub(super) fn parse(option: &OptionInfo, value: &str) -> Result<Self> {
        match value {
            "refuse" => Ok(Self::Refuse),
            "memory" => Ok(Self::Memory),
            _ => Err(refused(option, value)),
        }
    }
}
