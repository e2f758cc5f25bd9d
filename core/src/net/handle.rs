//! The handle: starts the network thread, passes calls to it, ends it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId as Id};
use parking_lot::Mutex;

use super::addr;
use super::held::Wait;
use super::shared::{Call, Shared, public};
use super::task::Task;
use super::{Host, NetConfig, NetPeer, Refusal};
use crate::PeerId;
use crate::error::{Error, ErrorKind, Result};
use crate::replica::Signer;
use crate::wire::Topic;

/// The running network: a thread of its own with a current-thread runtime. Every method may be called from any thread.
pub(crate) struct Network {
    id: PeerId,
    shared: Arc<Shared>,
    /// Taken by the first `close`; the others wait for the lock, so that none returns before the thread has ended.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Network {
    /// Starts, and returns once it listens. Errors: `AddressInUse`, `Network`, `InvalidConfig`.
    pub fn start(config: NetConfig, host: Arc<dyn Host>) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (started, starting) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("p2pmap-net".into())
            .spawn({
                let shared = shared.clone();
                move || run(config, host, shared, &started)
            })
            .map_err(|error| Error::new(ErrorKind::Network, format!("cannot start the network thread: {error}")))?;
        let outcome = starting.recv().unwrap_or_else(|_| Err(shared.why_ended()));
        match outcome {
            Ok(id) => Ok(Self { id, shared, thread: Mutex::new(Some(thread)) }),
            Err(error) => {
                // Its sockets are closed when this returns.
                let _ = thread.join();
                Err(error)
            }
        }
    }

    /// Signs with this node's key.
    pub fn signer(&self) -> Signer {
        let shared = self.shared.clone();
        Arc::new(move |statement| shared.sign(statement))
    }

    pub fn id(&self) -> &PeerId {
        &self.id
    }

    /// Listen addresses (wildcards resolved to interface addresses), each with `/p2p/<id>`.
    pub fn addrs(&self) -> Vec<String> {
        let suffix = format!("/p2p/{}", self.id);
        self.shared.directory.lock().addrs.iter().map(|addr| format!("{addr}{suffix}")).collect()
    }

    /// Joins a map's topic. Cheap, does not wait.
    pub fn subscribe(&self, topic: Topic) {
        self.shared.set_gate(topic, true);
        self.shared.post(|inbox| {
            inbox.topics.entry(topic).or_default().open = true;
        });
    }

    /// Leaves a map's topic. What waits in its outbox is published first, then the last words.
    pub fn unsubscribe(&self, topic: Topic, last_words: Option<Vec<u8>>) {
        self.shared.set_gate(topic, false);
        self.shared.post(|inbox| {
            let turn = inbox.topics.entry(topic).or_default();
            turn.closed.get_or_insert(last_words);
            turn.open = false;
        });
    }

    /// Something waits in that map's outbox. Cheap: wakes the network thread only if it has not been woken already; does
    /// nothing when nobody has subscribed. On the path of every `put`.
    pub fn wake(&self, topic: Topic) {
        self.shared.wake(topic);
    }

    /// A gap was found in that map after `deliver` returned.
    pub fn gap(&self, topic: Topic, from: &PeerId) {
        self.shared.post(|inbox| {
            inbox.gaps.insert((topic, from.clone()));
        });
    }

    /// Dials and waits. Errors: `InvalidArgument`, `Network`, `Timeout`, `Closed`.
    pub fn connect(&self, addr: &str, timeout: Duration) -> Result<PeerId> {
        let invalid = |why: String| Error::new(ErrorKind::InvalidArgument, format!("cannot dial `{addr}`: {why}"));
        let parsed: Multiaddr = addr.parse().map_err(|error| invalid(format!("not a multiaddr: {error}")))?;
        let mut dialled = addr::dialable(&parsed)
            .ok_or_else(|| invalid("not of the form /ip4|ip6|dns4|dns6/<host>/tcp/<port> or .../udp/<port>/quic-v1".into()))?;
        if let Some(peer) = addr::peer_of(&parsed) {
            dialled.push(Protocol::P2p(peer));
        }
        let (reply, answer) = sync_channel(1);
        self.call(Call::Connect { addr: dialled, reply })?;
        answer.recv_timeout(timeout).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => {
                Err(Error::new(ErrorKind::Timeout, format!("`{addr}` did not answer within {} ms", timeout.as_millis())))
            }
            RecvTimeoutError::Disconnected => Err(self.shared.why_ended()),
        })
    }

    /// Ends the connections to that peer, and lets it in no more. Errors: `InvalidArgument`: it is no peer id, or this node's own.
    pub fn ban(&self, peer: &PeerId) -> Result<()> {
        let invalid = |why: &str| Error::new(ErrorKind::InvalidArgument, format!("cannot ban `{peer}`: {why}"));
        let id = Id::from_bytes(peer.as_bytes()).map_err(|error| invalid(&error.to_string()))?;
        if *peer == self.id {
            return Err(invalid("it is this node"));
        }
        self.shared.banned.lock().insert(id);
        self.call(Call::Ban(id))
    }

    /// Who is banned, sorted.
    pub fn banned(&self) -> Vec<PeerId> {
        let mut banned: Vec<_> = self.shared.banned.lock().iter().map(public).collect();
        banned.sort_unstable();
        banned
    }

    /// Syncs that map with every connected peer until equal with each. Errors: `Timeout`, `Closed`.
    pub fn sync(&self, topic: Topic, timeout: Duration) -> Result<()> {
        let (reply, answer) = sync_channel(1);
        self.call(Call::Sync { topic, deadline: after(timeout), reply })?;
        answer.recv().unwrap_or_else(|_| Err(self.shared.why_ended()))
    }

    /// Asks every connected peer that has that map, with a request whose answer says yes or no (see [`Host::holds`]), until so
    /// many have said yes. Who has, and whether they are enough; if not, the time has run out. Errors: `Closed`.
    pub fn wait_held(&self, topic: Topic, request: Vec<u8>, peers: usize, timeout: Duration) -> Result<(Vec<PeerId>, bool)> {
        let (reply, answer) = sync_channel(1);
        self.call(Call::Held { topic, request, wait: Wait { peers, deadline: after(timeout), reply } })?;
        answer.recv().unwrap_or_else(|_| Err(self.shared.why_ended()))
    }

    pub fn peers(&self) -> Vec<NetPeer> {
        let gates = self.shared.gates.load();
        self.shared.directory.lock().peers(&gates)
    }

    /// Set when the network has left for good: from then on every call fails with it.
    pub fn refusal(&self) -> &Arc<Refusal> {
        &self.shared.refusal
    }

    /// Why the node that was dialled last is no peer, if one of the two is a stranger to the other.
    pub fn stranger(&self) -> Option<String> {
        self.shared.stranger.lock().clone()
    }

    /// Members known, connected or not, without this node.
    pub fn members(&self) -> usize {
        self.shared.directory.lock().members
    }

    /// Messages that no host saw because they were malformed or oversized.
    pub fn rejected(&self) -> u64 {
        self.shared.rejected.load(Ordering::Relaxed)
    }

    /// Sends what waits, says goodbye, ends the thread. Idempotent; safe from any thread. On the network's own, which it
    /// cannot wait for, it returns at once.
    pub fn close(&self) {
        let mut thread = self.thread.lock();
        if let Some(thread) = thread.take() {
            self.shared.post(|inbox| inbox.calls.push(Call::Close));
            if thread.thread().id() == thread::current().id() {
                return;
            }
            if thread.join().is_err() {
                tracing::error!("the network thread panicked");
            }
        }
    }

    fn call(&self, call: Call) -> Result<()> {
        let mut inbox = self.shared.inbox.lock();
        // Under the lock: the thread sets it before it looks into the inbox for the last time.
        if self.shared.is_closed() {
            return Err(self.shared.why_ended());
        }
        inbox.calls.push(call);
        drop(inbox);
        self.shared.bell.notify_one();
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.close();
    }
}

/// That time from now; far away where it does not fit.
fn after(timeout: Duration) -> Instant {
    Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 30))
}

/// The network thread.
fn run(config: NetConfig, host: Arc<dyn Host>, shared: Arc<Shared>, started: &SyncSender<Result<PeerId>>) {
    let closing = Closing(shared.clone());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(Error::new(ErrorKind::Network, format!("cannot start the network: {error}"))));
            return;
        }
    };
    runtime.block_on(async {
        match Task::start(config, host, shared).await {
            Ok(task) => {
                let _ = started.send(Ok(task.id()));
                task.run().await;
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
    });
    // The sockets before the goodbye to callers: a port is free once `close` returns.
    drop(runtime);
    drop(closing);
}

/// However the thread ends, nobody waits for it afterwards.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        let mut inbox = self.0.inbox.lock();
        self.0.closed.store(true, Ordering::Release);
        inbox.calls.clear();
    }
}
