//! get, has, put and remove, as plain functions over a scratch buffer.
//!
//! JavaScript writes the key (and the value of a put) to the scratch and calls with lengths; values and stamps come
//! back in it, behind the key. Compared with the obvious method on a class that takes and returns Buffers this is five
//! times as fast: what costs there is looking up the instance and making Buffers in native code.

use std::cell::RefCell;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, FunctionCallContext, Object};
use p2pmap::{Error, ErrorKind, Map, Stamp};

use crate::outcome::run;
use crate::validator;

/// What `get` returns instead of a length.
const ABSENT: i32 = -1;
/// The value does not fit into the scratch: read it with `MapHandle::get_bytes`.
const TOO_LONG: i32 = -2;

/// A stamp as JavaScript gets it: timestamp, then epoch, little-endian.
pub const STAMP_BYTES: usize = 16;

type Scratch = Rc<RefCell<Buffer>>;

/// An object with the four functions, and `size`, for one map.
pub fn functions<'env>(env: &'env Env, map: &Map, scratch: Buffer) -> napi::Result<Object<'env>> {
    let scratch = Rc::new(RefCell::new(scratch));
    let mut functions = Object::new(env)?;
    let (of_map, in_scratch) = (map.clone(), Rc::clone(&scratch));
    functions.set(
        "get",
        env.create_function_from_closure::<(), i32, _>("get", move |call| get(call, &of_map, &in_scratch))?,
    )?;
    let (of_map, in_scratch) = (map.clone(), Rc::clone(&scratch));
    functions.set(
        "has",
        env.create_function_from_closure::<(), bool, _>("has", move |call| has(call, &of_map, &in_scratch))?,
    )?;
    let (of_map, in_scratch) = (map.clone(), Rc::clone(&scratch));
    functions.set(
        "put",
        env.create_function_from_closure::<(), (), _>("put", move |call| put(call, &of_map, &in_scratch))?,
    )?;
    let (of_map, in_scratch) = (map.clone(), scratch);
    functions.set(
        "remove",
        env.create_function_from_closure::<(), bool, _>("remove", move |call| remove(call, &of_map, &in_scratch))?,
    )?;
    let of_map = map.clone();
    functions.set(
        "size",
        env.create_function_from_closure::<(), u32, _>("size", move |call| size(call, &of_map))?,
    )?;
    Ok(functions)
}

/// (key length) -> value length, `ABSENT` or `TOO_LONG`.
fn get(call: FunctionCallContext<'_>, map: &Map, scratch: &Scratch) -> napi::Result<i32> {
    let key_len = call.get::<u32>(0)? as usize;
    let mut scratch = scratch.borrow_mut();
    run(call.env, || {
        let (key, room) = scratch.split_at_mut_checked(key_len).ok_or_else(out_of_bounds)?;
        let read = map.get_with(&*key, |value| {
            room.get_mut(..value.len()).map_or(TOO_LONG, |room| {
                room.copy_from_slice(value);
                value.len() as i32
            })
        })?;
        Ok(read.unwrap_or(ABSENT))
    })
}

/// (key length) -> whether the view has it.
fn has(call: FunctionCallContext<'_>, map: &Map, scratch: &Scratch) -> napi::Result<bool> {
    let key_len = call.get::<u32>(0)? as usize;
    let scratch = scratch.borrow();
    run(call.env, || map.contains(scratch.get(..key_len).ok_or_else(out_of_bounds)?))
}

/// (key length, value length); leaves the stamp at the start of the scratch.
fn put(call: FunctionCallContext<'_>, map: &Map, scratch: &Scratch) -> napi::Result<()> {
    let (key_len, value_len) = (call.get::<u32>(0)? as usize, call.get::<u32>(1)? as usize);
    let stamp = run(call.env, || {
        let scratch = scratch.borrow();
        let (key, rest) = scratch.split_at_checked(key_len).ok_or_else(out_of_bounds)?;
        let value = rest.get(..value_len).ok_or_else(out_of_bounds)?;
        if !validator::in_use() {
            return map.put(key, value);
        }
        // A validator may read the map, and so write to the scratch.
        let (key, value) = (key.to_vec(), value.to_vec());
        drop(scratch);
        map.put(key, value)
    })?;
    scratch.borrow_mut()[..STAMP_BYTES].copy_from_slice(&stamp_bytes(&stamp));
    Ok(())
}

/// (key length) -> whether a live value was there.
fn remove(call: FunctionCallContext<'_>, map: &Map, scratch: &Scratch) -> napi::Result<bool> {
    let key_len = call.get::<u32>(0)? as usize;
    let scratch = scratch.borrow();
    run(call.env, || map.remove(scratch.get(..key_len).ok_or_else(out_of_bounds)?))
}

/// () -> entries in the view.
fn size(call: FunctionCallContext<'_>, map: &Map) -> napi::Result<u32> {
    run(call.env, || Ok(u32::try_from(map.len()?).unwrap_or(u32::MAX)))
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
