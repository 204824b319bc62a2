/** The numbers of push, as data: tests use smaller ones. Durations in ms, sizes in bytes. */
export interface PushPolicy {
  readonly ticketMs: number;
  /** A socket that has not answered so many pings in a row is dropped. */
  readonly pingMs: number;
  readonly missedPings: number;
  /** What may wait for one client; it is dropped when more would. */
  readonly bufferBytes: number;
  /** What a client has missed is sent when it connects: the newest of the last day, so many. */
  readonly missed: number;
  readonly keepMs: number;
  /** The ledger takes a gateway for lost after 4 s without. */
  readonly beatMs: number;
  readonly maxSockets: number;
  /** Sockets of one person, over all gateways. */
  readonly devices: number;
  /** Then a client has to come again, with a ticket that somebody still gives it. */
  readonly maxAgeMs: number;
  /** Frames a second that a client may send. */
  readonly frames: number;
  /** A frame of a client. */
  readonly frameBytes: number;
  /** For so long an acknowledgement is this gateway's to tell; then a relay does. */
  readonly confirmMs: number;
  /** Changes read from the ledger at a time. */
  readonly batch: number;
}

export const DEFAULT_PUSH_POLICY: PushPolicy = {
  ticketMs: 60_000,
  pingMs: 20_000,
  missedPings: 2,
  bufferBytes: 256 * 1024,
  missed: 100,
  keepMs: 86_400_000,
  beatMs: 1_000,
  maxSockets: 20_000,
  devices: 20,
  maxAgeMs: 43_200_000,
  frames: 50,
  frameBytes: 4 * 1024,
  confirmMs: 2_000,
  batch: 500,
};

/** Why a gateway ends a connection; what a client does then is in docs/guides/push.md. */
export const CLOSE = {
  /** It said something that is no text. */
  noText: 1003,
  /** It said something that cannot be read, or too much. */
  policy: 1008,
  /** This gateway ends, or the ticket has served its time: come again at once. */
  restart: 1012,
} as const;
