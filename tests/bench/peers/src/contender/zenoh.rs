//! zenoh: two peers. The writer keeps everything and answers queries, readers keep what they are sent.

use p2pmap_bench::Result;
use p2pmap_bench::load::{Key, key, value};
use zenoh::qos::CongestionControl;
use zenoh::query::Query;
use zenoh::sample::Sample;
use zenoh::{Config, Session, Wait};

use super::copy::Copy;
use super::{Contender, Kind, Member, Saw, Setting, text};
use crate::server::free_port;

pub const CONTENDER: Contender = Contender {
    name: "zenoh",
    key: "zenoh",
    is: Kind::Crate("zenoh"),
    open,
    notes: "two peers over TCP, not encrypted. Less: it carries data and holds none. The copies, one at the writer, which answers queries, \
        and one at the reader, are hash maps of this program's; nothing repairs them. Reads query the writer, up to 128 at a time; puts are accepted when they are \
        on their way",
};

/// All keys.
const ALL: &str = "*";
/// Queries that are sent before their replies are read.
const QUERIES: usize = 128;

struct Node {
    session: Session,
    address: String,
    copy: Copy,
    first: bool,
}

fn open(setting: Setting) -> Result<Box<dyn Member>> {
    let own = format!("tcp/127.0.0.1:{}", free_port()?);
    let mut config = Config::default();
    config.insert_json5("mode", "\"peer\"")?;
    config.insert_json5("scouting/multicast/enabled", "false")?;
    config.insert_json5("listen/endpoints", &format!("[\"{own}\"]"))?;
    if let Some(address) = setting.join {
        config.insert_json5("connect/endpoints", &format!("[\"{address}\"]"))?;
    }
    let session = zenoh::open(config).wait()?;
    let copy = Copy::default();
    match setting.join {
        None => answer_queries(&session, copy.clone())?,
        Some(_) => keep_copy(&session, &copy)?,
    }
    Ok(Box::new(Node { session, address: own, copy, first: setting.join.is_none() }))
}

/// Answers from the copy, one entry or all of them.
fn answer_queries(session: &Session, copy: Copy) -> Result<()> {
    let answer = move |query: Query| {
        let inner = copy.lock();
        let reply = |key: &str, value: &[u8]| {
            if let Err(error) = query.reply(key, value).wait() {
                eprintln!("zenoh: no reply: {error}");
            }
        };
        match query.key_expr().as_str() {
            ALL => inner.entries.iter().for_each(|(key, value)| reply(&String::from_utf8_lossy(key), value)),
            key => inner.entries.get(key.as_bytes()).into_iter().for_each(|value| reply(key, value)),
        }
    };
    session.declare_queryable(ALL).callback(answer).background().wait()
}

/// Subscribes, then asks for what is there already.
fn keep_copy(session: &Session, copy: &Copy) -> Result<()> {
    let take = |copy: &Copy, sample: &Sample| copy.take(sample.key_expr().as_str().as_bytes(), &sample.payload().to_bytes());
    let changes = copy.clone();
    session.declare_subscriber(ALL).callback(move |sample| take(&changes, &sample)).background().wait()?;
    let present = copy.clone();
    let present = move |reply: zenoh::query::Reply| {
        if let Ok(sample) = reply.result() {
            take(&present, sample);
        }
    };
    session.get(ALL).congestion_control(CongestionControl::Block).callback(present).wait()
}

impl Member for Node {
    fn address(&self) -> Result<String> {
        Ok(self.address.clone())
    }

    fn put(&mut self, number: usize, said: u64) -> Result<()> {
        let (key, value) = (key(number), value(said, 0));
        if self.first {
            self.copy.take(&key, &value);
        }
        self.session.put(text(&key), &value[..]).congestion_control(CongestionControl::Block).wait()
    }

    fn tell(&mut self, number: usize, said: u64) -> Result<()> {
        let (key, value) = (key(number), value(said, 0));
        self.copy.take(&key, &value);
        self.session.put(text(&key), &value[..]).congestion_control(CongestionControl::Block).express(true).wait()
    }

    fn get(&mut self, key: &Key) -> Result<usize> {
        let replies = self.session.get(text(key)).wait()?;
        let reply = replies.recv()?;
        Ok(reply.result().map_or(0, |sample| sample.payload().len()))
    }

    fn get_all(&mut self, keys: &[Key]) -> Result<usize> {
        let mut bytes = 0;
        for keys in keys.chunks(QUERIES) {
            let asked: Vec<_> = keys.iter().map(|key| self.session.get(text(key)).wait()).collect::<Result<_>>()?;
            for replies in asked {
                bytes += replies.recv()?.result().map_or(0, |sample| sample.payload().len());
            }
        }
        Ok(bytes)
    }

    fn held(&mut self) -> Result<usize> {
        Ok(self.copy.held())
    }

    fn watch(&mut self, saw: Saw) -> Result<()> {
        self.copy.watch(saw);
        Ok(())
    }
}
