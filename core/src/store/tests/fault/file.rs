//! A file of such a disk, open.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Fault, Node, State, Write};
use crate::store::disk::DiskFile;

pub struct FaultFile {
    pub state: Arc<Mutex<State>>,
    pub node: usize,
}

impl FaultFile {
    fn write(&self, write: Write) -> io::Result<()> {
        let mut state = self.state.lock();
        let failed = state.step(true);
        let write = match (&failed, write) {
            (Some((Fault::Once(_) | Fault::Always(_), _)), Write::Bytes(at, mut bytes)) if !state.is_dead() => {
                bytes.truncate(state.dice.roll(bytes.len() + 1));
                Some(Write::Bytes(at, bytes))
            }
            (Some((Fault::Once(_) | Fault::Always(_), _)), _) => None,
            (_, write) => Some(write),
        };
        let Node::File { seen, waiting, .. } = &mut state.nodes[self.node] else { panic!("a directory") };
        if let Some(write) = write {
            write.apply(seen);
            waiting.push(write);
        }
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }
}

impl DiskFile for FaultFile {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.state.lock();
        state.check(false)?;
        let Node::File { seen, .. } = &state.nodes[self.node] else { panic!("a directory") };
        Ok(seen.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut state = self.state.lock();
        state.check(false)?;
        let Node::File { seen, .. } = &state.nodes[self.node] else { panic!("a directory") };
        let bytes = seen.get(at as usize..).unwrap_or_default();
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write(Write::Bytes(at as usize, bytes.to_vec()))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.write(Write::Truncate(len as usize))
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state.lock();
        let failed = state.step(true);
        let state = &mut *state;
        let is_broken = matches!(failed, Some((Fault::Once(_) | Fault::Always(_), _))) && !state.is_dead();
        let node = &mut state.nodes[self.node];
        if is_broken {
            // What could not be written is forgotten, and a second sync would say that all is well.
            let Node::File { kept, waiting, .. } = node else { panic!("a directory") };
            let lost: Vec<Write> = std::mem::take(waiting);
            for write in lost {
                write.pieces(&mut state.dice, 50).into_iter().for_each(|piece| piece.apply(kept));
            }
        } else if failed.is_none() {
            node.sync();
        }
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn check_named(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_open_to_others(&self) -> io::Result<bool> {
        let state = self.state.lock();
        let Node::File { is_open_to_others, .. } = &state.nodes[self.node] else { panic!("a directory") };
        Ok(*is_open_to_others)
    }
}
