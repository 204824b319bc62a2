/** Retention beside the relay: batch after batch with pauses, each kind by itself, and an end. */
import { expect, test } from 'vitest';
import type { PruneRequest, Pruned, RetentionKind } from '../../ledger/retention-policy.js';
import { DAY_MS, DEFAULT_RETENTION, readRetention } from '../../ledger/retention-policy.js';
import { createRetention } from '../../relay/index.js';
import { createVirtualTimers } from '../support/virtual-timers.js';

const START = Date.UTC(2026, 10, 21);

function world(answer: (kind: RetentionKind, request: PruneRequest) => Pruned) {
  const timers = createVirtualTimers(START);
  const asked: { kind: RetentionKind; at: number; request: PruneRequest }[] = [];
  const lines: string[] = [];
  const log = (fields: object, message: string) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const retention = createRetention({
    ledger: {
      prune: (kind, request) => {
        asked.push({ kind, at: timers.now(), request });
        return Promise.resolve().then(() => answer(kind, request));
      },
    },
    ...{ retention: { ...DEFAULT_RETENTION, events: 50 }, timers, batch: 10, pauseMs: 100 },
    ...{ firstMs: 1_000, everyMs: 60_000, log: { info: log, warn: log, error: log } },
  });
  return { timers, asked, lines, retention };
}

test('every kind with an end is asked for, with its own age; those kept for ever are not', async () => {
  const { timers, asked, retention } = world(() => ({ removed: 0 }));
  retention.start();
  await timers.advance(1_000);
  const ages = new Map(asked.map(({ kind, request }) => [kind, START + 1_000 - request.before]));
  expect(ages.get('events')).toBe(50 * DAY_MS);
  expect(ages.get('audit')).toBe(1_095 * DAY_MS);
  expect(ages.has('periods')).toBe(false);
  await timers.advance(60_000);
  expect(asked.filter(({ kind }) => kind === 'events')).toHaveLength(2);
  await retention.stop();
});

test('batches follow each other with a pause, each where the last one ended', async () => {
  const { timers, asked, retention, lines } = world((kind, { after }) => {
    const no = Number(after?.[0] ?? 0);
    return kind === 'events' && no < 3 ? { removed: 10, next: [no + 1] } : { removed: 0 };
  });
  retention.start();
  await timers.advance(1_250);
  const batches = asked.filter(({ kind }) => kind === 'events');
  expect(batches.map(({ request }) => request.after)).toEqual([undefined, [1], [2]]);
  expect(batches.map(({ at }) => at - START)).toEqual([1_000, 1_100, 1_200]);
  await timers.advance(1_000);
  expect(lines).toEqual([expect.stringContaining('"kind":"events","removed":30')]);
  await retention.stop();
});

test('a kind that fails is left for the next pass and keeps no other', async () => {
  const { timers, asked, lines, retention } = world((kind) => {
    if (kind === 'events') throw new Error('the ledger is away');
    return { removed: 0 };
  });
  retention.start();
  await timers.advance(1_000);
  expect(asked.map(({ kind }) => kind)).toContain('notices');
  expect(lines[0]).toMatch(/next pass.*the ledger is away/);
  await retention.stop();
});

test('a stop ends it in the middle of a pass, and nothing is asked afterwards', async () => {
  const { timers, asked, retention } = world(() => ({ removed: 10, next: [] }));
  retention.start();
  await timers.advance(1_050);
  await retention.stop();
  const count = asked.length;
  await timers.advance(200_000);
  expect(asked).toHaveLength(count);
});

test.each([
  ['events=90', { events: 90 }],
  [' audit=forever , periods = 400', { audit: undefined, periods: 400 }],
])('%j is read over the defaults', (text, changed) => {
  expect(readRetention(text)).toEqual({ ...DEFAULT_RETENTION, ...changed });
});

test.each([
  '',
  'events',
  'events=39',
  'runs=1',
  'nonsense=90',
  'audit=-1',
  'audit=1,audit=2',
  'audit=99999',
])('%j is refused', (text) => {
  expect(readRetention(text)).toBeUndefined();
});
