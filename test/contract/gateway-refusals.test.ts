/** K1 to K3, B9, C2 at the gateway: who is refused, with which word, and never before it is stored. */
import { describe, expect, test } from 'vitest';
import { NOON, startTestGateway, syncDocument, usageEvent } from './gateway-kit.js';

const TODAY = 'default/agent:research-bot/daily/20261121T000000Z';
const YESTERDAY = 'default/agent:research-bot/daily/20261120T000000Z';
const killed = { at: NOON, dimension: 'cost', bps: 10_000, limit: 5e9 } as const;
const at = (ms: number): string => new Date(ms).toISOString();

async function startStopped() {
  const started = await startTestGateway();
  await started.post('/v1/agents/research-bot/stop', { reason: 'runaway', by: 'ana' });
  return started;
}

async function startKilled(over: Record<string, unknown> = {}) {
  const started = await startTestGateway();
  await started.post('/v1/sync-config', syncDocument({ alert_configs: [], ...over }));
  await started.ingest(usageEvent());
  return started;
}

describe('Stop (K2)', () => {
  test('fresh usage of the stopped agent is stored, then refused for good with its name', async () => {
    const { ingest, ledger } = await startStopped();
    const answer = await ingest(usageEvent(), usageEvent());
    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({
      reason: 'tier_agent_limit',
      rejected_agents: ['research-bot'],
      accepted: 2,
    });
    expect(ledger.events.size).toBe(2);
  });

  test('a refusal repeats: the same batch again is a duplicate, and refused', async () => {
    const { ingest, ledger } = await startStopped();
    const event = usageEvent();
    await ingest(event);
    expect((await ingest(event)).body).toMatchObject({ duplicates: 1, reason: 'tier_agent_limit' });
    expect(ledger.events.size).toBe(1);
  });

  test('a batch of two agents is taken: the pause would hit the other one too', async () => {
    const { ingest } = await startStopped();
    expect((await ingest(usageEvent(), usageEvent({ agent_name: 'other' }))).status).toBe(202);
  });

  test('a batch with an event nobody can read is taken', async () => {
    const { ingest } = await startStopped();
    expect((await ingest(usageEvent(), usageEvent({ cost: -1 }))).status).toBe(202);
  });

  test.each([
    ['59.999 s old: refused', NOON - 59_999, 429],
    ['60 s old: it waited on a disk', NOON - 60_000, 202],
    ['of 1970', 0, 202],
    ['ahead of our clock: refused', NOON + 600_000, 429],
  ])('the newest event is %s', async (_what, newest, status) => {
    const { ingest } = await startStopped();
    const old = usageEvent({ timestamp: at(NOON - 3_600_000) });
    expect((await ingest(old, usageEvent({ timestamp: at(newest) }), old)).status).toBe(status);
  });

  test('resumed, it is taken again', async () => {
    const { ingest, post } = await startStopped();
    expect((await post('/v1/agents/research-bot/resume', {})).body).toEqual({ changed: true });
    expect((await ingest(usageEvent())).status).toBe(202);
  });
});

describe('kill and block (K1, B9)', () => {
  test('who is resumed and still held by a budget hears which, and what can be done', async () => {
    const { ledger, post } = await startKilled();
    ledger.kill(TODAY, killed);
    const { body } = await post('/v1/agents/research-bot/resume', {});
    expect(body).toMatchObject({ changed: false });
    expect(String(body['warnings'])).toMatch(
      /^research-bot may not go on: its daily budget was killed .* \$1\.00 of \$5\.00 .*kavach raise/,
    );
    const other = await post('/v1/agents/other/resume', {});
    expect(other.body).toEqual({ changed: false });
  });

  test('a killed period refuses with org_budget_exceeded, after storing', async () => {
    const { ingest, ledger } = await startKilled();
    ledger.kill(TODAY, killed);
    const answer = await ingest(usageEvent());
    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({ reason: 'org_budget_exceeded', accepted: 1 });
    expect(answer.body['detail']).toBe(
      'research-bot may not go on: its daily budget was killed at 100 % of its cost limit: ' +
        '$2.00 of $5.00 are spent. `kavach raise research-bot +… --cadence daily` allows more, ' +
        '`kavach reset research-bot --cadence daily` counts from here; the period ends at ' +
        '2026-11-22T00:00:00.000Z.',
    );
    expect(answer.body).not.toHaveProperty('rejected_agents');
    expect(ledger.events.size).toBe(2);
  });

  test('T7: a kill ends with its period', async () => {
    const { ingest, ledger, clock } = await startKilled();
    ledger.kill(TODAY, killed);
    clock.now = Date.parse('2026-11-22T00:00:00Z');
    // Ten seconds before midnight: it counts in the period that is over.
    expect((await ingest(usageEvent({ timestamp: at(clock.now - 10_000) }))).status).toBe(202);
    expect((await ingest(usageEvent({ timestamp: at(clock.now) }))).status).toBe(202);
  });

  test('a kill of yesterday holds nobody today', async () => {
    const { ingest, ledger } = await startKilled();
    const late = usageEvent({ timestamp: at(NOON - 86_400_000) });
    await ingest(late);
    ledger.kill(YESTERDAY, killed);
    expect((await ingest(late, usageEvent())).status).toBe(202);
  });

  test("a run's kill refuses only a batch that is all of that run", async () => {
    const { ingest, ledger } = await startKilled();
    await ingest(usageEvent({ run_id: 'r1' }));
    ledger.kill('default/agent:research-bot/run/r1', killed);
    expect((await ingest(usageEvent({ run_id: 'r1' }))).status).toBe(429);
    expect((await ingest(usageEvent({ run_id: 'r1' }), usageEvent())).status).toBe(202);
    expect((await ingest(usageEvent({ run_id: 'r2' }))).status).toBe(202);
  });

  test('B9: a synced budget with a kill refuses at its limit, before any workflow decides', async () => {
    const { ingest, post } = await startTestGateway();
    await post('/v1/sync-config', syncDocument());
    expect((await ingest(usageEvent({ cost: 4.99 }))).status).toBe(202);
    const answer = await ingest(usageEvent({ cost: 0.01 }));
    expect(answer.status).toBe(429);
    expect(answer.body['reason']).toBe('org_budget_exceeded');
  });

  test('B9: without a kill nothing is refused at the limit', async () => {
    const { ingest } = await startKilled();
    expect((await ingest(usageEvent({ cost: 100 }))).status).toBe(202);
  });

  test('C2: an organisation’s kill stops only the agents that synced it', async () => {
    const { ingest, ledger } = await startKilled({
      org_budget: { budget_type: 'cost', period: 'daily', limit_value: 500 },
    });
    const org = 'default/org/daily/20261121T000000Z';
    ledger.kill(org, { ...killed, agents: ['other'] });
    expect((await ingest(usageEvent())).status).toBe(202);
    expect((await ingest(usageEvent({ agent_name: 'other' }))).status).toBe(429);
    ledger.kill(org, killed);
    expect((await ingest(usageEvent())).status).toBe(429);
  });

  test('C2: the block that comes with a synced org kill holds only who synced it', async () => {
    const { ingest, post } = await startTestGateway();
    await post('/v1/sync-config', {
      ...syncDocument({ alert_configs: [] }),
      org_budget: { budget_type: 'cost', period: 'daily', limit_value: 1 },
      org_alert_configs: [{ channel: 'kill', threshold_pct: 1, budget_type: 'cost' }],
    });
    expect((await ingest(usageEvent({ agent_name: 'other', cost: 2 }))).status).toBe(202);
    expect((await ingest(usageEvent())).status).toBe(429);
  });

  test('a stop is told before a kill', async () => {
    const { ingest, ledger, post } = await startKilled();
    ledger.kill(TODAY, killed);
    await post('/v1/agents/research-bot/stop', { reason: 'x' });
    expect((await ingest(usageEvent())).body['reason']).toBe('tier_agent_limit');
  });
});
