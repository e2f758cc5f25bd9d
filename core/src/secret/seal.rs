//! Sealing: AES-256-GCM with a key of this run, and a nonce that counts.
//!
//! Shape: version 1, id of the key 4, salt of the run 16, number 8 (big-endian), ciphertext, tag 16. The salt is drawn when
//! a node opens; the key of a run is derived from the secret and the salt, so that no two runs count with one key.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::Keyring;
use super::keyring::Key;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + Key::ID_BYTES + SALT_BYTES + 8;
const TAG_BYTES: usize = 16;
/// Runs of others whose keys are kept at hand.
const MOST_RUNS: usize = 1024;

const NOT_SEALED_BY_US: NotOpened = NotOpened("sealed with no key that is known here, or altered");

/// Why something does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotOpened(&'static str);

type Salt = [u8; SALT_BYTES];
type Run = ([u8; Key::ID_BYTES], Salt);

/// Seals what this run of a node sends, and opens what others have sealed.
pub struct Sealer {
    keyring: Arc<Keyring>,
    salt: Salt,
    own: LessSafeKey,
    sealed: AtomicU64,
    runs: Mutex<HashMap<Run, Arc<LessSafeKey>>>,
}

impl Sealer {
    /// What sealing adds.
    pub const OVERHEAD: usize = HEAD_BYTES + TAG_BYTES;

    /// The salt is random, and of no other run.
    pub fn new(keyring: Arc<Keyring>, salt: Salt) -> Self {
        let own = key_of_run(&keyring.keys()[0], &salt);
        Self { keyring, salt, own, sealed: AtomicU64::new(0), runs: Mutex::default() }
    }

    /// In a context, which is not sent: what was sealed in one opens in no other.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let number = self.sealed.fetch_add(1, Ordering::Relaxed);
        let mut sealed = Vec::with_capacity(plain.len() + Self::OVERHEAD);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.keyring.keys()[0].id);
        sealed.extend_from_slice(&self.salt);
        sealed.extend_from_slice(&number.to_be_bytes());
        sealed.extend_from_slice(plain);
        let tag = self.own.seal_in_place_separate_tag(nonce(number), Aad::from(context), &mut sealed[HEAD_BYTES..]);
        // Invariant: the cipher refuses more than 64 GiB, and nothing else.
        let tag = tag.expect("a message is shorter");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens in place, without a copy.
    pub fn open(&self, context: &[u8], mut sealed: Vec<u8>) -> Result<Vec<u8>, NotOpened> {
        if sealed.len() < Self::OVERHEAD {
            return Err(NotOpened("too short to be sealed"));
        }
        if sealed[0] != VERSION {
            return Err(NotOpened("unknown version of sealing"));
        }
        let (mut id, mut salt, mut number) = ([0; Key::ID_BYTES], [0; SALT_BYTES], [0; 8]);
        id.copy_from_slice(&sealed[1..5]);
        salt.copy_from_slice(&sealed[5..21]);
        number.copy_from_slice(&sealed[21..HEAD_BYTES]);
        let key = self.key_of((id, salt)).ok_or(NOT_SEALED_BY_US)?;
        let opened = key.open_within(nonce(u64::from_be_bytes(number)), Aad::from(context), &mut sealed[..], HEAD_BYTES..);
        let len = opened.map_err(|_| NOT_SEALED_BY_US)?.len();
        self.keep((id, salt), key);
        sealed.truncate(len);
        Ok(sealed)
    }

    fn key_of(&self, run: Run) -> Option<Arc<LessSafeKey>> {
        if let Some(key) = self.runs.lock().get(&run) {
            return Some(key.clone());
        }
        let key = self.keyring.keys().iter().find(|key| key.id == run.0)?;
        Some(Arc::new(key_of_run(key, &run.1)))
    }

    /// Only after something opened with it: a made-up salt takes no room.
    fn keep(&self, run: Run, key: Arc<LessSafeKey>) {
        let mut runs = self.runs.lock();
        if !runs.contains_key(&run) {
            if runs.len() >= MOST_RUNS {
                // Deriving one again takes a few microseconds.
                runs.clear();
            }
            runs.insert(run, key);
        }
    }
}

fn key_of_run(key: &Key, salt: &[u8]) -> LessSafeKey {
    let bytes = Zeroizing::new(key.of_run(salt));
    // Invariant: the cipher takes 32 bytes.
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes[..]).expect("a key of 32 bytes"))
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::secret::Secret;

    pub const FIRST: &str = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d";
    pub const SECOND: &str = "45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259755d38e6d163e820";
    pub const THIRD: &str = "6512bd43d9caa6e02c990b0a82652dcac20ad4d76159134ff683f084d67d6638";

    fn sealer(cluster: &str, secrets: &[&str], salt: u8) -> Sealer {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::parse(text).unwrap()).collect();
        Sealer::new(Arc::new(Keyring::new(cluster, &secrets)), [salt; SALT_BYTES])
    }

    #[test]
    fn what_one_member_seals_another_opens_and_nobody_reads_on_the_way() {
        let (one, other) = (sealer("c", &[FIRST], 1), sealer("c", &[FIRST], 2));
        let plain = b"the flags of the cluster".repeat(3);
        for _ in 0..3 {
            let sealed = one.seal(b"gossip", &plain);
            assert_eq!(sealed.len(), plain.len() + Sealer::OVERHEAD);
            assert!(!sealed.windows(8).any(|window| plain.windows(8).any(|words| words == window)));
            assert_eq!(other.open(b"gossip", sealed.clone()), Ok(plain.clone()));
            assert_eq!(one.open(b"gossip", sealed), Ok(plain.clone()));
        }
        assert_ne!(one.seal(b"gossip", &plain), one.seal(b"gossip", &plain), "no nonce twice");
        assert_eq!(other.open(b"", one.seal(b"", b"")), Ok(vec![]));
    }

    #[test]
    fn no_altered_byte_no_other_context_key_or_cluster_opens() {
        let one = sealer("c", &[FIRST], 1);
        let sealed = one.seal(b"gossip", b"flags");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(one.open(b"gossip", altered).is_err(), "byte {at}");
            assert!(one.open(b"gossip", sealed[..at].to_vec()).is_err(), "cut at {at}");
        }
        assert!(one.open(b"sync", sealed.clone()).is_err());
        assert!(sealer("c", &[SECOND], 1).open(b"gossip", sealed.clone()).is_err());
        assert!(sealer("d", &[FIRST], 1).open(b"gossip", sealed).is_err());
    }

    #[test]
    fn keys_rotate_without_a_moment_in_which_somebody_is_out() {
        // Each step may be half done: any two neighbouring rings understand each other.
        let steps = [&[FIRST][..], &[FIRST, SECOND], &[SECOND, FIRST], &[SECOND]].map(|keys| sealer("c", keys, 1));
        for pair in steps.windows(2) {
            assert_eq!(pair[1].open(b"", pair[0].seal(b"", b"old")), Ok(b"old".to_vec()));
            assert_eq!(pair[0].open(b"", pair[1].seal(b"", b"new")), Ok(b"new".to_vec()));
        }
        assert!(steps[3].open(b"", steps[0].seal(b"", b"")).is_err(), "and in the end the old one is out");
    }

    #[test]
    fn the_keys_of_runs_kept_at_hand_are_bounded_and_made_up_ones_take_no_room() {
        let one = sealer("c", &[FIRST], 0);
        let mut made_up = one.seal(b"", b"x");
        for salt in 0..=255 {
            made_up[5] = salt;
            let _ = one.open(b"", made_up.clone());
        }
        assert_eq!(one.runs.lock().len(), 1);
        for run in 0..2 * MOST_RUNS as u32 {
            let mut salt = [0; SALT_BYTES];
            salt[..4].copy_from_slice(&run.to_be_bytes());
            let other = Sealer::new(one.keyring.clone(), salt);
            assert!(one.open(b"", other.seal(b"", b"x")).is_ok());
            assert!(one.runs.lock().len() <= MOST_RUNS);
        }
    }
}
