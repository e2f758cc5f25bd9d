//! What callers point at: bytes, text, and structs that say their size.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::slice;
use std::time::Duration;

use p2pmap::{Error, ErrorKind, Result};

use crate::bytes::P2PMAP_FOREVER;
use crate::handle::is_null;

/// What for ever is where a limit is needed.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A `bool` from C, where any byte that is not zero means true.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Flag(u8);

impl Flag {
    pub(crate) fn is_set(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for Flag {
    fn from(set: bool) -> Self {
        Self(u8::from(set))
    }
}

/// The bytes a caller passes. NULL with a length of 0 is the empty byte string. Errors: `InvalidArgument`.
///
/// # Safety
/// `data` is NULL or points to `len` bytes that stay as they are until the entry returns.
#[inline]
pub(crate) unsafe fn bytes<'a>(data: *const c_void, len: usize, name: &str) -> Result<&'a [u8]> {
    if data.is_null() {
        return if len == 0 { Ok(&[]) } else { Err(is_null(name)) };
    }
    if len > isize::MAX as usize {
        return Err(Error::new(ErrorKind::InvalidArgument, format!("the length of `{name}` is negative")));
    }
    // SAFETY: not NULL, no longer than an object can be, and readable by this function's own contract.
    Ok(unsafe { slice::from_raw_parts(data.cast(), len) })
}

/// Room for `capacity` bytes. Errors: `InvalidArgument` for NULL with a capacity.
///
/// # Safety
/// `buffer` is NULL or points to `capacity` bytes that nobody else uses until the entry returns.
#[inline]
pub(crate) unsafe fn buffer<'a>(buffer: *mut c_void, capacity: usize) -> Result<&'a mut [MaybeUninit<u8>]> {
    if buffer.is_null() {
        return if capacity == 0 { Ok(&mut []) } else { Err(is_null("buffer")) };
    }
    let capacity = capacity.min(isize::MAX as usize);
    // SAFETY: not NULL, no longer than an object can be, and exclusive by this function's own contract.
    Ok(unsafe { slice::from_raw_parts_mut(buffer.cast(), capacity) })
}

/// A NUL-terminated string. Errors: `InvalidArgument` for NULL and for what is not UTF-8.
///
/// # Safety
/// `text` is NULL or NUL-terminated, and stays as it is until the entry returns.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: not NULL, and NUL-terminated by this function's own contract.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("`{name}` is not UTF-8")))
}

/// A struct that begins with its own size, so that it can grow.
///
/// # Safety
/// `repr(C)`, the first field is `struct_size: usize`, and all bits zero is a valid value.
pub(crate) unsafe trait Versioned: Copy {
    const NAME: &'static str;
    /// The size of its first version.
    const FIRST: usize;
}

/// Reads a caller's struct of whatever version; fields it does not have are zero, and NULL is all zero.
/// Errors: `InvalidArgument` for a size that no version had, and for a newer version that asks for something unknown.
///
/// # Safety
/// `given` is NULL or points to a struct of `struct_size` bytes.
pub(crate) unsafe fn options<T: Versioned>(given: *const T) -> Result<T> {
    let mut options = MaybeUninit::<T>::zeroed();
    if !given.is_null() {
        // SAFETY: `struct_size` is the first field of every version, and the struct is as long as it says.
        let given = unsafe {
            let size = struct_size(given)?;
            slice::from_raw_parts(given.cast::<u8>(), size)
        };
        let (known, unknown) = given.split_at(given.len().min(size_of::<T>()));
        if unknown.iter().any(|&byte| byte != 0) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{}` sets a field that this version of p2pmap does not have", T::NAME),
            ));
        }
        // SAFETY: `known` is no longer than `T`, whose memory is ours.
        unsafe { options.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(known.as_ptr(), known.len()) };
    }
    // SAFETY: every field is zero or as the caller set it; `Versioned` says that such a struct is valid.
    Ok(unsafe { options.assume_init() })
}

/// Checks a caller's struct before the work whose result it takes. Errors: `InvalidArgument`.
///
/// # Safety
/// As for [`options`].
pub(crate) unsafe fn checked_output<T: Versioned>(out: *mut T) -> Result<()> {
    if out.is_null() {
        return Err(is_null(T::NAME));
    }
    // SAFETY: not NULL; `struct_size` is the first field of every version.
    unsafe { struct_size(out) }.map(|_| ())
}

/// Writes what the caller's version of the struct has room for, except its `struct_size`. Fields that are newer than this
/// library become zero.
///
/// # Safety
/// `out` was checked with [`checked_output`] and is writable for `struct_size` bytes.
pub(crate) unsafe fn write_output<T: Versioned>(out: *mut T, value: &T) {
    const SIZE_FIELD: usize = size_of::<usize>();
    // SAFETY: the caller's struct is `size` long, ours `size_of::<T>()`; the copy stays within both, the rest within the
    // caller's.
    unsafe {
        let size = out.cast::<usize>().read();
        let known = size.min(size_of::<T>());
        let (from, to) = (std::ptr::from_ref(value).cast::<u8>(), out.cast::<u8>());
        to.add(SIZE_FIELD).copy_from_nonoverlapping(from.add(SIZE_FIELD), known - SIZE_FIELD);
        to.add(known).write_bytes(0, size - known);
    }
}

/// # Safety
/// `given` points to a struct that begins with its size.
unsafe fn struct_size<T: Versioned>(given: *const T) -> Result<usize> {
    const LARGEST: usize = 4096;
    // SAFETY: by this function's own contract.
    let size = unsafe { given.cast::<usize>().read() };
    if (T::FIRST..=LARGEST).contains(&size) {
        return Ok(size);
    }
    let problem = format!("`{0}.struct_size` is {size}; set it to sizeof({0})", T::NAME);
    Err(Error::new(ErrorKind::InvalidArgument, problem))
}

/// A time to live. `P2PMAP_FOREVER` is none: the entry never expires.
pub(crate) fn ttl(ttl_ms: u64) -> Option<Duration> {
    (ttl_ms != P2PMAP_FOREVER).then(|| Duration::from_millis(ttl_ms))
}

/// A wait. `P2PMAP_FOREVER`, and anything beyond what clocks can add up, is none at all.
pub(crate) fn timeout(timeout_ms: u64) -> Option<Duration> {
    let timeout = Duration::from_millis(timeout_ms);
    (timeout <= CENTURY).then_some(timeout)
}

/// A wait for what always takes a limit.
pub(crate) fn finite_timeout(timeout_ms: u64) -> Duration {
    timeout(timeout_ms).unwrap_or(CENTURY)
}
