//! Waiting for states, never for time.

use std::time::{Duration, Instant};

use crate::process::TestNode;

/// For states that nothing promises a time for: only a failure takes so long. Less than the interval of anti-entropy, so
/// that nothing passes by that last resort.
pub const LONG: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(5);

/// The seconds of chaos that were asked for, if any were.
pub fn soak() -> Option<Duration> {
    let seconds = std::env::var("P2PMAP_SOAK_S").ok()?;
    Some(Duration::from_secs(seconds.parse().expect("P2PMAP_SOAK_S is a number of seconds")))
}

/// A time that is `full` in a soak, and may be shorter otherwise.
pub fn lasting(full: Duration, short: Duration) -> Duration {
    if soak().is_some() { full } else { short }
}

/// Lets the time pass that something is to last.
pub fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// Polls until the check passes, and says how long that took. The check says what is still missing.
pub fn until(what: &str, limit: Duration, mut check: impl FnMut() -> Result<(), String>) -> Duration {
    let start = Instant::now();
    loop {
        let missing = match check() {
            Ok(()) => return start.elapsed(),
            Err(missing) => missing,
        };
        assert!(start.elapsed() < limit, "not {what} within {limit:?}: {missing}");
        std::thread::sleep(PAUSE);
    }
}

/// Waits until every node holds that many entries and all digests are equal.
pub fn converged(nodes: &mut [TestNode], live: usize, limit: Duration) -> Duration {
    until("converged", limit, || {
        let states: Vec<(usize, String)> = nodes.iter_mut().map(TestNode::status).collect();
        let equal = states.iter().all(|state| *state == states[0]) && states[0].0 == live;
        equal.then_some(()).ok_or_else(|| {
            let shown: Vec<String> = states.iter().map(|(live, digest)| format!("{live} {}", &digest[..8])).collect();
            format!("{live} entries expected, got {}", shown.join(", "))
        })
    })
}

/// Waits until all digests are equal. Entries in the view.
pub fn equal(nodes: &mut [&mut TestNode], limit: Duration) -> (usize, Duration) {
    let mut live = 0;
    let took = until("equal", limit, || {
        let states: Vec<(usize, String)> = nodes.iter_mut().map(|node| node.status()).collect();
        live = states[0].0;
        let different = states.iter().filter(|state| **state != states[0]).count();
        if different == 0 { Ok(()) } else { Err(format!("{different} of {} differ from the first", states.len())) }
    });
    (live, took)
}

/// Waits until each node's peers are exactly the others.
pub fn fully_connected(nodes: &mut [TestNode], limit: Duration) -> Duration {
    let mut ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    ids.sort();
    until("fully connected", limit, || {
        for node in nodes.iter_mut() {
            let mut known = node.peers();
            known.push(node.id.clone());
            known.sort();
            if known != ids {
                return Err(format!("{} has {} peers of {}", node.id, known.len() - 1, ids.len() - 1));
            }
        }
        Ok(())
    })
}
