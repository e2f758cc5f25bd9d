//! A descriptor that event loops can wait on: readable from `set` until `clear`.

use std::os::fd::RawFd;

use p2pmap::{Error, ErrorKind, Result};

#[cfg(target_os = "linux")]
pub(crate) struct Ready(std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Ready {
    pub(crate) fn new() -> Result<Self> {
        use std::os::fd::FromRawFd;
        // SAFETY: no pointers are involved.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            let problem = format!("no descriptor for the watch: {}", std::io::Error::last_os_error());
            return Err(Error::new(ErrorKind::Storage, problem));
        }
        // SAFETY: `eventfd` just opened it, and nobody else knows it.
        Ok(Self(unsafe { std::os::fd::OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn set(&self) {
        let one = 1u64;
        // SAFETY: eight bytes are read from `one`. A full counter is readable already, so a refusal changes nothing.
        unsafe { libc::write(self.fd(), (&raw const one).cast(), size_of::<u64>()) };
    }

    pub(crate) fn clear(&self) {
        let mut count = 0u64;
        // SAFETY: eight bytes are written to `count`. A counter of zero refuses, and is what is wanted.
        unsafe { libc::read(self.fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }

    pub(crate) fn fd(&self) -> RawFd {
        use std::os::fd::AsRawFd;
        self.0.as_raw_fd()
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) struct Ready(std::convert::Infallible);

#[cfg(not(target_os = "linux"))]
impl Ready {
    pub(crate) fn new() -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "a watch has a descriptor on Linux only; use p2pmap_watch_recv"))
    }

    pub(crate) fn set(&self) {
        match self.0 {}
    }

    pub(crate) fn clear(&self) {
        match self.0 {}
    }

    pub(crate) fn fd(&self) -> RawFd {
        match self.0 {}
    }
}
