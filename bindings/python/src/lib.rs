//! The Python package: p2pmap's node and maps as Python objects.
//!
//! It translates and decides nothing: what a call means is said by the core, what its Python spelling is by the
//! files here and the few Python files beside them (`python/p2pmap`). What holds everywhere:
//!
//! - Classes are frozen; what they hold is shared with other threads, so free-threaded builds need no more than this.
//! - The GIL is released around whatever may wait (open, close, connect, sync, writes that wait for the disk, waiting for replicas and for events), and kept around reads
//!   and writes in memory, which are quicker than releasing it.
//! - No thread of the core ever waits for the GIL but in a Python validator, which the core calls outside its locks.

mod batch;
mod disk;
mod entry;
mod errors;
mod event;
mod face;
mod map;
mod mapping;
mod node;
mod options;
mod process;
mod scan;
mod stamp;
mod status;
mod stream;
mod ttl;
mod validator;
mod wait;

use pyo3::prelude::*;

#[pymodule]
mod _p2pmap {
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::entry::Entry;
    #[pymodule_export]
    use crate::event::Event;
    #[pymodule_export]
    use crate::map::{Map, open};
    #[pymodule_export]
    use crate::node::{Node, generate_identity};
    #[pymodule_export]
    use crate::options::options;
    #[pymodule_export]
    use crate::process::{close_all, forked_in_child};
    #[pymodule_export]
    use crate::scan::Scan;
    #[pymodule_export]
    use crate::stamp::Stamp;
    #[pymodule_export]
    use crate::stream::Stream;
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "it is Python's name")]
    const __version__: &str = p2pmap::VERSION;
}
