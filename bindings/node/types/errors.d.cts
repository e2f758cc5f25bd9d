/** The `code` of every error that p2pmap throws or rejects with. */
export type ErrorCode =
  | 'P2PMAP_INVALID_ARGUMENT'
  | 'P2PMAP_INVALID_CONFIG'
  | 'P2PMAP_INVALID_VALUE'
  | 'P2PMAP_TOO_LARGE'
  | 'P2PMAP_CLOSED'
  | 'P2PMAP_LOCKED'
  | 'P2PMAP_STORAGE'
  | 'P2PMAP_CORRUPTED'
  | 'P2PMAP_NETWORK'
  | 'P2PMAP_ADDRESS_IN_USE'
  | 'P2PMAP_TIMEOUT'
  | 'P2PMAP_FULL'
  | 'P2PMAP_UNSUPPORTED'
  | 'P2PMAP_FORKED'
  | 'P2PMAP_NOT_PERMITTED'
  | 'P2PMAP_INTERNAL';

/** What a failed call throws or rejects with. The message names the thing, the limit and the remedy; it never holds a value. */
export interface P2pMapError extends Error {
  readonly code: ErrorCode;
}
