import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PeriodKey, Scope } from '../../domain/budget/period-key.js';
import {
  alertWorkflowId,
  budgetWorkflowId,
  deliveryId,
  idempotencyKey,
  noticeWorkflowId,
  parseBudgetWorkflowId,
} from '../../domain/ids.js';
import { CADENCES } from '../../domain/words.js';

const daily: PeriodKey = {
  org: 'default',
  scope: 'agent:research-bot',
  cadence: 'daily',
  period: '20261121T000000Z',
  generation: 1,
};
const run: PeriodKey = { ...daily, cadence: 'run', period: 'r-1', generation: 2 };

describe('ids are readable', () => {
  test.each([
    ['a day of an agent', daily, 'budget/default/agent:research-bot/daily/20261121T000000Z'],
    [
      'a day of the organisation',
      { ...daily, scope: 'org' as const },
      'budget/default/org/daily/20261121T000000Z',
    ],
    ['a run and its generation', run, 'budget/default/agent:research-bot/run/r-1/2'],
    [
      'a total',
      { ...daily, cadence: 'total' as const, period: 'all' },
      'budget/default/agent:research-bot/total/all',
    ],
    [
      'a name with a slash, a space and an umlaut',
      { ...daily, scope: 'agent:a/b ü' as const },
      'budget/default/agent:a%2Fb%20%C3%BC/daily/20261121T000000Z',
    ],
    [
      'a name that looks like a hashed one',
      { ...daily, org: 'a~b' },
      'budget/a%7Eb/agent:research-bot/daily/20261121T000000Z',
    ],
  ])('%s', (_, key, id) => {
    expect(budgetWorkflowId(key)).toBe(id);
    expect(parseBudgetWorkflowId(id)).toEqual(key);
  });

  test('an alert and its deliveries carry the subject of their period', () => {
    const alert = alertWorkflowId(daily, { no: 3, dimension: 'cost', bps: 8_000 });
    expect(alert).toBe('alert/default/agent:research-bot/daily/20261121T000000Z/3-cost-8000');
    expect(deliveryId(alert, 0)).toBe(`${alert}/0`);
    expect(deliveryId(alert, 0, 'resolve')).toBe(`${alert}/0/resolve`);
    expect(deliveryId(alert, 'slack#1')).toBe(`${alert}/slack%231`);
  });

  test('64 bytes of a name are written out, the 65th makes it a prefix and a hash', () => {
    const whole = { ...daily, org: 'n'.repeat(64) };
    expect(budgetWorkflowId(whole)).toContain(`budget/${'n'.repeat(64)}/`);
    const hashed = budgetWorkflowId({ ...daily, org: 'n'.repeat(65) });
    expect(hashed).toMatch(/^budget\/n{32}~[0-9a-f]{32}\/agent:research-bot\//);
    expect(parseBudgetWorkflowId(hashed)).toBeUndefined();
  });

  test('a prefix never ends inside an escape', () => {
    for (let lead = 0; lead < 12; lead += 1) {
      const id = budgetWorkflowId({ ...daily, org: 'n'.repeat(lead) + '€'.repeat(40) });
      expect(() => decodeURIComponent(id.replace(/(?:%[89A-F][0-9A-F])+/g, ''))).not.toThrow();
    }
  });
});

const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.constantFrom('a', '/', '%', '~', '.', '\ud800', '\udfff', '\ufffd', '€') }),
  fc.string({ unit: fc.constantFrom('x', '€'), minLength: 20, maxLength: 300 }),
);
const scope = fc.oneof(
  fc.constant<Scope>('org'),
  name.map((agent): Scope => `agent:${agent}`),
);
const key = fc
  .record<PeriodKey>({
    org: name,
    scope,
    cadence: fc.constantFrom(...CADENCES),
    period: name,
    generation: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.maxSafeNat()),
  })
  .map((made): PeriodKey => (made.cadence === 'run' ? made : { ...made, generation: 1 }));

const FIRST = { no: 1, dimension: 'cost', bps: 5_000 } as const;

describe('ids of any names', () => {
  test('ids: distinct keys give distinct ids', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { selector: (made) => JSON.stringify(made) }), (keys) => {
        const ids = keys.flatMap((made) => [budgetWorkflowId(made), alertWorkflowId(made, FIRST)]);
        expect(new Set(ids).size).toBe(keys.length * 2);
      }),
      { numRuns: 300 },
    );
  });

  test('ids: a slash moved from one name to the next makes another id', () => {
    const a = budgetWorkflowId({ ...daily, org: 'a/b', scope: 'agent:c' });
    const b = budgetWorkflowId({ ...daily, org: 'a', scope: 'agent:b/c' });
    expect(a).not.toBe(b);
  });

  test('ids: halves of pairs are told apart, alone and in a long name', () => {
    const broken = ['\ud800', '\ud801', '\ufffd', '?', '%EF%BF%BD'];
    const names = broken.flatMap((text) => [text, text.padEnd(80, 'x')]);
    expect(new Set(names.map((org) => budgetWorkflowId({ ...daily, org }))).size).toBe(10);
  });

  test('ids: all are ASCII without spaces and at most 255 bytes', () => {
    fc.assert(
      fc.property(key, fc.maxSafeNat(), name, (made, no, ref) => {
        const alert = alertWorkflowId(made, { ...FIRST, no });
        const ids = [budgetWorkflowId(made), alert, deliveryId(alert, ref, 'resolve')];
        for (const id of ids) {
          expect(id).toMatch(/^[!-~]+$/);
          expect(id.length).toBeLessThanOrEqual(255);
        }
      }),
    );
  });

  test('ids: another crossing under the same number is another alert, also when cut', () => {
    const long = 'x'.repeat(300);
    for (const made of [
      daily,
      { ...run, org: long, scope: `agent:${long}` as const, period: long },
    ]) {
      const ids = [FIRST, { ...FIRST, bps: 8_000 }, { ...FIRST, dimension: 'calls' as const }];
      expect(new Set(ids.map((firing) => alertWorkflowId(made, firing))).size).toBe(3);
    }
  });

  test('ids: deliveries of one alert differ by route and by purpose, also when cut', () => {
    const long = 'x'.repeat(300);
    const alert = alertWorkflowId(
      { ...run, org: long, scope: `agent:${long}`, period: long },
      { no: 2 ** 53 - 1, dimension: 'tokens_total', bps: 10_000 },
    );
    const ids = [0, 1, 'a', long].flatMap((route) => [
      deliveryId(alert, route),
      deliveryId(alert, route, 'resolve'),
    ]);
    expect(new Set(ids).size).toBe(8);
  });

  test('ids: reading is the inverse of writing, unless a name was hashed', () => {
    fc.assert(
      fc.property(key, (made) => {
        const id = budgetWorkflowId(made);
        expect(parseBudgetWorkflowId(id)).toEqual(id.includes('~') ? undefined : made);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    'alert/default/org/daily/20261121T000000Z/1',
    'budget/default/org/daily',
    'budget/default/org/daily/20261121T000000Z/1',
    'budget/default/org/yearly/20261121T000000Z',
    'budget/default/nobody/daily/20261121T000000Z',
    'budget/default/agent%3Aa/daily/20261121T000000Z',
    'budget/default/org/run/r-1',
    'budget/default/org/run/r-1/02',
    'budget/default/org/run/r-1/1/1',
    'budget/%ZZ/org/daily/20261121T000000Z',
    'budget/%61/org/daily/20261121T000000Z',
    '',
  ])('%j is no id of a budget period', (id) => {
    expect(parseBudgetWorkflowId(id)).toBeUndefined();
  });

  test('A11: an idempotency key is short ASCII without a dot, one for each delivery', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(idempotencyKey(a)).toMatch(/^[A-Za-z0-9_-]{1,255}$/);
        const [one, other] = [a, b].map((ref) =>
          deliveryId(noticeWorkflowId('acme', 'storm', ref), 0),
        ) as [string, string];
        expect(idempotencyKey(one) === idempotencyKey(other)).toBe(one === other);
      }),
    );
  });
});
