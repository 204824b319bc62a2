/**
 * What one sender has counted in one period, so far. Usage reaches a period as totals, never as
 * deltas: repeating, reordering or losing a report changes nothing, and the next one heals it.
 */

/** Integers: nano-USD, tokens, calls; `firstAt`/`lastAt` epoch ms of the earliest and latest event. */
export interface Totals {
  readonly cost: number;
  readonly tokens: number;
  readonly calls: number;
  readonly firstAt?: number;
  readonly lastAt?: number;
}

/** What is known of a run's life (B7). `open` is false from `run_ended` on. */
export interface RunLife {
  readonly startedAt?: number;
  /** Last event or heartbeat. */
  readonly heardAt?: number;
  readonly open: boolean;
}
