//! Whether statements were signed by those who are said to have.

use ed25519_dalek::{Signature, VerifyingKey, verify_batch};

/// A statement, who is said to have signed it, and the signature.
pub struct Claim<'a> {
    /// The bytes of a peer id.
    pub author: &'a [u8],
    pub statement: Vec<u8>,
    pub signature: &'a [u8; 64],
}

/// What the id of a peer with an Ed25519 key begins with: the key itself follows, in no hash.
const ED25519_ID: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
/// Claims that are checked at once: more save little.
const AT_ONCE: usize = 128;

/// Which claims are true. Cost: about a third of checking each by itself, unless one is false.
pub fn proven(claims: &[Claim<'_>]) -> Vec<bool> {
    let mut proven = Vec::with_capacity(claims.len());
    for claims in claims.chunks(AT_ONCE) {
        let keys = keys(claims);
        proven.extend(all(claims, &keys).unwrap_or_else(|| each(claims, &keys)));
    }
    proven
}

/// All of them, or `None`: at least one is false.
fn all(claims: &[Claim<'_>], keys: &[Option<VerifyingKey>]) -> Option<Vec<bool>> {
    let keys: Vec<VerifyingKey> = keys.iter().copied().collect::<Option<_>>()?;
    let statements: Vec<&[u8]> = claims.iter().map(|claim| &*claim.statement).collect();
    let signatures: Vec<Signature> = claims.iter().map(|claim| Signature::from_bytes(claim.signature)).collect();
    verify_batch(&statements, &signatures, &keys).ok()?;
    Some(vec![true; claims.len()])
}

fn each(claims: &[Claim<'_>], keys: &[Option<VerifyingKey>]) -> Vec<bool> {
    let is_true = |(claim, key): (&Claim<'_>, &Option<VerifyingKey>)| {
        let signature = Signature::from_bytes(claim.signature);
        key.is_some_and(|key| key.verify_strict(&claim.statement, &signature).is_ok())
    };
    claims.iter().zip(keys).map(is_true).collect()
}

/// The key of each claim's author. `None`: its id holds none, or one for which signatures prove nothing.
fn keys(claims: &[Claim<'_>]) -> Vec<Option<VerifyingKey>> {
    let mut last: (&[u8], Option<VerifyingKey>) = (&[], None);
    let mut keys = Vec::with_capacity(claims.len());
    for claim in claims {
        if last.0 != claim.author {
            last = (claim.author, key_of(claim.author));
        }
        keys.push(last.1);
    }
    keys
}

/// Whether somebody with that peer id can sign.
pub fn can_sign(peer: &[u8]) -> bool {
    key_of(peer).is_some()
}

fn key_of(author: &[u8]) -> Option<VerifyingKey> {
    let bytes: &[u8; 32] = author.strip_prefix(&ED25519_ID)?.try_into().ok()?;
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn id(key: &SigningKey) -> Vec<u8> {
        [&ED25519_ID[..], key.verifying_key().as_bytes()].concat()
    }

    #[test]
    fn the_false_ones_among_many_are_named_and_no_others() {
        let keys: Vec<SigningKey> = (1..4).map(|seed| SigningKey::from_bytes(&[seed; 32])).collect();
        let ids: Vec<Vec<u8>> = keys.iter().map(id).collect();
        let statements: Vec<Vec<u8>> = (0..300_u32).map(|number| number.to_be_bytes().to_vec()).collect();
        let mut signatures: Vec<[u8; 64]> =
            statements.iter().enumerate().map(|(at, statement)| keys[at % 3].sign(statement).to_bytes()).collect();
        let claims = |signatures: &[[u8; 64]]| {
            let claims = statements.iter().zip(signatures).enumerate().map(|(at, (statement, signature))| Claim {
                author: &ids[at % 3],
                statement: statement.clone(),
                signature,
            });
            proven(&claims.collect::<Vec<_>>())
        };
        assert_eq!(claims(&signatures), vec![true; 300]);
        signatures[7][3] ^= 1;
        signatures[200] = signatures[197];
        let told = claims(&signatures);
        let false_ones: Vec<usize> = (0..300).filter(|at| !told[*at]).collect();
        assert_eq!(false_ones, [7, 200]);
    }

    #[test]
    fn an_id_without_a_key_proves_nothing() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let signature = key.sign(b"a").to_bytes();
        let hashed = [&[0x12, 0x20][..], key.verifying_key().as_bytes()].concat();
        // The neutral element: every statement has a signature for it.
        let neutral = [&ED25519_ID[..], &[1], &[0; 31]].concat();
        for author in [hashed, neutral, Vec::new(), id(&key)[..37].to_vec()] {
            assert!(!can_sign(&author));
            assert_eq!(proven(&[Claim { author: &author, statement: b"a".to_vec(), signature: &signature }]), [false]);
        }
    }
}
