//! Redis: a primary, and a replica beside each process that joins.

use std::ops::Range;

use p2pmap_bench::Result;
use p2pmap_bench::load::{Key, first, key, value};
use redis::io::tcp::TcpSettings;
use redis::{Client, Connection, IntoConnectionInfo, pipe};

use super::{Contender, Kind, Member, Saw, Setting};
use crate::server::{Server, data_directory, free_port, until};

pub const CONTENDER: Contender = Contender {
    name: "Redis",
    key: "redis",
    is: Kind::Program("redis-server", &["--version"]),
    open,
    notes: "a primary and a replica, in memory (no snapshots, no log), no delay before a replica is served. Reads ask the replica. Many \
        commands are pipelined, 1,000 at a time. Watchers are told by PUBLISH in one pipeline with SET, because keyspace notifications carry \
        no values. Less: only the primary takes writes, and somebody has to choose another when it dies",
};

/// Commands that are sent before their answers are read.
const PIPELINE: usize = 1_000;
const CHANNEL: &str = "bench";

struct Redis {
    server: Server,
    primary: String,
    connection: Connection,
}

fn open(setting: Setting) -> Result<Box<dyn Member>> {
    let (port, directory) = (free_port()?.to_string(), data_directory("redis")?);
    let directory = directory.display().to_string();
    let mut args = vec!["--bind", "127.0.0.1", "--port", &port, "--dir", &directory, "--save", "", "--appendonly", "no"];
    args.extend(["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", "--repl-diskless-load", "on-empty-db"]);
    if let Some((host, port)) = setting.join.and_then(|primary| primary.split_once(':')) {
        args.extend(["--replicaof", host, port]);
    }
    let server = Server::start("redis-server", &args)?;
    let own = format!("127.0.0.1:{port}");
    let connection = until("Redis answers", || connect(&own).ok())?;
    Ok(Box::new(Redis { server, primary: setting.join.map_or(own, str::to_owned), connection }))
}

fn connect(address: &str) -> Result<Connection> {
    let info = format!("redis://{address}").into_connection_info()?;
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    Ok(Client::open(info)?.get_connection()?)
}

impl Member for Redis {
    fn address(&self) -> Result<String> {
        Ok(self.primary.clone())
    }

    fn holder(&self) -> u32 {
        self.server.id()
    }

    fn put(&mut self, number: usize, said: u64) -> Result<()> {
        Ok(redis::cmd("SET").arg(&key(number)).arg(&value(said, 0)).exec(&mut self.connection)?)
    }

    fn tell(&mut self, number: usize, said: u64) -> Result<()> {
        let value = value(said, 0);
        let mut both = pipe();
        both.cmd("SET").arg(&key(number)).arg(&value).ignore().cmd("PUBLISH").arg(CHANNEL).arg(&value).ignore();
        Ok(both.exec(&mut self.connection)?)
    }

    fn put_all(&mut self, numbers: Range<usize>) -> Result<()> {
        for numbers in numbers.collect::<Vec<_>>().chunks(PIPELINE) {
            let mut many = pipe();
            for &number in numbers {
                many.cmd("SET").arg(&key(number)).arg(&value(number as u64, 0)).ignore();
            }
            many.exec(&mut self.connection)?;
        }
        Ok(())
    }

    fn get(&mut self, key: &Key) -> Result<usize> {
        let value: Vec<u8> = redis::cmd("GET").arg(key).query(&mut self.connection)?;
        Ok(value.len())
    }

    fn get_all(&mut self, keys: &[Key]) -> Result<usize> {
        let mut bytes = 0;
        for keys in keys.chunks(PIPELINE) {
            let mut many = pipe();
            for key in keys {
                many.cmd("GET").arg(key);
            }
            let values: Vec<Vec<u8>> = many.query(&mut self.connection)?;
            bytes += values.iter().map(Vec::len).sum::<usize>();
        }
        Ok(bytes)
    }

    fn held(&mut self) -> Result<usize> {
        // While it loads what the primary sent, it answers nothing else.
        Ok(redis::cmd("DBSIZE").query(&mut self.connection).unwrap_or(0))
    }

    fn watch(&mut self, mut saw: Saw) -> Result<()> {
        let mut connection = connect(&self.primary)?;
        let (subscribed, ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || -> Result<()> {
            let mut messages = connection.as_pubsub();
            messages.subscribe(CHANNEL)?;
            subscribed.send(())?;
            loop {
                if let Some(said) = first(messages.get_message()?.get_payload_bytes()) {
                    saw(said);
                }
            }
        });
        Ok(ready.recv()?)
    }
}
