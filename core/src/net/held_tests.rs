//! Waiting for a write to be held, without a network.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::*;

const MAP: Topic = Topic([1; 16]);
const LATER: Duration = Duration::from_secs(10);

type Outcome = Receiver<Result<(Vec<PeerId>, bool)>>;

fn wait(held: &mut Held, request: &[u8], peers: usize, of: &[Id], now: Instant) -> Outcome {
    let (reply, outcome) = sync_channel(1);
    held.add(MAP, request.to_vec(), Wait { peers, deadline: now + LATER, reply }, of, now);
    outcome
}

fn asks(held: &mut Held, now: Instant) -> Vec<(Question, Id)> {
    std::iter::from_fn(|| held.next_ask(now)).collect()
}

fn peers<const N: usize>() -> [Id; N] {
    std::array::from_fn(|_| Id::random())
}

fn yes(peers: &[Id], enough: bool) -> std::result::Result<Result<(Vec<PeerId>, bool)>, TryRecvError> {
    let mut peers: Vec<_> = peers.iter().map(public).collect();
    peers.sort_unstable();
    Ok(Ok((peers, enough)))
}

#[test]
fn it_ends_as_soon_as_enough_have_said_yes() {
    let (mut held, [a, b, c], now) = (Held::default(), peers(), Instant::now());
    let outcome = wait(&mut held, b"w", 2, &[a, b, c], now);
    let asked = asks(&mut held, now);
    assert_eq!(asked.len(), 3);
    held.answered(&asked[0].0, a, true, now);
    assert_eq!(outcome.try_recv(), Err(TryRecvError::Empty));
    held.answered(&asked[0].0, c, true, now);
    assert_eq!(outcome.try_recv(), yes(&[a, c], true));
    // Nobody waits for the third.
    held.answered(&asked[0].0, b, false, now);
    assert_eq!((asks(&mut held, now + LATER), held.open.len()), (vec![], 0));
}

#[test]
fn nobody_needs_to_hold_it_for_a_caller_who_asks_for_none() {
    let mut held = Held::default();
    let outcome = wait(&mut held, b"w", 0, &[], Instant::now());
    assert_eq!(outcome.try_recv(), yes(&[], true));
}

#[test]
fn who_says_no_is_asked_again_ever_less_often() {
    let (mut held, [a], start) = (Held::default(), peers(), Instant::now());
    let _outcome = wait(&mut held, b"w", 1, &[a], start);
    let (mut now, mut pauses) = (start, Vec::new());
    for _ in 0..8 {
        let asked = asks(&mut held, now);
        assert_eq!(asked.len(), 1);
        assert_eq!(asks(&mut held, now + LATER), [], "not while the answer is on its way");
        held.answered(&asked[0].0, a, false, now);
        let due = held.next_due().unwrap();
        pauses.push((due - now).as_millis());
        now = due;
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 200, 200]);
}

#[test]
fn a_timeout_says_who_has_said_yes() {
    let (mut held, [a, b], now) = (Held::default(), peers(), Instant::now());
    let outcome = wait(&mut held, b"w", 2, &[a, b], now);
    let asked = asks(&mut held, now);
    held.answered(&asked[0].0, b, true, now);
    held.expire(now + LATER - Duration::from_millis(1));
    assert_eq!(outcome.try_recv(), Err(TryRecvError::Empty));
    held.expire(now + LATER);
    assert_eq!(outcome.try_recv(), yes(&[b], false));
    assert_eq!((held.open.len(), held.next_deadline), (0, None));
}

#[test]
fn those_who_come_later_are_asked_too_and_those_who_go_are_not() {
    let (mut held, [a, b], now) = (Held::default(), peers(), Instant::now());
    let outcome = wait(&mut held, b"w", 2, &[a], now);
    let asked = asks(&mut held, now);
    held.answered(&asked[0].0, a, true, now);
    held.gone(a);
    held.met(Topic([2; 16]), b, now);
    assert_eq!(asks(&mut held, now), [], "another map");
    held.met(MAP, b, now);
    held.lost(MAP, b);
    assert_eq!(asks(&mut held, now), [], "it has closed the map");
    held.met(MAP, b, now);
    held.met(MAP, a, now);
    let asked = asks(&mut held, now);
    assert_eq!(asked.len(), 1, "who has said yes is not asked again");
    held.answered(&asked[0].0, b, true, now);
    assert_eq!(outcome.try_recv(), yes(&[a, b], true));
}

#[test]
fn an_answer_from_before_the_peer_went_does_not_count() {
    let (mut held, [a], now) = (Held::default(), peers(), Instant::now());
    let outcome = wait(&mut held, b"w", 1, &[a], now);
    let asked = asks(&mut held, now);
    held.gone(a);
    held.met(MAP, a, now);
    held.answered(&asked[0].0, a, true, now);
    assert_eq!(outcome.try_recv(), Err(TryRecvError::Empty));
    let again = asks(&mut held, now);
    held.answered(&again[0].0, a, true, now);
    assert_eq!(outcome.try_recv(), yes(&[a], true));
}

#[test]
fn many_who_wait_for_one_write_ask_once() {
    let (mut held, [a], now) = (Held::default(), peers(), Instant::now());
    let outcomes: Vec<_> = (0..100).map(|_| wait(&mut held, b"w", 1, &[a], now)).collect();
    let asked = asks(&mut held, now);
    assert_eq!(asked.len(), 1);
    held.answered(&asked[0].0, a, true, now);
    for outcome in outcomes {
        assert_eq!(outcome.try_recv(), yes(&[a], true));
    }
}

#[test]
fn however_many_wait_a_peer_has_few_questions_at_once_and_the_others_go_on() {
    let (mut held, [slow, quick], now) = (Held::default(), peers(), Instant::now());
    let outcomes: Vec<_> = (0..100u8).map(|n| wait(&mut held, &[n], 1, &[slow, quick], now)).collect();
    let mut asked = 0;
    loop {
        let round = asks(&mut held, now);
        asked += round.iter().filter(|(_, peer)| *peer == slow).count();
        assert!(asked <= AT_ONCE);
        let answerable: Vec<_> = round.into_iter().filter(|(_, peer)| *peer == quick).collect();
        if answerable.is_empty() {
            break;
        }
        answerable.iter().for_each(|(question, peer)| held.answered(question, *peer, true, now));
    }
    assert!(outcomes.iter().all(|outcome| outcome.try_recv() == yes(&[quick], true)));
}

#[test]
fn a_map_that_is_closed_ends_the_wait() {
    let (mut held, [a], now) = (Held::default(), peers(), Instant::now());
    let outcome = wait(&mut held, b"w", 1, &[a], now);
    held.closed(MAP);
    assert_eq!(outcome.try_recv().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(asks(&mut held, now), []);
}
