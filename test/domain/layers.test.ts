/** C1, C2: what a scope is held to, of what agents synced and what an operator set. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Limit, Threshold } from '../../domain/budget/limits.js';
import type { Budget } from '../../domain/configuration.js';
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
import { CADENCES, CHANNELS, DIMENSIONS } from '../../domain/words.js';

const NOW = Date.UTC(2026, 10, 21, 12);

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
