/** The guards' channel (gateway/guard/): what they are told, how soon, and what bounds it. */
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { hashApiKey } from '../../gateway/api-key.js';
import { createGuardStream } from '../../gateway/guard/stream.js';
import type { GuardPolicy } from '../../gateway/guard/policy.js';
import type { GuardStanding } from '../../ledger/ledger.js';
import { KEY, NOON, startTestGateway, testKey } from './gateway-kit.js';
import { openGuard } from './guard-kit.js';

const soon = { timeout: 5_000, interval: 5 };
const STOP = { agent: 'bot', at: NOON, by: 'ana', reason: 'circles' };
const KILL = { dimension: 'cost', bps: 10_000, limit: 5, at: NOON } as const;
const DAY = 'default/agent:bot/daily/20261121T000000Z';
const FREE = { stopped: null, killed: null };

async function stage(policy: Partial<GuardPolicy> = {}) {
  const started = await startTestGateway({
    guards: { pollMs: 10, ...policy },
    policy: { graceMs: 5_000 },
  });
  const leases = started.ledger.leaseBook;
  const { url } = started.gateway;
  const stand = (standing: Partial<GuardStanding>, agent = 'bot', org = 'default'): void => {
    leases.standings.set(`${org} ${agent}`, standing);
  };
  return {
    ...{ ...started, leases, stand },
    open: (query = 'agent_name=bot', key = KEY) => openGuard(url, query, key),
    /** The looks from now on. */
    looks: async (n: number) => {
      const upTo = leases.looks.length + n;
      await expect.poll(() => leases.looks.length, soon).toBeGreaterThanOrEqual(upTo);
    },
  };
}

const killedIn = (periodId: string, over: object = {}): GuardStanding['killed'][number] => ({
  ...{ periodId, killed: { ...KILL, ...over } },
});

describe('what a guard is told', () => {
  test('first how it stands, then what changes, and nothing twice', async () => {
    const { open, stand, looks } = await stage();
    stand({ stopped: STOP, limitsMark: 'a' });
    const guard = await open();
    expect(guard.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const stopped = {
      ...{ reason: 'tier_agent_limit', at: '2026-11-21T12:00:00.000Z' },
      ...{ by: 'ana', why: 'circles' },
    };
    await expect
      .poll(() => guard.heard, soon)
      .toEqual([
        { event: 'standing', data: { stopped, killed: null } },
        { event: 'limits', data: { rev: 'a' } },
      ]);
    await looks(3);
    stand({ limitsMark: 'b' });
    await expect.poll(() => guard.heard.length, soon).toBe(4);
    await looks(3);
    expect(guard.heard.slice(2)).toEqual([
      { event: 'standing', data: FREE },
      { event: 'limits', data: { rev: 'b' } },
    ]);
  });

  test('K3: a Stop within a second of its commit, at the pace of production', async () => {
    const { open, stand } = await stage({ pollMs: 250 });
    const guard = await open();
    await expect.poll(() => guard.of('standing'), soon).toEqual([FREE]);
    const began = performance.now();
    stand({ stopped: STOP });
    await expect.poll(() => guard.of('standing').length, soon).toBe(2);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('K1, C2: a kill as a sync tells it, and only those it stops', async () => {
    const { open, stand } = await stage();
    const endsAt = NOON + 1_000;
    stand({ killed: [{ ...killedIn(DAY), endsAt }] });
    stand({ killed: [killedIn('default/org/monthly/x', { agents: ['bot'] })] }, 'other');
    const [guard, other] = [await open(), await open('agent_name=other')];
    await expect
      .poll(() => guard.of('standing'), soon)
      .toEqual([
        {
          stopped: null,
          killed: {
            ...{ reason: 'org_budget_exceeded', period_id: DAY, cadence: 'daily' },
            ...{ dimension: 'cost', threshold: 1, at: '2026-11-21T12:00:00.000Z' },
            resets_at: '2026-11-21T12:00:01.000Z',
          },
        },
      ]);
    await expect.poll(() => other.of('standing'), soon).toEqual([FREE]);
  });

  test('the kill of a run is told to the guards of that run only', async () => {
    const { open, stand } = await stage();
    stand({
      killed: [killedIn('default/agent:bot/run/r1')],
      recalls: [{ periodId: 'default/agent:bot/run/r1', why: 'overrun' }],
    });
    const mine = await open('agent_name=bot&run_id=r1');
    const [others, none] = [await open('agent_name=bot&run_id=r2'), await open()];
    await expect.poll(() => mine.of('recall'), soon).toHaveLength(1);
    expect(mine.of('standing')).toMatchObject([{ killed: { cadence: 'run' } }]);
    for (const guard of [others, none]) {
      await expect.poll(() => guard.of('limits'), soon).toHaveLength(1);
      expect(guard.of('standing')).toEqual([FREE]);
      expect(guard.of('recall')).toEqual([]);
    }
  });

  test('a recall when it comes, and again when it comes back', async () => {
    const { open, stand, looks } = await stage();
    const guard = await open();
    const recalls = [{ periodId: DAY, why: 'wanted' }] as const;
    stand({ recalls });
    await looks(4);
    stand({});
    await looks(4);
    stand({ recalls: [{ periodId: DAY, why: 'overrun' }, ...recalls] });
    await expect.poll(() => guard.of('recall').length, soon).toBe(3);
    expect(guard.of('recall')).toEqual([
      { period_id: DAY, why: 'wanted' },
      { period_id: DAY, why: 'overrun' },
      { period_id: DAY, why: 'wanted' },
    ]);
  });

  test('another organisation’s standing is not its own', async () => {
    const { open, stand, ledger, leases } = await stage();
    ledger.apiKeys.set(hashApiKey('kv_them'), testKey({ id: 'them', org: 'them' }));
    stand({ stopped: STOP });
    const guard = await open('agent_name=bot', 'kv_them');
    await expect.poll(() => guard.of('standing'), soon).toEqual([FREE]);
    expect(leases.looks.flat()).toContainEqual({ org: 'them', agent: 'bot' });
    expect(leases.looks.flat()).not.toContainEqual({ org: 'default', agent: 'bot' });
  });

  test('a key of the agent may come; who it is must be said', async () => {
    const { open, ledger } = await stage();
    const own = testKey({ id: 'own', agent: 'bot', scopes: ['ingest'] });
    ledger.apiKeys.set(hashApiKey('kv_own'), own);
    expect((await open('agent_name=bot', 'kv_own')).status).toBe(200);
    expect((await open('agent_name=other', 'kv_own')).status).toBe(403);
    for (const query of ['', 'agent_name=', 'agent_name=bot&run_id=', 'agent_name=%00']) {
      expect((await open(query)).status, query).toBe(422);
    }
  });
});

describe('the looks', () => {
  test('GH-1: one for all who are connected, and none while nobody is', async () => {
    const { open, leases, looks } = await stage();
    expect(leases.looks).toEqual([]);
    const guards = [await open(), await open(), await open('agent_name=other')];
    await looks(2);
    expect(leases.looks.at(-1)).toEqual([
      { org: 'default', agent: 'bot' },
      { org: 'default', agent: 'other' },
    ]);
    for (const guard of guards) guard.close();
    let before = 0;
    const fresh = () => {
      const since = leases.looks.length - before;
      before = leases.looks.length;
      return since;
    };
    await expect.poll(fresh, { ...soon, interval: 60 }).toBe(0);
  });

  test('GH-2: one that fails changes nothing; the next tells what it would have told', async () => {
    const { open, stand, leases, looks, lines } = await stage();
    const guard = await open();
    leases.before = () => {
      throw new Error('away');
    };
    stand({ stopped: STOP });
    await looks(3);
    expect(guard.of('standing')).toEqual([FREE]);
    expect(guard.end).toBeUndefined();
    leases.before = () => undefined;
    await expect.poll(() => guard.of('standing').length, soon).toBe(2);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test('who cannot be told how it stands is asked to come again', async () => {
    const { open, leases } = await stage();
    leases.before = () => {
      throw new Error('away');
    };
    const refused = await open();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
  });
});

describe('its bounds', () => {
  test('GH-3: of a key, of an organisation, of the gateway; who goes makes room', async () => {
    const one = await stage({ perKey: 1 });
    const first = await one.open();
    expect((await one.open()).status).toBe(429);
    one.ledger.apiKeys.set(hashApiKey('kv_2'), testKey({ id: 'second' }));
    expect((await one.open('agent_name=bot', 'kv_2')).status).toBe(200);
    first.close();
    await expect.poll(async () => (await one.open()).status, soon).toBe(200);
    const org = await stage({ perOrganisation: 1 });
    await org.open();
    org.ledger.apiKeys.set(hashApiKey('kv_2'), testKey({ id: 'second' }));
    org.ledger.apiKeys.set(hashApiKey('kv_3'), testKey({ id: 'third', org: 'them' }));
    expect((await org.open('agent_name=bot', 'kv_2')).status).toBe(429);
    expect((await org.open('agent_name=bot', 'kv_3')).status).toBe(200);
    const all = await stage({ maxStreams: 1 });
    await all.open();
    expect((await all.open()).status).toBe(503);
  });

  test('comments say that it stands, and after a while it has to come again', async () => {
    const { open } = await stage({ beatMs: 10, maxAgeMs: 200 });
    const guard = await open();
    await expect.poll(() => guard.comments, soon).toBeGreaterThan(2);
    await expect.poll(() => guard.end, soon).toBe('in order');
  });

  test('GS-1: one that does not read is dropped, and nobody else notices', async () => {
    const { gateway, open, stand, looks } = await stage({ pollMs: 5, bufferBytes: 4_000_000 });
    const deaf = connect(gateway.port, '127.0.0.1');
    deaf.pause();
    deaf.write(
      `GET /v1/guard?agent_name=loud HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n\r\n`,
    );
    const guard = await open();
    const seen = { gone: false };
    deaf.on('error', () => undefined).once('close', () => (seen.gone = true));
    const reason = 'x'.repeat(1_000_000);
    for (let n = 0; n < 60 && !seen.gone; n += 1) {
      stand({ stopped: { ...STOP, agent: 'loud', at: NOON + n, reason } }, 'loud');
      await looks(2);
      // What is closed on it is seen by who writes to it, as it never reads.
      if (n > 40) deaf.resume();
    }
    await expect.poll(() => seen.gone, soon).toBe(true);
    stand({ stopped: STOP });
    await expect.poll(() => guard.of('standing').length, soon).toBe(2);
  });

  test('GH-4: a gateway that ends closes them in order, and waits for none', async () => {
    const { gateway, open } = await stage();
    const guards = [await open(), await open('agent_name=other')];
    const began = performance.now();
    await gateway.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const guard of guards) await expect.poll(() => guard.end, soon).toBe('in order');
  });
});

describe('a stream', () => {
  const stream = (bufferBytes: number) => {
    const ends: string[] = [];
    const made = createGuardStream({
      bufferBytes,
      cut: () => ends.push('cut'),
      ended: () => ends.push('ended'),
    });
    return { ...made, ends, reader: made.body.getReader() };
  };

  test('GS-1: holds what fits, and not a byte more', () => {
    const one = stream(100);
    one.send('limits', { rev: 'x'.repeat(60) });
    expect(one.ends).toEqual([]);
    one.send('limits', { rev: '1' });
    one.send('limits', { rev: '2' });
    expect(one.ends).toEqual(['ended', 'cut']);
  });

  test('GS-1: for whom something waits at two beats in a row does not read', async () => {
    const one = stream(100);
    one.send('limits', {});
    one.beat();
    expect(one.ends).toEqual([]);
    await one.reader.read();
    await one.reader.read();
    one.beat();
    await one.reader.read();
    one.beat();
    one.beat();
    expect(one.ends).toEqual([]);
    one.beat();
    expect(one.ends).toEqual(['ended', 'cut']);
  });

  test('GS-2: it ends once', async () => {
    const one = stream(100);
    one.end();
    one.end();
    one.send('limits', {});
    one.beat();
    await one.reader.cancel();
    expect(one.ends).toEqual(['ended']);
  });
});
