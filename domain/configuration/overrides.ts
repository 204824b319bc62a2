/** C1, C2. What agents synced and an operator's layer keeps from holding: they are told. */
import { formatAmount } from '../amount.js';
import type { Budget } from '../configuration.js';
import { standing, withoutEnded, type OperatorLayer } from './layers.js';

/** `daily cost: the operator's limit of $5.00 holds, not the synced $50.00`. */
export function overridesOf(
  synced: readonly Budget[],
  operator: OperatorLayer,
  now: number,
): readonly string[] {
  const { limits } = withoutEnded(operator, now);
  return synced.flatMap(({ cadence, limits: given }) =>
    given.flatMap(({ dimension, amount, thresholds }) => {
      const entry = standing(limits, cadence, dimension);
      if (entry === undefined || entry.kind === 'thresholds') return [];
      const what = `${cadence} ${dimension}`;
      const asked = formatAmount(dimension, amount);
      const set = formatAmount(dimension, entry.amount);
      if (entry.kind === 'ceiling') {
        return amount > entry.amount
          ? [`${what}: the operator's ceiling of ${set} holds, not the synced ${asked}`]
          : [];
      }
      const differs =
        amount === entry.amount
          ? []
          : [`${what}: the operator's limit of ${set} holds, not the synced ${asked}`];
      const count = thresholds.reduce((sum, { routes }) => sum + routes.length, 0);
      return count === 0
        ? differs
        : [...differs, `${what}: the limit is the operator's, synced alerts do not apply to it`];
    }),
  );
}
