/** B8: what a row begins with, while a batch is on its way. Needs sessions that wait for each other. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { periodRowId } from '../../../domain/ids.js';
import { BOT, DAY_START, NOW, ORG, batch, events, seed, store, viewOf } from './bed.js';
import type { Bed } from './bed.js';
import { dailyOf, guardOf } from './leases-kit.js';

export function lockingContract(bed: Bed): void {
  test('LE-2: an ask waits for whoever holds its period, and then sees what that one granted', async () => {
    const daily = dailyOf(10);
    const guard = guardOf(() => bed.ledger(), 'g1', [daily]);
    await guard.ask(1);
    const other = new pg.Client({ connectionString: bed.databaseUrl() });
    await other.connect();
    await other.query('begin');
    await other.query('select from period for update');
    const progress = { settled: false };
    const asking = guard.ask(5).finally(() => {
      progress.settled = true;
    });
    const isWaiting = async () =>
      (await bed.sql('select from pg_locks where not granted')).length > 0;
    while (!(await isWaiting()) && !progress.settled) await new Promise(setImmediate);
    await other.query(
      `insert into lease (org, id, agent, holder, granted_cost, granted_tokens, granted_calls,
         periods, starts_at, ends_at, opened_at, renewed_at, expires_at)
       select org, 'other/1', agent, 'other', 9 * granted_cost, 0, 0, periods, starts_at, ends_at,
         opened_at, renewed_at, expires_at from lease`,
    );
    await other.query('commit');
    await other.end();
    expect(await asking).toMatchObject({ type: 'refused', why: 'exhausted', othersHold: true });
  });

  test('B8: a new row waits for the batch that is being stored, and sums it', async () => {
    const daily = seed('daily');
    await bed.ledger().configurations(ORG, [BOT]);
    await store(bed.ledger(), batch(events(1, { at: DAY_START }), []));
    const storing = new pg.Client({ connectionString: bed.databaseUrl() });
    await storing.connect();
    await storing.query('begin');
    await storing.query('select from scope_configuration for share');
    await storing.query(
      `insert into usage_event select org, 'second', agent, run, provider, model, input_tokens,
         output_tokens, cost_reported, cost_used, price_version, duration_ms, status, at,
         received_at, flags from usage_event`,
    );
    const progress = { settled: false };
    const ensuring = bed
      .ledger()
      .ensurePeriods([daily], NOW)
      .finally(() => {
        progress.settled = true;
      });
    const isWaiting = async () =>
      (await bed.sql('select from pg_locks where not granted')).length > 0;
    while (!(await isWaiting()) && !progress.settled) await new Promise(setImmediate);
    await storing.query('commit');
    await storing.end();
    await ensuring;
    expect((await viewOf(bed.ledger(), periodRowId(daily.key))).own.calls).toBe(2);
  });
}
