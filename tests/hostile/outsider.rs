//! Who does not know the secret: bare libp2p, up to the point where a connection is encrypted and its streams are open. Everything that
//! is said to it is kept, and searched.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt, StreamExt};
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt, SubstreamBox};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse, TransportEvent};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId as Id, Transport, noise, quic, tcp, yamux};

use super::messages::{Dice, delta, now_ms, timestamp};
use super::{LONG, MAP, QUIC, TCP, converge, pair, until};
use crate::wire::hello::{Hello, VERSION};
use crate::{Config, Map, Node};

/// Since 3 s are what a greeting may take, and 5 what is promised.
const GONE: Duration = Duration::from_secs(5);

type Bare = Boxed<(Id, StreamMuxerBox)>;

/// TCP with Noise and Yamux, and QUIC, as anybody has them.
fn transport() -> Bare {
    let keypair = Keypair::generate_ed25519();
    let tcp = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(&keypair).unwrap())
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic =
        quic::tokio::Transport::new(quic::Config::new(&keypair)).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    tcp.or_transport(quic).map(|either, _| either.into_inner()).boxed()
}

/// An encrypted connection, before any word of the node's protocols.
async fn dial(transport: &mut Bare, addr: &Multiaddr) -> StreamMuxerBox {
    let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let dialling = transport.dial(addr.clone(), opts).unwrap();
    let driven =
        futures::future::select(dialling, poll_fn(|cx| transport.poll_next_unpin(cx).map(drop).map(|()| ())).boxed_local());
    match driven.await {
        futures::future::Either::Left((dialled, _)) => dialled.unwrap().1,
        futures::future::Either::Right(_) => panic!("the transport has ended"),
    }
}

/// The address of a node, without its id.
fn address(map: &Map) -> Multiaddr {
    let addr: Multiaddr = map.node().addrs()[0].parse().unwrap();
    addr.into_iter().filter(|part| !matches!(part, libp2p::multiaddr::Protocol::P2p(_))).collect()
}

/// Opens a stream, says that, and hears everything until the connection ends.
async fn say(muxer: &mut StreamMuxerBox, words: &[u8]) -> Vec<u8> {
    let mut heard = Vec::new();
    let stream = poll_fn(|cx| {
        let _ = muxer.poll_unpin(cx);
        muxer.poll_outbound_unpin(cx)
    });
    let Ok(mut stream) = stream.await else { return heard };
    let talk = async {
        // The node may hang up at any time.
        let _ = stream.write_all(words).await;
        let _ = stream.flush().await;
        let _ = stream.read_to_end(&mut heard).await;
        // Also streams that the node opens would be heard.
    };
    drive(muxer, talk).await;
    heard
}

/// Does that while the connection is kept going; streams that the other end opens are refused.
async fn drive<T>(muxer: &mut StreamMuxerBox, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    poll_fn(|cx| {
        let _ = muxer.poll_unpin(cx);
        work.as_mut().poll(cx)
    })
    .await
}

/// The connection has ended: nothing can be opened on it.
async fn ends(muxer: &mut StreamMuxerBox) {
    poll_fn(|cx| match muxer.poll_unpin(cx) {
        std::task::Poll::Ready(Err(_)) => std::task::Poll::Ready(()),
        _ => match muxer.poll_inbound_unpin(cx) {
            std::task::Poll::Ready(Err(_)) => std::task::Poll::Ready(()),
            _ => std::task::Poll::Pending,
        },
    })
    .await;
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LONG, work).await.expect("it ends") })
}

fn hello(dice: &mut Dice) -> Vec<u8> {
    let mut nonce = [0; 32];
    nonce.copy_from_slice(&dice.bytes(32));
    Hello { features: 0, run: now_ms() << 16, nonce }.encode().to_vec()
}

/// Everything that somebody may say who knows the protocol, and not the secret.
fn words(dice: &mut Dice) -> Vec<(&'static str, Vec<u8>)> {
    let hello = hello(dice);
    let proofs = |count: u8, dice: &mut Dice| [&[count], &*dice.bytes(64 * usize::from(count))].concat();
    let [one, four] = [1, 4].map(|count| proofs(count, dice));
    let evil = Id::random();
    let gossip = delta(&crate::PeerId::from_bytes(&evil.to_bytes()).unwrap(), timestamp(now_ms()), b"evil", b"evil");
    vec![
        ("nothing", vec![]),
        ("a part of a greeting", hello[..20].to_vec()),
        ("a greeting, and then nothing", hello.clone()),
        ("a greeting and a made up proof", [&hello[..], &[0], &one].concat()),
        ("a greeting and four", [&hello[..], &[0], &four].concat()),
        ("too many", [&hello[..], &[0], &[255], &dice.bytes(10_000)].concat()),
        ("another version", [&[VERSION + 1], &hello[1..]].concat()),
        ("noise", dice.bytes(5_000)),
        ("libp2p's own negotiation", b"\x13/multistream/1.0.0\n\x11/p2pmap/1/gossip\n".to_vec()),
        ("a welcome and a message", [&hello[..], &[0], &one, &[0], &gossip].concat()),
    ]
}

#[test]
fn g9_an_outsider_learns_nothing_changes_nothing_and_is_gone_in_time() {
    for listen in [TCP, QUIC] {
        let [a, b] = pair(listen);
        a.put("honest/secret-key-of-the-map", "secret-value-of-the-map").unwrap();
        converge(&[&a, &b]);
        let (before, mut dice) = (a.status().unwrap().digest, Dice::new(8));
        for (what, words) in words(&mut dice) {
            let (heard, took) = run(async {
                let mut transport = transport();
                let mut muxer = dial(&mut transport, &address(&a)).await;
                let since = Instant::now();
                let heard = say(&mut muxer, &words).await;
                ends(&mut muxer).await;
                (heard, since.elapsed())
            });
            assert!(took < GONE, "{what}: it was let stay for {took:?}");
            // The node's greeting, its proofs, a verdict: random bytes, but for the first few.
            assert!(heard.len() <= Hello::BYTES + 1 + 4 * 64 + 1, "{what}: {} bytes", heard.len());
            for secret in [MAP, "secret-key-of-the-map", "secret-value-of-the-map", "default", &b.node().id().to_string()] {
                let found = heard.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{what}: it was told `{secret}`");
            }
            let member = libp2p::PeerId::from_bytes(b.node().id().as_bytes()).unwrap().to_bytes();
            assert!(!heard.windows(member.len()).any(|window| window == member), "{what}: it was told who is a member");
        }
        assert_eq!(a.status().unwrap().digest, before);
        assert_eq!(a.node().peers().unwrap().len(), 1, "and is nobody's peer");
        converge(&[&a, &b]);
    }
}

/// Passes on what two ends say to each other; what the first said.
async fn relay(mut one: SubstreamBox, mut other: SubstreamBox) -> Vec<u8> {
    let (mut said, mut here, mut there) = (Vec::new(), [0; 1024], [0; 1024]);
    loop {
        futures::select_biased! {
            read = one.read(&mut here).fuse() => match read {
                Ok(count) if count > 0 => {
                    said.extend_from_slice(&here[..count]);
                    if pass(&mut other, &here[..count]).await.is_err() { return said }
                }
                _ => return said,
            },
            read = other.read(&mut there).fuse() => match read {
                Ok(count) if count > 0 => if pass(&mut one, &there[..count]).await.is_err() { return said },
                _ => return said,
            },
        }
    }
}

async fn pass(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

/// Listens, and gives the address.
async fn listen(transport: &mut Bare) -> Multiaddr {
    transport.listen_on(ListenerId::next(), TCP.parse().unwrap()).unwrap();
    loop {
        if let TransportEvent::NewAddress { listen_addr, .. } = transport.select_next_some().await {
            return listen_addr;
        }
    }
}

/// The next connection that somebody makes, encrypted.
async fn accept(transport: &mut Bare) -> StreamMuxerBox {
    loop {
        if let TransportEvent::Incoming { upgrade, .. } = transport.select_next_some().await
            && let Ok((_, muxer)) = upgrade.await
        {
            return muxer;
        }
    }
}

#[test]
fn g9_a_man_in_the_middle_is_a_stranger_to_both_and_what_he_heard_is_of_no_use_later() {
    let [a, b] = pair(TCP);
    let (addr, heard) = run(async {
        let mut transport = transport();
        let addr = listen(&mut transport).await;
        // A node with the secret that was told a wrong address.
        let mut config = Config::new();
        config.set("cluster_secret", super::SECRET).unwrap().set("bootstrap", &addr.to_string()).unwrap();
        let fooled = Node::open(config).unwrap();
        let mut from = accept(&mut transport).await;
        let mut to = dial(&mut transport, &address(&a)).await;
        let inbound = poll_fn(|cx| {
            let _ = from.poll_unpin(cx);
            from.poll_inbound_unpin(cx)
        })
        .await
        .unwrap();
        let outbound = poll_fn(|cx| {
            let _ = to.poll_unpin(cx);
            to.poll_outbound_unpin(cx)
        })
        .await
        .unwrap();
        let said = {
            let talk = relay(inbound, outbound);
            let mut talk = std::pin::pin!(talk);
            poll_fn(|cx| {
                let _ = (from.poll_unpin(cx), to.poll_unpin(cx));
                talk.as_mut().poll(cx)
            })
            .await
        };
        drop((from, to));
        let why = || fooled.status().unwrap().admission_error.unwrap_or_default();
        while !why().contains("cluster_secret") {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(fooled.peers().unwrap().is_empty());
        (addr, said)
    });
    assert!(heard.len() >= Hello::BYTES, "he has heard a greeting by {addr}");
    // What an honest node said, once more.
    let answer = run(async {
        let mut transport = transport();
        let mut muxer = dial(&mut transport, &address(&a)).await;
        say(&mut muxer, &heard).await
    });
    assert_eq!(a.node().peers().unwrap().len(), 1, "nobody else is a peer: {} bytes", answer.len());
    until("and nobody but the two are members", || a.node().status().unwrap().members == 1);
    converge(&[&a, &b]);
}
