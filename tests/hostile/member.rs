//! What a member can say that it should not: one kind each. The others go on, and agree.

use super::evil::{Evil, topic};
use super::messages::{Dice, boast, compare, compared, damage, delta, entry, now_ms, page, pull, timestamp};
use super::{TCP, become_equal, converge, honest, pair};
use crate::limits::MAX_DELTA_BYTES;
use crate::replica::{Origin, Start};
use crate::wire::Topic;
use crate::{Config, Map, MapOptions, Node};

/// Two honest nodes and one that is not, who know each other.
fn stage() -> ([Map; 2], Evil) {
    let maps = pair(TCP);
    let evil = Evil::join(&[&maps[0], &maps[1]]);
    (maps, evil)
}

/// Messages that were dropped, anywhere on the node.
fn rejected(map: &Map) -> u64 {
    map.node().status().unwrap().rejected_messages
}

/// Says each of those, as gossip, as a request and as an answer; the honest go on meanwhile, take nothing in, and count them.
fn is_refused(messages: &[Vec<u8>]) {
    let ([a, b], evil) = stage();
    let before = rejected(&a) + rejected(&b);
    for message in messages {
        evil.gossip(message.clone());
        evil.ask(message.clone());
    }
    let (mut next, all) = (0, messages.to_vec());
    evil.reply(move |_| {
        next += 1;
        Some(all[next % all.len()].clone())
    });
    converge(&[&a, &b]);
    evil.flush();
    evil.wait_until_asked(4);
    converge(&[&a, &b]);
    become_equal(&[&a, &b]);
    assert!(rejected(&a) + rejected(&b) > before, "they were counted");
    let prefix = crate::ScanOptions { prefix: b"evil".to_vec(), ..Default::default() };
    assert!(a.scan(prefix).unwrap().next().is_none());
}

#[test]
fn g10_random_bytes_are_dropped() {
    let mut dice = Dice::new(1);
    let lengths = [0, 1, 2, 3, 10, 100, 10_000];
    is_refused(&lengths.iter().cycle().take(100).map(|length| dice.bytes(*length)).collect::<Vec<_>>());
}

#[test]
fn g10_a_version_that_nobody_speaks_is_dropped() {
    let ([a, _], evil) = stage();
    drop(a);
    let mut message = delta(evil.id(), timestamp(now_ms()), b"evil", b"");
    drop(evil);
    message[0] = 9;
    is_refused(&[message]);
}

#[test]
fn g10_what_promises_more_than_it_has_is_dropped_and_allocates_nothing() {
    // Tables, entries, keys and contexts of 2^63, 2^31 and 100,000 items, in a few bytes.
    let lengths: [&[u8]; 3] = [&[253, 0, 0, 0, 0, 0, 0, 0, 128], &[252, 0, 0, 0, 128], &[252, 160, 134, 1, 0]];
    let starts: [&[u8]; 5] = [&[1, 0], &[1, 1], &[1, 0, 1, 1, 7, 0, 0, 1, 0], &[2, 0], &[2, 1]];
    let all = starts.iter().flat_map(|start| lengths.iter().map(move |length| [start, *length].concat()));
    is_refused(&all.collect::<Vec<_>>());
}

#[test]
fn g10_damaged_messages_disturb_nobody() {
    let ([a, b], evil) = stage();
    let (mut dice, id) = (Dice::new(2), evil.id().clone());
    let sound = move |dice: &mut Dice| match dice.below(4) {
        0 => delta(&id, timestamp(now_ms()), b"evil", b"value"),
        1 => page(vec![entry(&id, timestamp(now_ms()), b"evil", b"value")], Start::default(), None),
        2 => pull(topic()),
        _ => compare(),
    };
    // Fewer than it would be put out for.
    for _ in 0..60 {
        let message = sound(&mut dice);
        evil.gossip(damage(message, &mut dice));
        let message = sound(&mut dice);
        evil.ask(damage(message, &mut dice));
    }
    let mut chance = Dice::new(3);
    evil.reply(move |_| {
        let message = sound(&mut chance);
        Some(damage(message, &mut chance))
    });
    converge(&[&a, &b]);
    evil.flush();
    evil.wait_until_asked(4);
    evil.reply(|_| None);
    converge(&[&a, &b]);
    become_equal(&[&a, &b]);
}

#[test]
fn g10_an_answer_over_its_limit_is_dropped() {
    let ([a, b], evil) = stage();
    let before = rejected(&a) + rejected(&b);
    evil.reply(|_| Some(vec![1; MAX_DELTA_BYTES + (3 << 20)]));
    evil.wait_until_asked(4);
    converge(&[&a, &b]);
    super::until("they were counted", || rejected(&a) + rejected(&b) > before);
}

#[test]
fn g10_a_pull_that_never_ends_ends_and_one_that_is_never_answered_holds_up_nobody() {
    let ([a, b], evil) = stage();
    let (id, mut at) = (evil.id().clone(), 0_u64);
    // It differs, and each page announces one more: with nothing in it, from where it was before, and always one step on.
    evil.reply(move |request| {
        at += 1;
        let cursor = (Origin::new(id.clone(), 7), timestamp(if at % 3 == 0 { 1 } else { at }));
        Some(if request.get(1) == Some(&0) { compared() } else { page(vec![], Start::default(), Some(cursor)) })
    });
    evil.wait_until_asked(20);
    converge(&[&a, &b]);
    evil.reply(|request| (request.get(1) == Some(&0)).then(compared));
    evil.wait_until_asked(4);
    converge(&[&a, &b]);
    become_equal(&[&a, &b]);
}

#[test]
fn g10_what_is_said_twice_late_and_out_of_order_changes_nothing() {
    let ([a, b], evil) = stage();
    for number in 0..50 {
        a.put(format!("honest/replayed/{}", number % 5), number.to_string()).unwrap();
        converge(&[&a, &b]);
    }
    super::until("it has listened", || evil.heard().len() >= 50);
    let before = a.status().unwrap().digest;
    super::until("they agree", || b.status().unwrap().digest == before);
    let (mut heard, mut dice) = (evil.heard(), Dice::new(4));
    for _ in 0..3 {
        for at in (1..heard.len()).rev() {
            heard.swap(at, dice.below(at + 1));
        }
        heard.iter().for_each(|message| evil.gossip(message.clone()));
    }
    evil.flush();
    // And as pages, with what it says that it has seen.
    converge(&[&a, &b]);
    become_equal(&[&a, &b]);
    for key in 0..5 {
        let newest = (45 + key).to_string();
        assert_eq!(b.get(format!("honest/replayed/{key}")).unwrap().as_deref(), Some(newest.as_bytes()));
    }
}

#[test]
fn g12_what_is_stamped_in_the_far_future_moves_no_clock() {
    let ([a, b], evil) = stage();
    let (id, far) = (evil.id().clone(), timestamp(now_ms() + 3_600_000));
    evil.gossip(delta(&id, far, b"evil", b"for ever"));
    evil.reply(move |request| {
        let start = boast(&[Origin::new(id.clone(), 7)], far);
        let entries = vec![entry(&id, far, b"evil/page", b"for ever")];
        Some(if request.get(1) == Some(&0) { compared() } else { page(entries, start, None) })
    });
    evil.flush();
    evil.wait_until_asked(4);
    super::until("both have set it aside", || [&a, &b].iter().all(|map| map.status().unwrap().ahead_entries > 0));
    converge(&[&a, &b]);
    let ahead = [&a, &b].map(|map| map.status().unwrap().clock_ahead_ms);
    assert!(ahead.iter().all(|ms| *ms < 60_000), "{ahead:?}");
    assert!(!a.contains("evil").unwrap() && !b.contains("evil/page").unwrap());
}

#[test]
fn g12_who_boasts_of_having_seen_the_future_is_believed_no_further_than_a_clock_may_be_off() {
    let start = |bootstrap: &[&Map]| {
        let mut config = Config::new();
        let addrs: Vec<_> = bootstrap.iter().map(|map| map.node().addrs().swap_remove(0)).collect();
        config.set("bootstrap", &addrs.join(",")).unwrap().set("max_clock_drift_ms", "500").unwrap();
        config.set("cluster_secret", super::SECRET).unwrap();
        Node::open(config).unwrap().map(super::MAP, MapOptions::new()).unwrap()
    };
    let a = start(&[]);
    let b = start(&[&a]);
    converge(&[&a, &b]);
    let evil = Evil::join(&[&a, &b]);
    let origins: Vec<Origin> = [&a, &b].map(|map| map.put("honest/origin", "").unwrap().origin).into();
    let (all, never) = (origins.clone(), timestamp(1 << 47));
    evil.reply(move |request| {
        Some(if request.get(1) == Some(&0) { compared() } else { page(vec![], boast(&all, never), None) })
    });
    for origin in &origins {
        let claim = crate::replica::Outgoing {
            origin: origin.clone(),
            prev: crate::replica::Timestamp(0),
            last: never,
            past: vec![(origin.clone(), never)],
            entries: vec![],
        };
        evil.gossip(crate::wire::gossip::encode_delta(&claim));
    }
    evil.flush();
    evil.wait_until_asked(6);
    evil.reply(|_| None);
    // What is written meanwhile may be taken for seen; once the clocks have passed what was believed, everything arrives again.
    let written = std::cell::Cell::new(0);
    super::until("it arrives", || {
        written.set(written.get() + 1);
        let key = format!("honest/after/{}", written.get());
        a.put(&key, "").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        b.contains(&key).unwrap()
    });
}

#[test]
fn g10_a_map_that_nobody_has_is_asked_for_in_vain() {
    let ([a, b], evil) = stage();
    for number in 0..100_u8 {
        evil.ask(pull(Topic([number; 16])));
    }
    evil.wait_until_asked(4);
    converge(&[&a, &b]);
    let late = honest(&[&a], TCP);
    converge(&[&a, &b, &late]);
    become_equal(&[&a, &b, &late]);
}
