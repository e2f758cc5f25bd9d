//! Map options
//!
//! What a map is told when it opens; what is not set here is as the node's configuration says.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use p2pmap::MapOptions;

use crate::config::{UserData, core_validator, p2pmap_destructor, p2pmap_validator};
use crate::error::{P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::{guard, guard_or};
use crate::handle::required;
use crate::input;

/// What opens a map: options by name. Used by one thread at a time.
pub struct p2pmap_map_options {
    pub(crate) options: MapOptions,
}

/// Options in which everything is as the node's configuration says. NULL only when memory is out.
///
/// Ownership: the caller's, to be freed with `p2pmap_map_options_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_options_new() -> *mut p2pmap_map_options {
    guard_or(std::ptr::null_mut(), || Box::into_raw(Box::new(p2pmap_map_options { options: MapOptions::new() })))
}

/// Sets a map option by name: the second half of the table under "Configuration".
///
/// Ownership: borrows all.
/// Threads: one at a time for the same options.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_map_options_set(
    options: Option<&mut p2pmap_map_options>,
    name: *const c_char,
    value: *const c_char,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let options = required(options, "options")?;
        // SAFETY: the caller passes NUL-terminated strings.
        let (name, value) = unsafe { (input::text(name, "name")?, input::text(value, "value")?) };
        options.options.set(name, value)?;
        Ok(P2PMAP_OK)
    })
}

/// Gives the map a validator. `destroy` runs when the last copy of the options and the map are gone; at once, when this
/// call fails.
///
/// Ownership: takes `user_data`.
/// Threads: one at a time for the same options.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_options_validator(
    options: Option<&mut p2pmap_map_options>,
    validator: p2pmap_validator,
    user_data: *mut c_void,
    destroy: p2pmap_destructor,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    let user_data = UserData::new(user_data, destroy);
    guard(error, || {
        let options = required(options, "options")?;
        options.options.validator(core_validator(validator, user_data)?);
        Ok(P2PMAP_OK)
    })
}

/// Frees options. NULL is fine.
///
/// Ownership: takes `options`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_map_options_free(options: Option<Box<p2pmap_map_options>>) {
    guard_or((), || drop(options));
}
