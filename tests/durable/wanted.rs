//! A directory that many processes want.

use super::place::Place;
use super::process::{Place as Where, TestNode};

const PROCESSES: usize = 5;
const ROUNDS: usize = 4;

#[test]
fn of_many_processes_one_gets_the_directory_and_after_its_end_another() {
    let place = Place::new();
    let options = [&*place.as_data_dir("data"), "durability=sync"];
    let directory = place.path().join("data").display().to_string();
    for round in 0..ROUNDS {
        let started: Vec<_> = (0..PROCESSES).map(|_| TestNode::launch(Where::Loopback, &options)).collect();
        let (mut open, mut refused) = (Vec::new(), Vec::new());
        for launched in started {
            match launched.ready() {
                Ok(node) => open.push(node),
                Err(error) => refused.push(error),
            }
        }
        assert_eq!(open.len(), 1, "round {round}: {refused:?}");
        let mut node = open.remove(0);
        let holder = format!("error LOCKED {directory} is in use by process {}:", node.pid());
        let unknown = format!("error LOCKED {directory} is in use by another process:");
        for error in refused {
            // Who asks before it has said who it is is not told of the one before.
            assert!(error.starts_with(&holder) || error.starts_with(&unknown), "round {round}: {error}");
        }
        let late = TestNode::launch(Where::Loopback, &options).ready().err().expect("it is in use");
        assert!(late.starts_with(&holder), "round {round}: {late}");

        assert_eq!(node.tell("get round"), if round == 0 { "none".into() } else { (round - 1).to_string() });
        node.tell(&format!("put round {round}"));
        // As they come: the next one finds the directory free at once, and what was written.
        node.kill();
    }
}

#[test]
fn a_lock_file_that_is_removed_lets_nobody_in() {
    let place = Place::new();
    let options = [&*place.as_data_dir("data"), "durability=sync"];
    let mut node = TestNode::start(Where::Loopback, &options);
    std::fs::remove_file(place.path().join("data/lock")).expect("it is there");
    let refused = TestNode::launch(Where::Loopback, &options).ready().err().expect("it is in use");
    assert!(refused.starts_with("error LOCKED "), "{refused}");
    node.tell("put key value");
    node.kill();
    assert_eq!(TestNode::start(Where::Loopback, &options).tell("get key"), "value");
}
