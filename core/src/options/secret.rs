//! The option `cluster_secret`: where each secret is to be found. No error shows what was found.

use std::path::Path;

use zeroize::Zeroizing;

use super::invalid;
use crate::error::{Error, Result};
use crate::secret::{Keyring, Secret};
use crate::store;

/// The secrets of a list, in its order.
pub fn secrets(value: &str) -> Result<Vec<Secret>> {
    let mut secrets = Vec::new();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if let Some(variable) = item.strip_prefix("env:") {
            let text = std::env::var(variable)
                .map(Zeroizing::new)
                .map_err(|_| refused(&format!("there is no environment variable `{variable}`")))?;
            add_all(&mut secrets, &text)?;
        } else if let Some(path) = item.strip_prefix("file:") {
            let text = store::read_private(Path::new(path)).map(Zeroizing::new).map_err(|why| refused(&why))?;
            add_all(&mut secrets, &text)?;
        } else {
            add_all(&mut secrets, item)?;
        }
    }
    if secrets.len() > Keyring::MOST_KEYS {
        return Err(refused(&format!("{} secrets, at most {}", secrets.len(), Keyring::MOST_KEYS)));
    }
    Ok(secrets)
}

/// Of lines, or separated by commas.
fn add_all(secrets: &mut Vec<Secret>, text: &str) -> Result<()> {
    let items = text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty());
    for item in items {
        secrets.push(Secret::parse(item).map_err(|why| refused(&why))?);
    }
    Ok(())
}

fn refused(why: &str) -> Error {
    invalid(format!("`cluster_secret`: {why}"))
}
