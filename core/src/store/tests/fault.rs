//! A disk in memory that fails as told: it loses power after any operation, and then keeps what was synced, and of the rest
//! whatever its dice say; it has no room, or breaks, at any operation.

#[path = "fault/file.rs"]
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use self::file::FaultFile;
use crate::dice::Dice;
use crate::store::disk::{Disk, DiskFile, Lock, Open};

/// A disk, shared by everyone who has a clone of it. The same seeds and the same calls give the same disk.
#[derive(Clone)]
pub struct FaultDisk(Arc<Mutex<State>>);

/// What an operation meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power fails in the middle of it, and nothing works from then on.
    Power,
    /// It fails with this error, a write after a part of it; a file whose sync failed may have lost what was waiting.
    Once(io::ErrorKind),
    /// The same, and every later one that changes something too.
    Always(io::ErrorKind),
    /// A bug.
    Panic,
}

#[derive(Clone)]
struct State {
    nodes: Vec<Node>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    dice: Dice,
    locks: BTreeSet<PathBuf>,
}

/// A file or a directory: as it is seen, as a loss of power leaves it at least, and what waits for a sync between the two.
#[derive(Clone)]
enum Node {
    File { seen: Vec<u8>, kept: Vec<u8>, waiting: Vec<Write>, is_open_to_others: bool },
    Directory { seen: Entries, kept: Entries, waiting: Vec<Change> },
}

type Entries = BTreeMap<String, usize>;

#[derive(Clone)]
enum Write {
    Bytes(usize, Vec<u8>),
    Truncate(usize),
}

/// A change of a directory's entries: one name goes, another comes, both at once.
#[derive(Clone)]
struct Change {
    goes: Option<String>,
    comes: Option<(String, usize)>,
}

const ROOT: usize = 0;

impl FaultDisk {
    pub fn new(seed: u64) -> Self {
        let root = Node::Directory { seen: Entries::new(), kept: Entries::new(), waiting: Vec::new() };
        let state = State { nodes: vec![root], operations: 0, fault: None, dice: Dice::new(seed), locks: BTreeSet::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Plans a fault for the operation after so many.
    pub fn plan(&self, after: u64, fault: Fault) {
        let mut state = self.0.lock();
        state.fault = Some((state.operations + after, fault));
    }

    pub fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// The disk after a loss of power: what was synced, and of what was not any part, as the seed decides.
    pub fn after_power_loss(&self, seed: u64) -> Self {
        let mut state = self.0.lock().clone();
        let mut dice = Dice::new(seed);
        // Sometimes nothing of it got through, sometimes nearly all.
        let percent = dice.pick(&[0, 20, 50, 80, 100]);
        for node in &mut state.nodes {
            node.lose_power(&mut dice, percent);
        }
        state.restart(dice)
    }

    /// The disk after the end of the process: all that it did is seen, nothing more is synced.
    pub fn after_kill(&self) -> Self {
        let state = self.0.lock().clone();
        let dice = state.dice.clone();
        state.restart(dice)
    }

    /// A disk of its own, as this one is.
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().clone())))
    }

    /// Every file, by its path.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.0.lock();
        let mut files = BTreeMap::new();
        let mut todo = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, node)) = todo.pop() {
            match &state.nodes[node] {
                Node::File { seen, .. } => drop(files.insert(path, seen.clone())),
                Node::Directory { seen, .. } => todo.extend(seen.iter().map(|(name, node)| (path.join(name), *node))),
            }
        }
        files
    }

    /// Puts a file where none was, as if it had always been there, in directories that are there.
    pub fn add(&self, path: &Path, bytes: &[u8]) {
        drop(self.open(path, Open::New).expect("a file to add"));
        self.overwrite(path, bytes);
    }

    /// Puts other bytes into a file, as if they had always been there.
    pub fn overwrite(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.0.lock();
        let node = state.find(path).expect("a file to overwrite");
        let Node::File { seen, kept, waiting, .. } = &mut state.nodes[node] else { panic!("a directory") };
        (*seen, *kept) = (bytes.to_vec(), bytes.to_vec());
        waiting.clear();
    }

    pub fn open_to_others(&self, path: &Path) {
        let mut state = self.0.lock();
        let node = state.find(path).expect("a file");
        let Node::File { is_open_to_others, .. } = &mut state.nodes[node] else { panic!("a directory") };
        *is_open_to_others = true;
    }
}

impl State {
    fn restart(mut self, dice: Dice) -> FaultDisk {
        self.locks.clear();
        (self.fault, self.operations, self.dice) = (None, 0, dice);
        FaultDisk(Arc::new(Mutex::new(self)))
    }

    /// Counts an operation; says how it fails, if it does.
    fn step(&mut self, changes: bool) -> Option<(Fault, io::Error)> {
        let now = self.operations;
        self.operations += 1;
        let (at, fault) = self.fault?;
        let kind = match fault {
            Fault::Power if now >= at => io::ErrorKind::Other,
            Fault::Once(kind) if now == at => kind,
            Fault::Always(kind) if now >= at && changes => kind,
            Fault::Panic if now == at => panic!("as planned"),
            _ => return None,
        };
        // A power cut takes effect in the middle of one operation; after it there is nothing that could.
        let fault = if fault == Fault::Power && now > at { Fault::Once(kind) } else { fault };
        Some((fault, io::Error::new(kind, "as planned")))
    }

    fn check(&mut self, changes: bool) -> io::Result<()> {
        self.step(changes).map_or(Ok(()), |(_, error)| Err(error))
    }

    fn is_dead(&self) -> bool {
        self.fault.is_some_and(|(at, fault)| fault == Fault::Power && self.operations > at + 1)
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let mut node = ROOT;
        for name in path.iter().skip(1) {
            let Node::Directory { seen, .. } = &self.nodes[node] else { return Err(io::ErrorKind::NotADirectory.into()) };
            let name = name.to_str().expect("names are text");
            node = *seen.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    fn entries(&mut self, path: &Path) -> io::Result<&mut Entries> {
        let node = self.find(path)?;
        match &mut self.nodes[node] {
            Node::Directory { seen, .. } => Ok(seen),
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Changes a directory. When the power fails in the middle, it may have come to it or not, as anything that waits.
    fn change(&mut self, path: &Path, goes: Option<&str>, comes: Option<(&str, usize)>) -> io::Result<()> {
        let failed = self.step(true);
        if let Some((Fault::Once(_) | Fault::Always(_), error)) = failed {
            return Err(error);
        }
        let node = self.find(path)?;
        if let Node::Directory { seen, waiting, .. } = &mut self.nodes[node] {
            let change = Change { goes: goes.map(str::to_owned), comes: comes.map(|(name, node)| (name.to_owned(), node)) };
            change.apply(seen);
            waiting.push(change);
        }
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn make(&mut self, path: &Path, node: Node) -> io::Result<usize> {
        let (parent, name) = split(path);
        if self.entries(parent)?.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.nodes.push(node);
        let node = self.nodes.len() - 1;
        self.change(parent, None, Some((name, node)))?;
        Ok(node)
    }
}

impl Change {
    fn apply(&self, entries: &mut Entries) {
        if let Some(name) = &self.goes {
            entries.remove(name);
        }
        if let Some((name, node)) = &self.comes {
            entries.insert(name.clone(), *node);
        }
    }
}

impl Node {
    fn sync(&mut self) {
        match self {
            Node::File { kept, waiting, .. } => waiting.drain(..).for_each(|write| write.apply(kept)),
            Node::Directory { kept, waiting, .. } => waiting.drain(..).for_each(|change| change.apply(kept)),
        }
    }

    /// Of what waits, each part gets through or does not; of a write, each piece.
    fn lose_power(&mut self, dice: &mut Dice, percent: u64) {
        match self {
            Node::File { seen, kept, waiting, .. } => {
                for write in waiting.drain(..) {
                    write.pieces(dice, percent).into_iter().for_each(|piece| piece.apply(kept));
                }
                seen.clone_from(kept);
            }
            Node::Directory { seen, kept, waiting } => {
                for change in waiting.drain(..).filter(|_| dice.chance(percent)) {
                    change.apply(kept);
                }
                seen.clone_from(kept);
            }
        }
    }
}

impl Write {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Write::Truncate(len) => file.resize(*len, 0),
            Write::Bytes(at, bytes) => {
                file.resize(file.len().max(at + bytes.len()), 0);
                file[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    fn pieces(self, dice: &mut Dice, percent: u64) -> Vec<Write> {
        match self {
            Write::Bytes(at, bytes) if !bytes.is_empty() && dice.chance(50) => {
                let size = 1 + dice.roll(bytes.len());
                let pieces = bytes.chunks(size).enumerate().filter(|_| dice.chance(percent));
                pieces.map(|(index, piece)| Write::Bytes(at + index * size, piece.to_vec())).collect()
            }
            whole if dice.chance(percent) => vec![whole],
            _ => Vec::new(),
        }
    }
}

impl Disk for FaultDisk {
    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut state = self.0.lock();
        state.check(false)?;
        Ok(state.entries(directory)?.keys().cloned().collect())
    }

    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        let node = Node::Directory { seen: Entries::new(), kept: Entries::new(), waiting: Vec::new() };
        self.0.lock().make(directory, node).map(drop)
    }

    fn remove_directory(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        if !state.entries(directory)?.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let (parent, name) = split(directory);
        state.change(parent, Some(name), None)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.0.lock();
        let node = if how == Open::New {
            let (seen, kept, waiting) = Default::default();
            state.make(path, Node::File { seen, kept, waiting, is_open_to_others: false })?
        } else {
            state.check(false)?;
            state.find(path)?
        };
        Ok(Box::new(FaultFile { state: self.0.clone(), node }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let node = state.find(from)?;
        let ((parent, old), (_, new)) = (split(from), split(to));
        let replaced = state.entries(parent)?.get(new).copied();
        if let Some(Node::Directory { seen, .. }) = replaced.map(|node| &state.nodes[node])
            && !seen.is_empty()
        {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        state.change(parent, Some(old), Some((new, node)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.find(path)?;
        let (parent, name) = split(path);
        state.change(parent, Some(name), None)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.check(true)?;
        let node = state.find(directory)?;
        state.nodes[node].sync();
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        if !self.0.lock().locks.insert(path.to_owned()) {
            return Ok(Lock::Held(Some(std::process::id())));
        }
        let held = Box::new(Held { state: self.0.clone(), path: path.to_owned() });
        let mut state = self.0.lock();
        let node = match state.find(path) {
            Ok(node) => node,
            Err(_) => {
                let (seen, kept, waiting) = Default::default();
                state.make(path, Node::File { seen, kept, waiting, is_open_to_others: true })?
            }
        };
        if let Node::File { seen, .. } = &mut state.nodes[node] {
            *seen = std::process::id().to_string().into();
        }
        drop(state);
        Ok(Lock::Taken(held))
    }
}

fn split(path: &Path) -> (&Path, &str) {
    let name = path.file_name().and_then(|name| name.to_str());
    (path.parent().expect("not the root"), name.expect("names are text"))
}

struct Held {
    state: Arc<Mutex<State>>,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.state.lock().locks.remove(&self.path);
    }
}
