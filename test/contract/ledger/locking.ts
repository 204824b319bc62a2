/** B8: what a row begins with, while a batch is on its way. Needs sessions that wait for each other. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { periodRowId } from '../../../domain/ids.js';
import { BOT, DAY_START, NOW, ORG, batch, events, seed, store, viewOf } from './bed.js';
import type { Bed } from './bed.js';

export function lockingContract(bed: Bed): void {
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
