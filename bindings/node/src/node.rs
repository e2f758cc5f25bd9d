//! A node, and the two-line start that hides it.

use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use p2pmap::Node;

use crate::environment::Environment;
use crate::map::MapHandle;
use crate::outcome::{promise, run};
use crate::settings::{Settings, optional_validator};
use crate::status::{JsNodeStatus, JsPeerInfo};
use crate::validator::JsValidator;

/// Opens a map on a node of its own. A promise of a [`MapHandle`].
#[napi]
pub fn open_map<'env>(
    env: &'env Env,
    name: String,
    settings: Settings,
    validator: Option<JsValidator<'_>>,
) -> napi::Result<Object<'env>> {
    let environment = Environment::current(env)?;
    let validator = optional_validator(env, validator)?;
    let open = move || {
        let map = p2pmap::open(&name, settings.config(validator)?)?;
        environment.adopt(&map.node())?;
        Ok(map)
    };
    promise(env, open, MapHandle::new)
}

/// Starts a node. A promise of a [`NodeHandle`].
#[napi]
pub fn open_node<'env>(env: &'env Env, settings: Settings, validator: Option<JsValidator<'_>>) -> napi::Result<Object<'env>> {
    let environment = Environment::current(env)?;
    let validator = optional_validator(env, validator)?;
    let open = move || {
        let node = Node::open(settings.config(validator)?)?;
        environment.adopt(&node)?;
        Ok(node)
    };
    promise(env, open, |node| NodeHandle { node })
}

/// Makes an identity. A promise of its peer id.
#[napi]
pub fn generate_identity(env: &Env, path: String) -> napi::Result<Object<'_>> {
    promise(env, move || p2pmap::generate_identity(path), |id| id.to_string())
}

/// A running node.
#[napi]
pub struct NodeHandle {
    node: Node,
}

#[napi]
impl NodeHandle {
    #[napi(getter)]
    pub fn id(&self) -> String {
        self.node.id().to_string()
    }

    #[napi(getter)]
    pub fn addrs(&self) -> Vec<String> {
        self.node.addrs()
    }

    #[napi(getter)]
    pub fn closed(&self) -> bool {
        self.node.is_closed()
    }

    /// A promise of the peer's id.
    #[napi]
    pub fn connect<'env>(&self, env: &'env Env, addr: String, timeout_ms: f64) -> napi::Result<Object<'env>> {
        let node = self.node.clone();
        promise(env, move || node.connect(&addr, millis(timeout_ms)), |peer| peer.to_string())
    }

    #[napi]
    pub fn ban(&self, env: &Env, peer: String) -> napi::Result<()> {
        run(env, || self.node.ban(&peer.parse()?))
    }

    #[napi]
    pub fn banned(&self, env: &Env) -> napi::Result<Vec<String>> {
        run(env, || Ok(self.node.banned()?.iter().map(ToString::to_string).collect()))
    }

    #[napi]
    pub fn peers(&self, env: &Env) -> napi::Result<Vec<JsPeerInfo>> {
        run(env, || Ok(self.node.peers()?.into_iter().map(JsPeerInfo::from).collect()))
    }

    #[napi]
    pub fn status(&self, env: &Env) -> napi::Result<JsNodeStatus> {
        run(env, || self.node.status().map(JsNodeStatus::from))
    }

    /// A promise of a [`MapHandle`].
    #[napi]
    pub fn map<'env>(
        &self,
        env: &'env Env,
        name: String,
        settings: Settings,
        validator: Option<JsValidator<'_>>,
    ) -> napi::Result<Object<'env>> {
        let node = self.node.clone();
        let validator = optional_validator(env, validator)?;
        promise(env, move || node.map(&name, settings.map_options(validator)?), MapHandle::new)
    }

    #[napi]
    pub fn maps(&self, env: &Env) -> napi::Result<Vec<String>> {
        run(env, || self.node.maps())
    }

    /// A promise of nothing.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let node = self.node.clone();
        promise(
            env,
            move || {
                node.close();
                Ok(())
            },
            |()| (),
        )
    }
}

/// A duration JavaScript gave. Anything that is not a finite number from 0 to a year is a year.
pub fn millis(ms: f64) -> Duration {
    const YEAR_MS: f64 = 365.0 * 24.0 * 60.0 * 60.0 * 1000.0;
    Duration::from_secs_f64(if (0.0..YEAR_MS).contains(&ms) { ms / 1000.0 } else { YEAR_MS / 1000.0 })
}
