//! Who a node is: the key that it proves itself with.

use std::path::Path;

use crate::error::Result;
use crate::net::{self, Identity};
use crate::options::NodeSettings;
use crate::peer::PeerId;
use crate::store::{self, DataDir};

/// Makes an identity, a new Ed25519 key, and keeps it in a new file, which only its owner may read. The peer id of whoever opens a
/// node with it as `identity_file`: what `allow_peers`, `ban_peers` and `writers` of others name.
///
/// Errors: `InvalidArgument` when there is something at that path, `Storage`; nothing is left there then.
/// Cost: blocks on the disk.
pub fn generate_identity(path: impl AsRef<Path>) -> Result<PeerId> {
    let key = net::new_identity()?;
    let id = net::peer_of(key)?;
    store::create_identity(path.as_ref(), &key)?;
    Ok(id)
}

/// That of a node with those settings: `identity_file` before `data_dir`. `None`: a new one.
pub fn identity(settings: &NodeSettings, dir: Option<&DataDir>) -> Result<Option<Identity>> {
    if let Some(file) = &settings.identity_file {
        return Ok(Some(Identity { key: store::read_identity(file)?, file: file.clone() }));
    }
    let kept = |dir: &DataDir| -> Result<_> {
        let key = store::identity(dir, net::new_identity)?;
        Ok(Identity { key, file: store::identity_file(dir.path()) })
    };
    dir.map(kept).transpose()
}
