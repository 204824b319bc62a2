/** What a batch of asks has come to, written in one statement. */
import type { Run } from './database.js';
import type { HolderRow, LeaseRow, PeriodBook } from './lease-rows.js';
import { jsonText } from './literals.js';

/** What is settled is ingest's, and how a lease ends is its close's. */
const WRITE = `
with given as (
  insert into lease (org, id, agent, run, holder, granted_cost, granted_tokens, granted_calls,
    periods, starts_at, ends_at, opened_at, renewed_at, expires_at)
  select org, id, agent, run, holder, granted_cost, granted_tokens, granted_calls, periods,
    starts_at, ends_at, opened_at, renewed_at, expires_at
  from json_to_recordset($1::json) as l (org text, id text, agent text, run text, holder text,
    granted_cost bigint, granted_tokens bigint, granted_calls bigint, periods jsonb,
    starts_at bigint, ends_at bigint, opened_at bigint, renewed_at bigint, expires_at bigint)
  on conflict (org, id) do update set granted_cost = excluded.granted_cost,
    granted_tokens = excluded.granted_tokens, granted_calls = excluded.granted_calls,
    periods = excluded.periods, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
), told as (
  update lease_holder h set last_n = t.last_n, answer = t.answer, at = $4::bigint
  from json_to_recordset($2::json) as t (org text, holder text, last_n bigint, answer text)
  where h.org = t.org and h.holder = t.holder
), marked as (
  update period p set leased_at = m.leased_at, wanted_at = m.wanted_at
  from json_to_recordset($3::json) as m (id text, leased_at bigint, wanted_at bigint)
  where p.id = m.id
)
select 1`;

export async function writeAnswers(
  run: Run,
  written: {
    readonly leases: readonly LeaseRow[];
    readonly holders: readonly HolderRow[];
    readonly periods: readonly PeriodBook[];
    readonly now: number;
  },
): Promise<void> {
  if (written.holders.length === 0) return;
  const marks = written.periods
    .filter(
      ({ row, leasedAt, wantedAt }) =>
        leasedAt !== (row.leased_at ?? undefined) || wantedAt !== (row.wanted_at ?? undefined),
    )
    .map(({ row, leasedAt, wantedAt }) => ({
      ...{ id: row.id, leased_at: leasedAt, wanted_at: wantedAt },
    }));
  await run(WRITE, [
    jsonText(written.leases),
    jsonText(written.holders),
    jsonText(marks),
    written.now,
  ]);
}
