/** What a lease may come to: the table, and L2 as a property. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AMOUNTS, NOTHING, type Amounts } from '../../../domain/lease/amounts.js';
import { decideGrant, type BudgetRoom, type GrantAsk } from '../../../domain/lease/grant.js';

const of = (cost: number, tokens = 0, calls = 0): Amounts => ({ cost, tokens, calls });

const room = (change: Partial<BudgetRoom> = {}): BudgetRoom => ({
  periodId: 'p1',
  limits: { cost: 1000 },
  spent: NOTHING,
  leased: NOTHING,
  holders: 1,
  ...change,
});

const ask = (change: Partial<GrantAsk> = {}): GrantAsk => ({
  need: of(10),
  want: of(10),
  granted: NOTHING,
  settled: NOTHING,
  ...change,
});

const refused = (periodId: string, othersHold: boolean) =>
  ({ type: 'refused', periodId, dimension: 'cost', othersHold }) as const;

describe('a grant', () => {
  test.each<[string, readonly BudgetRoom[], GrantAsk, number]>([
    ['is what was wanted where there is plenty', [room()], ask({ want: of(40) }), 40],
    ['is at most 5 % of the limit', [room()], ask({ want: of(900) }), 50],
    ['is more than 5 % where one call needs more', [room()], ask({ need: of(300) }), 300],
    ['takes the last of the room for a call', [room({ leased: of(990) })], ask(), 10],
    [
      'is half of the fair part of the room near the edge',
      [room({ spent: of(840), holders: 4 })],
      ask({ need: of(1), want: of(900) }),
      20,
    ],
    [
      'is what the tightest budget leaves',
      [room(), room({ periodId: 'p2', limits: { cost: 100 } })],
      ask({ need: of(1), want: of(40) }),
      5,
    ],
    [
      'grows by what is open, not by what is settled',
      [room({ spent: of(500), leased: of(10) })],
      ask({ need: of(520), want: of(900), granted: of(510), settled: of(500) }),
      550,
    ],
    [
      'is given back down to what is wanted',
      [room({ leased: of(50) })],
      ask({ need: NOTHING, want: of(20), granted: of(50) }),
      20,
    ],
    [
      'is given back down to what is settled at most',
      [room({ leased: of(20) })],
      ask({ need: NOTHING, want: NOTHING, granted: of(50), settled: of(30) }),
      30,
    ],
    [
      'stands as it is where a limit was lowered below it',
      [room({ limits: { cost: 100 }, leased: of(200) })],
      ask({ need: of(150), want: of(500), granted: of(200) }),
      200,
    ],
    [
      'makes up first for what was settled above it',
      [room({ spent: of(900) })],
      ask({ need: of(910), want: of(910), granted: of(800), settled: of(900) }),
      910,
    ],
  ])('%s', (_name, rooms, asked, cost) => {
    expect(decideGrant(rooms, asked)).toEqual({ type: 'granted', granted: of(cost) });
  });

  test('is what is wanted in a dimension that nothing limits', () => {
    const asked = ask({ need: of(1, 1, 1), want: of(1, 5_000_000, 7) });
    expect(decideGrant([room()], asked)).toEqual({
      type: 'granted',
      granted: of(1, 5_000_000, 7),
    });
  });
});

describe('a refusal', () => {
  test.each<[string, readonly BudgetRoom[], GrantAsk, ReturnType<typeof refused>]>([
    ['says that nobody else holds it', [room({ spent: of(991) })], ask(), refused('p1', false)],
    ['says that others hold it', [room({ leased: of(991) })], ask(), refused('p1', true)],
    [
      'does not take its own remainder for that of others',
      [room({ spent: of(900), leased: of(95) })],
      ask({ need: of(101), want: of(101), granted: of(95) }),
      refused('p1', false),
    ],
    [
      'names the budget that nothing comes back to',
      [room({ leased: of(1000) }), room({ periodId: 'p2', spent: of(1000) })],
      ask(),
      refused('p2', false),
    ],
    [
      'comes for all budgets when one has no room',
      [room(), room({ periodId: 'p2', spent: of(995) })],
      ask(),
      refused('p2', false),
    ],
    [
      'is all that an overdrawn budget has',
      [room({ spent: of(2000) })],
      ask({ need: of(1), want: of(1) }),
      refused('p1', false),
    ],
  ])('%s', (_name, rooms, asked, expected) => {
    expect(decideGrant(rooms, asked)).toEqual(expected);
  });
});

describe('L2', () => {
  const integer = fc.integer({ min: 0, max: 2000 });
  const amounts = fc.record({ cost: integer, tokens: integer, calls: integer });
  const limits = fc.record(
    { cost: integer, tokens: integer, calls: integer },
    { requiredKeys: [] },
  );
  const asks = fc.record({ need: amounts, want: amounts, granted: amounts, settled: amounts });
  const world = fc.record({
    ask: asks,
    rooms: fc.array(
      fc.record({
        limits,
        spent: amounts,
        others: amounts,
        holders: fc.integer({ min: 1, max: 9 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  });

  test('spent and all remainders stay within every limit, or nothing grew', () => {
    fc.assert(
      fc.property(world, ({ ask: asked, rooms }) => {
        const open = (granted: Amounts, name: (typeof AMOUNTS)[number]) =>
          Math.max(granted[name] - asked.settled[name], 0);
        const locked = rooms.map((one, index) => ({
          periodId: `p${index}`,
          limits: one.limits,
          spent: one.spent,
          holders: one.holders,
          leased: {
            cost: one.others.cost + open(asked.granted, 'cost'),
            tokens: one.others.tokens + open(asked.granted, 'tokens'),
            calls: one.others.calls + open(asked.granted, 'calls'),
          },
        }));
        const grant = decideGrant(locked, asked);
        if (grant.type === 'refused') return;
        for (const name of AMOUNTS) {
          expect(grant.granted[name]).toBeGreaterThanOrEqual(asked.need[name]);
          const now = open(grant.granted, name);
          if (now <= open(asked.granted, name)) continue;
          rooms.forEach((one) => {
            const limit = one.limits[name];
            if (limit === undefined) return;
            expect(one.spent[name] + one.others[name] + now).toBeLessThanOrEqual(limit);
          });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
