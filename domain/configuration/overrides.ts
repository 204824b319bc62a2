/** C1, C2. What agents synced and an operator's layer keeps from holding: they are told. */
import { formatAmount } from '../amount.js';
import type { Budget } from '../configuration.js';
import { standing, withoutEnded, type OperatorLayer } from './layers.js';

export interface Override {
  /** `limit`: another amount holds. `alerts`: what was synced to be told is not. */
  readonly of: 'limit' | 'alerts';
  /** `daily cost: the operator's limit of $5.00 holds, not the synced $50.00`. */
  readonly text: string;
}

export function overridesOf(
  synced: readonly Budget[],
  operator: OperatorLayer,
  now: number,
): readonly Override[] {
  const { limits } = withoutEnded(operator, now);
  return synced.flatMap(({ cadence, limits: given }) =>
    given.flatMap(({ dimension, amount, thresholds }): Override[] => {
      const entry = standing(limits, cadence, dimension);
      if (entry === undefined || entry.kind === 'thresholds') return [];
      const what = `${cadence} ${dimension}`;
      const asked = formatAmount(dimension, amount);
      const word = entry.kind === 'ceiling' ? 'ceiling' : 'limit';
      const set = `the operator's ${word} of ${formatAmount(dimension, entry.amount)}`;
      const differs = entry.kind === 'ceiling' ? amount > entry.amount : amount !== entry.amount;
      const loses = entry.kind === 'limit' && thresholds.length > 0;
      return [
        ...(differs
          ? [{ of: 'limit' as const, text: `${what}: ${set} holds, not the synced ${asked}` }]
          : []),
        ...(loses
          ? [{ of: 'alerts' as const, text: `${what}: synced alerts do not apply to ${set}` }]
          : []),
      ];
    }),
  );
}
