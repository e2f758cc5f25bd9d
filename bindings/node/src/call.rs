//! Functions for JavaScript over data of their own, as plain as Node-API has them: those that napi-rs makes of closures allocate
//! for the arguments of every call.

#![allow(unsafe_code, reason = "a function of Node-API gets its data as a pointer, and its arguments as handles")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, JsValue, Object, ToNapiValue};
use napi::{Env, JsError, Result, Status, check_status, sys};

/// So many arguments a function has at most.
const ARGUMENTS: usize = 3;
/// The bytes of UTF-8 that one character takes at most.
const WIDEST: usize = 4;

/// One call of a function: its arguments, `undefined` where there are fewer.
pub struct Call {
    pub env: Env,
    arguments: [sys::napi_value; ARGUMENTS],
}

/// An argument that may be text.
pub enum Text {
    /// Its bytes were written, so many.
    Written(usize),
    TooLong,
    /// It is something else.
    No,
}

impl Call {
    pub fn get<T: FromNapiValue>(&self, at: usize) -> Result<T> {
        // SAFETY: the engine gave this argument to the call that still runs, in this environment.
        unsafe { T::from_napi_value(self.env.raw(), self.arguments[at]) }
    }

    /// Writes text as UTF-8 to `room`, if it is some bytes shorter than that.
    pub fn text(&self, at: usize, room: &mut [u8]) -> Text {
        let mut length = 0;
        // SAFETY: as for `get`; the engine writes no more than it is told there is room for, a zero byte at the end included.
        let status = unsafe {
            let room = (room.as_mut_ptr().cast(), room.len());
            sys::napi_get_value_string_utf8(self.env.raw(), self.arguments[at], room.0, room.1, &raw mut length)
        };
        match status {
            // It cuts off what does not fit, before a character that does not, and does not say so.
            sys::Status::napi_ok if length + WIDEST < room.len() => Text::Written(length),
            sys::Status::napi_ok => Text::TooLong,
            _ => Text::No,
        }
    }
}

/// Adds a function to an object. It is dropped when the engine has collected it.
pub fn add<R: ToNapiValue, F: Fn(&Call) -> Result<R> + 'static>(
    env: &Env,
    object: &mut Object<'_>,
    name: &str,
    function: F,
) -> Result<()> {
    let data = Box::into_raw(Box::new(function)).cast::<c_void>();
    let mut made = ptr::null_mut();
    // SAFETY: `name` is as long as said; `data` is what `enter::<R, F>` takes it for, and lives until `drop_data::<F>` gets it, which
    // the engine calls once. If one of the two calls fails, `data` leaks.
    unsafe {
        let (text, length) = (name.as_ptr().cast(), name.len() as isize);
        check_status!(sys::napi_create_function(env.raw(), text, length, Some(enter::<R, F>), data, &raw mut made))?;
        let nothing = ptr::null_mut();
        check_status!(sys::napi_add_finalizer(env.raw(), made, data, Some(drop_data::<F>), nothing, nothing.cast()))?;
    }
    // SAFETY: both handles are of this environment, and of the call that still runs.
    unsafe { check_status!(sys::napi_set_property(env.raw(), object.raw(), env.create_string(name)?.raw(), made)) }
}

unsafe extern "C" fn enter<R: ToNapiValue, F: Fn(&Call) -> Result<R>>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (mut count, mut arguments, mut data) = (ARGUMENTS, [ptr::null_mut(); ARGUMENTS], ptr::null_mut());
    let returned = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the engine calls with its environment and a call's `info`, and fills in as many arguments as there is room for.
        unsafe {
            let (no_this, arguments) = (ptr::null_mut(), arguments.as_mut_ptr());
            check_status!(sys::napi_get_cb_info(env, info, &raw mut count, arguments, no_this, &raw mut data))?;
        }
        // SAFETY: `add` gave this function that data, which lives as long as the function; nobody has it exclusively.
        let function = unsafe { &*data.cast::<F>() };
        let value = function(&Call { env: Env::from_raw(env), arguments })?;
        // SAFETY: the environment is that of this call.
        unsafe { R::to_napi_value(env, value) }
    }));
    let error = match returned {
        Ok(Ok(value)) => return value,
        Ok(Err(error)) => error,
        Err(_) => napi::Error::new(Status::GenericFailure, "p2pmap panicked: this is a bug, please report it"),
    };
    // SAFETY: the environment is that of this call, which ends with the exception.
    unsafe { JsError::from(error).throw_into(env) };
    ptr::null_mut()
}

unsafe extern "C" fn drop_data<F>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `add` made it of a box, and the engine gives it back once, when nothing can call the function any more.
    drop(unsafe { Box::from_raw(data.cast::<F>()) });
}
