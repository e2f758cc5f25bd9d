//! The load: keys of 16 bytes, values of 100.

pub const KEY_BYTES: usize = 16;
pub const VALUE_BYTES: usize = 100;
pub const ENTRY_BYTES: usize = KEY_BYTES + VALUE_BYTES;

pub type Key = [u8; KEY_BYTES];
pub type Value = [u8; VALUE_BYTES];

/// The key of that number: 16 digits.
pub fn key(number: usize) -> Key {
    let mut key = [b'0'; KEY_BYTES];
    let mut rest = number;
    for digit in key.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

/// A value that says two numbers.
pub fn value(first: u64, second: u64) -> Value {
    let mut value = [b'v'; VALUE_BYTES];
    value[..8].copy_from_slice(&first.to_le_bytes());
    value[8..16].copy_from_slice(&second.to_le_bytes());
    value
}

/// The first number that a value says.
pub fn first(value: &[u8]) -> Option<u64> {
    value.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// All keys up to `count`, in an order that no cache foresees.
pub fn shuffled(count: usize) -> Vec<Key> {
    let mut keys: Vec<Key> = (0..count).map(key).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for at in (1..count).rev() {
        keys.swap(at, random.below(at + 1));
    }
    keys
}

/// A count of entries, for people: `100 k`, `1 M`.
pub fn count(entries: usize) -> String {
    match entries {
        1_000_000.. => format!("{} M", entries / 1_000_000),
        _ => format!("{} k", entries / 1000),
    }
}

/// Numbers that look random and are the same in every run (xorshift64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
