//! chitchat: two nodes that gossip, as Quickwit's do.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use chitchat::transport::UdpTransport;
use chitchat::{ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, ProtocolVersion, spawn_chitchat};
use p2pmap_bench::Result;
use p2pmap_bench::clock::now_ns;
use p2pmap_bench::load::{Key, VALUE_BYTES, key};
use tokio::runtime::Runtime;

use super::{Contender, Kind, Member, Saw, Setting, runtime, text};
use crate::server::free_port;

pub const CONTENDER: Contender = Contender {
    name: "chitchat",
    key: "chitchat",
    is: Kind::Crate("chitchat"),
    open,
    notes: "two nodes in memory, over UDP, neither encrypted nor authenticated. They gossip every 50 ms, and every second (Quickwit's choice) \
        when idle; a put that watchers wait for is pushed at once besides. Less: each node writes keys of its own, which nobody else \
        can change, and all of them go when it is gone",
};

const OFTEN: Duration = Duration::from_millis(50);
const SELDOM: Duration = Duration::from_secs(1);
const FIRST: &str = "first";
const NUMBER_DIGITS: usize = 20;

struct Node {
    runtime: Runtime,
    handle: ChitchatHandle,
    address: SocketAddr,
}

fn open(setting: Setting) -> Result<Box<dyn Member>> {
    let address: SocketAddr = ([127, 0, 0, 1], free_port()?).into();
    let name = if setting.join.is_some() { format!("other-{}", std::process::id()) } else { FIRST.into() };
    let config = ChitchatConfig {
        chitchat_id: ChitchatId::new(name, now_ns(), address),
        cluster_id: "bench".into(),
        gossip_interval: if setting.idle { SELDOM } else { OFTEN },
        listen_addr: address,
        seed_nodes: setting.join.into_iter().map(str::to_owned).collect(),
        failure_detector_config: FailureDetectorConfig::default(),
        marked_for_deletion_grace_period: Duration::from_secs(3_600),
        catchup_callback: None,
        extra_liveness_predicate: None,
        protocol_version: ProtocolVersion::V1,
    };
    let runtime = runtime()?;
    let handle = runtime.block_on(spawn_chitchat(config, Vec::new(), &UdpTransport))?;
    Ok(Box::new(Node { runtime, handle, address }))
}

/// A value of text that says a number.
fn value(said: u64) -> String {
    format!("{said:0NUMBER_DIGITS$}{:v<1$}", "", VALUE_BYTES - NUMBER_DIGITS)
}

impl Member for Node {
    fn address(&self) -> Result<String> {
        Ok(self.address.to_string())
    }

    fn put(&mut self, number: usize, said: u64) -> Result<()> {
        let chitchat = self.handle.chitchat();
        self.runtime.block_on(chitchat.lock()).self_node_state().set(text(&key(number)), value(said));
        Ok(())
    }

    fn tell(&mut self, number: usize, said: u64) -> Result<()> {
        self.put(number, said)?;
        let chitchat = self.handle.chitchat();
        let chitchat = self.runtime.block_on(chitchat.lock());
        let others = chitchat.live_nodes().filter(|id| *id != self.handle.chitchat_id());
        for id in others {
            self.handle.gossip(id.gossip_advertise_addr)?;
        }
        Ok(())
    }

    fn get(&mut self, key: &Key) -> Result<usize> {
        let chitchat = self.handle.chitchat();
        let chitchat = self.runtime.block_on(chitchat.lock());
        let states = chitchat.node_states().iter();
        let mut found = states.filter(|(id, _)| *id.node_id == *FIRST).filter_map(|(_, state)| state.get(text(key)));
        Ok(found.next().map_or(0, str::len))
    }

    fn held(&mut self) -> Result<usize> {
        let chitchat = self.handle.chitchat();
        let chitchat = self.runtime.block_on(chitchat.lock());
        let states = chitchat.node_states().iter();
        Ok(states.filter(|(id, _)| *id.node_id == *FIRST).map(|(_, state)| state.num_key_values()).sum())
    }

    fn watch(&mut self, saw: Saw) -> Result<()> {
        let saw = Mutex::new(saw);
        let chitchat = self.handle.chitchat();
        let told = self.runtime.block_on(chitchat.lock()).subscribe_event("", move |event| {
            let said = event.value.get(..NUMBER_DIGITS).and_then(|digits| digits.parse().ok());
            if let (Some(said), Ok(mut saw)) = (said, saw.lock()) {
                saw(said);
            }
        });
        told.forever();
        Ok(())
    }
}
