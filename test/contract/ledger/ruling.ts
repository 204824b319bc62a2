/** Rules on metrics in the ledger (R1 to R3): set, counted, claimed, published, removed. */
import { expect, test } from 'vitest';
import type { PublishedRule } from '../../../domain/agent/state.js';
import type { MetricEvent, RuleView } from '../../../ledger/ledger.js';
import { ruleOf } from '../../support/rule-shelf.js';
import { HOUR, NOW, ORG, type Bed } from './bed.js';

const BOT = 'support-agent';
const COOLDOWN = 300_000;
const author = { org: ORG, by: 'ana', now: NOW };

export function rulingContract(bed: Bed): void {
  const set = async (over: Parameters<typeof ruleOf>[0] = {}, isNew = true) =>
    bed.ledger().setRule({ ...author, rule: ruleOf(over), isNew });
  const rev = async () => (await bed.ledger().rules(ORG)).rev;
  const count = async (events: readonly MetricEvent[], now = NOW) => {
    const answer = await bed.ledger().countMetrics({ org: ORG, rev: await rev(), events, now });
    if (answer.type !== 'counted') throw new Error(answer.type);
    return answer;
  };
  const event = (matched: boolean, over: Partial<MetricEvent> = {}): MetricEvent => ({
    ...{ agent: BOT, at: NOW, results: [{ rule: 'r1', matched }] },
    ...over,
  });
  const claim = async (now = NOW) => bed.ledger().claimWatches({ now, limit: 100, leaseMs: 5_000 });
  const claimOne = async (now = NOW) => {
    const claims = await claim(now);
    expect(claims).toHaveLength(1);
    return claims[0]!;
  };
  const published = (over: Partial<PublishedRule> = {}): PublishedRule => {
    const sender = { epoch: 1, seq: 2, matches: 1, counted: 1, misses: 0, heardAt: NOW };
    return {
      ...{ rule: 'r1', senders: { ledger: sender }, held: 0, alerts: 1, over: 0, told: 0 },
      ...{ raisedAt: NOW, busy: true, gone: false, ...over },
    };
  };
  const publish = (order: number, ...rules: PublishedRule[]) =>
    bed.ledger().publishRules({ org: ORG, agent: BOT, order, rules });

  test('R1: rules are set, changed and removed, each under a new revision and audited', async () => {
    const ledger = bed.ledger();
    expect(await ledger.rules(ORG)).toEqual({ rev: 0, rules: [] });
    const rule: RuleView = { ...ruleOf({ recipients: ['ana'] }), by: 'ana', at: NOW };
    expect(await set({ recipients: ['ana'] })).toEqual({ type: 'set', changed: true, rule });
    expect(await ledger.rules(ORG)).toEqual({ rev: 1, rules: [rule] });
    expect(await set({ recipients: ['ana'] }, false)).toMatchObject({ changed: false });
    expect(await set({ priority: 'low' }, false)).toMatchObject({ changed: true });
    expect(await set({ id: 'r2' })).toEqual({ type: 'taken' });
    expect(await set({ id: 'r2', name: 'other' })).toMatchObject({ type: 'set' });
    expect(await set({ id: 'r2' }, false)).toEqual({ type: 'taken' });
    expect(await set({ id: 'nobody' }, false)).toEqual({ type: 'unknown' });
    expect((await ledger.rules(ORG)).rules.map(({ id }) => id)).toEqual(['r1', 'r2']);
    expect((await ledger.rules('other')).rules).toEqual([]);
    expect(await ledger.removeRule({ ...author, org: 'other', id: 'r1' })).toBeUndefined();
    expect(await ledger.removeRule({ ...author, id: 'r1' })).toMatchObject({ priority: 'low' });
    expect(await ledger.removeRule({ ...author, id: 'r1' })).toBeUndefined();
    const entries = await ledger.audit({ org: ORG, limit: 10 });
    expect(entries.map(({ what, subject }) => `${what} ${subject}`)).toEqual([
      'rule_removed rule:r1',
      'rule_set rule:r2',
      'rule_set rule:r1',
      'rule_set rule:r1',
    ]);
  });

  test('R1: nothing is counted under rules that do not hold any more', async () => {
    const ledger = bed.ledger();
    await set();
    const events = [event(true)];
    const stale = { org: ORG, rev: 0, events, now: NOW };
    expect(await ledger.countMetrics(stale)).toEqual({ type: 'stale_rules' });
    expect(await claim()).toEqual([]);
    expect(await ledger.countMetrics({ ...stale, rev: 1 })).toMatchObject({ matches: 1 });
    expect(await ledger.countMetrics({ ...stale, org: 'other' })).toMatchObject({ stored: 1 });
  });

  test('R2: matches count up for each agent and rule, and are told as totals so far', async () => {
    await set();
    await set({ id: 'r2', name: 'other' });
    const both = [
      { rule: 'r1', matched: true },
      { rule: 'r2', matched: false },
    ];
    await count([event(true), event(true, { agent: 'b' }), event(true, { results: both })]);
    await count([event(true), event(false), event(false)], NOW + 1);
    const claims = await claim(NOW + 1);
    const told = Object.fromEntries(claims.map(({ agent, report }) => [agent, report.rules]));
    expect(told).toEqual({
      [BOT]: [{ rule: 'r1', matches: 3, misses: 2, heardAt: NOW + 1, matchedAt: NOW + 1 }],
      b: [{ rule: 'r1', matches: 1, misses: 0, heardAt: NOW, matchedAt: NOW }],
    });
    expect(claims[0]?.report).toMatchObject({ sender: 'ledger', epoch: 1, rev: 2 });
    expect(await claim(NOW + 1)).toEqual([]);
  });

  test('LM-1: an event with a key counts once, in one batch and over all of them', async () => {
    await set();
    const first = await count([event(true, { key: 'a' }), event(true, { key: 'a' })]);
    expect(first).toMatchObject({ stored: 1, duplicates: 1, matches: 1 });
    const batch = [event(true, { key: 'a' }), event(true, { key: 'b' }), event(true)];
    expect(await count(batch)).toMatchObject({ stored: 2, duplicates: 1, matches: 2 });
    expect((await claimOne()).report.rules).toMatchObject([{ matches: 3 }]);
  });

  test('LM-1: many at once, each a hundred times: every key counts once', async () => {
    await set();
    const others = await Promise.all(Array.from({ length: 4 }, () => bed.open()));
    const keys = Array.from({ length: 20 }, (_, i) => `key-${String(i)}`);
    const held = await rev();
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const ledger = others[i % others.length]!;
        const events = keys.map((key, at) => event(true, { key, agent: `a${String(at % 3)}` }));
        if (i % 2 === 1) events.reverse();
        return ledger.countMetrics({ org: ORG, rev: held, events, now: NOW });
      }),
    );
    const claims = await claim();
    const matches = claims.flatMap(({ report }) => report.rules.map((each) => each.matches));
    expect(matches.reduce((sum, each) => sum + each, 0)).toBe(20);
  });

  test('R3: misses in a row are counted, also over batches; an older event changes no row of them', async () => {
    await set();
    await count([event(true)]);
    await count([event(false)]);
    await count([event(false)]);
    await count([event(false, { at: NOW - HOUR })]);
    const first = await claimOne();
    expect(first.report.rules).toMatchObject([{ matches: 1, misses: 2 }]);
    await bed.ledger().watchReported(first, NOW, 1_000);
    // The order of a batch is that of its events' own times.
    await count([event(false, { at: NOW + 2 }), event(true, { at: NOW + 1 })], NOW + 2);
    expect((await claimOne(NOW + 2_000)).report.rules).toMatchObject([{ matches: 2, misses: 1 }]);
  });

  test('LM-3: of an agent for which nothing is open, misses cost no write and tell nobody', async () => {
    await set();
    await count([event(false)]);
    expect(await bed.sql('select * from rule_counter')).toEqual([]);
    await count([event(true)]);
    await publish(1, published({ busy: false, over: 1, told: 1 }));
    await bed.ledger().watchReported(await claimOne(), NOW, 1_000);
    await count([event(false)], NOW + HOUR);
    expect(await claim(NOW + HOUR)).toEqual([]);
    expect(await bed.sql('select misses from rule_counter')).toEqual([{ misses: '0' }]);
  });

  test('R2: a match that may raise is due at once; inside the cooldown, and misses, in their turn', async () => {
    await set();
    await count([event(true)]);
    const first = await claimOne();
    await publish(1, published());
    await bed.ledger().watchReported(first, NOW, 10_000);
    await count([event(true)], NOW + 1);
    expect(await claim(NOW + 9_999)).toEqual([]);
    const second = await claimOne(NOW + 10_000);
    // What comes while it is being told waits its turn, too.
    await count([event(false)], NOW + 10_001);
    await bed.ledger().watchReported(second, NOW + 10_002, 10_000);
    expect(await claim(NOW + 20_001)).toEqual([]);
    const third = await claimOne(NOW + 20_002);
    await bed.ledger().watchReported(third, NOW + COOLDOWN - 1_000, 10_000);
    await count([event(true)], NOW + COOLDOWN);
    expect(await claim(NOW + COOLDOWN)).toHaveLength(1);
  });

  test('a claim is exclusive, comes back when its lease ends, and an old fence changes nothing', async () => {
    const ledger = bed.ledger();
    await set();
    await count([event(true)]);
    const first = await claimOne();
    expect(await claim(NOW + 4_999)).toEqual([]);
    const second = await claimOne(NOW + 5_000);
    await ledger.watchReported(first, NOW + 5_000, 1_000);
    await ledger.watchFailed(first, { now: NOW, backoffMs: 0, reason: 'late' });
    expect(await claim(NOW + 5_000)).toEqual([]);
    const failure = { now: NOW + 5_000, backoffMs: 2_000, reason: 'Temporal is away' };
    await ledger.watchFailed(second, failure);
    expect(await claim(NOW + 6_999)).toEqual([]);
    expect(await claimOne(NOW + 7_000)).toMatchObject({ tries: 1 });
  });

  test('what was published is what a new life begins from; an older publish changes nothing', async () => {
    const ledger = bed.ledger();
    await set();
    await count([event(true)]);
    await publish(7, published({ held: 4 }));
    await publish(6, published({ held: 9, alerts: 9 }));
    const { by: _by, at: _at, ...definition } = (await ledger.rules(ORG)).rules[0]!;
    const { busy: _busy, gone: _gone, ...row } = published({ held: 4 });
    expect(await ledger.loadRules(ORG, BOT, [])).toEqual({ rev: 1, rules: [{ row, definition }] });
    expect(await ledger.loadRules(ORG, 'b', ['r1', 'no'])).toMatchObject({
      rules: [{ row: { alerts: 0 }, definition }, { row: { rule: 'no', alerts: 0 } }],
    });
    await set({ agent: 'b' }, false);
    const [moved] = (await ledger.loadRules(ORG, BOT, ['r1'])).rules;
    expect(moved).toEqual({ row });
  });

  test('a rule that is changed or removed: agents for whom something is open are told at once', async () => {
    const ledger = bed.ledger();
    await set();
    await count([event(true), event(true, { agent: 'idle' })]);
    for (const each of await claim()) await ledger.watchReported(each, NOW, 60_000);
    await publish(1, published());
    const over = published({ busy: false, over: 1, told: 1 });
    await ledger.publishRules({ org: ORG, agent: 'idle', order: 1, rules: [over] });
    await set({ cooldownMs: 1_000 }, false);
    const changed = await claimOne(NOW + 1);
    expect(changed).toMatchObject({ agent: BOT, report: { rev: 2, rules: [{ rule: 'r1' }] } });
    await ledger.watchReported(changed, NOW + 1, 60_000);
    await ledger.removeRule({ ...author, id: 'r1' });
    const removed = await claimOne();
    expect(removed).toMatchObject({ agent: BOT, report: { rev: 3, rules: [{ rule: 'r1' }] } });
    expect(await bed.sql('select agent from rule_counter')).toEqual([{ agent: BOT }]);
    await publish(2, published({ busy: false, gone: true, over: 1, told: 1 }));
    expect(await bed.sql('select * from rule_counter')).toEqual([]);
    await publish(3, published());
    expect(await bed.sql('select * from rule_counter')).toEqual([]);
  });

  test('a rule that is removed while its alert is on its way: the workflow is told, and says so', async () => {
    await set();
    await count([event(true)]);
    await bed.ledger().watchReported(await claimOne(), NOW, 60_000);
    await bed.ledger().removeRule({ ...author, id: 'r1' });
    // Its publish comes only now, and says that an alert is open.
    await publish(1, published());
    const told = await claimOne();
    expect(told.report).toMatchObject({ rev: 2, rules: [{ rule: 'r1' }] });
    await bed.ledger().watchReported(told, NOW, 60_000);
    await publish(2, published({ busy: false, gone: true, over: 1, told: 1 }));
    expect(await bed.sql('select * from rule_counter')).toEqual([]);
  });

  test('a publish of what only direct senders have seen makes the rows, and tells nobody', async () => {
    await set();
    await publish(1, published({ senders: {} }));
    expect(await claim(NOW + HOUR)).toEqual([]);
    await set({ priority: 'low' }, false);
    expect(await claimOne()).toMatchObject({ report: { rules: [{ rule: 'r1', matches: 0 }] } });
  });

  test('keys of events go by their age', async () => {
    await count([event(true, { key: 'old' })], NOW - 8 * 24 * HOUR);
    await count([event(true, { key: 'new' })]);
    const request = { before: NOW - 7 * 24 * HOUR, limit: 10 };
    expect(await bed.ledger().prune('metrics', request)).toEqual({ removed: 1 });
    expect(await bed.sql('select key from metric_key')).toEqual([{ key: 'new' }]);
  });
}
