//! Who belongs here: judged on each new connection, before anything else of the node is served on it.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use libp2p::{Multiaddr, PeerId as Id};

use super::behaviour::internal;
use super::runs::{Runs, Seat};
use super::shared::{Shared, public};
use super::{Trust, addr};
use crate::error::Result;
use crate::secret::{self, End, Keyring, Stranger, Transcript};
use crate::wire::hello::{Hello, Verdict};

/// What a node asks of its peers.
pub(super) struct Admission {
    me: Id,
    keyring: Arc<Keyring>,
    /// `None`: whoever knows the secret.
    allowed: Option<BTreeSet<Id>>,
    trust: Option<Arc<dyn Trust>>,
    runs: Arc<Runs>,
    shared: Arc<Shared>,
}

/// What both ends have said on a connection.
pub(super) struct Talk {
    pub peer: Id,
    /// This node's end.
    pub end: End,
    pub mine: [u8; Hello::BYTES],
    pub theirs: [u8; Hello::BYTES],
}

impl Admission {
    pub fn new(
        me: Id,
        keyring: Arc<Keyring>,
        allowed: Option<BTreeSet<Id>>,
        trust: Option<Arc<dyn Trust>>,
        runs: Arc<Runs>,
        shared: Arc<Shared>,
    ) -> Arc<Self> {
        Arc::new(Self { me, keyring, allowed, trust, runs, shared })
    }

    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    /// The first words of one connection. Errors: `Internal`, where the machine gives no random bytes.
    pub fn hello(&self) -> Result<[u8; Hello::BYTES]> {
        let mut nonce = [0; 32];
        secret::draw(&mut nonce).map_err(|error| internal(&error))?;
        Ok(Hello { features: 0, run: self.runs.own(), nonce }.encode())
    }

    /// That this node belongs here.
    pub fn prove(&self, talk: &Talk) -> Vec<u8> {
        let ids = self.ids(talk);
        self.keyring.prove(talk.end, &talk.transcript(&ids))
    }

    /// Whether the other end does; with a seat, which its connection holds while it lasts. Waits while it is not known whether
    /// another run of the peer is alive.
    pub async fn judge(&self, talk: &Talk, said: Hello, proofs: &[u8]) -> (Verdict, Option<Seat>) {
        let ids = self.ids(talk);
        match self.keyring.check(talk.end.other(), &talk.transcript(&ids), proofs) {
            Err(Stranger::Secret) => return (Verdict::NoSecret, None),
            Err(Stranger::Cluster) => return (Verdict::OtherCluster, None),
            Ok(()) => {}
        }
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.contains(&talk.peer)) {
            return (Verdict::NotAllowed, None);
        }
        if self.shared.is_banned(&talk.peer) {
            return (Verdict::Banned, None);
        }
        if self.shared.rests(&talk.peer) {
            return (Verdict::Resting, None);
        }
        match self.runs.admit(talk.peer, said.run).await {
            Some(seat) => (Verdict::Welcome, Some(seat)),
            None => (Verdict::Second, None),
        }
    }

    /// Whether that peer, which belongs here, is taken at the address that was dialled.
    pub fn trusts(&self, peer: Id, dialled: &Multiaddr) -> io::Result<()> {
        // An address that names a peer leads to nobody else.
        let Some(trust) = self.trust.as_ref().filter(|_| addr::peer_of(dialled).is_none()) else { return Ok(()) };
        trust.check(&dialled.to_string(), &public(&peer)).map_err(|why| {
            self.note(Some(format!("{dialled}: {why}")));
            io::Error::new(io::ErrorKind::PermissionDenied, why)
        })
    }

    /// Keeps why a node that was dialled is no peer, until one is: whoever wonders why nothing arrives looks there.
    pub fn note(&self, stranger: Option<String>) {
        *self.shared.stranger.lock() = stranger;
    }

    /// Of who dialled, and of who was dialled.
    fn ids(&self, talk: &Talk) -> [Vec<u8>; 2] {
        let (me, peer) = (self.me.to_bytes(), talk.peer.to_bytes());
        match talk.end {
            End::Dialler => [me, peer],
            End::Listener => [peer, me],
        }
    }
}

impl Talk {
    fn transcript<'a>(&'a self, [dialler, listener]: &'a [Vec<u8>; 2]) -> Transcript<'a> {
        let (dialler_said, listener_said) = match self.end {
            End::Dialler => (&self.mine, &self.theirs),
            End::Listener => (&self.theirs, &self.mine),
        };
        Transcript { dialler, listener, dialler_said, listener_said }
    }
}
