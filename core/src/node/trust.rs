//! `trust=tofu`: whoever is first found at an address is the only one that is taken there from then on.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::limits::MAX_KNOWN_MEMBERS;
use crate::net::Trust;
use crate::options::NodeSettings;
use crate::peer::PeerId;
use crate::store::{self, DataDir};

/// What a data directory remembers. The file is read anew each time: a line that somebody removes is forgotten at once.
struct FirstFound {
    path: PathBuf,
    turn: Mutex<()>,
}

/// What a node with those settings trusts; `None`: whoever belongs to the cluster, wherever it is.
pub fn trust(settings: &NodeSettings, dir: Option<&DataDir>) -> Option<Arc<dyn Trust>> {
    let dir = dir.filter(|_| settings.tofu)?;
    Some(Arc::new(FirstFound { path: store::pins_file(dir.path()), turn: Mutex::new(()) }))
}

impl Trust for FirstFound {
    fn check(&self, addr: &str, peer: &PeerId) -> Result<(), String> {
        let _turn = self.turn.lock();
        let path = self.path.display();
        let pins = store::read_pins(&self.path).map_err(|error| format!("{path} cannot be read: {error}"))?;
        let peer = peer.to_string();
        match pins.iter().find(|(known, _)| known == addr) {
            Some((_, first)) if *first == peer => Ok(()),
            Some((_, first)) => Err(format!(
                "{peer} answered there, where {first} was first found: if it was replaced, remove its line from {path}, and else \
                 somebody is in its place"
            )),
            None if pins.len() >= MAX_KNOWN_MEMBERS => Err(format!("{path} holds {MAX_KNOWN_MEMBERS} addresses already")),
            None => store::add_pin(&self.path, addr, &peer).map_err(|error| format!("{path} cannot be written: {error}")),
        }
    }
}
