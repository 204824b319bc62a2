/**
 * The amounts at which a period next wants to hear at once, in terms of the ledger's own totals
 * (architecture.md §4). N-1. Every amount given lies above what was evaluated, so a report that
 * reaches it always changes it: publish and report cannot chase each other.
 */
import { thresholdAmount } from '../ratio.js';
import type { Dimension } from '../words.js';
import { baseOf, type Limits } from './limits.js';
import { latchKey } from './latch-key.js';
import type { Latches, Notify } from './state.js';
import type { Totals } from './totals.js';

/** Of a row nobody has evaluated yet: the lowest threshold of each dimension. */
export function initialNotify(limits: Limits): Notify {
  return notifyFor(limits, {}, { cost: 0, tokens_total: 0, calls: 0, duration: 0 }, NO_DIRECT);
}

const NO_DIRECT: Totals = { cost: 0, tokens: 0, calls: 0 };

/**
 * `spent` is what was evaluated, all senders together, since the last reset; `direct` the part the
 * ledger does not know.
 */
export function notifyFor(
  limits: Limits,
  latches: Latches,
  spent: Readonly<Record<Dimension, number>>,
  direct: Totals,
): Notify {
  const next = (dimension: Dimension): number | undefined => {
    const limit = limits.limits.find((each) => each.dimension === dimension);
    if (limit === undefined) return undefined;
    for (const threshold of limit.thresholds) {
      const amount = thresholdAmount(limit.amount, threshold.bps);
      const waits = threshold.routes.some(
        (route) =>
          latches[latchKey(dimension, threshold.bps, route.channel)]?.reached === undefined,
      );
      if (waits && amount > spent[dimension]) return amount + baseOf(limits, dimension);
    }
    return undefined;
  };
  const cost = next('cost');
  const tokens = next('tokens_total');
  const calls = next('calls');
  const duration = next('duration');
  return {
    ...(cost === undefined ? {} : { cost: cost - direct.cost }),
    ...(tokens === undefined ? {} : { tokens: tokens - direct.tokens }),
    ...(calls === undefined ? {} : { calls: calls - direct.calls }),
    ...(duration === undefined ? {} : { duration }),
  };
}
