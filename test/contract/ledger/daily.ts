/** One agent's daily budget of 10 USD with thresholds at 8 and 10, and events of 1 USD. */
import { periodRowId } from '../../../domain/ids.js';
import {
  NOW,
  USD,
  batch,
  claimOne,
  costLimit,
  events,
  limitsOf,
  publishedOf,
  seed,
  store,
} from './bed.js';
import type { Bed } from './bed.js';

export function dailyOf(bed: Bed) {
  const limits = limitsOf(0, costLimit(10));
  const daily = seed('daily', { limits });
  const id = periodRowId(daily.key);

  /** Stores `count` events of 1 USD, whose keys are new when `prefix` is. */
  const spend = (count: number, prefix: string, over = {}) =>
    store(bed.ledger(), batch(events(count, {}, prefix), [daily], over));
  /** The row's first report, delivered; notify stands at 8 USD. */
  const started = async () => {
    await spend(1, 'a');
    const claim = await claimOne(bed.ledger());
    await bed.ledger().periodReported(claim, NOW, 10_000);
    await bed.ledger().publish(publishedOf(claim, { notify: { cost: 8 * USD } }), NOW);
    return claim;
  };
  return { limits, daily, id, spend, started };
}
