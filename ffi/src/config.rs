//! Configuration
//!
//! What a node is told when it opens, and the defaults of the maps on it. Every option has a name and takes its
//! value as text; lists are separated by commas, switches are `true` or `false`. An unknown name or a bad value is
//! `P2PMAP_INVALID_CONFIG`, and the message says which, why, and what is allowed.
//!
//! @OPTIONS@
//!
//! A configuration is plain data: opening a node copies it, so it may be changed, used again or freed afterwards.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use p2pmap::{Config, Result, Validator};

use crate::error::{P2PMAP_NOT_FOUND, P2PMAP_OK, c_text, p2pmap_error, p2pmap_status};
use crate::guard::{guard, guard_or};
use crate::handle::required;
use crate::input::{self, Flag};

/// What opens a node: options by name. Used by one thread at a time.
pub struct p2pmap_config {
    pub(crate) config: Config,
}

/// Called once for a `user_data`, after the last use of it; NULL if there is nothing to free.
pub type p2pmap_destructor = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Says whether a map may hold this value under this key. It sees local writes and everything received, on whatever
/// thread brings them and on several at once, under no lock. It must not throw, and must answer the same for the
/// same bytes on every node.
pub type p2pmap_validator = Option<
    unsafe extern "C" fn(key: *const u8, key_len: usize, value: *const u8, value_len: usize, user_data: *mut c_void) -> Flag,
>;

/// One option: its name, its default, what is allowed and what it is for. All are UTF-8 and valid for ever.
#[repr(C)]
pub struct p2pmap_option {
    pub name: *const c_char,
    pub default_value: *const c_char,
    pub allowed: *const c_char,
    pub about: *const c_char,
    /// An option of maps; in a node's configuration it is the default for its maps.
    pub of_map: Flag,
}

/// What the caller hands over with a callback: passed back with each call, and destroyed once.
pub(crate) struct UserData {
    data: *mut c_void,
    destroy: p2pmap_destructor,
}

// SAFETY: the header says that callbacks and destructors run on threads of the library; whoever passes `user_data`
// agrees to that.
unsafe impl Send for UserData {}
// SAFETY: as above; a validator is documented to run on several threads at once.
unsafe impl Sync for UserData {}

impl UserData {
    pub(crate) fn new(data: *mut c_void, destroy: p2pmap_destructor) -> Self {
        Self { data, destroy }
    }

    #[inline]
    pub(crate) fn pointer(&self) -> *mut c_void {
        self.data
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the caller gave this function for this data; an owner is dropped once.
            unsafe { destroy(self.data) }
        }
    }
}

/// The core's validator that asks a C function. Errors: `InvalidArgument` for NULL.
pub(crate) fn core_validator(validator: p2pmap_validator, user_data: UserData) -> Result<Validator> {
    let validator = required(validator, "validator")?;
    Ok(Arc::new(move |key: &[u8], value: &[u8]| {
        // SAFETY: the caller gave a function of this type; the bytes outlive the call.
        let answer = unsafe { validator(key.as_ptr(), key.len(), value.as_ptr(), value.len(), user_data.pointer()) };
        if answer.is_set() { Ok(()) } else { Err("the validator said no".to_owned()) }
    }))
}

/// A configuration in which every option has its default. NULL only when memory is out.
///
/// Ownership: the caller's, to be freed with `p2pmap_config_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_config_new() -> *mut p2pmap_config {
    guard_or(std::ptr::null_mut(), || Box::into_raw(Box::new(p2pmap_config { config: Config::new() })))
}

/// Sets an option. A name `maps.<map>.<option>` declares a map, which the node opens when it starts.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_config_set(
    config: Option<&mut p2pmap_config>,
    name: *const c_char,
    value: *const c_char,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let config = required(config, "config")?;
        // SAFETY: the caller passes NUL-terminated strings.
        let (name, value) = unsafe { (input::text(name, "name")?, input::text(value, "value")?) };
        config.config.set(name, value)?;
        Ok(P2PMAP_OK)
    })
}

/// Sets every option of a TOML document; a table `[maps.<map>]` declares a map.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_config_set_toml(
    config: Option<&mut p2pmap_config>,
    toml: *const c_char,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let config = required(config, "config")?;
        // SAFETY: the caller passes a NUL-terminated string.
        config.config.set_toml(unsafe { input::text(toml, "toml") }?)?;
        Ok(P2PMAP_OK)
    })
}

/// Sets every option of a TOML file.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration.
/// Blocks: on the disk.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_config_load(
    config: Option<&mut p2pmap_config>,
    path: *const c_char,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let config = required(config, "config")?;
        // SAFETY: the caller passes a NUL-terminated string.
        config.config.load(unsafe { input::text(path, "path") }?)?;
        Ok(P2PMAP_OK)
    })
}

/// Sets what the environment says: `P2PMAP_BOOTSTRAP` is `bootstrap`, and so on.
///
/// Ownership: borrows all.
/// Threads: one at a time for one configuration, and while no other thread changes the environment.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_config_set_env(
    config: Option<&mut p2pmap_config>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        required(config, "config")?.config.set_env()?;
        Ok(P2PMAP_OK)
    })
}

/// Gives the maps of this node a validator, unless they have one of their own. `destroy` runs when the last copy of the
/// configuration and the last map with it are gone; at once, when this call fails.
///
/// Ownership: takes `user_data`.
/// Threads: one at a time for one configuration.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_config_validator(
    config: Option<&mut p2pmap_config>,
    validator: p2pmap_validator,
    user_data: *mut c_void,
    destroy: p2pmap_destructor,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    let user_data = UserData::new(user_data, destroy);
    guard(error, || {
        let config = required(config, "config")?;
        config.config.validator(core_validator(validator, user_data)?);
        Ok(P2PMAP_OK)
    })
}

/// Frees a configuration. NULL is fine.
///
/// Ownership: takes `config`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_config_free(config: Option<Box<p2pmap_config>>) {
    guard_or((), || drop(config));
}

/// How many options there are.
///
/// Ownership: nothing.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_option_count() -> usize {
    guard_or(0, || option_rows().len())
}

/// The option at `index`, in the order of the table above. `P2PMAP_NOT_FOUND` from `p2pmap_option_count` on.
///
/// Ownership: writes into the caller's `option`; its text is the library's.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_option_at(
    index: usize,
    option: Option<&mut MaybeUninit<p2pmap_option>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let option = required(option, "option")?;
        let Some(row) = option_rows().get(index) else {
            return Ok(P2PMAP_NOT_FOUND);
        };
        let [name, default_value, allowed, about] = row.text.each_ref().map(|text| text.as_ptr());
        option.write(p2pmap_option { name, default_value, allowed, about, of_map: row.of_map.into() });
        Ok(P2PMAP_OK)
    })
}

/// A row of the core's table of options, as C text.
struct OptionRow {
    text: [CString; 4],
    of_map: bool,
}

fn option_rows() -> &'static [OptionRow] {
    static ROWS: OnceLock<Vec<OptionRow>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |info: &p2pmap::OptionInfo| OptionRow {
            text: [info.name, info.default, info.allowed, info.about].map(c_text),
            of_map: info.of_map,
        };
        Config::options().iter().map(row).collect()
    })
}
