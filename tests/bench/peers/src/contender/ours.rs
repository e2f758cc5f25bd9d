//! p2pmap itself.

use p2pmap::{Config, Map, SubscribeOptions, Subscription};
use p2pmap_bench::Result;
use p2pmap_bench::load::{Key, first, key, value};

use super::{Contender, Kind, Member, Saw, Setting};

pub const CONTENDER: Contender = Contender {
    name: "p2pmap",
    key: "p2pmap",
    is: Kind::Crate("p2pmap"),
    open,
    notes: "a map in memory, two nodes; every process holds everything and reads its own memory; the last write wins",
};

struct Node {
    map: Map,
    subscription: Option<Subscription>,
}

fn open(setting: Setting) -> Result<Box<dyn Member>> {
    let mut config = Config::new();
    if let Some(bootstrap) = setting.join {
        config.set("bootstrap", bootstrap)?;
    }
    Ok(Box::new(Node { map: p2pmap::open("bench", config)?, subscription: None }))
}

impl Member for Node {
    fn address(&self) -> Result<String> {
        let addresses = self.map.node().addrs();
        Ok(addresses.into_iter().find(|address| address.contains("/tcp/")).ok_or("no TCP address")?)
    }

    fn put(&mut self, number: usize, said: u64) -> Result<()> {
        self.map.put(key(number), value(said, 0))?;
        Ok(())
    }

    fn get(&mut self, key: &Key) -> Result<usize> {
        Ok(self.map.get(key)?.map_or(0, |value| value.len()))
    }

    fn held(&mut self) -> Result<usize> {
        Ok(self.map.len()?)
    }

    fn watch(&mut self, mut saw: Saw) -> Result<()> {
        let tell = move |events: &[p2pmap::Event]| {
            events.iter().filter_map(|event| event.value().and_then(|value| first(value))).for_each(&mut saw);
        };
        self.subscription = Some(self.map.subscribe(SubscribeOptions::default(), tell)?);
        Ok(())
    }
}
