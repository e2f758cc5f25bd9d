//! A swarm with gossipsub and nothing else, and what the role `gossip` does with it.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Sender, SyncSender, channel};
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::{
    self, Behaviour, ConfigBuilder, IdentTopic, MessageAuthenticity, MessageId, PublishError, ValidationMode,
};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, tcp, yamux};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use crate::Result;
use crate::clock::now_ns;
use crate::floors::gossip::Ask;
use crate::floors::index::{BareIndex, bare_index};
use crate::load::{ENTRY_BYTES, KEY_BYTES, first, key, value};
use crate::process::line;

/// One message when many entries leave together: about 16 KiB.
const ENTRIES_A_MESSAGE: usize = 16 * 1024 / ENTRY_BYTES;
/// A queue that was full is tried again after so long.
const PAUSE: Duration = Duration::from_micros(500);

/// A message of that size that says when it was made.
pub fn message(number: u64, bytes: usize) -> Vec<u8> {
    let mut message = value(now_ns(), number).to_vec();
    message.resize(bytes, 0);
    message
}

/// Listens and dials; then does what it is asked to.
pub fn run(dial: Vec<Multiaddr>, ready: &SyncSender<String>, mut asked: UnboundedReceiver<Ask>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut bare = Bare::new(swarm()?);
        bare.swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
        for address in dial {
            bare.swarm.dial(address)?;
        }
        loop {
            let due = bare.due();
            tokio::select! {
                biased;
                event = bare.swarm.select_next_some() => match event {
                    SwarmEvent::NewListenAddr { address, .. } => ready.send(address.to_string())?,
                    SwarmEvent::Behaviour(event) => bare.on_event(event),
                    _ => {}
                },
                ask = asked.recv() => match ask {
                    Some(ask) => bare.on_ask(ask)?,
                    None => return Ok(()),
                },
                () = sleep_until(due) => bare.on_time()?,
            }
        }
    })
}

fn topic() -> IdentTopic {
    IdentTopic::new("bench")
}

fn swarm() -> Result<Swarm<Behaviour>> {
    let id = |message: &gossipsub::Message| {
        let mut hasher = DefaultHasher::new();
        message.data.hash(&mut hasher);
        MessageId::new(&hasher.finish().to_be_bytes())
    };
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(id)
        .max_transmit_size(1024 * 1024)
        .build()?;
    let mut behaviour = Behaviour::new(MessageAuthenticity::Anonymous, config)?;
    behaviour.subscribe(&topic())?;
    Ok(SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| behaviour)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build())
}

struct Bare {
    swarm: Swarm<Behaviour>,
    listeners: usize,
    /// Who waits for so many listeners.
    meeting: Vec<(usize, SyncSender<String>)>,
    pacing: Option<Pacing>,
    /// Messages that no queue has taken yet, and who waits for them.
    putting: Option<(VecDeque<Vec<u8>>, u64, SyncSender<String>)>,
    ages: Option<Ages>,
    /// What arrived, as an index holds it.
    held: BareIndex,
    holding: Option<(usize, SyncSender<String>)>,
}

/// Messages yet to be published, each at its time.
struct Pacing {
    start: Instant,
    interval: Duration,
    bytes: usize,
    count: u32,
    next: u32,
    done: SyncSender<String>,
}

/// Where messages go whose age is taken.
enum Ages {
    Here(Vec<u64>, usize, SyncSender<String>),
    Apart(Sender<Vec<u8>>),
}

impl Bare {
    fn new(swarm: Swarm<Behaviour>) -> Self {
        let held = bare_index();
        Self { swarm, listeners: 0, meeting: Vec::new(), pacing: None, putting: None, ages: None, held, holding: None }
    }

    /// When to call `on_time`.
    fn due(&self) -> Instant {
        match (&self.pacing, &self.putting) {
            (Some(pacing), _) => pacing.start + pacing.interval * pacing.next,
            (None, Some(_)) => Instant::now() + PAUSE,
            (None, None) => Instant::now() + Duration::from_secs(3600),
        }
    }

    fn on_ask(&mut self, ask: Ask) -> Result<()> {
        match ask {
            Ask::Publish(message) => {
                self.swarm.behaviour_mut().publish(topic(), message)?;
            }
            Ask::Pace { rate, count, bytes, done } => {
                let interval = Duration::from_nanos(1_000_000_000 / rate);
                self.pacing = Some(Pacing { start: Instant::now(), interval, bytes, count: count as u32, next: 0, done });
            }
            Ask::Put { from, count, done } => {
                let start = now_ns();
                let numbers: Vec<usize> = (from..from + count).collect();
                self.putting = Some((numbers.chunks(ENTRIES_A_MESSAGE).map(entries).collect(), start, done));
                self.on_time()?;
            }
            Ask::Collect { count, apart: false, done } => self.ages = Some(Ages::Here(Vec::new(), count, done)),
            Ask::Collect { count, apart: true, done } => self.ages = Some(Ages::Apart(collect_apart(count, done))),
            Ask::Hold { entries, done } => {
                self.holding = Some((entries, done));
                self.on_held()?;
            }
            Ask::Meet { listeners, done } => {
                self.meeting.push((listeners, done));
                self.on_meeting()?;
            }
        }
        Ok(())
    }

    fn on_time(&mut self) -> Result<()> {
        if let Some(pacing) = &mut self.pacing {
            self.swarm.behaviour_mut().publish(topic(), message(u64::from(pacing.next), pacing.bytes))?;
            pacing.next += 1;
            if pacing.next == pacing.count {
                pacing.done.send("paced".into())?;
                self.pacing = None;
            }
            return Ok(());
        }
        let Some((messages, start, done)) = &mut self.putting else { return Ok(()) };
        while let Some(message) = messages.front() {
            match self.swarm.behaviour_mut().publish(topic(), message.clone()) {
                Ok(_) => messages.pop_front(),
                Err(PublishError::AllQueuesFull(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
        }
        done.send(line([*start, now_ns()]))?;
        self.putting = None;
        Ok(())
    }

    fn on_event(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Subscribed { .. } => {
                self.listeners += 1;
                let _ = self.on_meeting();
            }
            gossipsub::Event::Message { message, .. } => self.on_message(message.data),
            _ => {}
        }
    }

    fn on_message(&mut self, message: Vec<u8>) {
        match &mut self.ages {
            Some(Ages::Here(ages, count, done)) => {
                ages.push(now_ns().saturating_sub(first(&message).unwrap_or_default()));
                if ages.len() == *count {
                    let _ = done.send(line(std::mem::take(ages)));
                    self.ages = None;
                }
            }
            Some(Ages::Apart(arrived)) => {
                if arrived.send(message).is_err() {
                    self.ages = None;
                }
            }
            None => {
                for entry in message.chunks_exact(ENTRY_BYTES) {
                    let (key, value) = entry.split_at(KEY_BYTES);
                    let _ = self.held.insert_sync(key.into(), value.into());
                }
                let _ = self.on_held();
            }
        }
    }

    fn on_held(&mut self) -> Result<()> {
        if let Some((_, done)) = self.holding.take_if(|(entries, _)| self.held.len() >= *entries) {
            done.send(line([now_ns()]))?;
        }
        Ok(())
    }

    fn on_meeting(&mut self) -> Result<()> {
        for (_, done) in self.meeting.extract_if(.., |(wanted, _)| self.listeners >= *wanted) {
            done.send("met".into())?;
        }
        Ok(())
    }
}

/// The entries of those numbers as one message.
fn entries(numbers: &[usize]) -> Vec<u8> {
    numbers.iter().flat_map(|&number| key(number).into_iter().chain(value(number as u64, 0))).collect()
}

/// A thread that takes the ages of `count` messages.
fn collect_apart(count: usize, done: SyncSender<String>) -> Sender<Vec<u8>> {
    let (arrived, arrivals) = channel::<Vec<u8>>();
    std::thread::spawn(move || {
        let age = |message: Vec<u8>| now_ns().saturating_sub(first(&message).unwrap_or_default());
        let ages: Vec<u64> = arrivals.iter().take(count).map(age).collect();
        let _ = done.send(line(ages));
    });
    arrived
}
