/** `kavach doctor`: what it sees where parts are missing, hang or do not fit, and what it never shows. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../cli/doctor-check.js';
import { examine } from '../../cli/doctor.js';
import { nodeVersion } from '../../cli/doctor-here.js';
import { createOutput } from '../../cli/output.js';
import { migratePostgres } from '../../ledger/migrate.js';
import { openLedger } from '../../ledger/open.js';
import { createSealKey, parseSealKeys } from '../../ledger/seal.js';
import { SECRET_VARIABLES } from '../../worker/secret-variables.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';
import { kavach } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Nobody listens there, and nothing of this machine is looked at. */
const NOWHERE = { KAVACH_URL: 'http://127.0.0.1:9', TEMPORAL_ADDRESS: '127.0.0.1:9' };

interface Examined {
  readonly code: number;
  readonly text: string;
  readonly of: (name: string) => Finding;
}

async function doctor(env: Record<string, string>): Promise<Examined> {
  const { code, out, err } = await kavach(['doctor', '--json'], {
    env: { KAVACH_DATA_DIR: temporaryFolder(), ...env },
  });
  expect(err).toBe('');
  const { checks } = JSON.parse(out) as { checks: Finding[] };
  const of = (name: string): Finding => {
    const found = checks.find((each) => each.name === name);
    if (found === undefined) throw new Error(`There is no check ${name}: ${out}`);
    return found;
  };
  return { code, text: out, of };
}

describe('where nothing runs yet', () => {
  test('every check says what it saw, whatever is not well what comes next, and warnings are no failure', async () => {
    const env = { KAVACH_DATA_DIR: join(temporaryFolder(), 'new'), KAVACH_PROT: '1' };
    const { code, out } = await kavach(['doctor', '--json'], { env });
    const { checks } = JSON.parse(out) as { checks: Finding[] };
    expect(checks.length).toBeGreaterThan(15);
    for (const { name, state, seen, next } of checks) {
      expect(seen, name).not.toBe('');
      if (state !== 'ok') expect(next, name).toMatch(/\w/);
    }
    const failed = checks.filter(({ state }) => state === 'fail').map(({ name }) => name);
    // Another service on this machine may have the usual port.
    expect(failed.filter((name) => name !== 'gateway')).toEqual([]);
    expect({ code }).toEqual({ code: failed.length > 0 ? 1 : 0 });
    const unknown = checks.find(({ name }) => name === 'variables');
    expect(unknown).toMatchObject({ state: 'warn', seen: expect.stringContaining('KAVACH_PORT') });
  });

  test('a person gets an aligned table, and the next steps', async () => {
    const { out } = await kavach(['doctor'], { env: NOWHERE });
    const lines = out.split('\n');
    const at = lines[0]?.indexOf('SEEN') ?? -1;
    for (const line of lines.slice(1, 10)) expect(line.slice(at - 2, at), line).toBe('  ');
    expect(out).toContain('\nNEXT');
  });
});

describe('what does not fit', () => {
  test('faults of the configuration, all of them, without a secret', async () => {
    const secrets = Object.fromEntries([...SECRET_VARIABLES].map((name) => [name, 'canary-91']));
    const { code, of, text } = await doctor({ ...NOWHERE, ...secrets, KAVACH_PORT: 'x' });
    expect(code).toBe(1);
    expect(of('configuration').seen).toMatch(
      /DATABASE_URL .*KAVACH_PORT|KAVACH_PORT .*DATABASE_URL/,
    );
    expect(text).not.toContain('canary-91');
  });

  test('keys that others may read', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
    writeFileSync(join(folder, 'seal-keys'), 'x', { mode: 0o644 });
    const { of } = await doctor({ ...NOWHERE, KAVACH_DATA_DIR: folder });
    expect(of('data folder')).toMatchObject({
      state: 'fail',
      next: expect.stringContaining('chmod'),
    });
  });

  test('credentials of the wrong form, and links that nobody else can open', async () => {
    const { of } = await doctor({
      ...{ ...NOWHERE, RESEND_API_KEY: 'key-canary', KAVACH_EMAIL_FROM: 'a@example.com' },
      AGENTKAVACH_SLACK_WEBHOOK_URL: 'https://example.com/canary',
    });
    const { state, seen } = of('channels');
    expect(state).toBe('warn');
    expect(seen).toMatch(
      /RESEND_API_KEY does not begin with re_.*slack address gets nothing.*PUBLIC_URL/,
    );
    expect(seen).not.toContain('canary');
  });

  test.each([
    ['20.18.9', 'fail'],
    ['18.20.0', 'fail'],
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
  ])('Node %s: %s', (version, state) => {
    expect(nodeVersion(version).state).toBe(state);
  });
});

test('whatever hangs has failed when its time is over', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const at = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  let out = '';
  const stdout = { write: (text: string) => (out += text) };
  const env = {
    ...{ DATABASE_URL: `postgres://u:canary@${at}/x`, KAVACH_SEAL_KEYS: createSealKey() },
    ...{ TEMPORAL_ADDRESS: at, KAVACH_URL: `http://${at}`, KAVACH_DATA_DIR: temporaryFolder() },
  };
  const began = performance.now();
  expect(await examine(createOutput(stdout, { json: true, env }), env, 500)).toBe(1);
  // Of the time after the checks only what closes is waited for.
  expect(performance.now() - began).toBeLessThan(20_000);
  const { checks } = JSON.parse(out) as { checks: Finding[] };
  for (const name of ['ledger', 'temporal', 'gateway']) {
    const found = checks.find((each) => each.name === name);
    expect(found).toMatchObject({ state: 'fail', seen: 'no answer within 0.5 s' });
  }
  expect(out).not.toContain('canary');
});

describe('a ledger', () => {
  const first = createSealKey('k1');
  let postgres: TestPostgres;
  let databaseUrl: string;
  let sql: pg.Pool;
  beforeAll(async () => {
    postgres = await startTestPostgres();
    databaseUrl = await postgres.createDatabase();
    sql = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  });
  afterAll(async () => {
    await sql.end();
    await postgres.stop();
  });
  const examined = (keys = first, more: Record<string, string> = {}) =>
    doctor({ ...NOWHERE, DATABASE_URL: databaseUrl, KAVACH_SEAL_KEYS: keys, ...more });

  test('is not migrated, then is; from a later version it is refused', async () => {
    const { of } = await examined();
    expect(of('ledger')).toMatchObject({
      state: 'fail',
      seen: expect.stringMatching(/0001-first/),
    });
    expect(of('relay')).toMatchObject({ state: 'warn', seen: 'not looked at' });
    await migratePostgres(sql);
    const { of: then } = await examined();
    expect(then('ledger')).toMatchObject({ state: 'ok' });
    expect(then('clock')).toMatchObject({ state: 'ok' });
    await sql.query(`insert into ledger_migration values ('9999-later.sql')`);
    expect((await examined()).of('ledger').seen).toContain('9999-later.sql');
    await sql.query(`delete from ledger_migration where name like '9999%'`);
  });

  test('opens to its keys, asks for a reseal under a newer one, fails without the old', async () => {
    const ledger = await openLedger({ databaseUrl, seal: parseSealKeys(first) });
    const [reference = ''] = await ledger.putDestinations('default', [
      { channel: 'email', address: 'canary@example.com', verified: false },
    ]);
    await ledger.setDefaultDestination('default', 'email', reference);
    await ledger.close();
    expect((await examined()).of('sealing keys')).toMatchObject({ state: 'ok' });
    const second = createSealKey('k2');
    const both = await examined(`${second},${first}`);
    expect(both.of('sealing keys')).toMatchObject({
      state: 'warn',
      seen: expect.stringContaining('2 with k1'),
    });
    const lost = await examined(second);
    expect(lost.of('sealing keys')).toMatchObject({ state: 'fail' });
    expect(lost.text).not.toMatch(/canary|postgres:\/\//);
    expect(both.of('email domains')).toMatchObject({ state: 'warn' });
    expect(both.of('destinations').seen).toContain('defaults for email');
    expect(both.of('operators')).toMatchObject({ state: 'warn' });

    const resealed = await kavach(['reseal'], {
      env: { DATABASE_URL: databaseUrl, KAVACH_SEAL_KEYS: `${second},${first}` },
    });
    expect(resealed).toMatchObject({ code: 0, err: '' });
    expect(resealed.out).toMatch(/2 sealed anew/);
    expect((await examined(second)).of('sealing keys')).toMatchObject({ state: 'ok' });
  });

  test('a parked period fails, with its reason', async () => {
    await sql.query(`insert into period (id, org, scope, cadence, period, generation, name, starts_at,
      zone, limits, limits_rev, state, parked_reason)
      values ('p', 'default', 'org', 'daily', 'd', 1, 'n', 0, 'UTC', '{}', 0, 'parked', 'refused')`);
    expect((await examined()).of('relay')).toMatchObject({
      ...{ state: 'fail', seen: expect.stringContaining('1 parked (refused)') },
    });
  });
});
