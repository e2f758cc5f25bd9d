use super::*;

fn addr(port: u16) -> Multiaddr {
    format!("/ip4/10.0.0.1/tcp/{port}").parse().unwrap()
}

fn membership(seeds: &[Multiaddr], target: usize, max: usize, now: Instant) -> Membership {
    let seeds = seeds.iter().map(|addr| (addr.clone(), None)).collect();
    Membership::new(Id::random(), seeds, target, max, Rng::new(1), now)
}

/// Learns of so many members; some time later all of them are due.
fn learn(membership: &mut Membership, count: u16, now: Instant) -> Vec<Id> {
    let ids: Vec<_> = (0..count).map(|_| Id::random()).collect();
    for (id, port) in ids.iter().zip(1..) {
        assert!(membership.learn(*id, vec![addr(port)], Duration::ZERO, now));
    }
    ids
}

fn dialled(dials: Vec<Dial>) -> Vec<Id> {
    let member = |dial| match dial {
        Dial::Member(id, _) => Some(id),
        Dial::Seed(..) => None,
    };
    dials.into_iter().filter_map(member).collect()
}

#[test]
fn a_seed_is_tried_for_ever_and_never_less_often_than_promised() {
    let mut now = Instant::now();
    let start = now;
    let mut membership = membership(&[addr(1)], 8, 64, now);
    let mut tries = 0;
    while now < start + Duration::from_secs(3600) {
        let dials = membership.dials(now);
        assert_eq!(dials, [Dial::Seed(0, addr(1))]);
        assert!(membership.dials(now).is_empty(), "not twice at once");
        tries += 1;
        membership.seed_failed(0, false, now);
        now = membership.next_due().unwrap();
    }
    assert!(tries > 3600 * 100 / 125, "{tries} in an hour");
}

#[test]
fn a_seed_whose_peer_is_connected_is_left_alone() {
    let now = Instant::now();
    let mut membership = membership(&[addr(1)], 8, 64, now);
    let id = Id::random();
    membership.dials(now);
    membership.seed_reached(0, id);
    membership.joined(id, now);
    membership.admitted(id, now);
    assert_eq!(membership.next_due(), None);
    assert!(membership.dials(now + LONG).is_empty());
    membership.left(id, now + LONG);
    assert!(membership.next_due().unwrap() <= now + LONG + 2 * FIRST_RETRY, "it is tried again at once");
}

#[test]
fn members_are_dialled_until_enough_are_connected() {
    let now = Instant::now();
    let mut membership = membership(&[], 3, 64, now);
    learn(&mut membership, 10, now);
    let now = now + POLITENESS * 2;
    let first = dialled(membership.dials(now));
    assert_eq!(first.len(), 3);
    assert!(membership.dials(now).is_empty());
    assert_eq!(membership.next_due(), None, "nor is anybody due while these are being dialled");
    for id in &first[..2] {
        membership.joined(*id, now);
    }
    membership.member_failed(first[2], &[], now);
    let more = dialled(membership.dials(now));
    assert_eq!(more.len(), 1, "another one in place of the one that failed");
    assert_ne!(more[0], first[2]);
}

#[test]
fn nobody_is_dialled_beyond_max_peers() {
    let now = Instant::now();
    let mut membership = membership(&[addr(99)], 8, 2, now);
    let ids = learn(&mut membership, 4, now);
    membership.joined(ids[0], now);
    membership.joined(ids[1], now);
    assert!(membership.dials(now + POLITENESS * 2).is_empty());
    assert_eq!(membership.next_due(), None);
}

#[test]
fn of_two_nodes_that_learn_of_each_other_one_dials_first() {
    let now = Instant::now();
    let (a, b) = (Id::random(), Id::random());
    let due = |me: Id, other: Id| {
        let mut membership = Membership::new(me, vec![], 8, 64, Rng::new(1), now);
        membership.learn(other, vec![addr(1)], Duration::ZERO, now);
        membership.next_due().unwrap()
    };
    let (first, second) = if a < b { (due(a, b), due(b, a)) } else { (due(b, a), due(a, b)) };
    assert!(first + POLITENESS / 2 < second);
}

#[test]
fn a_lost_member_is_dialled_soon_then_seldom_and_forgotten_at_last() {
    let mut now = Instant::now();
    let mut membership = membership(&[], 8, 64, now);
    let id = learn(&mut membership, 1, now)[0];
    membership.joined(id, now);
    membership.admitted(id, now);
    membership.left(id, now);
    let lost = now;
    let mut longest = [Duration::ZERO; 2];
    while let Some(due) = membership.next_due() {
        longest[usize::from(now > lost + LATELY)] = longest[usize::from(now > lost + LATELY)].max(due - now);
        now = due;
        if dialled(membership.dials(now)) == [id] {
            membership.member_failed(id, &[], now);
        }
    }
    assert!(longest[0] <= SOON * 2, "{longest:?}");
    assert!(now >= lost + FORGET && now < lost + FORGET + 2 * RARELY);
    assert_eq!(membership.len(), 0);
}

#[test]
fn an_address_where_somebody_else_answers_is_forgotten() {
    let now = Instant::now();
    let mut membership = membership(&[], 8, 64, now);
    let id = learn(&mut membership, 1, now)[0];
    membership.learn(id, vec![addr(7)], Duration::ZERO, now);
    membership.member_failed(id, &[addr(1)], now);
    assert_eq!(membership.dials(now + SOON * 2), [Dial::Member(id, vec![addr(7)])]);
    membership.member_failed(id, &[addr(7)], now);
    assert_eq!(membership.len(), 0, "nothing is left to dial");
}

#[test]
fn who_says_goodbye_is_forgotten_and_not_believed_in_again() {
    let now = Instant::now();
    let mut membership = membership(&[], 8, 64, now);
    let id = learn(&mut membership, 1, now)[0];
    membership.joined(id, now);
    membership.forget(id, now);
    membership.left(id, now);
    assert!(!membership.learn(id, vec![addr(1)], Duration::ZERO, now));
    assert_eq!((membership.len(), membership.next_due()), (0, None));
    assert!(membership.dials(now + LONG).is_empty());
}

#[test]
fn a_flood_of_names_does_not_grow_the_memory_nor_push_out_the_connected() {
    let now = Instant::now() + LONG;
    let mut membership = membership(&[], 8, 64, now);
    let friend = Id::random();
    membership.joined(friend, now);
    membership.introduce(friend, vec![addr(1)]);
    membership.admitted(friend, now);
    for _ in 0..MAX_KNOWN_MEMBERS + 100 {
        membership.learn(Id::random(), vec![addr(2)], Duration::from_secs(60), now);
    }
    assert_eq!(membership.len(), MAX_KNOWN_MEMBERS);
    assert!(membership.learn(Id::random(), vec![addr(3)], Duration::ZERO, now), "who was seen lately comes in");
    assert_eq!(membership.len(), MAX_KNOWN_MEMBERS);
    assert_eq!(membership.tell(1, now)[0].0, friend);
}

#[test]
fn hearsay_does_not_push_out_addresses() {
    let now = Instant::now();
    let mut membership = membership(&[], 8, 64, now);
    let id = Id::random();
    membership.joined(id, now);
    membership.introduce(id, vec![addr(1)]);
    membership.learn(id, (100..200).map(addr).collect(), Duration::ZERO, now);
    let told = membership.tell(1, now).remove(0).1;
    assert_eq!((told.len(), &told[0]), (MAX_MEMBER_ADDRS, &addr(1)));
}

#[test]
fn this_node_and_members_without_addresses_are_not_learned() {
    let now = Instant::now();
    let mut membership = membership(&[], 8, 64, now);
    let me = membership.me;
    assert!(!membership.learn(me, vec![addr(1)], Duration::ZERO, now));
    assert!(!membership.learn(Id::random(), vec![], Duration::ZERO, now));
    assert!(!membership.learn(Id::random(), vec![addr(1)], FORGET, now));
    assert_eq!(membership.len(), 0);
}
