/** The numbers of a guard: durations in ms, parts as 1/n. Data, so that tests can make it hasty. */

export interface HolderPolicy {
  /** How long a call waits for room, or for a service that does not answer, before it is refused. */
  readonly waitMs: number;
  /** Calls that may wait at a time; one more is refused. */
  readonly queueMax: number;
  /** Between two tries for the same: doubles from the first to the second. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
  /** A request without an answer is repeated after it: well before who waits for it gives up. */
  readonly answerMs: number;
  /** Nothing was begun for so long: what is not reserved goes back. */
  readonly idleMs: number;
  /** Between two times of giving back because somebody wants it. */
  readonly giveBackMs: number;
  /** Before its expiry a lease in use is renewed; one that is not in use is closed. */
  readonly renewAheadMs: number;
  /** L5. Before the end of its period the next one's lease is asked for, at the earliest. */
  readonly nextAheadMs: number;
  /** More is asked for when less than this part of the last growth is left. */
  readonly refillParts: number;
  /** What is asked for beyond the need, in calls: doubles while refills follow each other. */
  readonly strideCalls: number;
  readonly strideMaxCalls: number;
  /** Refills within it follow each other. */
  readonly strideMs: number;
  /** L4. A mark is ahead by at most this part of the smallest limit, and of what is open. */
  readonly markLimitParts: number;
  readonly markGrantParts: number;
  /** Request numbers are taken from the journal in blocks. */
  readonly numbersAhead: number;
  /** A close is sent after it even when not all was reported. */
  readonly closeAnywayMs: number;
  /** Between two questions whether a Stop or kill still stands, when calls come. */
  readonly recheckMs: number;
  /** L6. What happens when the lease is used up and nobody answers. */
  readonly unreachable: 'closed' | 'open';
}

export const HOLDER_POLICY: HolderPolicy = {
  waitMs: 5_000,
  queueMax: 1_000,
  retryMs: 100,
  retryMaxMs: 2_000,
  answerMs: 2_000,
  idleMs: 2_000,
  giveBackMs: 250,
  renewAheadMs: 12_000,
  nextAheadMs: 20_000,
  refillParts: 2,
  strideCalls: 8,
  strideMaxCalls: 8_192,
  strideMs: 2_000,
  markLimitParts: 1_000,
  markGrantParts: 4,
  numbersAhead: 100,
  closeAnywayMs: 5_000,
  recheckMs: 1_000,
  unreachable: 'closed',
};
