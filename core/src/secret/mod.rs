//! The cluster's secret: read, proved to a peer, and what payloads are sealed with. No IO.
//!
//! Every key is derived (HKDF-SHA256) from one secret of 32 bytes, for one purpose. A cluster without a secret has a keyring
//! too, whose one key everybody knows: its nodes prove by it that they are of the same cluster, and seal nothing.

mod author;
mod key;
mod keyring;
mod proof;
mod seal;

pub use author::{Claim, can_sign, proven};
pub use key::Secret;
pub use keyring::Keyring;
pub use proof::{End, Stranger, Transcript};
pub use seal::Sealer;

/// Fills it with bytes that nobody can foretell, from the operating system. Errors: it has none to give.
pub fn draw(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(bytes)
}
