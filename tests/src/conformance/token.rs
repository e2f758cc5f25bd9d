//! Tokens as bytes, and back for messages.

use std::collections::HashMap;

/// What `=>` has remembered.
pub type Variables = HashMap<String, Vec<u8>>;

const MAX_TOKEN_BYTES: usize = 5_000_000;
const SHOWN_BYTES: usize = 60;

pub fn decode(token: &str, variables: &Variables) -> Result<Vec<u8>, String> {
    if let Some(name) = token.strip_prefix('$') {
        return variables.get(name).cloned().ok_or_else(|| format!("no variable {name}"));
    }
    if token == "\"\"" {
        return Ok(Vec::new());
    }
    let Some((unit, count)) = token.rsplit_once('*') else {
        return unescape(token);
    };
    let count: usize = count.parse().map_err(|_| format!("{token}: a literal * is written \\x2a"))?;
    let unit = unescape(unit)?;
    match unit.len().saturating_mul(count) {
        0..=MAX_TOKEN_BYTES => Ok(unit.repeat(count)),
        _ => Err(format!("a token has at most {MAX_TOKEN_BYTES} bytes")),
    }
}

fn unescape(token: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let (decoded, taken) = match (byte, tail) {
            (b'\\', [b'x', high, low, ..]) => (hex(*high)? << 4 | hex(*low)?, 3),
            (b'\\', [b's', ..]) => (b' ', 1),
            (b'\\', [b'n', ..]) => (b'\n', 1),
            (b'\\', [b't', ..]) => (b'\t', 1),
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', _) => return Err(format!("{token}: unknown escape")),
            _ => (byte, 0),
        };
        bytes.push(decoded);
        rest = &tail[taken..];
    }
    Ok(bytes)
}

fn hex(digit: u8) -> Result<u8, String> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err("\\x takes two lower-case hex digits".into()),
    }
}

/// Tokens for a message: escaped, long ones shortened.
pub fn show(tokens: &[Vec<u8>]) -> String {
    let shown: Vec<String> = tokens.iter().map(|token| show_one(token)).collect();
    shown.join(" ")
}

fn show_one(token: &[u8]) -> String {
    if token.is_empty() {
        return "\"\"".into();
    }
    let mut text = String::new();
    for &byte in token.iter().take(SHOWN_BYTES) {
        match byte {
            b' ' => text.push_str("\\s"),
            b'\\' => text.push_str("\\\\"),
            0x21..=0x7e if byte != b'*' => text.push(byte.into()),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if token.len() > SHOWN_BYTES {
        text.push_str(&format!("...({} bytes)", token.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_of_the_format_decodes() {
        let variables = Variables::from([("a1".into(), b"/ip4".to_vec())]);
        let decoded = |token: &str| decode(token, &variables).unwrap();
        assert_eq!(decoded("$a1"), b"/ip4");
        assert_eq!(decoded("\"\""), b"");
        assert_eq!(decoded("\\x00*3"), [0, 0, 0]);
        assert_eq!(decoded("ab*2"), b"abab");
        assert_eq!(decoded("a*0"), b"");
        assert_eq!(decoded("a\\sb\\n\\t\\\\\\x2a\\xff"), b"a b\n\t\\*\xff");
        assert_eq!(decoded("\u{e9}"), "\u{e9}".as_bytes());
    }

    #[test]
    fn a_token_outside_the_format_is_refused() {
        for token in ["$unset", "a*", "a*b", "\\q", "\\x0", "\\xFF", "\\", "a*5000001"] {
            assert!(decode(token, &Variables::new()).is_err(), "{token}");
        }
    }

    #[test]
    fn a_shown_token_can_be_pasted_into_a_script() {
        let bytes = b"a b\n*\\\xff".to_vec();
        let shown = show(std::slice::from_ref(&bytes));
        assert_eq!(decode(&shown, &Variables::new()).unwrap(), bytes);
    }
}
