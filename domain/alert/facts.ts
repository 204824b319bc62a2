/**
 * What an alert says, frozen when it is raised: numbers and names, no rendered text, no address.
 * Channels render from these through `templateVariables` (domain/template.ts).
 */
import type { Cadence, Dimension, Priority, Severity } from '../words.js';

export interface ThresholdFacts {
  readonly org: string;
  /** The agent's name; the organisation's for the pooled budget. */
  readonly agentName: string;
  readonly dimension: Dimension;
  readonly cadence: Cadence;
  /** The threshold that was crossed, basis points. */
  readonly thresholdBps: number;
  /** In the dimension's unit: nano-USD, tokens, calls, ms. */
  readonly spent: number;
  readonly limit: number;
  readonly severity: Severity;
  readonly priority: Priority;
  /** When the period ends, epoch ms; absent for `run` and `total`. */
  readonly resetsAt?: number;
  readonly zone: string;
  /** When the crossing was seen, epoch ms. */
  readonly at: number;
  /** B4. Found after the period's end. */
  readonly late?: boolean;
  /** The period was killed by this crossing (K1). */
  readonly kills?: boolean;
}
