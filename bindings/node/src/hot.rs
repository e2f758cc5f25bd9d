//! get, has, put and remove, as plain functions over a scratch buffer.
//!
//! JavaScript writes the key (and the value of a put) to the scratch and calls with lengths; values and stamps come
//! back in it. Compared with the obvious method on a class that takes and returns Buffers this is five times as
//! fast: what costs there is looking up the instance, and making Buffers in native code.

use std::cell::RefCell;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, FunctionCallContext, JsValue, Object, ToNapiValue};
use napi::sys::napi_value;
use p2pmap::{Error, ErrorKind, Map, Stamp};

use crate::outcome::run;
use crate::ttl::Ttl;
use crate::validator;

/// What `get` returns instead of a length.
const ABSENT: i32 = -1;
/// The value does not fit into the scratch: read it with `MapHandle::get_bytes`.
const TOO_LONG: i32 = -2;

/// A stamp as JavaScript gets it: timestamp, then epoch, little-endian.
pub const STAMP_BYTES: usize = 16;

/// A map, and the memory shared with JavaScript: a key lies at its start, a value behind the key.
struct Hot {
    map: Map,
    scratch: RefCell<Buffer>,
}

/// An object with the functions for one map.
pub fn functions<'env>(env: &'env Env, map: &Map, scratch: Buffer) -> napi::Result<Object<'env>> {
    let hot = Rc::new(Hot { map: map.clone(), scratch: RefCell::new(scratch) });
    let mut functions = Object::new(env)?;
    add(env, &mut functions, "get", &hot, Hot::get)?;
    add(env, &mut functions, "getText", &hot, Hot::get_text)?;
    add(env, &mut functions, "has", &hot, Hot::has)?;
    add(env, &mut functions, "put", &hot, Hot::put)?;
    add(env, &mut functions, "putTtl", &hot, Hot::put_ttl)?;
    add(env, &mut functions, "remove", &hot, Hot::remove)?;
    add(env, &mut functions, "size", &hot, Hot::size)?;
    Ok(functions)
}

fn add<R: ToNapiValue + 'static>(
    env: &Env,
    functions: &mut Object<'_>,
    name: &str,
    hot: &Rc<Hot>,
    function: impl Fn(&Hot, FunctionCallContext<'_>) -> napi::Result<R> + 'static,
) -> napi::Result<()> {
    let hot = Rc::clone(hot);
    functions.set(name, env.create_function_from_closure::<(), R, _>(name, move |call| function(&hot, call))?)
}

impl Hot {
    /// (key length) -> value length, `ABSENT` or `TOO_LONG`.
    fn get(&self, call: FunctionCallContext<'_>) -> napi::Result<i32> {
        let key_len = call.get::<u32>(0)? as usize;
        self.read(&call, key_len)
    }

    /// (key length) -> the value where it is ASCII: making that text here is faster than decoding the scratch there. Else as `get`.
    fn get_text(&self, call: FunctionCallContext<'_>) -> napi::Result<napi_value> {
        let key_len = call.get::<u32>(0)? as usize;
        let found = self.read(&call, key_len)?;
        let scratch = self.scratch.borrow();
        let text = usize::try_from(found).ok().and_then(|len| scratch.get(key_len..key_len + len));
        match text.filter(|text| text.is_ascii()) {
            Some(text) => Ok(call.env.create_string_latin1(text)?.raw()),
            None => Ok(call.env.create_int32(found)?.raw()),
        }
    }

    /// Copies the value behind the key.
    fn read(&self, call: &FunctionCallContext<'_>, key_len: usize) -> napi::Result<i32> {
        let mut scratch = self.scratch.borrow_mut();
        run(call.env, || {
            let (key, room) = scratch.split_at_mut_checked(key_len).ok_or_else(out_of_bounds)?;
            let read = self.map.get_with(&*key, |value| {
                room.get_mut(..value.len()).map_or(TOO_LONG, |room| {
                    room.copy_from_slice(value);
                    value.len() as i32
                })
            })?;
            Ok(read.unwrap_or(ABSENT))
        })
    }

    /// (key length) -> whether the view has it.
    fn has(&self, call: FunctionCallContext<'_>) -> napi::Result<bool> {
        let key_len = call.get::<u32>(0)? as usize;
        let scratch = self.scratch.borrow();
        run(call.env, || self.map.contains(scratch.get(..key_len).ok_or_else(out_of_bounds)?))
    }

    /// (key length, value length); leaves the stamp at the start of the scratch.
    fn put(&self, call: FunctionCallContext<'_>) -> napi::Result<()> {
        self.write(&call, Ttl::Default)
    }

    /// (key length, value length, ttl as `Ttl::parse` takes it); leaves the stamp at the start of the scratch.
    fn put_ttl(&self, call: FunctionCallContext<'_>) -> napi::Result<()> {
        let ttl = call.get::<f64>(2)?;
        self.write(&call, run(call.env, || Ttl::parse(ttl))?)
    }

    fn write(&self, call: &FunctionCallContext<'_>, ttl: Ttl) -> napi::Result<()> {
        let (key_len, value_len) = (call.get::<u32>(0)? as usize, call.get::<u32>(1)? as usize);
        let stamp = run(call.env, || {
            let scratch = self.scratch.borrow();
            let (key, rest) = scratch.split_at_checked(key_len).ok_or_else(out_of_bounds)?;
            let value = rest.get(..value_len).ok_or_else(out_of_bounds)?;
            if !validator::in_use() {
                return ttl.put(&self.map, key, value);
            }
            // A validator may read the map, and so write to the scratch.
            let (key, value) = (key.to_vec(), value.to_vec());
            drop(scratch);
            ttl.put(&self.map, key, value)
        })?;
        self.scratch.borrow_mut()[..STAMP_BYTES].copy_from_slice(&stamp_bytes(&stamp));
        Ok(())
    }

    /// (key length) -> whether a live value was there.
    fn remove(&self, call: FunctionCallContext<'_>) -> napi::Result<bool> {
        let key_len = call.get::<u32>(0)? as usize;
        let scratch = self.scratch.borrow();
        run(call.env, || self.map.remove(scratch.get(..key_len).ok_or_else(out_of_bounds)?))
    }

    /// () -> entries in the view.
    fn size(&self, call: FunctionCallContext<'_>) -> napi::Result<u32> {
        run(call.env, || Ok(u32::try_from(self.map.len()?).unwrap_or(u32::MAX)))
    }
}

/// The bytes of a stamp, but for its author.
pub fn stamp_bytes(stamp: &Stamp) -> [u8; STAMP_BYTES] {
    let mut bytes = [0; STAMP_BYTES];
    bytes[..8].copy_from_slice(&stamp.timestamp().to_le_bytes());
    bytes[8..].copy_from_slice(&stamp.epoch().to_le_bytes());
    bytes
}

fn out_of_bounds() -> Error {
    Error::new(ErrorKind::InvalidArgument, "a length beyond the scratch buffer")
}
