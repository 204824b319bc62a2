/**
 * All that one budget period knows. Plain JSON: a rotation carries it whole, and the ledger's
 * row keeps what a new life of the workflow needs (`Published`).
 */
import type { Policy } from '../alert/policy.js';
import type { ThresholdAlert } from '../alert/state.js';
import type { Dimension } from '../words.js';
import type { Limits } from './limits.js';
import type { PeriodKey, PeriodWindow } from './period-key.js';
import type { Crossing } from './thresholds.js';
import type { RunLife, Totals } from './totals.js';

/** The ledger's own sender name; every other sender reports directly. */
export const LEDGER = 'ledger';

/**
 * The highest report of one sender. Its (epoch, seq) only grow: a report that is not higher is
 * a repeat. A closed sender keeps its totals and takes no more reports.
 */
export interface SenderTotals {
  readonly epoch: number;
  readonly seq: number;
  readonly totals: Totals;
  readonly closed?: boolean;
}

/**
 * One (dimension, threshold, channel) of the period (T2, T5). `reached` is the limit value under
 * which its amount was reached: while it is there the latch is spent, and only a limit above it
 * that leaves the amount unreached takes it away. `fired` are the limit values it has fired for,
 * `quietUntil` ends its cooldown.
 */
export interface Latch {
  readonly reached?: number;
  readonly fired: readonly number[];
  readonly quietUntil?: number;
}

/** Keyed by `latchKey`: `cost/8000/slack`. */
export type Latches = Readonly<Record<string, Latch>>;

/**
 * K1. Why the period is killed. `agents` narrows an organisation's kill to those that synced it
 * (C2); absent, it holds for all the period counts. `limit` is the limit it was killed under.
 */
export interface Killed {
  readonly at: number;
  readonly dimension: Dimension;
  readonly bps: number;
  readonly limit: number;
  readonly agents?: readonly string[];
}

/**
 * The amounts at which the period next wants to hear at once, in terms of the ledger's own
 * totals (architecture.md §4). An absent dimension is one nobody waits for. An optimisation:
 * correctness never depends on it.
 */
export interface Notify {
  readonly cost?: number;
  readonly tokens?: number;
  readonly calls?: number;
  /** Length of the run in ms. */
  readonly duration?: number;
}

/** An alert this period has raised and that it resolves at its end (T7). */
export interface OpenAlert {
  readonly alertId: string;
  readonly dimension: Dimension;
  /** What it was raised for; absent in rows of before. */
  readonly raised?: RaisedFor;
}

/**
 * All it takes to raise an alert once more under its id. Where Temporal still has it, that changes
 * nothing; where Temporal's database was lost, it is the alert's only way back.
 */
export interface RaisedFor {
  readonly no: number;
  readonly at: number;
  readonly limitsRev: number;
  readonly crossing: Crossing;
}

/** An alert on its way: its start is under way, or is tried again at `againAt`. */
export interface Raising {
  readonly input: ThresholdAlert;
  readonly againAt?: number;
}

export interface BudgetState {
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  /** What people call whoever spends here: the agent's name, or the organisation's. */
  readonly name: string;
  readonly policy: Policy;
  readonly phase: 'opening' | 'open' | 'closing' | 'closed';
  readonly limits: Limits;
  readonly senders: Readonly<Record<string, SenderTotals>>;
  readonly run?: RunLife;
  readonly latches: Latches;
  readonly firingNo: number;
  readonly killed?: Killed;
  readonly openAlerts: readonly OpenAlert[];
  /** What was last confirmed in the row, and whether a publish is under way. */
  readonly published?: PublishedMark;
  readonly publishing: boolean;
  /** When a failed publish is tried again. */
  readonly republishAt?: number;
  /** Crossings whose alert waits for the row to say `killed` (K3). */
  readonly afterPublish: readonly ThresholdAlert[];
  /** Alerts that are not yet known to have started. */
  readonly raising: readonly Raising[];
  /** When the state was last looked at: time-driven moments up to it are done with. */
  readonly evaluatedAt: number;
  /** The order of the last publish: tells those of equal (epoch, seq) apart, over all lives. */
  readonly publishes: number;
  /** Messages that could not be read or made no sense, counted and shown in the status. */
  readonly rejected: number;
  readonly lastRejection?: string;
  /** A sum passed 2^53 and was held there (B1). */
  readonly saturated?: boolean;
}

/** A fingerprint of what the row holds, to publish only what changed. */
export type PublishedMark = string;

/** What goes back to the period's row, and what a new life starts from. */
export interface Published {
  readonly key: PeriodKey;
  /** Fence: an older publish never overwrites a newer one. */
  readonly epoch: number;
  readonly seq: number;
  /** Order of publishes of equal (epoch, seq): grows in every publish of the workflow. */
  readonly order: number;
  readonly notify: Notify;
  readonly latches: Latches;
  readonly firingNo: number;
  readonly appliedRev: number;
  readonly killed?: Killed;
  readonly direct: Totals;
  /** Direct senders whole, so that a new life does not count them twice. */
  readonly senders: Readonly<Record<string, SenderTotals>>;
  readonly openAlerts: readonly OpenAlert[];
  readonly closed: boolean;
  readonly rejected: number;
}
