/**
 * B2, T7. A run that closed and is heard of again begins a new life in its own row: nothing but
 * its name carries over, and its limits are taken anew (C3). Whatever still works for the old life
 * holds an outdated fence or generation.
 */
import type { Run } from './database.js';
import type { PeriodSeed } from './ledger.js';
import { jsonText } from './literals.js';
import { LIMIT_COLUMNS, LIMIT_RECORD, SEED_RECORD, limitColumns, seedColumns } from './seeds.js';

const names = LIMIT_COLUMNS.split(',').map((name) => name.trim());

/**
 * A life ends with the row, or `runIdleMs` after its last word, whether or not the relay came by.
 * What is older than a closed life's last event belongs to that life, as a late one (B4).
 */
const REOPEN = `
update period set
  generation = period.generation + 1, state = 'open', started = false, name = s.name,
  starts_at = s.starts_at, zone = s.zone, closes_at = s.heard_at + $2::bigint,
  own_cost = 0, own_tokens = 0, own_calls = 0, own_first_at = null, own_last_at = null,
  saturated = false, run_started_at = null, run_heard_at = null, run_open = false,
  ${names.map((name) => `${name} = s.${name}`).join(', ')},
  applied_rev = 0, latches = '{}', firing_no = 0, killed = null,
  direct = '{"cost":0,"tokens":0,"calls":0}', senders = '{}', open_alerts = '[]',
  published_epoch = -1, published_seq = -1, published_order = -1, rejected = 0,
  seq = period.seq + 1, reported_seq = period.seq + 1, claimed_seq = 0, next_at = 0,
  due_at = s.heard_at + $2::bigint, lease_until = 0, fence = period.fence + 1, tries = 0,
  parked_reason = null, leased_at = null, wanted_at = null,
  unleased_at = null
from (
  select * from json_to_recordset($1::json) as s (heard_at bigint, ${SEED_RECORD}, ${LIMIT_RECORD})
) as s
where period.id = s.id and period.cadence = 'run'
  and ((period.state = 'closed' and s.heard_at > coalesce(period.own_last_at, -1))
    or s.heard_at >= period.closes_at)`;

export async function reopenRuns(
  run: Run,
  runs: readonly { readonly seed: PeriodSeed; readonly at: number }[],
  runIdleMs: number,
): Promise<void> {
  const rows = runs.map(({ seed, at }) => ({
    heard_at: at,
    ...seedColumns(seed),
    ...limitColumns(seed.limits),
  }));
  await run(REOPEN, [jsonText(rows), runIdleMs]);
}
