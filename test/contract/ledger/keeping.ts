/** Retention: what is old goes, and nothing that anything still hangs on. */
import { expect, test } from 'vitest';
import type { RetentionKind } from '../../../ledger/retention-policy.js';
import { DEFAULT_RETENTION } from '../../../ledger/retention-policy.js';
import { keptKinds } from '../../../ledger/retention-status.js';
import type { Ledger } from '../../../ledger/ledger.js';
import {
  batch,
  BOT,
  costLimit,
  DAY,
  event,
  events,
  limitsOf,
  NOW,
  ORG,
  seed,
  store,
} from './bed.js';
import { USD, type Bed } from './bed.js';
import { databaseOf } from './database.js';

const OLD = NOW - 100 * DAY;
const BEFORE = NOW - 40 * DAY;

/** Batch by batch until there is nothing more, as the relay does. */
async function pruneAll(ledger: Ledger, kind: RetentionKind, limit = 3): Promise<number> {
  let removed = 0;
  let next: Awaited<ReturnType<Ledger['prune']>>['next'];
  for (let turn = 0; turn < 100; turn += 1) {
    const request = { before: BEFORE, limit, ...(next === undefined ? {} : { after: next }) };
    const pruned = await ledger.prune(kind, request);
    removed += pruned.removed;
    next = pruned.next;
    if (next === undefined) return removed;
  }
  throw new Error(`Pruning ${kind} does not end.`);
}

const old = { at: OLD, receivedAt: OLD };

export function keepingContract(bed: Bed): void {
  test('old usage goes in batches, and every total stays what it was', async () => {
    const ledger = bed.ledger();
    await store(ledger, batch(events(10, old), []));
    await store(ledger, batch(events(4, { ...old, agent: 'other' }, 'o'), []));
    await store(ledger, batch([event('new')], []));
    expect(await pruneAll(ledger, 'events')).toBe(14);
    expect(await bed.sql('select idempotency_key as key from usage_event')).toEqual([
      { key: 'new' },
    ]);
    expect(await ledger.usage(ORG)).toMatchObject({ events: 15, cost: 15 * USD });
    expect(await ledger.usage(ORG, 'bot')).toMatchObject({ events: 11, tokens: 11 * 120 });
    expect(await pruneAll(ledger, 'events')).toBe(0);
  });

  test('B8: a budget without an end, made afterwards, begins with what was pruned, too', async () => {
    const ledger = bed.ledger();
    await store(ledger, batch(events(5, old), []));
    await store(ledger, batch(events(2, { ...old, agent: 'other' }, 'o'), []));
    await pruneAll(ledger, 'events');
    await store(ledger, batch([event('new')], []));
    const forever = { startsAt: 0, limits: limitsOf(0, costLimit(100)) };
    const seeds = [seed('total', forever), seed('total', { ...forever, scope: 'org' })];
    await ledger.ensurePeriods([...seeds, seed('daily')], NOW);
    const views = await ledger.budgets({ org: ORG, now: NOW, limit: 10 });
    const calls = views.map(({ key, own }) => [key.scope, key.cadence, own.calls, own.firstAt]);
    expect(calls).toContainEqual([BOT, 'total', 6, OLD]);
    expect(calls).toContainEqual(['org', 'total', 8, OLD]);
    // Only what began before is added: a day has its own.
    expect(calls).toContainEqual([BOT, 'daily', 1, NOW]);
  });

  test('B5: a key stays while a period it counts in is open, and the event counts once', async () => {
    const ledger = bed.ledger();
    const total = seed('total', { startsAt: 0 });
    await store(ledger, batch(events(3, old), [total]));
    expect(await pruneAll(ledger, 'events')).toBe(0);
    const again = await store(ledger, batch(events(3, old), [total]));
    expect(again).toMatchObject({ stored: 0, duplicates: 3 });
    await bed.sql(`update period set state = 'closed'`);
    expect(await pruneAll(ledger, 'events')).toBe(3);
  });

  test('B5: an open organisation budget or run holds just the events that count in it', async () => {
    const ledger = bed.ledger();
    const window = { startsAt: OLD - DAY, endsAt: OLD + DAY };
    await store(ledger, batch(events(2, old, 'in'), [seed('daily', { ...window, scope: 'org' })]));
    await store(ledger, batch(events(2, { ...old, at: OLD + 2 * DAY, run: 'r' }, 'run'), []));
    await store(ledger, batch(events(2, { ...old, at: OLD + 2 * DAY }, 'out'), []));
    await ledger.ensurePeriods([seed('run', { period: 'r', startsAt: OLD })], OLD);
    // A row whose end nobody has told yet, as after a long outage.
    await bed.sql(`update period set state = 'parked'`);
    expect(await pruneAll(ledger, 'events')).toBe(2);
    const left = await bed.sql('select idempotency_key as key from usage_event order by 1');
    expect(left.map(({ key }) => key)).toEqual(['in0', 'in1', 'run0', 'run1']);
  });

  test('rows of closed runs go with their firings; open and untold ones, and calendars, stay', async () => {
    const ledger = bed.ledger();
    const runs = ['a', 'b', 'c', 'd'].map((period) => seed('run', { period, startsAt: OLD }));
    await ledger.ensurePeriods([...runs, seed('daily', { startsAt: OLD, endsAt: OLD + DAY })], OLD);
    await bed.sql(
      `update period set closes_at = ${String(OLD + DAY)}, due_at = null, state = 'closed'`,
    );
    await bed.sql(`update period set state = 'open' where period = 'c'`);
    await bed.sql(`update period set due_at = 1 where period = 'd'`);
    await bed.sql(
      `insert into firing select org, id, 'cost', 8000, 'slack', 1, 'alert/x' from period`,
    );
    expect(await pruneAll(ledger, 'runs', 1)).toBe(2);
    const left = await bed.sql('select period from period order by cadence, period');
    expect(left.map(({ period }) => period)).toEqual(['daily-1', 'c', 'd']);
    expect(await bed.sql('select period_id from firing')).toHaveLength(3);
    expect(await pruneAll(ledger, 'periods')).toBe(1);
  });

  test('messages, attempts and journals go when their alert is over, each at its own time', async () => {
    const ledger = bed.ledger();
    for (const [id, phase, at] of [
      ['over', 'resolved', OLD],
      ['older', 'resolved', OLD - DAY],
      ['open', 'firing', OLD],
      ['young', 'resolved', NOW],
    ] as const) {
      await bed.sql(`
        insert into alert values ('${ORG}', '${id}', 's', 'bot', '${phase}', false, ${String(at)}, '{}', 1);
        insert into journal (org, alert_id, no, at, what) values ('${ORG}', '${id}', 1, 1, 'raised');
        insert into attempt values ('${ORG}', '${id}', 'd', 1, 'slack', ${String(at)});
        insert into delivery values ('${ORG}', '${id}', 'd', 'text', 'text/plain');
        insert into incident (org, destination, key, alert_id, delivery_id)
          values ('${ORG}', 'x', 'k', '${id}', 'd');
        insert into routed_alert values ('${ORG}', '${id}', 1, '[]');
        insert into routing (org, alert_id, recipient, channel, no, what, reason)
          values ('${ORG}', '${id}', 'ana', 'push', 0, 'send', 'wanted');
        insert into alert_outbox (id, org, input) values ('${id}', '${ORG}', '{}')`);
    }
    const left = async (table: string, column = 'alert_id') =>
      (await bed.sql(`select ${column} as id from ${table} order by 1`)).map(({ id }) => id);
    expect(await pruneAll(ledger, 'messages', 1)).toBe(2);
    expect(await left('delivery')).toEqual(['open', 'young']);
    expect(await left('attempt')).toHaveLength(4);
    expect(await pruneAll(ledger, 'attempts')).toBe(2);
    expect(await pruneAll(ledger, 'journal', 1)).toBe(2);
    for (const table of ['journal', 'incident', 'attempt', 'delivery', 'routed_alert', 'routing'])
      expect(await left(table), table).toEqual(['open', 'young']);
    for (const table of ['alert', 'alert_outbox'])
      expect(await left(table, 'id'), table).toEqual(['open', 'young']);
  });

  test('audit, quarantine and notices go by their age', async () => {
    const ledger = bed.ledger();
    for (const at of [OLD, OLD, OLD, OLD, NOW].map(String)) {
      await bed.sql(`
        insert into audit (org, subject, at, by, what) values ('${ORG}', 's', ${at}, 'b', 'stopped');
        insert into quarantined_event (org, at, path, problem, raw) values ('${ORG}', ${at}, '', '', '');
        insert into operator_notice (org, at, kind, text) values ('${ORG}', ${at}, 'sms_cap', '')`);
    }
    for (const kind of ['audit', 'quarantine', 'notices'] as const) {
      expect(await pruneAll(ledger, kind), kind).toBe(4);
    }
  });

  test('what is kept is told with its rows and its age', async () => {
    const ledger = bed.ledger();
    await store(ledger, batch([event('a', old), event('b')], [seed('daily')]));
    await pruneAll(ledger, 'events');
    const kinds = await keptKinds(await databaseOf(bed), DEFAULT_RETENTION);
    const byKind = new Map(kinds.map((each) => [each.kind, each]));
    expect(byKind.get('events')).toMatchObject({ rows: 1, days: 400, oldestAt: NOW });
    expect(byKind.get('periods')).toMatchObject({ rows: 1 });
    expect(byKind.get('periods')).not.toHaveProperty('days');
    expect(byKind.get('audit')).toMatchObject({ rows: 0, days: 1_095 });
    expect(byKind.get('events')?.bytes).toBeGreaterThan(0);
  });
}
