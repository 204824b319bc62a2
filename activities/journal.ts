/** Appends an alert's decisions to the journal, which outlives the workflow (A10). */
import type { JournalEntry } from '../domain/alert/state.js';
import type { AlertStatus } from '../domain/alert/view.js';
import type { ActivityDependencies } from './index.js';

export function createJournal({
  ledger,
}: Pick<ActivityDependencies, 'ledger'>): (
  status: AlertStatus,
  entries: readonly JournalEntry[],
) => Promise<void> {
  return async ({ id, org, subject, phase, exhausted, raisedAt, facts }, entries) => {
    await ledger.appendJournal({ id, org, subject, phase, exhausted, raisedAt, facts }, entries);
  };
}
