/** C1, C2: what a scope is held to, of what agents synced and what an operator set. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Limit, Threshold } from '../../domain/budget/limits.js';
import type { Budget } from '../../domain/configuration.js';
import { applyChange } from '../../domain/configuration/change.js';
import {
  effectiveBudgets,
  nextEndOf,
  NO_LAYER,
  standing,
  withoutEnded,
  type OperatorLayer,
  type OperatorLimit,
  type Raise,
} from '../../domain/configuration/layers.js';
import { replacePart, type OrgPart } from '../../domain/configuration/org-parts.js';
import { overridesOf } from '../../domain/configuration/overrides.js';
import { isRefusal } from '../../domain/refusal.js';
import { CADENCES, CHANNELS, DIMENSIONS } from '../../domain/words.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const USD = 1_000_000_000;

// ------------------------------------------------------------------ what may come

const anyAmount = fc.oneof(
  fc.integer({ min: 1, max: 100 }),
  fc.integer({ min: Number.MAX_SAFE_INTEGER - 100, max: Number.MAX_SAFE_INTEGER }),
);
const anyThresholds: fc.Arbitrary<readonly Threshold[]> = fc
  .uniqueArray(
    fc.record({
      bps: fc.constantFrom(5_000, 8_000, 10_000),
      routes: fc.uniqueArray(
        fc.record({ channel: fc.constantFrom(...CHANNELS) }, { requiredKeys: ['channel'] }),
        { selector: ({ channel }) => channel, minLength: 1, maxLength: 3 },
      ),
    }),
    { selector: ({ bps }) => bps, maxLength: 3 },
  )
  .map((each) => each.sort((a, b) => a.bps - b.bps));
const anyEnforcement = fc.constantFrom('alert', 'block');
const anyLimit: fc.Arbitrary<Limit> = fc.record({
  dimension: fc.constantFrom(...DIMENSIONS),
  amount: anyAmount,
  enforcement: anyEnforcement,
  thresholds: anyThresholds,
});
const anySynced: fc.Arbitrary<readonly Budget[]> = fc
  .uniqueArray(
    fc.record({
      cadence: fc.constantFrom(...CADENCES),
      limits: fc.uniqueArray(anyLimit, {
        selector: ({ dimension }) => dimension,
        minLength: 1,
      }),
    }),
    { selector: ({ cadence }) => cadence },
  )
  .map((each) => each.sort((a, b) => CADENCES.indexOf(a.cadence) - CADENCES.indexOf(b.cadence)));
const anyUntil = fc.option(fc.integer({ min: NOW - 5, max: NOW + 5 }), { nil: undefined });
const anyEntry: fc.Arbitrary<OperatorLimit> = fc
  .record({
    kind: fc.constantFrom('limit', 'ceiling', 'thresholds'),
    cadence: fc.constantFrom(...CADENCES),
    limit: anyLimit,
    until: anyUntil,
  })
  .map(({ kind, cadence, limit, until }): OperatorLimit => {
    const { amount, ...rest } = limit;
    const ends = until === undefined ? {} : { until };
    const entry = { ...rest, ...ends, cadence, by: 'ada', at: NOW - 100 };
    return kind === 'thresholds' ? { ...entry, kind } : { ...entry, kind, amount };
  });
const anyRaise: fc.Arbitrary<Raise> = fc.record({
  id: fc.uuid(),
  cadence: fc.constantFrom(...CADENCES),
  dimension: fc.constantFrom(...DIMENSIONS),
  amount: anyAmount,
  until: fc.integer({ min: NOW - 5, max: NOW + 5 }),
  by: fc.constant('ada'),
  at: fc.constant(NOW - 100),
  reason: fc.constant('a launch'),
});
const anyLayer: fc.Arbitrary<OperatorLayer> = fc.record({
  limits: fc.uniqueArray(anyEntry, {
    maxLength: 8,
    selector: ({ cadence, dimension, until }) => `${cadence} ${dimension} ${until === undefined}`,
  }),
  raises: fc.array(anyRaise, { maxLength: 4 }),
});

const limitIn = (budgets: readonly Budget[], cadence: string, dimension: string) =>
  budgets
    .find((budget) => budget.cadence === cadence)
    ?.limits.find((limit) => limit.dimension === dimension);

function everyEntry(
  layer: OperatorLayer,
  now: number,
  check: (entry: OperatorLimit, raised: bigint) => void,
): void {
  const { limits, raises } = withoutEnded(layer, now);
  for (const cadence of CADENCES) {
    for (const dimension of DIMENSIONS) {
      const entry = standing(limits, cadence, dimension);
      if (entry === undefined) continue;
      const raised = raises
        .filter((each) => each.cadence === cadence && each.dimension === dimension)
        .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
      check(entry, raised);
    }
  }
}

// ------------------------------------------------------------------ the merge

describe('C1: two layers', () => {
  test('whatever is synced, no limit passes the operator’s and its raises', () => {
    fc.assert(
      fc.property(anySynced, anyLayer, (synced, layer) => {
        const held = effectiveBudgets(synced, layer, NOW);
        everyEntry(layer, NOW, (entry, raised) => {
          if (entry.kind === 'thresholds') return;
          const limit = limitIn(held, entry.cadence, entry.dimension);
          // It holds even where nothing of the kind was synced.
          expect(limit).toBeDefined();
          expect(BigInt(limit!.amount) <= BigInt(entry.amount) + raised).toBe(true);
        });
      }),
    );
  });

  test('whatever is synced, the operator’s kills, ways out and block stay', () => {
    fc.assert(
      fc.property(anySynced, anyLayer, (synced, layer) => {
        const held = effectiveBudgets(synced, layer, NOW);
        everyEntry(layer, NOW, (entry) => {
          const limit = limitIn(held, entry.cadence, entry.dimension);
          if (limit === undefined) {
            expect(entry.kind).toBe('thresholds');
            return;
          }
          if (entry.enforcement === 'block') {
            expect(limit).toMatchObject({ enforcement: 'block', origin: { blocksAll: true } });
          }
          for (const { bps, routes } of entry.thresholds) {
            const there = limit.thresholds.find((each) => each.bps === bps)?.routes ?? [];
            for (const route of routes) expect(there).toContainEqual(route);
          }
        });
      }),
    );
  });

  test('what the operator’s layer does not concern holds as it was synced', () => {
    fc.assert(
      fc.property(anySynced, anyLayer, (synced, layer) => {
        const { limits, raises } = withoutEnded(layer, NOW);
        const held = effectiveBudgets(synced, layer, NOW);
        for (const { cadence, limits: given } of synced) {
          for (const limit of given) {
            const concerned = [...limits, ...raises].some(
              (each) => each.cadence === cadence && each.dimension === limit.dimension,
            );
            if (!concerned) expect(limitIn(held, cadence, limit.dimension)).toEqual(limit);
          }
        }
      }),
    );
  });

  test('raises never lower a limit, and add up whatever their order', () => {
    fc.assert(
      fc.property(anySynced, anyLayer, (synced, layer) => {
        const without = effectiveBudgets(synced, { ...layer, raises: [] }, NOW);
        const held = effectiveBudgets(synced, layer, NOW);
        for (const { cadence, limits } of without) {
          for (const { dimension, amount } of limits) {
            expect(limitIn(held, cadence, dimension)!.amount).toBeGreaterThanOrEqual(amount);
          }
        }
        const backwards = { ...layer, raises: [...layer.raises].reverse() };
        expect(effectiveBudgets(synced, backwards, NOW)).toEqual(held);
      }),
    );
  });

  test('between two ends nothing changes by itself; at each it does as it was said', () => {
    fc.assert(
      fc.property(anySynced, anyLayer, (synced, layer) => {
        const at = withoutEnded(layer, NOW);
        const end = nextEndOf(at);
        const before = effectiveBudgets(synced, layer, NOW);
        expect(effectiveBudgets(synced, layer, (end ?? NOW + 1_000) - 1)).toEqual(before);
        if (end === undefined) return;
        expect(end).toBeGreaterThan(NOW);
        const after = withoutEnded(layer, end);
        expect(after.limits.length + after.raises.length).toBeLessThan(
          at.limits.length + at.raises.length,
        );
        expect(effectiveBudgets(synced, layer, end)).toEqual(effectiveBudgets(synced, after, NOW));
      }),
    );
  });

  test('at most one limit a dimension, thresholds ascending, each ratio once', () => {
    fc.assert(
      fc.property(anySynced, anyLayer, (synced, layer) => {
        for (const { limits } of effectiveBudgets(synced, layer, NOW)) {
          const dimensions = limits.map(({ dimension }) => dimension);
          expect(new Set(dimensions).size).toBe(dimensions.length);
          for (const { thresholds, amount } of limits) {
            const ratios = thresholds.map(({ bps }) => bps);
            expect(ratios).toEqual([...new Set(ratios)].sort((a, b) => a - b));
            expect(Number.isSafeInteger(amount)).toBe(true);
          }
        }
      }),
    );
  });

  test('without an operator’s layer the synced one is answered as it is', () => {
    fc.assert(
      fc.property(anySynced, (synced) => {
        expect(effectiveBudgets(synced, NO_LAYER, NOW)).toBe(synced);
      }),
    );
  });
});

// ------------------------------------------------------------------ by example

const synced = (usd: number, thresholds: readonly Threshold[] = []): readonly Budget[] => [
  {
    cadence: 'daily',
    limits: [{ dimension: 'cost', amount: usd * USD, enforcement: 'alert', thresholds }],
  },
];
const entry = (over: Partial<OperatorLimit> = {}): OperatorLimit => ({
  ...{ kind: 'limit', cadence: 'daily', dimension: 'cost', amount: 5 * USD },
  ...{ enforcement: 'alert', thresholds: [], by: 'ada', at: NOW },
  ...over,
});
const raise = (over: Partial<Raise> = {}): Raise => ({
  ...{ id: 'r1', cadence: 'daily', dimension: 'cost', amount: 50 * USD, reason: 'a launch' },
  ...{ until: NOW + 1_000, by: 'ada', at: NOW },
  ...over,
});
const slack: Threshold = { bps: 8_000, routes: [{ channel: 'slack' }] };
const kill: Threshold = { bps: 10_000, routes: [{ channel: 'kill' }] };
const heldAt = (layer: OperatorLayer, given = synced(20, [slack]), now = NOW) =>
  limitIn(effectiveBudgets(given, layer, now), 'daily', 'cost');

describe('what holds', () => {
  test('L-1: a limit stands in the place of the synced one, alerts included', () => {
    expect(heldAt({ limits: [entry({ thresholds: [kill] })], raises: [] })).toEqual({
      ...{ dimension: 'cost', amount: 5 * USD, enforcement: 'alert', thresholds: [kill] },
      origin: { layer: 'operator', synced: 20 * USD },
    });
  });

  test('L-2: a ceiling cuts what is above it, leaves what is below, and keeps synced alerts', () => {
    const layer = { limits: [entry({ kind: 'ceiling', thresholds: [kill] })], raises: [] };
    expect(heldAt(layer)).toMatchObject({
      ...{ amount: 5 * USD, thresholds: [slack, kill] },
      origin: { layer: 'ceiling', synced: 20 * USD },
    });
    expect(heldAt(layer, synced(3))).toMatchObject({
      ...{ amount: 3 * USD, origin: { layer: 'synced' } },
    });
    expect(heldAt(layer, [])).toMatchObject({ amount: 5 * USD, origin: { layer: 'ceiling' } });
  });

  test('L-2: a kill of the operator’s joins whatever limit is synced', () => {
    const { amount: _none, ...bare } = entry({ thresholds: [kill] }) as OperatorLimit & {
      amount: number;
    };
    const layer = { limits: [{ ...bare, kind: 'thresholds' } as OperatorLimit], raises: [] };
    expect(heldAt(layer)).toMatchObject({ amount: 20 * USD, thresholds: [slack, kill] });
    expect(heldAt(layer, [])).toBeUndefined();
  });

  test('L-3: a limit with an end stands over the one without, which holds again after it', () => {
    const until = NOW + 10;
    const layer = { limits: [entry(), entry({ amount: USD, until })], raises: [] };
    expect(heldAt(layer)).toMatchObject({ amount: USD, origin: { until } });
    expect(heldAt(layer, synced(20), until - 1)?.amount).toBe(USD);
    expect(heldAt(layer, synced(20), until)?.amount).toBe(5 * USD);
  });

  test('L-4: raises add up, each until its own end', () => {
    const layer = {
      limits: [entry()],
      raises: [raise(), raise({ id: 'r2', amount: 2 * USD, until: NOW + 500 })],
    };
    expect(heldAt(layer)).toMatchObject({
      ...{ amount: 57 * USD, origin: { raised: 52 * USD, until: NOW + 500 } },
    });
    expect(heldAt(layer, synced(20), NOW + 500)?.amount).toBe(55 * USD);
    expect(heldAt(layer, synced(20), NOW + 1_000)?.amount).toBe(5 * USD);
  });
});

describe('changes of the operator’s layer', () => {
  const given = { limits: [entry()], raises: [raise()] };

  test('the same limit again, by whomever, is no change', () => {
    const again = entry({ by: 'bob', at: NOW + 5 });
    expect(applyChange(given, { type: 'setLimits', limits: [again] }, [], NOW)).toBe(given);
  });

  test('the same raise again is no change; another one adds to it', () => {
    const held = synced(20);
    expect(applyChange(given, { type: 'raise', raise: raise() }, held, NOW)).toBe(given);
    const more = applyChange(given, { type: 'raise', raise: raise({ id: 'r2' }) }, held, NOW);
    expect(more).toMatchObject({ raises: [{ id: 'r1' }, { id: 'r2' }] });
  });

  test('a raise of the only budget needs no cadence; of several it does', () => {
    const { cadence: _daily, ...request } = raise({ id: 'r2' });
    const change = { type: 'raise', raise: request } as const;
    expect(applyChange(NO_LAYER, change, synced(20), NOW)).toMatchObject({
      raises: [{ cadence: 'daily' }],
    });
    const two = [...synced(20), { ...synced(9)[0]!, cadence: 'monthly' as const }];
    expect(applyChange(NO_LAYER, change, two, NOW)).toMatchObject({
      code: 'several_limits',
      message: expect.stringContaining('daily, monthly') as string,
    });
    expect(applyChange(NO_LAYER, change, [], NOW)).toMatchObject({ code: 'no_limit' });
    const run = { type: 'raise', raise: raise({ cadence: 'run' }) } as const;
    expect(applyChange(NO_LAYER, run, synced(20), NOW)).toMatchObject({ code: 'frozen' });
  });

  test('removing takes the raises with it, and only what was named', () => {
    expect(applyChange(given, { type: 'removeLimits' }, [], NOW)).toEqual(NO_LAYER);
    const monthly = { type: 'removeLimits', cadence: 'monthly' } as const;
    expect(applyChange(given, monthly, [], NOW)).toBe(given);
    expect(applyChange(given, { type: 'endRaise', id: 'r1' }, [], NOW)).toEqual({
      ...given,
      raises: [],
    });
    expect(applyChange(given, { type: 'endRaise', id: 'other' }, [], NOW)).toBe(given);
  });

  test('raises are bounded', () => {
    const raises = Array.from({ length: 50 }, (_, i) => raise({ id: String(i) }));
    const full = { limits: [], raises };
    const answer = applyChange(full, { type: 'raise', raise: raise() }, synced(20), NOW);
    expect(isRefusal(answer)).toBe(true);
    // What is over counts no more.
    const later = applyChange(full, { type: 'raise', raise: raise() }, synced(20), NOW + 1_000);
    expect(later).toMatchObject({ raises: [{ id: 'r1' }] });
  });
});

describe('what an operator overrides is told', () => {
  test('limits and ceilings that are passed, and alerts that do not apply', () => {
    const layer = { limits: [entry()], raises: [] };
    expect(overridesOf(synced(50, [slack]), layer, NOW)).toEqual([
      {
        of: 'limit',
        text: "daily cost: the operator's limit of $5.00 holds, not the synced $50.00",
      },
      {
        of: 'alerts',
        text: "daily cost: synced alerts do not apply to the operator's limit of $5.00",
      },
    ]);
    const ceiling = { limits: [entry({ kind: 'ceiling' })], raises: [] };
    expect(overridesOf(synced(50, [slack]), ceiling, NOW)).toEqual([
      {
        of: 'limit',
        text: "daily cost: the operator's ceiling of $5.00 holds, not the synced $50.00",
      },
    ]);
    expect(overridesOf(synced(4), ceiling, NOW)).toEqual([]);
    expect(overridesOf(synced(5), layer, NOW)).toEqual([]);
    const over = { limits: [entry({ until: NOW })], raises: [] };
    expect(overridesOf(synced(50), over, NOW)).toEqual([]);
  });
});

describe('C2: the organisation’s budget', () => {
  const anyPart = fc.record({ amount: fc.constantFrom(5, 6), thresholds: anyThresholds });
  const unite = (parts: readonly OrgPart[]) =>
    parts.reduce<{ budgets: readonly Budget[]; shown: readonly unknown[] }>(
      (united, part) =>
        replacePart(
          {
            ...{ org: 'acme', scope: 'org', zone: 'UTC', rev: 1, changedAt: 0 },
            ...{ budgets: united.budgets, shown: united.shown },
          },
          part.agent,
          part,
        ) ?? united,
      { budgets: [], shown: [] },
    ).budgets;
  const anyParts = fc.uniqueArray(
    fc.record({ agent: fc.constantFrom('a', 'b', 'c'), part: anyPart }),
    { selector: ({ agent }) => agent, minLength: 1 },
  );
  const partOf = ({
    agent,
    part,
  }: {
    agent: string;
    part: Pick<OrgPart, 'amount' | 'thresholds'>;
  }) =>
    ({
      ...{ kind: 'org_part', cadence: 'daily', agent, amount: part.amount },
      thresholds: part.thresholds.map(({ bps, routes }) => ({
        bps,
        routes: routes.map(({ channel }) =>
          channel === 'kill' ? { channel, agents: [agent] } : { channel },
        ),
      })),
    }) satisfies OrgPart;

  test('the order of syncs matters to the limit’s amount only: the last writer’s', () => {
    fc.assert(
      fc.property(anyParts, fc.infiniteStream(fc.nat()), (given, dice) => {
        const parts = given.map(partOf);
        const shuffled = parts
          .map((part) => ({ part, order: dice.next().value as number }))
          .sort((a, b) => a.order - b.order)
          .map(({ part }) => part);
        const [one, other] = [unite(parts), unite(shuffled)];
        expect(one[0]?.limits[0]?.amount).toBe(parts.at(-1)?.amount);
        expect(other[0]?.limits[0]?.amount).toBe(shuffled.at(-1)?.amount);
        const bare = (budgets: readonly Budget[]) =>
          budgets.map(({ limits }) => limits.map((limit) => ({ ...limit, amount: 0 })));
        expect(bare(other)).toEqual(bare(one));
      }),
    );
  });

  test('the same part twice changes nothing', () => {
    fc.assert(
      fc.property(anyParts, (given) => {
        const parts = given.map(partOf);
        expect(unite([...parts, ...parts.slice(-1)])).toEqual(unite(parts));
      }),
    );
  });
});
