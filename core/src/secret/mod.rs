//! The cluster's secret: read, proved to a peer, and what payloads are sealed with. Pure.
//!
//! Every key is derived (HKDF-SHA256) from one secret of 32 bytes, for one purpose. A cluster without a secret has a keyring
//! too, whose one key everybody knows: its nodes prove by it that they are of the same cluster, and seal nothing.

mod key;
mod keyring;
mod proof;
mod seal;

pub use key::Secret;
pub use keyring::Keyring;
pub use proof::{End, Stranger, Transcript};
pub use seal::Sealer;
