/** Who and when a period is: one row of the ledger, one workflow (B3). */
import type { Cadence } from '../words.js';

/** `agent:<name>` or `org`, where all agents pool. */
export type Scope = `agent:${string}` | 'org';

/**
 * `period` is the UTC start instant (`20261121T000000Z`) of a calendar cadence, `all` of a
 * `total`, the run's id of a `run`. `generation` counts the lives of a run that closed after
 * 24 h and opened again (B2); it is 1 for everything else.
 */
export interface PeriodKey {
  readonly org: string;
  readonly scope: Scope;
  readonly cadence: Cadence;
  readonly period: string;
  readonly generation: number;
}

/** Half open: `startsAt <= t < endsAt`, epoch ms. A run and a `total` have no end known ahead. */
export interface PeriodWindow {
  readonly startsAt: number;
  readonly endsAt?: number;
  /** The IANA zone the window was computed in (B2). */
  readonly zone: string;
}
