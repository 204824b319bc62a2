/** For a period opened by a direct sender: makes the row, or loads what an earlier life left. */
import type { PeriodOpening, PeriodRow } from '../domain/budget/input.js';
import { LEDGER } from '../domain/budget/state.js';
import type { ActivityDependencies } from './index.js';

export function createOpenPeriod({
  ledger,
  now,
}: Pick<ActivityDependencies, 'ledger' | 'now'>): (opening: PeriodOpening) => Promise<PeriodRow> {
  return async (opening) => {
    const row = await ledger.openPeriod(opening, now());
    const { key, window, name, limits, latches, firingNo, killed, openAlerts, epoch, seq, own } =
      row;
    // B8. What the book holds counts at once: the relay tells only what has changed since it told.
    const senders = { ...row.senders, [LEDGER]: { epoch, seq, totals: own } };
    return {
      ...{ key, window, name, limits, latches, firingNo, senders, openAlerts },
      ...(killed === undefined ? {} : { killed }),
      publishes: row.publishes ?? 0,
    };
  };
}
