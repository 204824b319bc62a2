/**
 * Ratios of a limit as integers of basis points, 1 to 10,000 (T1), and the amounts they mean (B1).
 */
import { mulDivCeil, mulDivFloor } from './money.js';
import { refuse, type Refusal } from './refusal.js';

export const BPS_PER_ONE = 10_000;

/** A ratio in (0, 1] with at most four decimals -> basis points: `0.7 -> 7000`. Else a refusal. */
export function parseRatio(ratio: unknown): number | Refusal {
  if (typeof ratio !== 'number' || Number.isNaN(ratio)) {
    const seen = typeof ratio === 'number' ? 'NaN' : typeof ratio;
    return refuse('ratio_not_a_number', `A threshold must be a number in (0, 1], not ${seen}.`);
  }
  if (ratio <= 0 || ratio > 1) {
    return refuse(
      'ratio_out_of_range',
      `A threshold must be above 0 and at most 1, but ${String(ratio)} was given; write 80 % as 0.8.`,
    );
  }
  const bps = Math.round(ratio * BPS_PER_ONE);
  // A decimal of four places and its bps / 10,000 are the same double; any other number is not.
  if (bps / BPS_PER_ONE !== ratio) {
    return refuse(
      'ratio_too_precise',
      `A threshold must have at most four decimals, but ${String(ratio)} has more; round it.`,
    );
  }
  return bps;
}

/** The amount at which a threshold is reached, in the unit of `limit`: `ceil(limit × bps / 10,000)`. */
export function thresholdAmount(limit: number, bps: number): number {
  return mulDivCeil(limit, bps, BPS_PER_ONE);
}

/**
 * Usage in whole percent, rounded down; above 100 once the limit is passed. Of a limit of 0
 * nothing is ever left, so it counts as used up: 100.
 */
export function pctUsed(spent: number, limit: number): number {
  return limit === 0 ? 100 : mulDivFloor(spent, 100, limit);
}
