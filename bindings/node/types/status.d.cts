/** How a map compares with one peer. */
export interface MapPeer {
  readonly id: string;
  /** Whether both were equal when last compared; undefined before the first comparison. */
  readonly inSync?: boolean;
  /** When a sync with this peer last completed, in milliseconds since the Unix epoch. */
  readonly lastSyncMs?: number;
}

export interface MapStatus {
  readonly name: string;
  /** Entries in the view. */
  readonly live: number;
  readonly tombstones: number;
  /** Keys and values held. */
  readonly bytes: number;
  /** Equal digests mean equal copies. 64 hex digits. */
  readonly digest: string;
  readonly peers: MapPeer[];
  /** Writes that wait for the network. */
  readonly outbox: number;
  /** Entries of peers that the validator or a limit refused. */
  readonly refusedEntries: number;
  /** Entries of peers set aside because they were stamped too far ahead. */
  readonly aheadEntries: number;
  /** Messages dropped because they were malformed. */
  readonly rejectedMessages: number;
  readonly gaps: number;
  /** Syncs completed. */
  readonly syncs: number;
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
  /** Whether all maps in common were equal when last compared; undefined before the first comparison. */
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
  /** Messages dropped because they were malformed, oversized or for no map of this node. */
  readonly rejectedMessages: number;
}
