//! The one list of errors. Kinds are numbered once and never reused: every language spells the same list.

use std::fmt;

/// What went wrong, as one of a fixed list. The number is the C status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum ErrorKind {
    /// An argument that no state could make valid. Nothing changed.
    InvalidArgument = -1,
    /// An unknown option, or a value that the option does not allow. Nothing changed.
    InvalidConfig = -2,
    /// The map's validator said no. Nothing changed.
    InvalidValue = -3,
    /// A key, value or batch over its limit. Nothing changed.
    TooLarge = -4,
    /// The node, map or subscription was closed. Nothing changed.
    Closed = -5,
    /// A data directory in use by another process; or it was copied, and another node runs with the identity in it.
    Locked = -6,
    /// The disk refused: full, read-only or broken.
    Storage = -7,
    /// A stored file is damaged.
    Corrupted = -8,
    /// An address that cannot be parsed, listened on or reached.
    Network = -9,
    /// A listen address that another socket holds. No node was opened.
    AddressInUse = -10,
    /// The time given ran out; what was asked for may still happen.
    Timeout = -11,
    /// `max_entries` or `max_bytes` reached. Nothing changed.
    Full = -12,
    /// A format or protocol version that this library does not speak.
    Unsupported = -13,
    /// The handle was opened before a `fork`, and this is the child.
    Forked = -14,
    /// The map's `writers` do not include this node. Nothing changed.
    NotPermitted = -15,
    /// A panic, caught: a bug in p2pmap. Please report it.
    Internal = -100,
}

impl ErrorKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [ErrorKind; 16] = [
        Self::InvalidArgument,
        Self::InvalidConfig,
        Self::InvalidValue,
        Self::TooLarge,
        Self::Closed,
        Self::Locked,
        Self::Storage,
        Self::Corrupted,
        Self::Network,
        Self::AddressInUse,
        Self::Timeout,
        Self::Full,
        Self::Unsupported,
        Self::Forked,
        Self::NotPermitted,
        Self::Internal,
    ];

    /// The number that C and Go see. Below zero, never reused.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The kind with that number.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name every language derives its own from, such as `TOO_LARGE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::InvalidConfig => "INVALID_CONFIG",
            Self::InvalidValue => "INVALID_VALUE",
            Self::TooLarge => "TOO_LARGE",
            Self::Closed => "CLOSED",
            Self::Locked => "LOCKED",
            Self::Storage => "STORAGE",
            Self::Corrupted => "CORRUPTED",
            Self::Network => "NETWORK",
            Self::AddressInUse => "ADDRESS_IN_USE",
            Self::Timeout => "TIMEOUT",
            Self::Full => "FULL",
            Self::Unsupported => "UNSUPPORTED",
            Self::Forked => "FORKED",
            Self::NotPermitted => "NOT_PERMITTED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error: its kind, and a sentence that names the thing, the limit and the remedy. It never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: Box<str>,
}

/// What every fallible call returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into_boxed_str() }
    }

    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_names_one_kind() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_code(kind.code()), Some(kind));
        }
        let mut names: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }
}
