//! Proving to a peer that one knows the secret, without telling it.
//!
//! A proof is an HMAC over everything that both ends have said and who they are. So it holds for this connection only: a
//! repeated one meets another nonce, and one that is passed on was made for another peer, as the transport has proved who that is.

use ring::hmac;

use super::Keyring;

/// Which end of a connection proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Dialler,
    Listener,
}

impl End {
    pub fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Listener,
            Self::Listener => Self::Dialler,
        }
    }
}

/// What both ends of a connection have seen of it.
pub struct Transcript<'a> {
    /// Peer ids, as the transport has proved them.
    pub dialler: &'a [u8],
    pub listener: &'a [u8],
    /// The first words of each, with their nonces.
    pub dialler_said: &'a [u8],
    pub listener_said: &'a [u8],
}

/// Why somebody is a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// No secret in common.
    Secret,
    /// The same secret, and another cluster id.
    Cluster,
}

impl Keyring {
    /// Bytes of the proofs of one key.
    pub const PROOF_BYTES: usize = 64;
    /// Bytes of all proofs at most.
    pub const MOST_PROOFS: usize = Self::PROOF_BYTES * Self::MOST_KEYS;

    /// That this end knows each of its keys: for each, of the secret alone (32), and of the secret in this cluster (32).
    pub fn prove(&self, end: End, transcript: &Transcript) -> Vec<u8> {
        let said = transcript.bytes(end);
        let tags = self.keys().iter().flat_map(|key| [hmac::sign(&key.knows, &said), hmac::sign(&key.belongs, &said)]);
        tags.flat_map(|tag| tag.as_ref().to_vec()).collect()
    }

    /// Whether the other end has a key in common. Takes constant time for each pair of keys.
    pub fn check(&self, end: End, transcript: &Transcript, proofs: &[u8]) -> Result<(), Stranger> {
        let said = transcript.bytes(end);
        let mut verdict = Err(Stranger::Secret);
        for proof in proofs.chunks_exact(Self::PROOF_BYTES).take(Self::MOST_KEYS) {
            let (knows, belongs) = proof.split_at(Self::PROOF_BYTES / 2);
            for key in self.keys() {
                if hmac::verify(&key.knows, &said, knows).is_err() {
                    continue;
                }
                match hmac::verify(&key.belongs, &said, belongs) {
                    Ok(()) => return Ok(()),
                    Err(_) => verdict = Err(Stranger::Cluster),
                }
            }
        }
        verdict
    }
}

impl Transcript<'_> {
    fn bytes(&self, end: End) -> Vec<u8> {
        let mut bytes = match end {
            End::Dialler => b"dialler".to_vec(),
            End::Listener => b"listener".to_vec(),
        };
        for part in [self.dialler, self.listener, self.dialler_said, self.listener_said] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::secret::seal::tests::{FIRST, SECOND, THIRD};

    const TRANSCRIPT: Transcript =
        Transcript { dialler: b"anna", listener: b"berta", dialler_said: b"nonce 1", listener_said: b"nonce 2" };

    fn ring(cluster: &str, secrets: &[&str]) -> Keyring {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::parse(text).unwrap()).collect();
        Keyring::new(cluster, &secrets)
    }

    fn meet(one: &Keyring, other: &Keyring) -> Result<(), Stranger> {
        let there = one.check(End::Dialler, &TRANSCRIPT, &other.prove(End::Dialler, &TRANSCRIPT));
        let back = other.check(End::Listener, &TRANSCRIPT, &one.prove(End::Listener, &TRANSCRIPT));
        assert_eq!(there, back, "both judge alike");
        there
    }

    #[test]
    fn one_key_in_common_is_enough_wherever_it_stands() {
        let rings = [&[FIRST][..], &[FIRST, SECOND], &[SECOND, FIRST], &[SECOND], &[THIRD]].map(|keys| ring("c", keys));
        for (at, one) in rings.iter().enumerate() {
            for other in &rings[..=at] {
                let common = one.keys().iter().any(|key| other.keys().iter().any(|there| there.id == key.id));
                assert_eq!(meet(one, other), if common { Ok(()) } else { Err(Stranger::Secret) });
            }
        }
    }

    #[test]
    fn another_cluster_and_another_secret_are_told_apart() {
        assert_eq!(meet(&ring("c", &[FIRST]), &ring("d", &[FIRST])), Err(Stranger::Cluster));
        assert_eq!(meet(&ring("c", &[]), &ring("d", &[])), Err(Stranger::Cluster));
        assert_eq!(meet(&ring("c", &[]), &ring("c", &[])), Ok(()));
        assert_eq!(meet(&ring("c", &[FIRST]), &ring("c", &[])), Err(Stranger::Secret));
        assert_eq!(meet(&ring("c", &[FIRST]), &ring("d", &[SECOND])), Err(Stranger::Secret));
    }

    #[test]
    fn a_proof_holds_for_one_connection_and_one_end() {
        let ring = ring("c", &[FIRST]);
        let proof = ring.prove(End::Dialler, &TRANSCRIPT);
        assert_eq!(ring.check(End::Listener, &TRANSCRIPT, &proof), Err(Stranger::Secret), "sent back to who made it");
        let elsewhere = [
            Transcript { dialler: b"mallory", ..TRANSCRIPT },
            Transcript { listener: b"mallory", ..TRANSCRIPT },
            Transcript { dialler_said: b"nonce 3", ..TRANSCRIPT },
            Transcript { listener_said: b"nonce 3", ..TRANSCRIPT },
            // The same bytes, cut elsewhere.
            Transcript { dialler: b"annab", listener: b"erta", ..TRANSCRIPT },
        ];
        for transcript in elsewhere {
            assert_eq!(ring.check(End::Dialler, &transcript, &proof), Err(Stranger::Secret));
        }
    }

    #[test]
    fn half_a_proof_none_and_too_many_prove_nothing() {
        let ring = ring("c", &[FIRST]);
        let proof = ring.prove(End::Dialler, &TRANSCRIPT);
        let late = [vec![0; Keyring::MOST_PROOFS], proof.clone()].concat();
        for bad in [&proof[..63], &[], &late] {
            assert_eq!(ring.check(End::Dialler, &TRANSCRIPT, bad), Err(Stranger::Secret));
        }
    }
}
