/** B4. A crossing found after a period's end: its latches and its one alert, together or not at all. */
import type { AlertInput } from '../domain/alert/state.js';
import type { Latches } from '../domain/budget/state.js';
import type { Database } from './database.js';
import type { ClaimedPeriod } from './ledger.js';
import { jsonText } from './literals.js';
import { enqueueAlert } from './outbox.js';
import { CROSSING, dueAt } from './period-sql.js';

export interface LateEvaluation {
  readonly latches: Latches;
  readonly firingNo: number;
  readonly alert?: AlertInput;
  readonly now: number;
}

const LATE = `
update period set latches = $3::jsonb, firing_no = $4::bigint, lease_until = 0, tries = 0,
  reported_seq = greatest(period.reported_seq, $6::bigint),
  due_at = ${dueAt({
    now: '$5::bigint',
    crossing: CROSSING,
    reportedSeq: 'greatest(period.reported_seq, $6::bigint)',
  })}
where id = $1 and fence = $2::bigint and state = 'closed'
returning id`;

export async function recordLate(
  db: Database,
  claim: ClaimedPeriod,
  late: LateEvaluation,
): Promise<void> {
  await db.transaction(async (run) => {
    const rows = await run(LATE, [
      claim.id,
      claim.fence,
      jsonText(late.latches),
      late.firingNo,
      late.now,
      claim.seq,
    ]);
    if (rows.length === 1 && late.alert !== undefined) {
      await enqueueAlert(run, late.alert, late.now);
    }
  });
}
