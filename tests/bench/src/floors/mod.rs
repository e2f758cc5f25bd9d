//! What p2pmap is measured against: the least that the same work can take.

pub mod gossip;
pub mod index;
pub mod log;
pub mod swarm;
pub mod tcp;
