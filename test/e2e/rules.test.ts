/** R1 to R3 through the whole service: metric events in, alerts at the operators' out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AlertView } from '../../ledger/ledger.js';
import { kavach } from '../support/run-cli.js';
import { startTestService, until, type TestService } from './service-kit.js';

const OPERATORS = '/webhook/operators';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({
    variables: ({ url }) => ({
      KAVACH_STORM_LIMIT: '1000',
      KAVACH_OPERATORS_WEBHOOK_URL: `${url}${OPERATORS}`,
    }),
  });
});
afterAll(() => service.stop());

const rule = (name: string, over: object = {}): Promise<unknown> =>
  service.post('/v1/rules', {
    ...{ name, agentId: '*', condition: `${name} > 0.05`, channels: ['webhook'] },
    ...over,
  });
const send = (agent_id: string, metrics: object): Promise<{ matches: number }> =>
  service.post('/v1/events', { agent_id, metrics });
const alertsOf = async (agent: string): Promise<readonly AlertView[]> =>
  (await service.get<{ alerts: AlertView[] }>(`/v1/alerts?agent=${agent}&limit=1000`)).alerts;
const told = (agent: string): readonly string[] =>
  service.sink
    .messages(OPERATORS)
    .map(({ body }) => body)
    .filter((body) => body.includes(agent));
const cli = (...argv: string[]) =>
  kavach(argv, { env: { KAVACH_URL: service.url, KAVACH_API_KEY: service.apiKey } });

describe('a rule', () => {
  test('R2: a thousand events in ten seconds above its threshold: one alert, the rest counted', async () => {
    await rule('errors', { priority: 'high' });
    const noisy = { agent_id: 'noisy', metrics: { errors: 0.07 } };
    const began = Date.now();
    for (let sent = 0; sent < 1_000; sent += 10) {
      await until('its turn', () => Date.now() - began >= sent * 10);
      const events = Array.from({ length: 10 }, () => noisy);
      await service.post('/v1/events', { events });
    }
    const [first, ...more] = await alertsOf('noisy');
    expect(more).toEqual([]);
    expect(told('noisy')).toHaveLength(1);
    expect(first).toMatchObject({ phase: 'firing', facts: { kind: 'rule' } });
    // A shorter cooldown holds at once: the next match tells of all that was counted.
    await cli('rules', 'set', 'errors', 'errors > 0.05', '--cooldown', '1');
    let matches = 1_001;
    await send('noisy', { errors: 0.08 });
    const counted = (): number =>
      told('noisy').reduce((sum, body) => sum + 1 + Number(/(\d+) more/.exec(body)?.[1] ?? 0), 0);
    for (let alerts = 2; ; alerts += 1) {
      await until('another alert', () => told('noisy').length >= alerts);
      if (counted() === matches) break;
      // The agent heard late of some: they were a match of their own, and the last one fell into
      // the shorter cooldown. The match after it tells of all.
      expect(alerts).toBeLessThan(4);
      const heardAt = Date.now();
      await until('the end of the cooldown', () => Date.now() - heardAt > 1_100);
      await send('noisy', { errors: 0.08 });
      matches += 1;
    }
  }, 60_000);

  test('R2: one for all agents, and fifty of them: one alert each', async () => {
    await rule('latency', { condition: 'latency >= 3' });
    const agents = Array.from({ length: 50 }, (_, i) => `agent-${String(i)}`);
    for (let round = 0; round < 4; round += 1) {
      const events = agents.map((agent_id) => ({ agent_id, metrics: { latency: 3 + round } }));
      await service.post('/v1/events', { events });
    }
    const counts = async (): Promise<number[]> => {
      const { alerts } = await service.get<{ alerts: AlertView[] }>('/v1/alerts?limit=1000');
      return agents.map((agent) => alerts.filter(({ facts }) => facts.agentName === agent).length);
    };
    await until('all alerts', async () => (await counts()).every((count) => count > 0), 40_000);
    await until('all messages', () => agents.every((agent) => told(`${agent}:`).length > 0));
    expect(await counts()).toEqual(agents.map(() => 1));
    expect(agents.map((agent) => told(`${agent}:`).length)).toEqual(agents.map(() => 1));
  }, 60_000);

  test('R3: false twice in a row resolves it, and those who want to hear of it do', async () => {
    await rule('queue', { condition: 'queue > 100', cooldownSeconds: 1 });
    await send('worker', { queue: 101 });
    await until('its alert', () => told('worker')[0]);
    await send('worker', { queue: 99 });
    await send('worker', { queue: 98 });
    await until('its end', async () => (await alertsOf('worker'))[0]?.phase === 'resolved');
    const resolved = await until('the word of its end', () => told('worker')[1]);
    expect(resolved).toContain('resolved');
    const { out } = await cli('alert', (await alertsOf('worker'))[0]!.id);
    expect(out).toContain('condition over');
  });

  test('R1: what is removed at run time raises nothing more, and what is open ends', async () => {
    await rule('drift', { condition: 'drift > 1' });
    await send('model', { drift: 2 });
    await until('its alert', () => told('model')[0]);
    expect((await cli('rules', 'remove', 'drift')).code).toBe(0);
    expect(await send('model', { drift: 3 })).toMatchObject({ matches: 0 });
    await until('its end', async () => (await alertsOf('model'))[0]?.phase === 'resolved');
    expect(await alertsOf('model')).toHaveLength(1);
  });

  test('A1, A5: what reaches none of its people is told to the operators, and says so', async () => {
    expect((await cli('recipients', 'add', 'noc', '--name', 'Night watch')).code).toBe(0);
    await rule('outage', { channels: ['push'], userIds: ['noc'], priority: 'critical' });
    await send('payments', { outage: 1 });
    await until('the operators', () => told('payments')[0]);
    const [alert] = await until('its end', async () => {
      const alerts = await alertsOf('payments');
      return alerts.length > 0 && alerts;
    });
    const { out } = await until('its journal', async () => {
      const shown = await cli('alert', alert!.id);
      return shown.out.includes('delivered') && shown;
    });
    expect(out).toContain('nobody_reached: nobody else could be reached');
    expect(out).not.toContain('nobody was reached');
    expect(told('payments')).toHaveLength(1);
  });
});
