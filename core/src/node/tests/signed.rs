//! Signed maps: who wrote an entry is proven wherever it comes from, and who may write what is decided by a list.

use super::super::clock::now_ms;
use super::durable::Dir;
use super::guarantees::{eventually, node, options};
use super::receive::MapPull;
use super::*;
use crate::net::{Delivered, Pull, PullStep};
use crate::replica::{
    Context, Digest, Origin, Outgoing, Page, PageEnd, Pulse, Record, RecordParts, Request, Slot, Start, Timestamp,
};
use crate::wire::gossip;
use crate::wire::sync::encode_page;
use crate::{Node, PeerId, Stamp};

const SIGNED: &[(&str, &str)] = &[("signed", "true")];

fn signed(node: &Node, writers: &[&str]) -> Map {
    node.map("m", options(&[SIGNED, &[("writers", &writers.join(","))]].concat())).unwrap()
}

fn kept(dir: &Dir, bootstrap: &[&Node]) -> Node {
    let mut config = durable::config(dir, "sync");
    let addrs: Vec<_> = bootstrap.iter().map(|node| node.addrs().swap_remove(0)).collect();
    config.set("bootstrap", &addrs.join(",")).unwrap();
    Node::open(config).unwrap()
}

fn digest(map: &Map) -> Digest {
    map.status().unwrap().digest
}

fn refused(map: &Map) -> u64 {
    map.status().unwrap().refused_entries
}

fn become_equal(one: &Map, other: &Map) {
    eventually("the two are equal", || digest(one) == digest(other));
}

/// Every kind of entry there is, and one whose time is over.
fn write_all_kinds(map: &Map) {
    map.put("value", "1").unwrap();
    map.put("removed", "1").unwrap();
    map.remove("removed").unwrap();
    map.put_ttl("later", "1", Some(Duration::from_secs(3600))).unwrap();
    map.put_ttl("over", "1", Some(Duration::from_millis(1))).unwrap();
    let mut batch = Batch::new();
    batch.put("batch/1", "1").put("batch/2", "2").remove("value");
    map.apply(&batch).unwrap();
    eventually("one is over", || !map.contains("over").unwrap());
}

#[test]
fn g10_entries_of_every_kind_prove_their_author_through_relays_and_restarts() {
    let (dir, first) = (Dir::new(), node(&[]));
    let author = signed(&first, &[]);
    write_all_kinds(&author);
    let written = digest(&author);

    let second = kept(&dir, &[&first]);
    become_equal(&author, &signed(&second, &[]));
    first.close();
    second.close();
    let second = kept(&dir, &[]);
    let relayed = signed(&second, &[]);
    assert_eq!(digest(&relayed), written, "as it was");

    let third = node(&[&second]);
    let last = signed(&third, &[]);
    become_equal(&relayed, &last);
    assert_eq!(keys(&last, ScanOptions::default()), ["batch/1", "batch/2", "later"]);
    assert_eq!(last.entry("later").unwrap().unwrap().stamp().author(), author.node().id());
    assert_eq!(last.status().unwrap().tombstones, relayed.status().unwrap().tombstones, "also what has ended is proven");
    assert_eq!((refused(&relayed), refused(&last)), (0, 0));
}

#[test]
fn a_map_kept_unsigned_is_not_opened_signed_nor_the_other_way_round() {
    for (kept_as, asked) in [("true", "false"), ("false", "true")] {
        let dir = Dir::new();
        let first = kept(&dir, &[]);
        first.map("m", options(&[("signed", kept_as)])).unwrap().put("k", "v").unwrap();
        first.close();
        let error = kept(&dir, &[]).map("m", options(&[("signed", asked)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.message().contains(&format!("`signed={kept_as}`")), "{error}");
    }
}

/// What a message says of one entry; the author's, to be changed by a forger.
struct Forgery {
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    expires_at_ms: u64,
    place: u32,
    stamp: Stamp,
    proof: Vec<u8>,
}

impl Forgery {
    /// A page with that entry, from somebody who claims nothing else.
    fn page(self) -> Vec<u8> {
        let Self { key, value, expires_at_ms, place, stamp, proof } = self;
        let parts = RecordParts { stamp, expires_at_ms, place, revision: 0 };
        let record = Record::signed(parts, value.as_deref(), &proof, false);
        let entries = vec![(Slot::new(&key, record.clone()), record)];
        let end = PageEnd { start: Some(Start::default()), digest: Some(Digest([0; 32])), ..PageEnd::default() };
        encode_page(&Page { entries, end })
    }
}

/// The entry of that key as the map would send it.
fn sent(map: &Map, key: &str) -> Forgery {
    let state = map.node().open_map("m", &MapOptions::new()).unwrap();
    let page = state.writer().replica.page(&Request { base: Context::default(), since: 0, cursor: None }, 1 << 20);
    let (slot, record) = page.entries.into_iter().find(|(slot, _)| slot.key() == key.as_bytes()).unwrap();
    Forgery {
        key: slot.key().to_vec(),
        value: record.value().map(Into::into),
        expires_at_ms: record.expires_at_ms().unwrap_or_default(),
        place: record.place(),
        stamp: record.stamp().clone(),
        proof: record.proof().to_vec(),
    }
}

/// Has the map pull, and answers with that page.
fn answer(map: &Map, name: &str, page: &[u8]) {
    let state = map.node().open_map(name, &MapOptions::new()).unwrap();
    let mut pull = MapPull::new(state, map.node().id());
    assert!(matches!(pull.response(page, &mut |_| ()), PullStep::Done { .. }));
}

/// A change that a forger makes to an entry.
type Change = fn(&mut Forgery);

#[test]
fn g10_what_anybody_but_the_author_has_changed_is_refused_and_what_nobody_has_is_taken() {
    let (author, victim) = (signed(&node(&[]), &[]), signed(&node(&[]), &[]));
    author.put_ttl("k", "value", Some(Duration::from_secs(3600))).unwrap();
    author.put("other", "value").unwrap();
    author.remove("other").unwrap();
    let changes: [(&str, Change); 12] = [
        ("value", |entry| entry.value = Some(b"valuf".to_vec())),
        ("key", |entry| entry.key = b"l".to_vec()),
        ("expiry", |entry| entry.expires_at_ms += 1),
        ("no expiry", |entry| entry.expires_at_ms = 0),
        ("place", |entry| entry.place += 1),
        ("timestamp", |entry| entry.stamp.timestamp.0 += 1),
        ("opening", |entry| entry.stamp.origin = Origin::new(entry.stamp.author().clone(), 1)),
        ("author", |entry| entry.stamp.origin = Origin::new(some_peer(), entry.stamp.epoch())),
        ("removed", |entry| entry.value = None),
        ("over before its time", |entry| {
            let hash = ring::digest::digest(&ring::digest::SHA256, b"value");
            (entry.value, entry.proof) = (None, [&entry.proof, hash.as_ref()].concat());
        }),
        ("signature", |entry| entry.proof[10] ^= 1),
        ("no signature", |entry| entry.proof.clear()),
    ];
    for (what, change) in changes {
        let (before, mut forged) = (refused(&victim), sent(&author, "k"));
        change(&mut forged);
        answer(&victim, "m", &forged.page());
        assert_eq!((victim.len().unwrap(), refused(&victim)), (0, before + 1), "{what}");
    }
    let mut revived = sent(&author, "other");
    revived.value = Some(b"value".to_vec());
    answer(&victim, "m", &revived.page());
    assert_eq!(victim.len().unwrap(), 0, "a removal is no value");

    answer(&victim, "m", &sent(&author, "k").page());
    assert!(victim.contains("k").unwrap(), "the author's own words");
}

fn some_peer() -> PeerId {
    node(&[]).id().clone()
}

#[test]
fn g10_a_replayed_entry_changes_nothing_and_proves_nothing_in_another_map() {
    let (author, victim) = (signed(&node(&[]), &[]), signed(&node(&[]), &[]));
    author.put("k", "old").unwrap();
    let old = sent(&author, "k").page();
    author.put("k", "new").unwrap();
    answer(&victim, "m", &sent(&author, "k").page());
    let before = digest(&victim);
    answer(&victim, "m", &old);
    assert_eq!((digest(&victim), victim.get("k").unwrap().as_deref()), (before, Some(&b"new"[..])));

    let other = victim.node().map("n", options(SIGNED)).unwrap();
    answer(&victim, "n", &old);
    assert_eq!((other.len().unwrap(), refused(&other)), (0, 1));
    let plain = victim.node().map("plain", MapOptions::new()).unwrap();
    answer(&victim, "plain", &old);
    assert_eq!((plain.len().unwrap(), refused(&plain)), (0, 1), "nor is it taken where nobody signs");
}

#[test]
fn g10_nobody_speaks_for_another() {
    let set = options(&[("signed", "true"), ("presence", "true")]);
    let (author, victim) = (node(&[]), node(&[]));
    let (map, read) = (author.map("m", set.clone()).unwrap(), victim.map("m", set).unwrap());
    let (state, victim) = [&map, &read].map(|map| map.node().open_map("m", &MapOptions::new()).unwrap()).into();
    let (origin, delta) = {
        // Under one lock, or else the network may cut it.
        let mut writer = state.writer();
        writer.replica.put(b"k", b"v", 0, now_ms());
        (writer.replica.origin().clone(), writer.replica.cut_delta(1 << 20).unwrap())
    };
    let said = state.signed(gossip::encode_delta(&delta));
    let last = Timestamp(delta.last.0 + 1);
    let claim =
        gossip::encode_delta(&Outgoing { origin: origin.clone(), prev: Timestamp(0), last, past: vec![], entries: vec![] });
    let goodbye = gossip::encode_pulse(&Pulse { origin, beat: u64::MAX >> 1, leaving: true });

    let rejected = |message: &[u8]| victim.receive(author.id(), message) == Delivered::Rejected;
    // Somebody else's signature is none of the author's, nor is the author's of something else.
    let mut changed = said.clone();
    *changed.last_mut().unwrap() ^= 1;
    for forged in [claim.clone(), goodbye.clone(), victim.signed(claim), victim.signed(goodbye), changed, said[65..].to_vec()] {
        assert!(rejected(&forged));
    }
    assert!(!rejected(&said), "the author's own words, which nothing that was claimed stands in the way of");
    assert!(read.contains("k").unwrap());
    assert!(!rejected(&said) && read.contains("k").unwrap(), "nor does it change anything to hear them again");
}

#[test]
fn g10_only_writers_write_and_only_what_they_may() {
    let (first, lone) = (node(&[]), node(&[]));
    let second = node(&[&first]);
    let (all, part) = (first.id().to_string(), format!("db/={}", second.id()));
    let (one, two) = (signed(&first, &[&all, &part]), signed(&second, &[&all, &part]));
    one.put("any", "1").unwrap();
    one.put("db/1", "1").unwrap();
    eventually("both are there", || two.len().unwrap() == 2);
    two.put("db/2", "2").unwrap();
    two.remove("db/1").unwrap();
    eventually("the second may", || keys(&one, ScanOptions::default()) == ["any", "db/2"]);

    let mut batch = Batch::new();
    batch.put("db/3", "3").put("x", "3");
    let refusals = [
        two.put("x", "1").map(drop),
        two.remove("any").map(drop),
        two.apply(&batch).map(drop),
        two.remove_prefix("").map(drop),
    ];
    for error in refusals.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::NotPermitted);
        assert!(error.message().contains("`writers`") && error.message().contains(&second.id().to_string()), "{error}");
    }
    assert_eq!(keys(&two, ScanOptions::default()), ["any", "db/2"], "nothing changed");

    // One who has given itself the right.
    let cheat = signed(&lone, &[]);
    cheat.put("any", "forged").unwrap();
    lone.connect(&first.addrs()[0], Duration::from_secs(20)).unwrap();
    eventually("it was refused by both", || refused(&one) > 0 && refused(&two) > 0);
    assert_eq!(two.get("any").unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn g10_lists_that_differed_lose_nothing_once_they_are_corrected() {
    let (dir, first) = (Dir::new(), node(&[]));
    let second = kept(&dir, &[&first]);
    let (one, nobody) = (signed(&first, &[]), second.id().to_string());
    let narrow = signed(&second, &[&nobody]);
    narrow.put("own", "1").unwrap();
    one.put("k", "1").unwrap();
    eventually("it is refused", || refused(&narrow) > 0);
    eventually("the other way it is not", || one.contains("own").unwrap());
    assert!(!narrow.contains("k").unwrap());
    second.close();

    let second = kept(&dir, &[&first]);
    let corrected = signed(&second, &[&nobody, &first.id().to_string()]);
    become_equal(&one, &corrected);
    assert!(corrected.contains("k").unwrap());
}

#[test]
fn g10_a_writer_that_was_revoked_while_it_was_away_changes_nothing_more() {
    let (dir, first, second) = (Dir::new(), node(&[]), Dir::new());
    let writer = kept(&second, &[&first]);
    let (own, both) = (first.id().to_string(), format!("{},{}", first.id(), writer.id()));
    let _one = signed(&first, &[&both]);
    let reader = kept(&dir, &[&first]);
    let read = signed(&reader, &[&both]);
    signed(&writer, &[&both]).put("before", "1").unwrap();
    eventually("it came", || read.contains("before").unwrap());
    writer.close();
    reader.close();

    let writer = kept(&second, &[]);
    let away = signed(&writer, &[&both]);
    away.put("after", "2").unwrap();
    away.remove("before").unwrap();
    let reader = kept(&dir, &[&writer]);
    let read = signed(&reader, &[&own]);
    eventually("what it wrote since is refused", || refused(&read) >= 2);
    assert_eq!(keys(&read, ScanOptions::default()), ["before"]);
}
