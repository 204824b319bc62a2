/** C1, K4, B8: the operator's layer in the ledger: what it does to rows, ends, audit, settings. */
import { describe, expect, test } from 'vitest';
import type { Budget } from '../../../domain/configuration.js';
import type { LayerChange } from '../../../domain/configuration/change.js';
import type { OperatorLimit, Raise } from '../../../domain/configuration/layers.js';
import { periodRowId } from '../../../domain/ids.js';
import { isRefusal } from '../../../domain/refusal.js';
import type { ResetRequest } from '../../../ledger/ledger.js';
import {
  BOT,
  DAY,
  DAY_START,
  HOUR,
  NOW,
  ORG,
  USD,
  batch,
  claimAll,
  claimOne,
  costLimit,
  events,
  publishedOf,
  seed,
  store,
  viewOf,
} from './bed.js';
import type { Bed } from './bed.js';
import { sendingOf } from './sending.js';

export function layeringContract(bed: Bed): void {
  const { put } = sendingOf(bed);
  const daily = seed('daily');
  const id = periodRowId(daily.key);
  const windows = [{ key: daily.key, window: daily.window }];
  const sync = (usd: number, now = NOW) => {
    const budgets: Budget[] = [{ cadence: 'daily', limits: [costLimit(usd)] }];
    const request = { org: ORG, scope: BOT, name: 'bot', zone: 'UTC', by: 'sdk', now };
    return bed.ledger().configure({ ...request, budgets, windows });
  };
  const limit = (usd: number, over: Partial<OperatorLimit> = {}): OperatorLimit => ({
    ...{ kind: 'limit', cadence: 'daily', dimension: 'cost', amount: usd * USD },
    ...{ enforcement: 'block', thresholds: [], by: 'ada', at: NOW },
    ...over,
  });
  const raise = (usd: number, over: Partial<Raise> = {}): Raise => ({
    ...{ id: 'r1', cadence: 'daily', dimension: 'cost', amount: usd * USD, reason: 'a launch' },
    ...{ until: NOW + HOUR, by: 'ada', at: NOW },
    ...over,
  });
  const change = async (given: LayerChange, now = NOW) => {
    const request = { org: ORG, scope: BOT, name: 'bot', zone: 'UTC', by: 'ada', now, windows };
    const answer = await bed.ledger().changeLayer({ ...request, change: given });
    if (isRefusal(answer)) throw new Error(answer.message);
    return answer;
  };
  const amount = async () => (await viewOf(bed.ledger(), id)).limits.limits[0]?.amount;
  const audited = async () =>
    (await bed.sql('select by, what from audit order by id')).map(
      ({ by, what }) => `${String(what)} by ${String(by)}`,
    );

  describe('C1: the operator’s layer', () => {
    test('wins over what is synced before and after it, at once in the open row', async () => {
      await sync(50);
      await store(bed.ledger(), batch(events(6), [daily]));
      await change({ type: 'setLimits', limits: [limit(5)] });
      expect(await viewOf(bed.ledger(), id)).toMatchObject({
        blocked: true,
        limits: {
          rev: 2,
          limits: [{ amount: 5 * USD, enforcement: 'block', origin: { layer: 'operator' } }],
        },
      });
      const { configuration } = await sync(90, NOW + 1);
      expect(configuration).toMatchObject({ rev: 3, budgets: [{ limits: [{ amount: 5 * USD }] }] });
      expect(await amount()).toBe(5 * USD);
      expect((await sync(90, NOW + 2)).changed).toBe(false);
      expect(await audited()).toEqual([
        'configured by sdk',
        'limits_set by ada',
        'configured by sdk',
      ]);
    });

    test('removed, what was synced meanwhile holds', async () => {
      await sync(50);
      await change({ type: 'setLimits', limits: [limit(5)] });
      await sync(90);
      expect((await change({ type: 'removeLimits' })).changed).toBe(true);
      expect(await amount()).toBe(90 * USD);
      expect((await change({ type: 'removeLimits' })).changed).toBe(false);
      const entries = await bed.ledger().audit({ org: ORG, subject: BOT, limit: 10 });
      expect(entries[0]).toMatchObject({
        ...{ what: 'limits_removed', by: 'ada', at: NOW },
        before: { limits: [{ amount: 5 * USD }] },
      });
    });

    test('B8: set after the usage, for an agent that never synced, it starts from the book', async () => {
      const monthly = seed('monthly');
      await store(bed.ledger(), batch(events(6, { run: 'r' }), []));
      await change({ type: 'setLimits', limits: [limit(5)] });
      expect(await viewOf(bed.ledger(), id)).toMatchObject({
        own: { cost: 6 * USD },
        blocked: true,
      });
      expect(
        await bed.ledger().budgets({ org: ORG, id: periodRowId(monthly.key), now: NOW, limit: 1 }),
      ).toEqual([]);
    });

    test('the same again changes nothing: no revision, no signal, no entry', async () => {
      await sync(50);
      await change({ type: 'setLimits', limits: [limit(5)] });
      await claimAll(bed.ledger());
      const before = await bed.sql('select seq, limits_rev, due_at from period');
      const again = await change(
        { type: 'setLimits', limits: [limit(5, { by: 'bob', at: NOW + 9 })] },
        NOW + 9,
      );
      expect(again.changed).toBe(false);
      expect(await bed.sql('select seq, limits_rev, due_at from period')).toEqual(before);
      expect(await audited()).toHaveLength(2);
    });

    test('T5: a limit below what is spent is told at once, even where nobody waited for one', async () => {
      const bare: Budget[] = [{ cadence: 'daily', limits: [costLimit(50, { thresholds: [] })] }];
      const request = { org: ORG, scope: BOT, name: 'bot', zone: 'UTC', by: 'sdk', now: NOW };
      await bed.ledger().configure({ ...request, budgets: bare, windows });
      const seeded = seed('daily', { limits: { rev: 1, limits: bare[0]!.limits } });
      await store(bed.ledger(), batch(events(6), [seeded]));
      expect(await claimAll(bed.ledger())).toEqual([]);
      const thresholds = [{ bps: 10_000, routes: [{ channel: 'kill' as const }] }];
      await change({ type: 'setLimits', limits: [limit(5, { thresholds })] });
      expect(await claimOne(bed.ledger())).toMatchObject({
        own: { cost: 6 * USD },
        limits: { limits: [{ amount: 5 * USD, thresholds }] },
      });
    });

    test('a refused change writes nothing', async () => {
      const answer = bed.ledger().changeLayer({
        ...{ org: ORG, scope: BOT, name: 'bot', zone: 'UTC', by: 'ada', now: NOW, windows },
        change: { type: 'raise', raise: raise(5) },
      });
      expect(await answer).toMatchObject({ code: 'no_limit' });
      expect(await audited()).toEqual([]);
      expect(await bed.sql('select 1 from period')).toEqual([]);
    });

    test('batches placed under what held before are placed again', async () => {
      await sync(50);
      const placed = batch(events(1), [daily], { revisions: [{ scope: BOT, rev: 1 }] });
      await change({ type: 'setLimits', limits: [limit(5)] });
      expect(await bed.ledger().ingest(placed)).toEqual({ type: 'stale_configuration' });
    });

    test('C3: a run keeps the limits of its first event', async () => {
      const run = seed('run', { limits: { rev: 0, limits: [costLimit(9)] } });
      await store(bed.ledger(), batch(events(1), [run]));
      await change({ type: 'setLimits', limits: [limit(1, { cadence: 'run' })] });
      const view = await viewOf(bed.ledger(), periodRowId(run.key));
      expect(view.limits.limits).toEqual([costLimit(9)]);
    });

    test('two operators at once: both entries stand', async () => {
      await sync(50);
      await Promise.all([
        change({ type: 'raise', raise: raise(1) }),
        change({ type: 'raise', raise: raise(2, { id: 'r2' }) }),
        change({ type: 'setLimits', limits: [limit(5)] }),
      ]);
      expect(await amount()).toBe(8 * USD);
    });
  });

  describe('C1: raises', () => {
    test('hold at once, and end at their time: not a millisecond before, whoever looks', async () => {
      await sync(5);
      expect((await change({ type: 'raise', raise: raise(50) })).layers.changesAt).toBe(NOW + HOUR);
      expect(await amount()).toBe(55 * USD);
      expect(await bed.ledger().endLayers(NOW + HOUR - 1)).toEqual({
        ended: 0,
        nextAt: NOW + HOUR,
      });
      expect(await amount()).toBe(55 * USD);
      const other = await bed.open();
      const ended = await Promise.all([
        bed.ledger().endLayers(NOW + HOUR),
        other.endLayers(NOW + HOUR, { org: ORG, scopes: [BOT, 'org'] }),
      ]);
      expect(ended).toContainEqual({ ended: 1 });
      expect(await amount()).toBe(5 * USD);
      expect(await audited()).toEqual([
        ...['configured by sdk', 'raised by ada', 'raise_ended by kavach'],
      ]);
      expect(await bed.ledger().endLayers(NOW + DAY)).toEqual({ ended: 0 });
    });

    test('of other scopes are left alone', async () => {
      await sync(5);
      await change({ type: 'raise', raise: raise(50) });
      const which = { org: ORG, scopes: ['org' as const] };
      expect(await bed.ledger().endLayers(NOW + DAY, which)).toMatchObject({ ended: 0 });
      expect(await amount()).toBe(55 * USD);
    });

    test('one that ends with its period leaves the period that is over as it was', async () => {
      await sync(5);
      await store(bed.ledger(), batch(events(20), [daily]));
      await change({ type: 'raise', raise: raise(50, { until: DAY_START + DAY }) });
      await bed.ledger().endLayers(DAY_START + DAY);
      expect(await amount()).toBe(55 * USD);
      expect((await bed.ledger().layers(ORG, BOT, 1))[0]).toMatchObject({
        budgets: [{ limits: [{ amount: 5 * USD }] }],
        operator: { limits: [], raises: [] },
      });
    });

    test('K4: lift a kill in the row only to below its threshold, also while Temporal is away', async () => {
      const thresholds = [{ bps: 8_000, routes: [{ channel: 'kill' as const }] }];
      await change({
        type: 'setLimits',
        limits: [limit(10, { enforcement: 'alert', thresholds })],
      });
      const { periods } = await store(bed.ledger(), batch(events(9), [daily]));
      const claim = periods[0]!.claim!;
      const killed = { at: NOW, dimension: 'cost' as const, bps: 8_000, limit: 10 * USD };
      const latches = { 'cost/8000/kill': { reached: 10 * USD, fired: [10 * USD] } };
      await bed.ledger().publish(publishedOf(claim, { killed, latches }), NOW);
      await bed.ledger().stop(ORG, { agent: 'bot', at: NOW, by: 'ada', reason: 'circles' });
      // 9 of 11.25 is 80 %: the kill stands.
      await change({ type: 'raise', raise: raise(1.25) });
      expect((await viewOf(bed.ledger(), id)).killed).toBeDefined();
      await change({ type: 'raise', raise: raise(0.01, { id: 'r2' }) });
      const view = await viewOf(bed.ledger(), id);
      expect(view.killed).toBeUndefined();
      expect(view.latches).toEqual({ 'cost/8000/kill': { fired: [10 * USD] } });
      // What was decided before the raise does not bring it back; what knows of the raise may.
      await bed.ledger().publish(publishedOf(claim, { killed, latches, order: 2 }), NOW);
      expect((await viewOf(bed.ledger(), id)).killed).toBeUndefined();
      const knowing = { killed, latches, order: 3, appliedRev: view.limits.rev };
      await bed.ledger().publish(publishedOf(claim, knowing), NOW);
      expect((await viewOf(bed.ledger(), id)).killed).toEqual(killed);
      // A raise never lifts a Stop.
      expect(await bed.ledger().stopped(ORG)).toHaveLength(1);
    });
  });

  describe('C1: resets', () => {
    const reset = async (over: Partial<ResetRequest> = {}) => {
      const request = { org: ORG, scope: BOT, by: 'ada', now: NOW, reason: 'it was us' };
      const answer = await bed.ledger().resetPeriod({ ...request, ...over });
      if (isRefusal(answer)) throw new Error(answer.message);
      return answer;
    };

    test('limits count from here, the book keeps everything', async () => {
      const thresholds = [{ bps: 8_000, routes: [{ channel: 'kill' as const }] }];
      await change({ type: 'setLimits', limits: [limit(5, { thresholds })] });
      const { periods } = await store(bed.ledger(), batch(events(6), [daily]));
      const claim = periods[0]!.claim!;
      const killed = { at: NOW, dimension: 'cost' as const, bps: 8_000, limit: 5 * USD };
      const latches = { 'cost/8000/kill': { reached: 5 * USD, fired: [5 * USD] } };
      await bed.ledger().publish(publishedOf(claim, { killed, latches }), NOW);
      expect(await reset()).toEqual({ changed: true, cadence: 'daily' });
      const view = await viewOf(bed.ledger(), id);
      expect(view).toMatchObject({ own: { cost: 6 * USD }, blocked: false, latches: {} });
      expect(view.killed).toBeUndefined();
      expect(await bed.ledger().usage(ORG, 'bot')).toMatchObject({ cost: 6 * USD });
      const told = await claimOne(bed.ledger());
      expect(told.limits).toMatchObject({ rev: 2, base: { at: NOW, cost: 6 * USD, calls: 6 } });
      await bed.ledger().periodReported(told, NOW, 60_000);
      // 80 % of 5 beyond the 6 that were spent; blocked at 11.
      const more = (n: number, prefix: string) =>
        store(bed.ledger(), batch(events(n, {}, prefix), [daily]));
      expect((await more(3, 'a')).periods[0]).toMatchObject({ blocked: false });
      expect((await more(1, 'b')).periods[0]).toMatchObject({ claim: { crossing: true } });
      expect((await more(1, 'c')).periods[0]).toMatchObject({
        ...{ blocked: true, spent: { cost: 5 * USD, tokens_total: 600, calls: 5, duration: 0 } },
      });
    });

    test('of one dimension leaves the others; it outlives later changes of limits', async () => {
      await change({
        type: 'setLimits',
        limits: [limit(5), limit(1, { dimension: 'calls', amount: 5 } as never)],
      });
      await store(bed.ledger(), batch(events(6), [daily]));
      await reset({ dimension: 'cost', cadence: 'daily' });
      expect((await viewOf(bed.ledger(), id)).blocked).toBe(true);
      await reset({ dimension: 'calls' });
      expect((await viewOf(bed.ledger(), id)).blocked).toBe(false);
      await sync(90);
      await change({ type: 'setLimits', limits: [limit(4)] });
      const { limits, blocked } = await viewOf(bed.ledger(), id);
      expect(limits.base).toEqual({ at: NOW, cost: 6 * USD, calls: 6 });
      expect(blocked).toBe(false);
    });

    test('where nothing was counted it is no change; the audit says why', async () => {
      await change({ type: 'setLimits', limits: [limit(5)] });
      expect(await reset()).toEqual({ changed: false, cadence: 'daily' });
      await store(bed.ledger(), batch(events(6), [daily]));
      expect((await reset()).changed).toBe(true);
      expect((await reset()).changed).toBe(false);
      const [last] = await bed.ledger().audit({ org: ORG, limit: 1 });
      expect(last).toMatchObject({ what: 'reset', by: 'ada', after: { reason: 'it was us' } });
      await expect(reset({ cadence: 'monthly' })).rejects.toThrow('there is no limit of monthly');
    });
  });

  describe('what is set for the organisation', () => {
    const author = { by: 'ada', now: NOW };

    test('a person’s word stands over the environment’s, with an entry; the same again has none', async () => {
      const [env, own] = [
        await put({ channel: 'slack', address: 'https://a.test/env' }),
        await put({ channel: 'slack', address: 'https://a.test/own' }),
      ];
      await bed.ledger().setDefaultDestination(ORG, 'slack', env);
      await bed.ledger().setDefaultDestination(ORG, 'slack', own, author);
      await bed.ledger().setDefaultDestination(ORG, 'slack', own, author);
      await bed.ledger().setDefaultDestination(ORG, 'slack', env);
      const operators = [{ channel: 'slack', destination: own }] as const;
      await bed.ledger().setOperators(ORG, operators, author);
      await bed.ledger().setOperators(ORG, []);
      await bed.ledger().setAllowedEmailDomains(ORG, ['env.test']);
      await bed.ledger().setAllowedEmailDomains(ORG, ['Acme.com '], author);
      await bed.ledger().setAllowedEmailDomains(ORG, ['env.test']);
      const escalation = { levels: [{ afterMs: 1, routes: operators }], rounds: 2 };
      await bed.ledger().setEscalation(ORG, escalation, author);
      await bed.ledger().setEscalation(ORG, escalation, author);
      expect(await bed.ledger().organisationSettings(ORG)).toEqual({
        ...{ emailDomains: ['acme.com'], operators, escalation },
        defaults: [{ channel: 'slack', destination: own }],
      });
      expect(await audited()).toEqual([
        ...['default_destination_set by ada', 'operators_set by ada'],
        ...['email_domains_set by ada', 'escalation_set by ada'],
      ]);
      await bed.ledger().setEscalation(ORG, undefined, author);
      expect(await bed.ledger().organisationSettings(ORG)).not.toHaveProperty('escalation');
    });

    test('destinations are listed masked, with their health', async () => {
      const slack = await put({ channel: 'slack', address: 'https://hooks.slack.com/canary' });
      const email = await put({ channel: 'email', address: 'canary@x.test', verified: false });
      await bed.ledger().setDefaultDestination(ORG, 'slack', slack, author);
      const all = await bed.ledger().knownDestinations(ORG);
      expect(all).toEqual([
        {
          ...{ reference: email, channel: 'email', masked: 'c***@x.test', health: 'ok' },
          ...{ verified: false, isDefault: false },
        },
        {
          ...{ reference: slack, channel: 'slack', masked: 'hooks.slack.com', health: 'ok' },
          ...{ verified: true, isDefault: true },
        },
      ]);
      expect(JSON.stringify(all)).not.toContain('canary');
      expect(await bed.ledger().knownDestinations(ORG, email)).toHaveLength(1);
      expect(await bed.ledger().knownDestinations('other')).toEqual([]);
    });

    test('the audit is read page by page, the newest first', async () => {
      for (const usd of [1, 2, 3]) await sync(usd);
      const first = await bed.ledger().audit({ org: ORG, limit: 2 });
      const rest = await bed.ledger().audit({ org: ORG, limit: 2, before: first[1]!.id });
      expect([...first, ...rest].map(({ id: no }) => no)).toEqual(
        [...first, ...rest].map(({ id: no }) => no).sort((a, b) => b - a),
      );
      expect(rest).toHaveLength(1);
      expect(await bed.ledger().audit({ org: 'other', limit: 2 })).toEqual([]);
      expect(await bed.ledger().audit({ org: ORG, subject: 'org', limit: 2 })).toEqual([]);
    });
  });
}
