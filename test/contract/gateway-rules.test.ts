/** Rules and metric events over HTTP, on the real ledger (R1, spec §8). */
import { describe, expect, test } from 'vitest';
import { NOON } from './gateway-kit.js';
import { bearer, realLedger } from './gateway-real-kit.js';

const real = realLedger();
const RULE = {
  name: 'high_error_rate',
  agentId: 'support-agent',
  condition: 'error_rate > 0.05',
  channels: ['slack'],
};

interface Body {
  readonly rule: { readonly id: string };
  readonly rules: readonly { readonly name: string; readonly userIds: readonly string[] }[];
  readonly rejected: readonly { readonly path: string }[];
  readonly [member: string]: unknown;
}

let orgs = 0;

/** A gateway, and an organisation of its own. */
async function start() {
  orgs += 1;
  const org = `org-${String(orgs)}`;
  const started = await real.start();
  const admin = await real.key({ org });
  const as =
    (key: string) =>
    async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const all = { ...bearer(key), ...headers };
      const answer = await started.request(method, path, text, all);
      return { status: answer.status, body: answer.body as Body };
    };
  const matches = async (agent?: string) => {
    const rows = await real.sql(
      `select coalesce(sum(matches), 0)::int as matches from rule_counter
       where org = '${org}' ${agent === undefined ? '' : `and agent = '${agent}'`}`,
    );
    return rows[0]?.['matches'];
  };
  return { ...started, org, ask: as(admin), as, matches };
}

describe('rules', () => {
  test('are made with defaults, listed, changed and removed', async () => {
    const { ask } = await start();
    const made = await ask('POST', '/v1/rules', RULE);
    expect(made).toMatchObject({
      status: 200,
      body: {
        changed: true,
        rule: { ...RULE, priority: 'medium', cooldownSeconds: 300, userIds: [], at: NOON },
      },
    });
    const { id } = made.body.rule;
    const changed = await ask('PUT', `/v1/rules/${id}`, { ...RULE, cooldownSeconds: 0, by: 'ana' });
    expect(changed.body.rule).toMatchObject({ id, cooldownSeconds: 0, by: 'ana' });
    const again = await ask('PUT', `/v1/rules/${id}`, { ...RULE, cooldownSeconds: 0, by: 'bo' });
    expect(again.body).toMatchObject({ changed: false, rule: { by: 'ana' } });
    expect((await ask('GET', '/v1/rules')).body).toMatchObject({ rules: [{ id }] });
    expect((await ask('GET', '/v1/rules?agent=other')).body.rules).toEqual([]);
    expect((await ask('GET', '/v1/rules?agent=support-agent')).body.rules).toHaveLength(1);
    expect(await ask('POST', '/v1/rules', RULE)).toMatchObject({ status: 409 });
    expect(await ask('DELETE', `/v1/rules/${id}`, { by: 'ana' })).toMatchObject({
      body: { rule: { id } },
    });
    expect(await ask('DELETE', `/v1/rules/${id}`)).toMatchObject({ status: 404 });
    expect(await ask('PUT', `/v1/rules/${id}`, RULE)).toMatchObject({ status: 404 });
  });

  test('who is named and is no recipient is told beside the answer', async () => {
    const { ask, org } = await start();
    await real.ledger().putRecipient({ org, id: 'ana' }, { by: 'jo', now: NOON });
    const made = await ask('POST', '/v1/rules', { ...RULE, userIds: ['ana', 'bo'] });
    expect(made.body).toMatchObject({
      changed: true,
      warnings: [expect.stringContaining('no recipient "bo"')],
    });
    const id = (made.body['rule'] as { id: string }).id;
    const mended = await ask('PUT', `/v1/rules/${id}`, { ...RULE, userIds: ['ana'] });
    expect(mended.body).not.toHaveProperty('warnings');
  });

  test.each([
    [{ condition: 'error_rate => 0.05' }, 'condition', 'character 12'],
    [{ condition: 'status > failed' }, 'condition', 'only == and !='],
    [{ condition: '' }, 'condition', 'character 1'],
    [{ condition: 'status == "a\ud800"' }, 'condition', 'character 13: is no text'],
    [{ condition: 'status ==\n"failed"' }, 'condition', 'character 10: a line break'],
    [{ channels: [] }, 'channels', ''],
    [{ channels: ['kill'] }, 'channels[0]', ''],
    [{ channels: ['push', 'push'] }, 'channels', 'twice'],
    [{ priority: 'urgent' }, 'priority', ''],
    [{ cooldownSeconds: -1 }, 'cooldownSeconds', ''],
    [{ cooldownSeconds: 1.5 }, 'cooldownSeconds', ''],
    [{ userIds: ['ana', ''] }, 'userIds[1]', ''],
    [{ name: '\0' }, 'name', ''],
    [{ nonsense: 1 }, '', 'nonsense'],
  ])('R1: %j is refused, with the place of the fault', async (over, path, detail) => {
    const { ask } = await start();
    const { status, body } = await ask('POST', '/v1/rules', { ...RULE, ...over });
    expect([status, body['path']]).toEqual([422, path]);
    expect(body['detail']).toContain(detail);
    expect((await ask('GET', '/v1/rules')).body.rules).toEqual([]);
  });

  test('a key of one agent sees the rules about it, without whom they tell, and sets none', async () => {
    const { ask, as, org } = await start();
    await ask('POST', '/v1/rules', { ...RULE, userIds: ['ana'] });
    await ask('POST', '/v1/rules', { ...RULE, name: 'for all', agentId: '*', userIds: ['bo'] });
    await ask('POST', '/v1/rules', { ...RULE, name: 'others', agentId: 'other' });
    const rights = { org, agent: 'support-agent', scopes: ['ingest', 'operate'] } as const;
    const agent = as(await real.key(rights));
    const seen = (await agent('GET', '/v1/rules')).body.rules;
    expect(seen.map((each) => [each.name, each.userIds])).toEqual([
      ['for all', []],
      ['high_error_rate', []],
    ]);
    expect(await agent('GET', '/v1/rules?agent=other')).toMatchObject({ status: 403 });
    expect(await agent('POST', '/v1/rules', RULE)).toMatchObject({ status: 403 });
  });
});

describe('metric events', () => {
  test('one by itself, or many: each is held against the rules about its agent', async () => {
    const { ask, matches } = await start();
    await ask('POST', '/v1/rules', RULE);
    await ask('POST', '/v1/rules', { ...RULE, name: 'done', agentId: '*', condition: 'done == 1' });
    const event = { agent_id: 'support-agent', metrics: { error_rate: 0.07, done: false } };
    const one = await ask('POST', '/v1/events', event);
    expect(one).toMatchObject({ status: 202, body: { accepted: 1, matches: 1, rejected: [] } });
    const other = { agent_id: 'other', metrics: { error_rate: 0.9, done: true } };
    const events = [event, other, { ...event, metrics: { error_rate: 0.05 } }];
    expect((await ask('POST', '/v1/events', { events })).body).toMatchObject({ matches: 2 });
    expect([await matches('support-agent'), await matches('other')]).toEqual([2, 1]);
  });

  test('a repeated key counts once', async () => {
    const { ask, matches } = await start();
    await ask('POST', '/v1/rules', RULE);
    const event = { agent_id: 'support-agent', metrics: { error_rate: 1 }, idempotency_key: 'k' };
    await ask('POST', '/v1/events', event);
    const again = await ask('POST', '/v1/events', { events: [event, event] });
    expect(again.body).toMatchObject({ accepted: 0, duplicates: 2, matches: 0 });
    expect(await matches()).toBe(1);
  });

  test('a rule that is made, changed or removed by another gateway holds for the next event', async () => {
    const { ask, org, matches } = await start();
    const second = await real.start();
    const headers = bearer(await real.key({ org }));
    const there = async (metrics: object) =>
      second.request('POST', '/v1/events', JSON.stringify({ agent_id: 'a', metrics }), headers);
    await there({ error_rate: 0.07 });
    expect(await matches()).toBe(0);
    const rule = { ...RULE, agentId: '*' };
    const made = await ask('POST', '/v1/rules', rule);
    await there({ error_rate: 0.07 });
    expect(await matches()).toBe(1);
    const { id } = made.body.rule;
    await ask('PUT', `/v1/rules/${id}`, { ...rule, condition: 'error_rate > 0.5' });
    await there({ error_rate: 0.07 });
    expect(await matches()).toBe(1);
    await ask('DELETE', `/v1/rules/${id}`);
    expect((await there({ error_rate: 0.9 })).body).toMatchObject({ accepted: 1, matches: 0 });
    // What its workflow has not answered yet stays until that has ended its alert.
    expect(await matches()).toBe(1);
  });

  test('§8: bad ones are set aside with the path of the fault, and the good ones count', async () => {
    const { ask, matches } = await start();
    await ask('POST', '/v1/rules', { ...RULE, agentId: '*' });
    const good = { agent_id: 'a', metrics: { error_rate: 1 } };
    const bad = [
      [{ metrics: { error_rate: 1 } }, 'agent_id'],
      [{ agent_id: 7, metrics: {} }, 'agent_id'],
      [{ agent_id: 'a' }, 'metrics'],
      [{ agent_id: 'a', metrics: [1] }, 'metrics'],
      [{ agent_id: 'a', metrics: {} }, 'metrics'],
      [{ agent_id: 'a', metrics: { x: null } }, 'metrics.x'],
      [{ agent_id: 'a', metrics: { x: { y: 1 } } }, 'metrics.x'],
      [{ agent_id: 'a', metrics: { x: 'NaN' } }, 'metrics.x'],
      [{ agent_id: 'a', metrics: { x: '\ud800' } }, 'metrics.x'],
      [{ agent_id: 'a', metrics: { '': 1 } }, 'metrics.'],
      [{ ...good, timestamp: 'yesterday' }, 'timestamp'],
      [{ ...good, idempotency_key: 3 }, 'idempotency_key'],
      [null, ''],
      ['text', ''],
    ] as const;
    const events = [good, ...bad.map(([each]) => each), good];
    const { status, body } = await ask('POST', '/v1/events', { events });
    expect([status, body['accepted'], body['rejected_count']]).toEqual([202, 2, bad.length]);
    expect(body.rejected.map((each) => each.path)).toEqual(
      bad.map(([, path], i) => `events[${String(i + 1)}]${path === '' ? '' : `.${path}`}`),
    );
    expect(await matches()).toBe(2);
    const kept = await ask('GET', '/v1/quarantine');
    expect(kept.body['events']).toHaveLength(bad.length);
    const single = await ask('POST', '/v1/events', { agent_id: 'a', metrics: { x: [] } });
    expect(single.body).toMatchObject({ accepted: 0, rejected: [{ path: 'metrics.x' }] });
  });

  test('§8: names from the prototype are names, and what is no batch is refused', async () => {
    const { ask, request, as, org, matches } = await start();
    for (const metric of ['__proto__', 'constructor', 'toString']) {
      const rule = { ...RULE, name: metric, agentId: '*', condition: `${metric} == 1` };
      await ask('POST', '/v1/rules', rule);
    }
    const admin = bearer(await real.key({ org }));
    const text = '{"agent_id":"a","metrics":{"__proto__":1,"x":1e999}}';
    expect(await request('POST', '/v1/events', text, admin)).toMatchObject({
      body: { rejected: [{ path: 'metrics.x' }] },
    });
    await ask('POST', '/v1/events', { agent_id: 'a', metrics: { x: 1 } });
    expect(await matches()).toBe(0);
    const own = '{"agent_id":"a","metrics":{"__proto__":1,"toString":1}}';
    expect((await request('POST', '/v1/events', own, admin)).body).toMatchObject({ matches: 2 });
    for (const body of [[], 3, { events: {} }, { events: 1 }]) {
      expect(await ask('POST', '/v1/events', body)).toMatchObject({ status: 400 });
    }
    const reader = as(await real.key({ org, scopes: ['read'] }));
    expect(await reader('POST', '/v1/events', {})).toMatchObject({ status: 403 });
    const agent = as(await real.key({ org, agent: 'a', scopes: ['ingest'] }));
    const foreign = await agent('POST', '/v1/events', { agent_id: 'b', metrics: { x: 1 } });
    expect(foreign.body).toMatchObject({ accepted: 0, rejected: [{ path: 'agent_id' }] });
  });
});
