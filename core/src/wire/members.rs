//! Who is there: what nodes tell each other about the members of their cluster.
//!
//! Shape: a version byte, then [`Members`] as bincode 2 (standard configuration). Decoding refuses any other version, any
//! count or length over its limit before it allocates for it, and trailing bytes.

use bincode::{Decode, Encode};

use super::{Malformed, codec};
use crate::limits::{MAX_ADDR_BYTES, MAX_MEMBER_ADDRS, MAX_MEMBERS, MAX_MEMBERS_BYTES, MAX_PEER_ID_BYTES};

const VERSION: u8 = 1;

/// One message, request and response alike.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Members {
    pub news: News,
    /// The sender's own addresses.
    pub addrs: Vec<Vec<u8>>,
    pub members: Vec<Member>,
}

/// Why the message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum News {
    /// Everyone the sender knows. The response says the same of the receiver.
    Exchange,
    /// Members that the sender has just learned of. The response names nobody.
    Joined,
    /// The sender is about to leave. The response names nobody.
    Leaving,
}

/// A member, as someone else knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Member {
    pub id: Vec<u8>,
    /// Multiaddrs in binary.
    pub addrs: Vec<Vec<u8>>,
    /// Since the teller, or whoever told it, was last connected to the member.
    pub age_s: u32,
}

impl Members {
    /// The message's bytes. Limits: what `decode` allows; the caller keeps to them.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(VERSION, self, 64 + 64 * self.members.len())
    }

    /// Errors: the first thing that is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let message: Self = codec::decode(VERSION, bytes, MAX_MEMBERS_BYTES)?;
        if message.members.len() > MAX_MEMBERS {
            return Err(Malformed("too many members"));
        }
        if !message.members.iter().all(|member| (1..=MAX_PEER_ID_BYTES).contains(&member.id.len())) {
            return Err(Malformed("peer id"));
        }
        let addrs_fit = addrs_fit(&message.addrs) && message.members.iter().all(|member| addrs_fit(&member.addrs));
        if addrs_fit { Ok(message) } else { Err(Malformed("addresses over their limits")) }
    }
}

fn addrs_fit(addrs: &[Vec<u8>]) -> bool {
    addrs.len() <= MAX_MEMBER_ADDRS && addrs.iter().all(|addr| addr.len() <= MAX_ADDR_BYTES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> Members {
        let member = |id: u8| Member { id: vec![id; 38], addrs: vec![vec![4, 127, 0, 0, 1, 6, 28, 232]], age_s: 300 };
        Members { news: News::Joined, addrs: vec![vec![4, 10, 0, 0, 1, 6, 28, 232]], members: vec![member(1), member(2)] }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        assert_eq!(Members::decode(&message().encode()), Ok(message()));
    }

    #[test]
    fn the_bytes_are_frozen() {
        let member = Member { id: vec![9, 8], addrs: vec![vec![7]], age_s: 5 };
        let message = Members { news: News::Leaving, addrs: vec![], members: vec![member] };
        assert_eq!(message.encode(), [1, 2, 0, 1, 2, 9, 8, 1, 1, 7, 5]);
    }

    #[test]
    fn another_version_and_trailing_bytes_are_refused() {
        let mut bytes = message().encode();
        bytes[0] = 2;
        assert_eq!(Members::decode(&bytes), Err(Malformed("unknown version")));
        assert_eq!(Members::decode(&[]), Err(Malformed("empty")));
        let mut bytes = message().encode();
        bytes.push(0);
        assert_eq!(Members::decode(&bytes), Err(Malformed("trailing bytes")));
    }

    #[test]
    fn counts_and_lengths_over_their_limits_are_refused() {
        let mut many = message();
        many.members = vec![many.members[0].clone(); MAX_MEMBERS + 1];
        assert_eq!(Members::decode(&many.encode()), Err(Malformed("too many members")));
        let mut long = message();
        long.addrs = vec![vec![0; MAX_ADDR_BYTES + 1]];
        assert_eq!(Members::decode(&long.encode()), Err(Malformed("addresses over their limits")));
        let mut nameless = message();
        nameless.members[0].id.clear();
        assert_eq!(Members::decode(&nameless.encode()), Err(Malformed("peer id")));
        // A count of four billion, with nothing behind it.
        assert_eq!(Members::decode(&[1, 0, 252, 255, 255, 255, 255]), Err(Malformed("not decodable")));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let _ = Members::decode(&bytes);
            let _ = Members::decode(&[&[VERSION], &bytes[..]].concat());
        }

        #[test]
        fn damaged_messages_never_panic(at in 0usize..80, byte: u8) {
            let mut bytes = message().encode();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = Members::decode(&bytes);
        }
    }
}
