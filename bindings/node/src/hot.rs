//! get, has, put and remove, as plain functions over memory that is shared with JavaScript.
//!
//! A key comes as text, or as the length of bytes that JavaScript has written to the scratch. A put's value lies there, too. A
//! value that was read comes back in the pool, of which JavaScript shows a piece as a Buffer, or as text. Compared with the obvious
//! method on a class that takes and returns Buffers this is many times as fast: what costs there is looking up the instance, and making
//! Buffers in native code.

use std::cell::RefCell;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, JsValue, Object, ToNapiValue};
use napi::sys::napi_value;
use p2pmap::{Error, ErrorKind, Map, Stamp};

use crate::call::{Call, Text, add};
use crate::outcome::run;
use crate::ttl::Ttl;
use crate::validator;

/// Where in the scratch a value lies. A key lies at the start: longer ones are for the methods of `MapHandle`.
const VALUE_AT: usize = 4 * 1024;

/// What a read returns instead of a length.
const ABSENT: i32 = -1;
/// A value of length 0 that finds no room; a longer one is so much less.
const NO_ROOM: i32 = -2;
/// The key is too long for the scratch.
const NO_KEY: i32 = i32::MIN;

/// A stamp as JavaScript gets it: timestamp, then epoch, little-endian.
pub const STAMP_BYTES: usize = 16;

/// A map, and the memory shared with JavaScript.
struct Hot {
    map: Map,
    scratch: RefCell<Buffer>,
    pool: RefCell<Buffer>,
}

/// An object with the functions for one map.
pub fn functions<'env>(env: &'env Env, map: &Map, scratch: Buffer) -> napi::Result<Object<'env>> {
    let pool = RefCell::new(Buffer::from(Vec::new()));
    let hot = Rc::new(Hot { map: map.clone(), scratch: RefCell::new(scratch), pool });
    let mut functions = Object::new(env)?;
    hot.function(env, &mut functions, "get", Hot::get)?;
    hot.function(env, &mut functions, "getText", Hot::get_text)?;
    hot.function(env, &mut functions, "readInto", Hot::read_into)?;
    hot.function(env, &mut functions, "has", Hot::has)?;
    hot.function(env, &mut functions, "put", Hot::put)?;
    hot.function(env, &mut functions, "putTtl", Hot::put_ttl)?;
    hot.function(env, &mut functions, "remove", Hot::remove)?;
    hot.function(env, &mut functions, "size", Hot::size)?;
    Ok(functions)
}

impl Hot {
    fn function<R: ToNapiValue>(
        self: &Rc<Self>,
        env: &Env,
        functions: &mut Object<'_>,
        name: &str,
        function: impl Fn(&Self, &Call) -> napi::Result<R> + 'static,
    ) -> napi::Result<()> {
        let hot = Rc::clone(self);
        add(env, functions, name, move |call| function(&hot, call))
    }

    /// (key, where in the pool) -> the value's length, after it was copied there; `ABSENT`, `NO_ROOM` or `NO_KEY`.
    fn get(&self, call: &Call) -> napi::Result<i32> {
        let at = call.get::<u32>(1)? as usize;
        let (mut scratch, mut pool) = (self.scratch.borrow_mut(), self.pool.borrow_mut());
        let Some((key, _)) = key(call, &mut scratch)? else { return Ok(NO_KEY) };
        self.read(call, key, pool.get_mut(at..).unwrap_or_default())
    }

    /// (key) -> the value where it is ASCII: making that text here is faster than decoding there. Else as `get`, but that the value
    /// lies in the scratch.
    fn get_text(&self, call: &Call) -> napi::Result<napi_value> {
        let mut scratch = self.scratch.borrow_mut();
        let Some((key, room)) = key(call, &mut scratch)? else { return Ok(call.env.create_int32(NO_KEY)?.raw()) };
        let found = self.read(call, key, room)?;
        let text = usize::try_from(found).ok().and_then(|length| room.get(..length));
        match text.filter(|text| text.is_ascii()) {
            Some(text) => Ok(call.env.create_string_latin1(text)?.raw()),
            None => Ok(call.env.create_int32(found)?.raw()),
        }
    }

    /// Copies a value, if there is room for it.
    fn read(&self, call: &Call, key: &[u8], room: &mut [u8]) -> napi::Result<i32> {
        let copy = |value: &[u8]| match room.get_mut(..value.len()) {
            Some(room) => {
                room.copy_from_slice(value);
                value.len() as i32
            }
            None => i32::try_from(value.len()).map_or(NO_KEY, |length| NO_ROOM - length),
        };
        run(&call.env, || Ok(self.map.get_with(key, copy)?.unwrap_or(ABSENT)))
    }

    /// (Buffer): the pool from now on. JavaScript must not call `get` when its memory was given away.
    fn read_into(&self, call: &Call) -> napi::Result<()> {
        self.pool.replace(call.get(0)?);
        Ok(())
    }

    /// (key) -> whether the view has it; nothing when the key is too long.
    fn has(&self, call: &Call) -> napi::Result<Option<bool>> {
        let mut scratch = self.scratch.borrow_mut();
        let Some((key, _)) = key(call, &mut scratch)? else { return Ok(None) };
        run(&call.env, || self.map.contains(&*key).map(Some))
    }

    /// (key, value length) -> whether the key was not too long; leaves the stamp at the start of the scratch.
    fn put(&self, call: &Call) -> napi::Result<bool> {
        self.write(call, Ttl::Default)
    }

    /// (key, value length, ttl as `Ttl::parse` takes it), and as `put`.
    fn put_ttl(&self, call: &Call) -> napi::Result<bool> {
        let ttl = call.get::<f64>(2)?;
        self.write(call, run(&call.env, || Ttl::parse(ttl))?)
    }

    fn write(&self, call: &Call, ttl: Ttl) -> napi::Result<bool> {
        let value_len = call.get::<u32>(1)? as usize;
        let stamp = {
            let mut scratch = self.scratch.borrow_mut();
            let Some((key, values)) = key(call, &mut scratch)? else { return Ok(false) };
            let value = run(&call.env, || values.get(..value_len).ok_or_else(out_of_bounds))?;
            if validator::in_use() {
                // It may read the map, and so write to the scratch.
                let (key, value) = (key.to_vec(), value.to_vec());
                drop(scratch);
                run(&call.env, || ttl.put(&self.map, key, value))?
            } else {
                run(&call.env, || ttl.put(&self.map, &*key, value))?
            }
        };
        self.scratch.borrow_mut()[..STAMP_BYTES].copy_from_slice(&stamp_bytes(&stamp));
        Ok(true)
    }

    /// (key) -> whether a live value was there; nothing when the key is too long.
    fn remove(&self, call: &Call) -> napi::Result<Option<bool>> {
        let mut scratch = self.scratch.borrow_mut();
        let Some((key, _)) = key(call, &mut scratch)? else { return Ok(None) };
        run(&call.env, || self.map.remove(&*key).map(Some))
    }

    /// () -> entries in the view.
    fn size(&self, call: &Call) -> napi::Result<u32> {
        run(&call.env, || Ok(u32::try_from(self.map.len()?).unwrap_or(u32::MAX)))
    }
}

/// The key that a call has as its first argument, unless it is too long, and the room for values.
fn key<'a>(call: &Call, scratch: &'a mut [u8]) -> napi::Result<Option<(&'a mut [u8], &'a mut [u8])>> {
    let Some((keys, values)) = scratch.split_at_mut_checked(VALUE_AT) else { return Ok(None) };
    let length = match call.text(0, keys) {
        Text::Written(length) => length,
        Text::TooLong => return Ok(None),
        Text::No => call.get::<u32>(0)? as usize,
    };
    Ok(keys.get_mut(..length).map(|key| (key, values)))
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
