//! Durable maps as processes: killed at any moment, all at once, on disks that fill up.

mod cluster;
mod killed;
mod place;
#[path = "../net/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the network")]
mod process;
