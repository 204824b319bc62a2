/**
 * C1. A reset: the limits of the current period count from what it holds now. Totals, usage and the
 * book stay as they are; thresholds are armed again, and a kill or a block ends.
 */
import type { Base } from '../domain/budget/limits.js';
import { cadenceOf } from '../domain/configuration/change.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import type { Cadence } from '../domain/words.js';
import { audit } from './audit.js';
import type { ResetRequest } from './configuring.js';
import type { Database } from './database.js';
import { hold, lockedRow, OPEN_ROWS } from './layers-hold.js';
import { writeEnds } from './layers.js';
import { periodRowOf, totalsOf, type PeriodRow } from './period-row.js';

const COUNTED = ['cost', 'tokens_total', 'calls'] as const;

/** `changed` is false where nothing was spent since the period began, or was reset last. */
export function resetPeriod(
  db: Database,
  request: ResetRequest,
  runIdleMs: number,
): Promise<{ changed: boolean; cadence: Cadence } | Refusal> {
  const { org, scope, dimension, by, now, reason } = request;
  return db.transaction(async (run) => {
    const row = await writeEnds(run, await lockedRow(run, org, scope), now, runIdleMs);
    const cadence = cadenceOf(dimension, request.cadence, row.budgets);
    if (isRefusal(cadence)) return cadence;
    // Of two rows that are open the one that has begun, and not yet ended, is meant.
    const period = (await run(OPEN_ROWS, [org, scope, now]))
      .map(periodRowOf)
      .find((each) => each.cadence === cadence && each.starts_at <= now);
    const dimensions = COUNTED.filter((each) => dimension === undefined || each === dimension);
    if (period === undefined || dimensions.every((each) => countedIn(period, each) === 0)) {
      return { changed: false, cadence };
    }
    const totals = totalsOf(period);
    const given = Object.fromEntries(dimensions.map((each) => [each, totals[each]]));
    const base: Base = { ...period.limits.base, ...given, at: now };
    const { name, zone, synced, operator, shown } = row;
    const held = {
      name: name ?? org,
      ...{ zone, synced, operator },
      ...(shown === null ? {} : { shown }),
    };
    const resets = new Map([[period.id, base]]);
    await hold(run, row, held, { now, runIdleMs, windows: [], resets });
    await audit(run, {
      ...{ org, subject: scope, at: now, by, what: 'reset' },
      before: { period: period.id, base: period.limits.base },
      after: { base, reason },
    });
    return { changed: true, cadence };
  });
}

function countedIn(row: PeriodRow, dimension: (typeof COUNTED)[number]): number {
  return totalsOf(row)[dimension] - (row.limits.base?.[dimension] ?? 0);
}
