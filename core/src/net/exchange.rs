//! Nodes telling each other who is there.

use std::time::{Duration, Instant};

use libp2p::request_response::{Event, Message, OutboundFailure, OutboundRequestId};
use libp2p::{Multiaddr, PeerId as Id};

use super::addr;
use super::runs::Doubt;
use super::shared::Peer;
use super::task::Task;
use crate::limits::{MAX_ADDR_BYTES, MAX_MEMBER_ADDRS, MAX_MEMBERS};
use crate::wire::members::{Member, Members, News};

/// A member nobody knew is told to so many peers; they tell others.
const FANOUT: usize = 6;

impl Task {
    /// Tells that peer all members known here, and asks for those it knows.
    pub(super) fn exchange(&mut self, peer: Id) {
        let members = self.membership.tell(MAX_MEMBERS, Instant::now());
        self.tell(peer, News::Exchange, members);
    }

    pub(super) fn say_goodbye(&mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            self.tell(peer, News::Leaving, Vec::new());
            self.goodbyes += 1;
        }
    }

    fn tell(&mut self, peer: Id, news: News, members: Vec<(Id, Vec<Multiaddr>, Duration)>) -> OutboundRequestId {
        let message = self.message(peer, news, members);
        self.swarm.behaviour_mut().members.send_request(&peer, message.encode())
    }

    /// Somebody came who has the identity of a connected peer.
    pub(super) fn on_doubt(&mut self, doubt: Doubt) {
        match doubt {
            Doubt::IsAlive(peer, proof) if self.swarm.is_connected(&peer) => {
                let asked = self.tell(peer, News::Joined, Vec::new());
                self.proofs.insert(asked, proof);
            }
            Doubt::IsAlive(..) => {}
            Doubt::Second(peer) => {
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
    }

    /// The message as that peer can use it: loopback addresses mean nothing on another machine.
    fn message(&self, peer: Id, news: News, members: Vec<(Id, Vec<Multiaddr>, Duration)>) -> Members {
        let near = self.shared.directory.lock().peers.get(&peer).is_some_and(|peer| addr::is_loopback(&peer.addr));
        let pack = |addrs: &mut dyn Iterator<Item = &Multiaddr>| -> Vec<Vec<u8>> {
            addrs
                .filter_map(addr::dialable)
                .filter(|addr| near || !addr::is_loopback(addr))
                .map(|addr| addr.to_vec())
                .filter(|addr| addr.len() <= MAX_ADDR_BYTES)
                .take(MAX_MEMBER_ADDRS)
                .collect()
        };
        let members = members.into_iter().filter(|(id, ..)| *id != peer).filter_map(|(id, addrs, age)| {
            let addrs = pack(&mut addrs.iter());
            let age_s = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
            (!addrs.is_empty()).then(|| Member { id: id.to_bytes(), addrs, age_s })
        });
        Members { news, addrs: pack(&mut self.external.iter().chain(self.swarm.listeners())), members: members.collect() }
    }

    pub(super) fn on_members(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                if !self.may_ask(peer) {
                    return;
                }
                let Some(heard) = self.decode(&request) else { return self.is_malformed(peer) };
                let known = match heard.news {
                    News::Exchange => self.membership.tell(MAX_MEMBERS, Instant::now()),
                    News::Joined | News::Leaving => Vec::new(),
                };
                let answer = self.message(peer, News::Exchange, known);
                let _ = self.swarm.behaviour_mut().members.send_response(channel, answer.encode());
                match heard.news {
                    News::Leaving => self.membership.forget(peer, Instant::now()),
                    News::Exchange | News::Joined => self.heard(peer, &heard),
                }
            }
            Event::Message { peer, message: Message::Response { response, request_id }, .. } => {
                if let Some(proof) = self.proofs.remove(&request_id) {
                    // The newcomer may have gone.
                    let _ = proof.send(());
                }
                self.goodbyes = self.goodbyes.saturating_sub(1);
                if let Some(heard) = self.decode(&response) {
                    self.heard(peer, &heard);
                }
            }
            Event::OutboundFailure { peer, request_id, error, .. } => {
                self.proofs.remove(&request_id);
                tracing::debug!(%peer, %error, "an exchange failed");
                self.goodbyes = self.goodbyes.saturating_sub(1);
                match error {
                    OutboundFailure::UnsupportedProtocols => self.expel(peer),
                    // Without an answer nobody knows whom this is; dial again.
                    _ if !self.membership.is_admitted(&peer) => {
                        let _ = self.swarm.disconnect_peer_id(peer);
                    }
                    _ => {}
                }
            }
            Event::InboundFailure { peer, error, .. } => tracing::debug!(%peer, %error, "an exchange failed"),
            Event::ResponseSent { .. } => {}
        }
    }

    fn decode(&self, bytes: &[u8]) -> Option<Members> {
        Members::decode(bytes)
            .inspect_err(|error| {
                tracing::debug!(%error, "refused a members message");
                self.shared.reject();
            })
            .ok()
    }

    fn heard(&mut self, peer: Id, heard: &Members) {
        let admit = |peer: &mut Peer| {
            let before = std::mem::replace(&mut peer.admitted, true);
            (peer.addr.clone(), if before { Vec::new() } else { peer.topics.iter().copied().collect() })
        };
        let Some((observed, topics)) = self.shared.directory.lock().peers.get_mut(&peer).map(admit) else { return };
        let now = Instant::now();
        for topic in topics {
            self.held.met(topic, peer, now);
        }
        let mut own = parse(&heard.addrs);
        let seen_from_here: Vec<_> = own.iter().filter_map(|addr| addr::observed_as(addr, &observed)).collect();
        for addr in seen_from_here {
            if !own.contains(&addr) {
                own.push(addr);
            }
        }
        let mut news = Vec::new();
        if self.membership.admitted(peer, now) {
            news.push((peer, own.clone(), Duration::ZERO));
        }
        self.membership.introduce(peer, own);
        self.answer_callers(peer);

        for member in &heard.members {
            let Some(id) = Id::from_bytes(&member.id).ok().filter(|id| !self.shared.is_banned(id)) else { continue };
            let (addrs, age) = (parse(&member.addrs), Duration::from_secs(member.age_s.into()));
            if self.membership.learn(id, addrs.clone(), age, now) {
                news.push((id, addrs, age));
            }
        }
        self.pass_on(peer, &news);
        self.note_members();
        self.replan = true;
    }

    /// Tells a few others what was news here.
    fn pass_on(&mut self, from: Id, news: &[(Id, Vec<Multiaddr>, Duration)]) {
        if news.is_empty() {
            return;
        }
        let mut others: Vec<_> = self.swarm.connected_peers().filter(|peer| **peer != from).copied().collect();
        for _ in 0..FANOUT.min(others.len()) {
            let peer = others.swap_remove(self.rng.below(others.len()));
            self.tell(peer, News::Joined, news.to_vec());
        }
    }
}

fn parse(addrs: &[Vec<u8>]) -> Vec<Multiaddr> {
    let parse = |addr: &Vec<u8>| Multiaddr::try_from(addr.clone()).ok();
    addrs.iter().filter_map(parse).filter_map(|addr| addr::dialable(&addr)).collect()
}
