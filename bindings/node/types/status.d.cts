/** How a map compares with one peer; also with a node that is not connected, if it is the author of something that is wrong. */
export interface MapPeer {
  readonly id: string;
  /** Whether it is connected and has the map open. */
  readonly connected: boolean;
  /** Whether both were equal when last compared; undefined before the first comparison. */
  readonly inSync?: boolean;
  /** Entries held here that it lacked when last compared; undefined before the first comparison. */
  readonly behind?: number;
  /** How far its clock is ahead of this node's, when last compared; behind when negative. */
  readonly driftMs?: number;
  /** Entries of this author that were set aside, each time they came, because they were stamped too far ahead. */
  readonly aheadEntries: number;
  /** Whether removals cannot be forgotten until writes of this author arrive, which are known of and missing here. */
  readonly holdsUpForgetting: boolean;
  /** When a sync from this peer last completed, in milliseconds since the Unix epoch. */
  readonly lastSyncMs?: number;
}

export interface MapStatus {
  readonly name: string;
  /** Entries in the view. */
  readonly live: number;
  /** Removals, and entries that expired, remembered. */
  readonly tombstones: number;
  /** Entries that presence hides, because their author is gone. */
  readonly hidden: number;
  /** Keys and values held. */
  readonly bytes: number;
  /** Equal digests mean equal copies. 64 hex digits. */
  readonly digest: string;
  /** Connected peers that have the map open, and authors that something is wrong with. */
  readonly peers: MapPeer[];
  /** Writes that wait for the network. */
  readonly outbox: number;
  /** Entries of peers that the validator or a limit refused. */
  readonly refusedEntries: number;
  /** Entries of peers set aside because they were stamped too far ahead. */
  readonly aheadEntries: number;
  /** Messages dropped because they were malformed. */
  readonly rejectedMessages: number;
  /** Deltas that arrived with something missing before them. */
  readonly gaps: number;
  /** Pulls completed. */
  readonly syncs: number;
  /** Comparisons that found the same writes seen and yet another state: a full sync follows each. */
  readonly selfChecks: number;
  /** Removals and expired entries forgotten since the map was opened. */
  readonly forgotten: number;
  /** Openings of this map, by any node, that its causal context names. */
  readonly origins: number;
  /** How far this map's clock is ahead of this node's wall clock, because a peer's or its own was. */
  readonly clockAheadMs: number;
  /** How long what is written lasts. */
  readonly durability: 'none' | 'async' | 'sync';
  /** Why the disk is not written to any more, if so: the map refuses writes, or goes on in memory, as `onStorageError` says. */
  readonly storageError?: string;
  /** What was cut off a torn log when the map was opened. */
  readonly cutBytes: number;
  /** Log on disk beside the snapshot. */
  readonly logBytes: number;
}

export interface PeerInfo {
  readonly id: string;
  /** The address the connection uses. */
  readonly addr: string;
  /** Whether this node dialled. */
  readonly outbound: boolean;
  /** Round trip of the last ping. */
  readonly roundTripMs?: number;
  /** Maps that both have open. */
  readonly maps: string[];
  /** How far its clock is ahead of this node's, when last compared; behind when negative. */
  readonly driftMs?: number;
  /** Whether all maps in common were equal when last compared; undefined before each was. */
  readonly inSync?: boolean;
}

export interface NodeStatus {
  readonly id: string;
  readonly clusterId: string;
  readonly addrs: string[];
  readonly maps: string[];
  readonly peers: PeerInfo[];
  /** Members known, connected or not, without this one. */
  readonly members: number;
  /** Messages dropped because they were malformed or oversized, before any map was concerned. */
  readonly rejectedMessages: number;
  /** The median of the peers' `driftMs`: how far the others are ahead of this node's clock. Undefined without peers. */
  readonly clockDriftMs?: number;
  /**
   * Whether this node's own clock is the odd one out: most peers agree with each other, and not with it. What it writes may be
   * set aside by all, or lose against older writes: mend the clock.
   */
  readonly clockSuspect: boolean;
  /**
   * Why this node has left the network for good, if so: another one runs with its identity, because its `data_dir` was copied.
   * Its maps are read, and take no writes: `P2PMAP_LOCKED`.
   */
  readonly identityError?: string;
  /**
   * Why the node that was dialled last is no peer, if one of the two is a stranger to the other: no secret in common, another
   * cluster, not allowed, another version. Undefined once a dialled node is a peer.
   */
  readonly admissionError?: string;
}
