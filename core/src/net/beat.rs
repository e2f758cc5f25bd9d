//! Heartbeats: a connection that has gone silent is noticed within [`SILENCE`], from both ends.
//!
//! Whoever dialled sends a beat every [`INTERVAL`] on one long-lived stream, and the other end sends one back: one round trip
//! per interval and connection, not two. `libp2p-ping` forgives the first failure in silence, which takes too long, and pings
//! from both ends.
//!
//! Shape of a beat: 8 bytes, the round trip last measured in microseconds, so that both ends know it; 8 bytes, what all maps of
//! its sender come to ([`Host::state`]), so that nodes that hold the same need not compare any further.
//!
//! A peer that does not speak this protocol, whose name holds the cluster's hash, belongs to another cluster.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::swarm::handler::{ConnectionEvent, ConnectionHandler, ConnectionHandlerEvent};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, Stream, StreamUpgradeError, SubstreamProtocol, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{PeerId, StreamProtocol};
use tokio::time::Sleep;

use super::Host;

/// Between two beats.
const INTERVAL: Duration = Duration::from_secs(5);
/// Without a beat for so long, a connection is dead. Nearly two intervals: a slow link with much to send is not dead.
const SILENCE: Duration = Duration::from_millis(8_500);
/// The first beat must come within so long: strangers do not stay.
const FIRST: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Alive(Alive),
    /// Nothing came for too long.
    Silent,
    /// The peer does not speak the protocol.
    Stranger,
}

/// What a beat has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alive {
    /// Once it is known.
    pub round_trip: Option<Duration>,
    /// Whether the peer held the same.
    pub equal: bool,
}

#[derive(Debug)]
pub(super) struct Event {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub beat: Beat,
}

pub(super) struct Behaviour {
    protocol: StreamProtocol,
    host: Arc<dyn Host>,
    events: VecDeque<Event>,
}

impl Behaviour {
    pub fn new(protocol: StreamProtocol, host: Arc<dyn Host>) -> Self {
        Self { protocol, host, events: VecDeque::new() }
    }

    fn handler(&self, dialled: bool) -> Handler {
        let state = if dialled { State::Opening } else { State::Waiting };
        let (protocol, host) = (self.protocol.clone(), self.host.clone());
        Handler { protocol, host, state, silence: Box::pin(tokio::time::sleep(FIRST)) }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(false))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(true))
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, beat: THandlerOutEvent<Self>) {
        self.events.push_back(Event { peer, connection, beat });
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        match self.events.pop_front() {
            Some(event) => Poll::Ready(ToSwarm::GenerateEvent(event)),
            None => Poll::Pending,
        }
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}
}

/// One end of one connection.
pub(super) struct Handler {
    protocol: StreamProtocol,
    host: Arc<dyn Host>,
    state: State,
    silence: Pin<Box<Sleep>>,
}

enum State {
    /// This end dialled, and has yet to open the stream.
    Opening,
    /// The stream is being opened, from here or from the other end.
    Waiting,
    Beating(Round),
    /// To be reported; then nothing more.
    Ending(Beat),
    Over,
}

impl Handler {
    fn heard(&mut self) {
        self.silence.as_mut().reset(tokio::time::Instant::now() + SILENCE);
    }

    fn end(&mut self, beat: Beat) {
        if !matches!(self.state, State::Over) {
            self.state = State::Ending(beat);
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Beat;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Beat>> {
        if matches!(self.state, State::Waiting | State::Beating(_)) && self.silence.poll_unpin(cx).is_ready() {
            self.end(Beat::Silent);
        }
        match &mut self.state {
            State::Opening => {
                self.state = State::Waiting;
                let protocol = SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ());
                cx.waker().wake_by_ref();
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
            State::Beating(round) => match ready!(round.poll_unpin(cx)) {
                Ok((stream, alive, dialled)) => {
                    self.heard();
                    let host = self.host.clone();
                    self.state = State::Beating(match dialled {
                        true => send(stream, host, alive.round_trip, INTERVAL).boxed(),
                        false => answer(stream, host).boxed(),
                    });
                    Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Beat::Alive(alive)))
                }
                Err(error) => {
                    tracing::debug!(%error, "heartbeat broke");
                    self.state = State::Over;
                    Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Beat::Silent))
                }
            },
            State::Ending(beat) => {
                let beat = *beat;
                self.state = State::Over;
                Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(beat))
            }
            State::Waiting | State::Over => Poll::Pending,
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedOutbound(opened) => {
                self.heard();
                self.state = State::Beating(send(opened.protocol, self.host.clone(), None, Duration::ZERO).boxed());
            }
            // A second stream replaces the first: there is never more than one.
            ConnectionEvent::FullyNegotiatedInbound(opened) => {
                self.state = State::Beating(answer(opened.protocol, self.host.clone()).boxed());
            }
            ConnectionEvent::DialUpgradeError(failed) => self.end(match failed.error {
                StreamUpgradeError::NegotiationFailed => Beat::Stranger,
                _ => Beat::Silent,
            }),
            _ => {}
        }
    }
}

/// The stream after one beat, what it has told, and whether this end sends.
type Done = (Stream, Alive, bool);
type Round = BoxFuture<'static, io::Result<Done>>;

/// Sends a beat after `wait` and takes one back.
async fn send(mut stream: Stream, host: Arc<dyn Host>, last: Option<Duration>, wait: Duration) -> io::Result<Done> {
    tokio::time::sleep(wait).await;
    let micros = last.map_or(0, |round_trip| round_trip.as_micros().max(1) as u64);
    let sent = Instant::now();
    write(&mut stream, micros, host.state()).await?;
    let (_, theirs) = read(&mut stream).await?;
    let round_trip = Some(sent.elapsed());
    Ok((stream, Alive { round_trip, equal: theirs == host.state() }, true))
}

/// Takes a beat and sends one back.
async fn answer(mut stream: Stream, host: Arc<dyn Host>) -> io::Result<Done> {
    let (micros, theirs) = read(&mut stream).await?;
    let ours = host.state();
    write(&mut stream, micros, ours).await?;
    let round_trip = (micros != 0).then(|| Duration::from_micros(micros));
    Ok((stream, Alive { round_trip, equal: theirs == ours }, false))
}

async fn write(stream: &mut Stream, micros: u64, state: u64) -> io::Result<()> {
    let mut beat = [0; 16];
    beat[..8].copy_from_slice(&micros.to_be_bytes());
    beat[8..].copy_from_slice(&state.to_be_bytes());
    stream.write_all(&beat).await?;
    stream.flush().await
}

async fn read(stream: &mut Stream) -> io::Result<(u64, u64)> {
    let (mut micros, mut state) = ([0; 8], [0; 8]);
    stream.read_exact(&mut micros).await?;
    stream.read_exact(&mut state).await?;
    Ok((u64::from_be_bytes(micros), u64::from_be_bytes(state)))
}
