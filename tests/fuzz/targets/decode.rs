//! Every decoder. What one takes is encoded and decoded again, and is the same.

use std::sync::{Arc, LazyLock};

use super::Feed;
use crate::peer::PeerId;
use crate::secret::{Keyring, Sealer, Secret};
use crate::wire::gossip::{self, Gossip};
use crate::wire::hello::{Hello, Verdict};
use crate::wire::members::Members;
use crate::wire::rows::{self, Row};
use crate::wire::sync::{self, Request, Response};

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    let secret = Secret::parse("3f7a1c9e5b2d8046a1c3e5f70918273645546372819aabbccddeeff00112233a").expect("a secret");
    Sealer::new(Arc::new(Keyring::new("fuzz", &[secret])), [7; 16])
});

pub fn decode(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 8 {
        0 => gossip(bytes),
        1 => request(bytes),
        2 => response(bytes),
        3 => members(bytes),
        4 => row(bytes),
        5 => hello(bytes),
        6 => sealed(bytes),
        _ => text(bytes),
    }
}

fn gossip(bytes: &[u8]) {
    let _ = gossip::is_pulse(bytes);
    let bytes = gossip::split_signed(bytes).map_or(bytes, |(_, message)| message);
    match gossip::decode(bytes) {
        Ok(Gossip::Pulse(pulse)) => {
            assert!(gossip::is_pulse(bytes), "a pulse is known for one");
            assert_eq!(gossip::decode(&gossip::encode_pulse(&pulse)), Ok(Gossip::Pulse(pulse.clone())));
        }
        Ok(Gossip::Delta(delta)) => {
            assert!(!gossip::is_pulse(bytes), "a delta is none");
            assert!(delta.prev < delta.last, "a link of the chain has two ends");
        }
        Err(_) => {}
    }
}

fn request(bytes: &[u8]) {
    let Ok(request) = sync::decode_request(bytes) else { return };
    let again = match &request {
        Request::Compare(digests) => sync::encode_compare(digests),
        Request::Pull(topic, pull) => sync::encode_pull(*topic, pull),
        Request::Holds(topic, stamp) => sync::encode_holds(*topic, stamp),
    };
    assert_eq!(sync::decode_request(&again), Ok(request));
}

fn response(bytes: &[u8]) {
    match sync::decode_response(bytes) {
        Ok(Response::Compared(digests)) => {
            let again = sync::encode_compared(&digests);
            assert_eq!(sync::decode_response(&again), Ok(Response::Compared(digests)));
        }
        Ok(Response::Holds(holds)) => assert_eq!(sync::decode_response(&sync::encode_held(holds)), Ok(Response::Holds(holds))),
        Ok(Response::Page(..) | Response::NoMap) | Err(_) => {}
    }
}

fn members(bytes: &[u8]) {
    if let Ok(members) = Members::decode(bytes) {
        assert_eq!(Members::decode(&members.encode()), Ok(members));
    }
}

fn row(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let key = feed.some();
    let value = feed.take(usize::MAX);
    if let Ok(Row::Head(head)) = rows::decode_row(key, value) {
        assert!(matches!(rows::decode_row(key, &rows::encode_head(&head)), Ok(Row::Head(_))));
    }
}

fn hello(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first_chunk::<{ Hello::BYTES }>() else { return };
    if let Ok(hello) = Hello::decode(first) {
        assert_eq!(hello.encode(), *first);
    }
    if let Some(Ok(verdict)) = rest.first().map(|byte| Verdict::decode(*byte)) {
        assert_eq!(Some(&verdict.encode()), rest.first());
    }
}

fn sealed(bytes: &[u8]) {
    // A byte that changes what was sealed, or whatever there is.
    let mut feed = Feed::new(bytes);
    let (at, by) = (feed.below(256), feed.byte());
    let plain = feed.take(usize::MAX);
    let mut sealed = SEALER.seal(b"fuzz", plain);
    assert_eq!(SEALER.open(b"fuzz", sealed.clone()).as_deref(), Ok(plain));
    let at = at % sealed.len();
    sealed[at] ^= by;
    assert_eq!(SEALER.open(b"fuzz", sealed).is_ok(), by == 0, "what was altered does not open");
    assert!(SEALER.open(b"fuzz", plain.to_vec()).is_err(), "nor what was never sealed");
}

fn text(bytes: &[u8]) {
    if let Ok(peer) = PeerId::from_bytes(bytes) {
        let text = peer.to_string();
        assert_eq!(text.parse::<PeerId>().ok(), Some(peer), "{text}");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<PeerId>();
        let _ = Secret::parse(text);
    }
}
