//! Sixteen machines, all writing and removing, while one after the other is cut off, killed or frozen, and at times the
//! network between them is cut in halves.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::alone;
use crate::lab::{Lab, Transport};
use crate::oracle::Oracle;
use crate::process::TestNode;
use crate::waiting::{LONG, equal, fully_connected, pass, soak};

const MACHINES: usize = 16;
/// Hot keys, few enough that every one is fought over.
const KEYS: usize = 300;
const WRITES_A_SECOND: usize = 8;
/// Removals are forgotten as soon as they may be.
const OPTIONS: [&str; 3] = ["target_peers=15", "tombstone_ttl_ms=1000", "scan_ms=50"];
const DEFAULT: Duration = Duration::from_secs(40);
/// How long after the last disturbance all must be equal: a frozen or cut connection may take its time to be given up.
const QUIESCENCE: Duration = Duration::from_secs(30);

/// The same choices from the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    Unplugged,
    Killed,
    Frozen,
}

/// One machine's process, and the troubles of the machine.
struct Machine {
    node: Option<TestNode>,
    journal: PathBuf,
    trouble: Option<(Trouble, Instant)>,
}

struct Chaos {
    lab: Lab,
    machines: Vec<Machine>,
    directory: PathBuf,
    oracle: Oracle,
    /// Until when the network is cut in halves.
    split: Option<Instant>,
    started: usize,
    splits: usize,
    troubles: [usize; 3],
}

impl Chaos {
    fn start(lab: Lab) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chaos-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let mut nodes: Vec<TestNode> = (0..MACHINES).map(|machine| start(&lab, machine)).collect();
        fully_connected(&mut nodes, LONG);
        let machine = |node| Machine { node: Some(node), journal: PathBuf::new(), trouble: None };
        let machines = nodes.into_iter().map(machine).collect();
        let mut chaos =
            Self { lab, machines, directory, oracle: Oracle::default(), split: None, started: 0, splits: 0, troubles: [0; 3] };
        (0..MACHINES).for_each(|machine| chaos.churn(machine));
        chaos
    }

    /// Has a machine's process write and remove from now on.
    fn churn(&mut self, at: usize) {
        self.started += 1;
        let machine = &mut self.machines[at];
        machine.journal = self.directory.join(format!("{:03}.journal", self.started));
        let node = machine.node.as_mut().expect("it runs");
        node.tell(&format!("churn {} {KEYS} {WRITES_A_SECOND} {}", machine.journal.display(), self.started));
    }

    fn disturb(&mut self, dice: &mut Dice) {
        if self.split.is_none() && dice.below(8) == 0 {
            self.lab.cut();
            self.split = Some(Instant::now() + dice.ms(500, 12_000));
            self.splits += 1;
            return;
        }
        let calm: Vec<usize> = (0..MACHINES).filter(|at| self.machines[*at].trouble.is_none()).collect();
        let at = calm[dice.below(calm.len() as u64) as usize];
        let trouble = [Trouble::Unplugged, Trouble::Killed, Trouble::Frozen][dice.below(3) as usize];
        let machine = &mut self.machines[at];
        match trouble {
            Trouble::Unplugged => self.lab.unplug(at),
            Trouble::Killed => {
                machine.node.take().expect("it runs").kill();
                self.oracle.wrote(&machine.journal, true);
            }
            Trouble::Frozen => machine.node.as_mut().expect("it runs").freeze(),
        }
        machine.trouble = Some((trouble, Instant::now() + dice.ms(500, 12_000)));
        self.troubles[trouble as usize] += 1;
    }

    /// Ends the troubles that have lasted until then.
    fn mend(&mut self, now: Instant) {
        if self.split.take_if(|until| *until <= now).is_some() {
            self.lab.heal();
        }
        for at in 0..MACHINES {
            let machine = &mut self.machines[at];
            let Some((trouble, _)) = machine.trouble.take_if(|(_, until)| *until <= now) else { continue };
            match trouble {
                Trouble::Unplugged => self.lab.plug(at),
                Trouble::Frozen => machine.node.as_mut().expect("it runs").thaw(),
                Trouble::Killed => {
                    machine.node = Some(start(&self.lab, at));
                    self.churn(at);
                }
            }
        }
    }

    fn nodes(&mut self) -> Vec<&mut TestNode> {
        self.machines.iter_mut().filter_map(|machine| machine.node.as_mut()).collect()
    }

    /// Everyone rests; when all are equal, what they have is held against what they did.
    fn judge(mut self) {
        let written: usize = self.nodes().iter_mut().map(|node| node.tell("rest").parse::<usize>().expect("a count")).sum();
        assert!(written > 0, "nobody wrote");
        let (live, took) = equal(&mut self.nodes(), QUIESCENCE);
        let forgotten: u64 = self.nodes().iter_mut().map(|node| node.counter("forgotten")).sum();
        println!(
            "{MACHINES} machines: equal {took:?} after the last write, with {live} entries; {forgotten} removals forgotten"
        );
        let mut entries = PathBuf::new();
        for (at, machine) in self.machines.iter_mut().enumerate() {
            entries = self.directory.join(format!("{at}.entries"));
            let seen = self.directory.join(format!("{at}.seen"));
            let node = machine.node.as_mut().expect("it runs");
            node.tell(&format!("dump {} {}", entries.display(), seen.display()));
            self.oracle.wrote(&machine.journal, false);
            self.oracle.saw(&seen);
        }
        let verdict = self.oracle.judge(&entries);
        println!(
            "{MACHINES} machines: {} acknowledged writes to {} keys, {} of them by processes that were then killed; \
             {} keys hold such a write; {} values that a forgotten removal had not seen; wrong: {}",
            verdict.acknowledged,
            verdict.keys,
            verdict.by_killed,
            verdict.from_killed,
            verdict.unseen,
            verdict.wrong.len()
        );
        assert!(verdict.wrong.is_empty(), "{:#?}", verdict.wrong);
        // Kept when something is wrong.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn start(lab: &Lab, machine: usize) -> TestNode {
    lab.start(machine, Transport::Tcp, &[&OPTIONS[..], &[&Lab::bootstrap(&[0, 1, 2])]].concat())
}

#[test]
fn g3_g4_chaos_loses_nothing_and_brings_nothing_back() {
    let _alone = alone();
    let Some(lab) = Lab::new(MACHINES) else { return };
    let duration = soak().unwrap_or(DEFAULT);
    let seed = std::process::id().into();
    println!("{MACHINES} machines: chaos for {duration:?} from seed {seed}");
    let (mut chaos, mut dice) = (Chaos::start(lab), Dice(seed));
    let end = Instant::now() + duration;
    while Instant::now() < end {
        chaos.disturb(&mut dice);
        let next = Instant::now() + dice.ms(1_000, 4_000);
        while Instant::now() < next {
            chaos.mend(Instant::now());
            pass(Duration::from_millis(50));
        }
    }
    chaos.mend(end + Duration::from_secs(3600));
    let [unplugged, killed, frozen] = chaos.troubles;
    println!(
        "{MACHINES} machines: {unplugged} times unplugged, {killed} killed and restarted, {frozen} frozen; \
         the network cut in halves {} times",
        chaos.splits
    );
    chaos.judge();
}
