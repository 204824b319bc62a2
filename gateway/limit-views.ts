/** What holds for a scope, from which layer, and until when (C1). */
import type { Limit } from '../domain/budget/limits.js';
import {
  effectiveBudgets,
  standing,
  withoutEnded,
  type Raise,
} from '../domain/configuration/layers.js';
import type { Cadence } from '../domain/words.js';
import type { ScopeLayers } from '../ledger/ledger.js';

export interface LimitView extends Limit {
  readonly cadence: Cadence;
  /** Who set the operator's part, when, and why; epoch ms. */
  readonly set?: { readonly by: string; readonly at: number; readonly reason?: string };
}

/** An agent, or, without one, the organisation. */
export interface ScopeLimitsView {
  readonly agent?: string;
  readonly zone: string;
  readonly rev: number;
  /** What holds now. */
  readonly limits: readonly LimitView[];
  /** Those that hold now. */
  readonly raises: readonly Raise[];
}

/** As of `now`, whether or not what has ended is written yet. */
export function scopeLimitsView(layers: ScopeLayers, now: number): ScopeLimitsView {
  const { scope, zone, rev, synced } = layers;
  const operator = withoutEnded(layers.operator, now);
  const limits = effectiveBudgets(synced, operator, now).flatMap(({ cadence, limits: held }) =>
    held.map((limit): LimitView => {
      const entry = standing(operator.limits, cadence, limit.dimension);
      if (entry === undefined) return { cadence, ...limit };
      const { by, at, reason } = entry;
      return { cadence, ...limit, set: { by, at, ...(reason === undefined ? {} : { reason }) } };
    }),
  );
  return {
    ...(scope === 'org' ? {} : { agent: scope.slice('agent:'.length) }),
    ...{ zone, rev, limits, raises: operator.raises },
  };
}
