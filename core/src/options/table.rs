//! The table: what options there are, what they allow, and where they go.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::disk::{Durability, OnStorageError};
use super::validator::Validators;
use super::writers::Writers;
use super::{MapOptions, address, invalid};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{
    DEFAULT_MAX_KEY_BYTES, DEFAULT_MAX_VALUE_BYTES, MAX_CLUSTER_ID_BYTES, MAX_KEY_BYTES, MAX_MAP_NAME_BYTES, MAX_TTL_MS,
    MAX_VALUE_BYTES,
};
use crate::peer::PeerId;
use crate::secret::Secret;

/// One row of the table of options.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    pub name: &'static str,
    /// An option of maps (a node's configuration takes it too: as the default of its maps).
    pub of_map: bool,
    pub default: &'static str,
    /// What values are allowed.
    pub allowed: &'static str,
    pub about: &'static str,
}

const fn node(name: &'static str, default: &'static str, allowed: &'static str, about: &'static str) -> OptionInfo {
    OptionInfo { name, of_map: false, default, allowed, about }
}

const fn map(name: &'static str, default: &'static str, allowed: &'static str, about: &'static str) -> OptionInfo {
    OptionInfo { name, of_map: true, default, allowed, about }
}

const ADDRESSES: &str = "multiaddrs or host:port, separated by commas";

pub const OPTIONS: &[OptionInfo] = &[
    node("listen", "127.0.0.1:0", ADDRESSES, "where to listen; host:port means TCP and QUIC on that port, port 0 any free one"),
    node(
        "external_addrs",
        "",
        ADDRESSES,
        "addresses to tell others beside the listen addresses, such as those of a port mapping",
    ),
    node("bootstrap", "", ADDRESSES, "members to join through; one that answers is enough, all are retried for ever"),
    node("cluster_id", "default", "1 to 255 bytes of text", "nodes with different cluster ids never exchange anything"),
    node(
        "cluster_secret",
        "",
        "up to 4 secrets of 32 bytes, in hex or base64, or env:<variable>, or file:<path>, separated by commas",
        "only nodes that know one of them join, and all that is sent is sealed; the first seals, all open",
    ),
    node("allow_peers", "", "peer ids, separated by commas", "only these nodes join"),
    node("ban_peers", "", "peer ids, separated by commas", "these nodes never join; `ban` adds to them at run time"),
    node(
        "trust",
        "any",
        "any or tofu",
        "tofu: whom an address first led to is the only one taken there from then on; needs data_dir",
    ),
    node(
        "insecure",
        "false",
        "true or false",
        "listen beyond loopback without a secret or a list of peers: whoever reaches the port can join",
    ),
    node("target_peers", "8", "1 to 1024", "connections to keep, where the cluster has that many members"),
    node("max_peers", "128", "1 to 4096", "connections to accept at most; no less than target_peers"),
    node("anti_entropy_ms", "30000", "100 to 86400000", "how often to compare with one random peer, jittered by 25 %"),
    node(
        "peer_timeout_ms",
        "10000",
        "1000 to 3600000",
        "on presence maps: an author is gone after so long without a sign of life; the same on every node",
    ),
    node(
        "data_dir",
        "",
        "a path",
        "where durable maps and this node's identity are kept; one process at a time; empty: nothing is kept",
    ),
    node(
        "identity_file",
        "",
        "a path",
        "the key that `generate_identity` made there: who this node is; else that in data_dir, or a new one each time",
    ),
    node("max_clock_drift_ms", "60000", "1 to 31536000000", "entries stamped further ahead than this are set aside"),
    node("maps", "", "map names, separated by commas", "maps to open with the node; maps.<map>.<option> sets an option of one"),
    map(
        "validator",
        "",
        "utf8, json, max_bytes:<n>, several separated by commas",
        "what values must be; checked here and on arrival",
    ),
    map(
        "durability",
        "none",
        "none, async, sync",
        "none: in memory; async: on disk within fsync_interval_ms; sync: on disk before a write returns",
    ),
    map("fsync_interval_ms", "1000", "1 to 3600000", "with async: how much a loss of power may take"),
    map(
        "on_storage_error",
        "refuse",
        "refuse, memory",
        "when the disk fails: refuse writes until the map is opened anew, or go on in memory",
    ),
    map(
        "signed",
        "false",
        "true or false",
        "every entry carries its author's signature, which nobody can forge; the same on every node",
    ),
    map(
        "writers",
        "",
        "<peer id> or <prefix>=<peer id>, several separated by commas",
        "who may write what, checked here and on arrival; empty: everybody everything; needs signed",
    ),
    map("presence", "false", "true or false", "entries are visible only while their author is; the same on every node"),
    map("default_ttl_ms", "0", "0 (never) to 3155760000000", "when a put that says no ttl of its own expires"),
    map("tombstone_ttl_ms", "3600000", "1000 to 31536000000", "how old a removal is before it may be forgotten"),
    map("scan_ms", "1000", "10 to 86400000", "how often to look for what may be forgotten"),
    map(
        "origin_retention_ms",
        "2592000000",
        "1000 to 3155760000000",
        "how long to know what a node that is gone has written; more than the longest partition",
    ),
    map("max_key_bytes", "1024", "1 to 65536", "longer keys are refused"),
    map("max_value_bytes", "1048576", "1 to 4194304", "longer values are refused"),
    map(
        "max_entries",
        "0",
        "0 (no limit) to 18446744073709551615",
        "new keys beyond this many live entries are refused; what others write, beyond twice as many",
    ),
    map(
        "max_bytes",
        "0",
        "0 (no limit) to 18446744073709551615",
        "writes that would hold more bytes of keys and values are refused; what others write, beyond twice as many",
    ),
];

/// A node's options, parsed.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    pub listen: Vec<String>,
    pub external_addrs: Vec<String>,
    pub bootstrap: Vec<String>,
    pub cluster_id: String,
    pub secrets: Vec<Secret>,
    pub allow_peers: Vec<PeerId>,
    pub ban_peers: Vec<PeerId>,
    /// Trust on first use.
    pub tofu: bool,
    pub insecure: bool,
    pub target_peers: usize,
    pub max_peers: usize,
    pub anti_entropy: Duration,
    pub peer_timeout_ms: u64,
    pub max_clock_drift_ms: u64,
    pub data_dir: Option<PathBuf>,
    pub identity_file: Option<PathBuf>,
    /// Maps that open with the node.
    pub declared: BTreeMap<String, MapOptions>,
    pub map_defaults: MapOptions,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            listen: address::listen(DEFAULT_LISTEN).unwrap_or_default(),
            external_addrs: Vec::new(),
            bootstrap: Vec::new(),
            cluster_id: "default".to_owned(),
            secrets: Vec::new(),
            allow_peers: Vec::new(),
            ban_peers: Vec::new(),
            tofu: false,
            insecure: false,
            target_peers: 8,
            max_peers: 128,
            anti_entropy: Duration::from_secs(30),
            peer_timeout_ms: 10_000,
            max_clock_drift_ms: 60_000,
            data_dir: None,
            identity_file: None,
            declared: BTreeMap::new(),
            map_defaults: MapOptions::default(),
        }
    }
}

const DEFAULT_LISTEN: &str = "127.0.0.1:0";

/// A map's options, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct MapSettings {
    pub validators: Validators,
    pub durability: Durability,
    pub fsync_interval_ms: u64,
    pub on_storage_error: OnStorageError,
    pub signed: bool,
    pub writers: Writers,
    pub presence: bool,
    /// 0: never.
    pub default_ttl_ms: u64,
    pub tombstone_ttl_ms: u64,
    pub scan_ms: u64,
    pub origin_retention_ms: u64,
    pub max_key_bytes: usize,
    pub max_value_bytes: usize,
    /// 0: no limit.
    pub max_entries: u64,
    /// 0: no limit.
    pub max_bytes: u64,
}

impl MapSettings {
    /// Whether checking what arrives takes so long that the network must not wait for it.
    pub fn takes_time(&self) -> bool {
        self.signed || self.validators.may_block()
    }
}

impl Default for MapSettings {
    fn default() -> Self {
        Self {
            validators: Validators::default(),
            durability: Durability::None,
            fsync_interval_ms: 1_000,
            on_storage_error: OnStorageError::Refuse,
            signed: false,
            writers: Writers::default(),
            presence: false,
            default_ttl_ms: 0,
            tombstone_ttl_ms: 3_600_000,
            scan_ms: 1_000,
            origin_retention_ms: 2_592_000_000,
            max_key_bytes: DEFAULT_MAX_KEY_BYTES,
            max_value_bytes: DEFAULT_MAX_VALUE_BYTES,
            max_entries: 0,
            max_bytes: 0,
        }
    }
}

/// Sets a node's option, or the default of its maps.
pub fn set_node(settings: &mut NodeSettings, name: &str, value: &str) -> Result<()> {
    let option = find(name)?;
    let (number, addresses) = (Numbers(option, value), Addresses(option, value));
    match option.name {
        "listen" => settings.listen = addresses.parse(address::listen)?,
        "external_addrs" => settings.external_addrs = addresses.parse(address::dial)?,
        "bootstrap" => settings.bootstrap = addresses.parse(address::dial)?,
        "cluster_id" if (1..=MAX_CLUSTER_ID_BYTES).contains(&value.len()) => settings.cluster_id = value.to_owned(),
        "cluster_id" => return Err(refused(option, value)),
        "cluster_secret" => settings.secrets = super::secret::secrets(value)?,
        "allow_peers" => settings.allow_peers = peers(option, value)?,
        "ban_peers" => settings.ban_peers = peers(option, value)?,
        "trust" if matches!(value, "any" | "tofu") => settings.tofu = value == "tofu",
        "trust" => return Err(refused(option, value)),
        "insecure" => settings.insecure = flag(option, value)?,
        "target_peers" => settings.target_peers = number.within(1, 1024)? as usize,
        "max_peers" => settings.max_peers = number.within(1, 4096)? as usize,
        "anti_entropy_ms" => settings.anti_entropy = Duration::from_millis(number.within(100, 86_400_000)?),
        "peer_timeout_ms" => settings.peer_timeout_ms = number.within(1_000, 3_600_000)?,
        "data_dir" => settings.data_dir = path(value),
        "identity_file" => settings.identity_file = path(value),
        "max_clock_drift_ms" => settings.max_clock_drift_ms = number.within(1, 31_536_000_000)?,
        "maps" => {
            list(value).try_for_each(check_map_name)?;
            for map in list(value) {
                settings.declared.entry(map.to_owned()).or_default();
            }
        }
        _ => {
            settings.map_defaults.set(name, value)?;
        }
    }
    Ok(())
}

/// Sets a map's option; returns the table's own copy of its name.
pub fn set_map(settings: &mut MapSettings, name: &str, value: &str) -> Result<&'static str> {
    let option = find(name)?;
    let number = Numbers(option, value);
    match option.name {
        "validator" => settings.validators.checks = list(value).map(super::validator::check).collect::<Result<_>>()?,
        "durability" => settings.durability = Durability::parse(option, value)?,
        "fsync_interval_ms" => settings.fsync_interval_ms = number.within(1, 3_600_000)?,
        "on_storage_error" => settings.on_storage_error = OnStorageError::parse(option, value)?,
        "signed" => settings.signed = flag(option, value)?,
        "writers" => settings.writers = Writers::parse(list(value))?,
        "presence" => settings.presence = flag(option, value)?,
        "default_ttl_ms" => settings.default_ttl_ms = number.within(0, MAX_TTL_MS)?,
        "tombstone_ttl_ms" => settings.tombstone_ttl_ms = number.within(1_000, 31_536_000_000)?,
        "scan_ms" => settings.scan_ms = number.within(10, 86_400_000)?,
        "origin_retention_ms" => settings.origin_retention_ms = number.within(1_000, MAX_TTL_MS)?,
        "max_key_bytes" => settings.max_key_bytes = number.within(1, MAX_KEY_BYTES as u64)? as usize,
        "max_value_bytes" => settings.max_value_bytes = number.within(1, MAX_VALUE_BYTES as u64)? as usize,
        "max_entries" => settings.max_entries = number.within(0, u64::MAX)?,
        "max_bytes" => settings.max_bytes = number.within(0, u64::MAX)?,
        _ => return Err(invalid(format!("`{name}` is an option of nodes, not of maps"))),
    }
    Ok(option.name)
}

/// What no single option can check.
pub fn check_node(settings: &NodeSettings) -> Result<()> {
    if settings.max_peers < settings.target_peers {
        return Err(invalid(format!(
            "`max_peers` is {}, less than `target_peers`, which is {}: raise the one or lower the other",
            settings.max_peers, settings.target_peers
        )));
    }
    if settings.tofu && settings.data_dir.is_none() {
        return Err(invalid("`trust=tofu` needs `data_dir`, where it keeps whom each address led to"));
    }
    match settings.listen.iter().find(|listen| !address::is_loopback(listen)) {
        Some(wide) if settings.secrets.is_empty() && settings.allow_peers.is_empty() => {
            if !settings.insecure {
                return Err(invalid(format!(
                    "`listen`: {wide} can be reached from other machines, and whoever reaches it can join: set `cluster_secret`, or \
                     `allow_peers`, or say `insecure=true` where the network itself keeps strangers out; or listen on 127.0.0.1"
                )));
            }
            tracing::warn!("insecure: whoever reaches {wide} can join the cluster `{}`", settings.cluster_id);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Errors: `InvalidArgument`.
pub fn check_map_name(name: &str) -> Result<()> {
    if (1..=MAX_MAP_NAME_BYTES).contains(&name.len()) {
        return Ok(());
    }
    let message = format!("a map's name has 1 to {MAX_MAP_NAME_BYTES} bytes, this one {}", name.len());
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

fn find(name: &str) -> Result<&'static OptionInfo> {
    OPTIONS.iter().find(|option| option.name == name).ok_or_else(|| {
        let known: Vec<_> = OPTIONS.iter().map(|option| option.name).collect();
        invalid(format!("there is no option `{name}`; there are {}", known.join(", ")))
    })
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn peers(option: &OptionInfo, value: &str) -> Result<Vec<PeerId>> {
    list(value).map(|peer| peer.parse().map_err(|_| refused(option, peer))).collect()
}

fn path(value: &str) -> Option<PathBuf> {
    (!value.is_empty()).then(|| PathBuf::from(value))
}

fn flag(option: &OptionInfo, value: &str) -> Result<bool> {
    value.parse().map_err(|_| refused(option, value))
}

pub(super) fn refused(option: &OptionInfo, value: &str) -> Error {
    let shown: String = value.chars().take(80).collect();
    invalid(format!("`{}` cannot be `{shown}`: allowed is {}", option.name, option.allowed))
}

struct Numbers<'a>(&'static OptionInfo, &'a str);

impl Numbers<'_> {
    fn within(&self, least: u64, most: u64) -> Result<u64> {
        let number = self.1.trim().parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| refused(self.0, self.1))
    }
}

struct Addresses<'a>(&'static OptionInfo, &'a str);

impl Addresses<'_> {
    fn parse(&self, parse: fn(&str) -> Option<Vec<String>>) -> Result<Vec<String>> {
        let mut addresses = Vec::new();
        for text in list(self.1) {
            addresses.extend(parse(text).ok_or_else(|| refused(self.0, text))?);
        }
        Ok(addresses)
    }
}
