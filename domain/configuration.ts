/**
 * What one agent (or the organisation) is held to now: what was synced under what an operator set
 * (configuration/layers.ts). The ledger keeps it with a revision; periods freeze what concerns them as `Limits`.
 */
import type { Cadence } from './words.js';
import type { Limit } from './budget/limits.js';
import type { Scope } from './budget/period-key.js';

/** A budget is one cadence's limits. */
export interface Budget {
  readonly cadence: Cadence;
  readonly limits: readonly Limit[];
}

export interface ScopeConfiguration {
  readonly org: string;
  readonly scope: Scope;
  readonly zone: string;
  readonly budgets: readonly Budget[];
  /** Grows with every change; 0 for a scope nobody configured. */
  readonly rev: number;
  /** Epoch ms of the last change; periods that began before it start from what the ledger holds (B8). */
  readonly changedAt: number;
  /** C1. When part of the operator's layer ends by itself; from then on this is out of date. */
  readonly changesAt?: number;
  /** Accepted and shown, never evaluated (`loops`, unknown words of newer SDKs). */
  readonly shown?: readonly unknown[];
}

/** The limits of one cadence, empty where there is no such budget. */
export function limitsOf(configuration: ScopeConfiguration, cadence: Cadence): readonly Limit[] {
  return configuration.budgets.find((budget) => budget.cadence === cadence)?.limits ?? [];
}
