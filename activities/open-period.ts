/** For a period opened by a direct sender: makes the row, or loads what an earlier life left. */
import type { PeriodOpening, PeriodRow } from '../domain/budget/input.js';
import type { ActivityDependencies } from './index.js';

export function createOpenPeriod({
  ledger,
  now,
}: Pick<ActivityDependencies, 'ledger' | 'now'>): (opening: PeriodOpening) => Promise<PeriodRow> {
  return async (opening) => {
    const row = await ledger.openPeriod(opening, now());
    const { key, window, name, limits, latches, firingNo, killed, senders, openAlerts } = row;
    return {
      ...{ key, window, name, limits, latches, firingNo, senders, openAlerts },
      ...(killed === undefined ? {} : { killed }),
    };
  };
}
