/** The numbers of the guards' channel, as data: tests use smaller ones. Durations in ms. */
export interface GuardPolicy {
  /** From one look into the ledger to the next, while somebody is connected. */
  readonly pollMs: number;
  /** From one word that says the connection stands to the next. */
  readonly beatMs: number;
  /** What may wait for one guard, bytes; it is dropped when more would. */
  readonly bufferBytes: number;
  readonly maxStreams: number;
  readonly perOrganisation: number;
  readonly perKey: number;
  /** Then a guard has to come again, with a key that still opens. */
  readonly maxAgeMs: number;
}

export const DEFAULT_GUARD_POLICY: GuardPolicy = {
  pollMs: 250,
  beatMs: 10_000,
  bufferBytes: 64 * 1024,
  maxStreams: 10_000,
  perOrganisation: 5_000,
  perKey: 2_000,
  maxAgeMs: 900_000,
};
