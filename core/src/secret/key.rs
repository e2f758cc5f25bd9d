//! A secret as its user gives it.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

const BYTES: usize = 32;
/// 32 random bytes have about 30 different ones; fewer than this many in one of 10^12.
const LEAST_DIFFERENT: usize = 18;
const HOW: &str = "draw one with `openssl rand -hex 32`";

/// 32 bytes that only members know. Overwritten when dropped; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<[u8; BYTES]>);

impl Secret {
    /// 64 hexadecimal digits, or base64 (either alphabet, padded or not). The error says what is wrong, and nothing of the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().as_bytes();
        let decoded = match text.len() {
            64 => HEXLOWER_PERMISSIVE.decode(text).ok(),
            _ => [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD].iter().find_map(|encoding| encoding.decode(text).ok()),
        };
        let decoded = Zeroizing::new(decoded.unwrap_or_default());
        let bytes: [u8; BYTES] = decoded[..]
            .try_into()
            .map_err(|_| format!("a secret is {BYTES} bytes as 64 hexadecimal digits or as base64: {HOW}"))?;
        let secret = Self(Zeroizing::new(bytes));
        if secret.is_weak() { Err(format!("a secret that somebody may guess: {HOW}")) } else { Ok(secret) }
    }

    pub(super) fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Repeats itself, or counts.
    fn is_weak(&self) -> bool {
        let mut seen = [false; 256];
        self.0.iter().for_each(|byte| seen[usize::from(*byte)] = true);
        let different = seen.iter().filter(|seen| **seen).count();
        let step = self.0[1].wrapping_sub(self.0[0]);
        different < LEAST_DIFFERENT || self.0.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d";

    #[test]
    fn hex_and_both_kinds_of_base64_are_one_secret() {
        let secret = Secret::parse(HEX).unwrap();
        let texts = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD].map(|encoding| encoding.encode(secret.bytes()));
        for text in texts.into_iter().chain([HEX.to_uppercase(), format!(" {HEX}\n")]) {
            assert!(Secret::parse(&text).unwrap() == secret, "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        let zeros = "0".repeat(64);
        let words = "correct horse battery staple, correct horse battery staple";
        let counted: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        for text in ["", "short", &HEX[1..], words, &zeros, &"0123456789abcdef".repeat(4), &counted] {
            let error = Secret::parse(text).unwrap_err();
            assert!(error.contains("openssl rand -hex 32"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn it_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::parse(HEX).unwrap()), "Secret(..)");
    }
}
