/** C1 by example: what holds, what an operator may change, and what is told of it. */
import { describe, expect, test } from 'vitest';
import type { Threshold } from '../../domain/budget/limits.js';
import type { Budget } from '../../domain/configuration.js';
import { applyChange } from '../../domain/configuration/change.js';
import {
  effectiveBudgets,
  NO_LAYER,
  type OperatorLayer,
  type OperatorLimit,
  type Raise,
} from '../../domain/configuration/layers.js';
import { overridesOf } from '../../domain/configuration/overrides.js';
import { isRefusal } from '../../domain/refusal.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const USD = 1_000_000_000;

const limitIn = (budgets: readonly Budget[], cadence: string, dimension: string) =>
  budgets
    .find((budget) => budget.cadence === cadence)
    ?.limits.find((limit) => limit.dimension === dimension);

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
