/**
 * Durations are data, frozen into every period and alert when it starts (A1): production uses
 * the spec's values, tests and the demo use shorter ones. All in milliseconds.
 */
export interface Policy {
  /** T5. Quiet time of one (dimension, threshold, channel) after it fired. */
  readonly cooldownMs: number;
  /** A3. Waits after the first, second, … failed attempt. */
  readonly ladderMs: readonly number[];
  /** B7. A run that was not heard of for so long is not open any more. */
  readonly runSilenceMs: number;
  /** B2. A run closes after so long without an event. */
  readonly runIdleMs: number;
  /** R3. A rule's alert is over when nothing was heard of its condition for so long. */
  readonly ruleSilenceMs: number;
  /** After a period's end, so long for the ledger's last word before it closes by itself. */
  readonly closeGraceMs: number;
  /** Wait before a failed publish or journal is tried again. */
  readonly retryMs: number;
  /** Rotation bounds, so that tests can lower them (architecture.md §4). */
  readonly rotateAfterEvents: number;
  readonly rotateAfterSignals: number;
  /** Whether the namespace has our search attributes: an unknown one would fail the task. */
  readonly searchAttributes: boolean;
}

export const DEFAULT_POLICY: Policy = {
  cooldownMs: 300_000,
  ladderMs: [30_000, 120_000, 600_000],
  runSilenceMs: 60_000,
  runIdleMs: 86_400_000,
  ruleSilenceMs: 600_000,
  closeGraceMs: 15_000,
  retryMs: 5_000,
  rotateAfterEvents: 330,
  rotateAfterSignals: 220,
  searchAttributes: true,
};
