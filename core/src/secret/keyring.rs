//! The keys of a cluster, derived from its secrets.

use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac::{self, HMAC_SHA256};

use super::Secret;

/// What every derivation starts with: another use of the same secret has other keys.
const PURPOSE: &[u8] = b"p2pmap 1";
/// The secret of a cluster that has none.
const KNOWN_TO_ALL: &[u8] = b"no secret";

/// The first key seals; all of them open, and prove. So keys change without a moment in which two nodes have none in common.
pub struct Keyring {
    keys: Vec<Key>,
    is_secret: bool,
}

pub(super) struct Key {
    /// Says which key sealed; says nothing about it.
    pub id: [u8; Key::ID_BYTES],
    /// Proves knowledge of the secret.
    pub knows: hmac::Key,
    /// Proves it for this cluster.
    pub belongs: hmac::Key,
    root: Prk,
    cluster: Vec<u8>,
}

impl Keyring {
    pub const MOST_KEYS: usize = 4;

    /// Of that cluster; without a secret where there are none.
    pub fn new(cluster_id: &str, secrets: &[Secret]) -> Self {
        let known = [KNOWN_TO_ALL];
        let keys: Vec<&[u8]> = match secrets {
            [] => known.to_vec(),
            secrets => secrets.iter().take(Self::MOST_KEYS).map(|secret| &secret.bytes()[..]).collect(),
        };
        Self { keys: keys.into_iter().map(|key| Key::new(cluster_id, key)).collect(), is_secret: !secrets.is_empty() }
    }

    /// Whether payloads are sealed.
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }
}

impl Key {
    pub const ID_BYTES: usize = 4;

    fn new(cluster_id: &str, secret: &[u8]) -> Self {
        let root = Salt::new(HKDF_SHA256, PURPOSE).extract(secret);
        let cluster = cluster_id.as_bytes().to_vec();
        let mut id = [0; Self::ID_BYTES];
        fill(&root, &[b"id", &cluster], &mut id);
        let (knows, belongs) = (mac_key(&root, &[b"knows"]), mac_key(&root, &[b"belongs", &cluster]));
        Self { id, knows, belongs, root, cluster }
    }

    /// The key that one run of a node seals with.
    pub fn of_run(&self, salt: &[u8]) -> [u8; 32] {
        let mut key = [0; 32];
        fill(&self.root, &[b"seal", salt, &self.cluster], &mut key);
        key
    }
}

fn mac_key(root: &Prk, purpose: &[&[u8]]) -> hmac::Key {
    let mut key = [0; 32];
    fill(root, purpose, &mut key);
    hmac::Key::new(HMAC_SHA256, &key)
}

/// Expands a key for one purpose. No purpose is the start of another's with something after it of the same kind.
fn fill(root: &Prk, purpose: &[&[u8]], key: &mut [u8]) {
    struct Len(usize);
    impl ring::hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    let filled = root.expand(purpose, Len(key.len())).and_then(|okm| okm.fill(key));
    // Invariant: what is asked for is far below HKDF's limit of 255 x 32 bytes.
    filled.expect("HKDF gives that much");
}
