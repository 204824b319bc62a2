/** `kavach gateway`, `relay`, `worker`: what they refuse to start without, and how they are asked. */
import { describe, expect, test } from 'vitest';
import { startHealth } from '../../cli/processes/health.js';
import { loadProcessConfig } from '../../cli/processes/requirements.js';
import { createSealKey } from '../../ledger/seal.js';
import { ConfigError } from '../../worker/config.js';
import { kavach } from '../support/run-cli.js';

const whole = {
  DATABASE_URL: 'postgres://kavach@db.example/kavach',
  TEMPORAL_ADDRESS: 'temporal.example:7233',
  KAVACH_SEAL_KEYS: createSealKey(),
  KAVACH_LINK_KEY: 'l'.repeat(32),
  KAVACH_PUBLIC_URL: 'https://kavach.example',
};

function faultsOf(env: Record<string, string>, role: 'gateway' | 'relay' | 'worker'): string[] {
  try {
    loadProcessConfig(env, [role]);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [...error.faults];
  }
}

describe('a process of a set', () => {
  test.each(['gateway', 'relay', 'worker'] as const)('%s: starts with what is shared', (role) => {
    expect(faultsOf(whole, role)).toEqual([]);
  });

  test('all that is missing is told at once, each once, with what to put there', () => {
    const names = (role: 'gateway' | 'relay' | 'worker', env = {}) =>
      faultsOf(env, role).map((fault) => fault.split(' is not set: expected ')[0]);
    expect(names('worker')).toEqual(Object.keys(whole));
    expect(names('gateway')).toEqual(Object.keys(whole));
    expect(names('relay')).toEqual(['DATABASE_URL', 'TEMPORAL_ADDRESS', 'KAVACH_SEAL_KEYS']);
    const { DATABASE_URL } = whole;
    expect(names('relay', { DATABASE_URL })).toEqual(['TEMPORAL_ADDRESS', 'KAVACH_SEAL_KEYS']);
  });

  test('beside other faults', () => {
    const { DATABASE_URL: _, ...rest } = whole;
    const faults = faultsOf({ ...rest, KAVACH_PORT: 'x' }, 'relay');
    expect(faults).toHaveLength(2);
    expect(faults.join()).toMatch(/DATABASE_URL is not set.*KAVACH_PORT is "x"/);
  });

  test('the command ends with 1 and says so', async () => {
    const { code, err } = await kavach(['worker']);
    expect(code).toBe(1);
    expect(err).toContain('DATABASE_URL is not set: expected the Postgres');
  });
});

describe('the health of a process without a gateway', () => {
  const up = { ping: () => Promise.resolve() };
  const down = { ping: () => Promise.reject(new Error('away')) };
  const ask = async (ledger: typeof up, temporal: typeof up, needsTemporal: boolean) => {
    const options = { host: '127.0.0.1', port: 0, ledger, temporal, needsTemporal };
    const health = await startHealth(options);
    try {
      const answer = await fetch(`${health.url}/readyz`);
      const [live, other] = [await fetch(`${health.url}/healthz`), await fetch(`${health.url}/v1`)];
      expect([live.status, other.status]).toEqual([200, 404]);
      return [answer.status, await answer.json()];
    } finally {
      await health.stop();
      await health.stop();
    }
  };

  test('a worker needs Temporal, a relay keeps what it cannot send', async () => {
    const body = (status: string, ledger: string, temporal: string) => ({
      status,
      ledger,
      temporal,
    });
    expect(await ask(up, up, true)).toEqual([200, body('ready', 'up', 'up')]);
    expect(await ask(up, down, true)).toEqual([503, body('not_ready', 'up', 'down')]);
    expect(await ask(up, down, false)).toEqual([200, body('ready', 'up', 'down')]);
    expect(await ask(down, up, false)).toEqual([503, body('not_ready', 'down', 'up')]);
  });

  test('a port that is taken is named, with its setting', async () => {
    const options = { host: '127.0.0.1', ledger: up, temporal: up, needsTemporal: false };
    const first = await startHealth({ ...options, port: 0 });
    const port = Number(new URL(first.url).port);
    await expect(startHealth({ ...options, port })).rejects.toThrow(`Port ${port} on 127.0.0.1`);
    await first.stop();
  });
});
