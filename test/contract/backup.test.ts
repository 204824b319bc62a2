/** Backup and restore of the ledger: all of it, to the byte, into an empty place, or nothing. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startLedgerServer } from '../../cli/embedded/ledger-server.js';
import { ledgerTables, quotedName, tableNames } from '../../ledger/catalog.js';
import { openDatabase } from '../../ledger/database.js';
import { migratePostgres } from '../../ledger/migrate.js';
import { openLedger } from '../../ledger/open.js';
import { createSealKey, parseSealKeys } from '../../ledger/seal.js';
import { seedLedger } from '../support/ledger-folder.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';
import { kavach, type CliRun } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ruleOf } from '../support/rule-shelf.js';
import { batch, costLimit, event, limitsOf, NOW, ORG, seed, store, USD } from './ledger/bed.js';

const SEAL = createSealKey('k1');
const ODD = [
  'line\nend',
  '\u2028 and \u2029',
  '💸 "quoted" \\n',
  "'; drop table x; --",
  '$1 {a,b}',
];
const SENT = { channel: 'webhook', address: 'https://example.com/canary-address' } as const;
/** What a restore changes on purpose (RE-2). */
const CHANGED = new Set([
  'seq',
  'due_at',
  'next_at',
  'fence',
  'lease_until',
  'claimed_seq',
  'epoch',
  ...['rev', 'alerts', 'over', 'told', 'busy'],
]);

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

/** A ledger with something of everything in it; answers the reference of its one destination. */
async function fill(databaseUrl: string, embedded: boolean): Promise<string> {
  const seal = parseSealKeys(SEAL);
  const ledger = await openLedger({ databaseUrl, embedded, seal, timeoutMs: 20_000 });
  const limits = limitsOf(1, costLimit(100));
  const seeds = [seed('daily', { limits }), seed('total', { startsAt: 0, limits })];
  const odd = ODD.map((agent, i) => event(`odd-${String(i)}`, { agent, run: agent }));
  await store(ledger, batch([event('a'), event('b'), ...odd], seeds));
  const [reference = ''] = await ledger.putDestinations(ORG, [SENT]);
  await ledger.setDefaultDestination(ORG, 'webhook', reference);
  for (const agent of ['x', 'y']) {
    await ledger.stop(ORG, { agent, at: NOW, by: 'ada', reason: ODD.join(' ') });
  }
  await ledger.quarantine([{ org: ORG, at: NOW, path: 'p', problem: 'x', raw: ODD.join('\n') }]);
  await ledger.setRule({ org: ORG, rule: ruleOf(), by: 'ana', now: NOW, isNew: true });
  const results = [{ rule: 'r1', matched: true }];
  const metrics = [{ agent: 'bot', at: NOW, key: 'm', results }];
  await ledger.countMetrics({ org: ORG, rev: 1, now: NOW, events: metrics });
  const row = { rule: 'r1', senders: {}, held: 0, alerts: 3, over: 2, told: 2, raisedAt: NOW };
  const rules = [{ ...row, busy: true, gone: false }];
  await ledger.publishRules({ org: ORG, agent: 'bot', order: 1, rules });
  await ledger.close();
  return reference;
}

/** Every row of every table, without what a restore changes. */
async function contents(databaseUrl: string, embedded: boolean): Promise<Record<string, string[]>> {
  const db = openDatabase({
    ...{ databaseUrl, embedded, poolSize: 1, connectMs: 5_000, statementMs: 20_000 },
  });
  const all: Record<string, string[]> = {};
  for (const { name, columns } of await ledgerTables(db.run)) {
    const kept = columns.filter((column) => !CHANGED.has(column.name));
    const rows = await db.run(
      `select ${kept.map((c) => quotedName(c.name)).join(', ')} from ${name}`,
    );
    all[name] = rows.map((row) => JSON.stringify(row)).sort();
  }
  await db.close();
  return all;
}

async function postgresLedger(): Promise<string> {
  const databaseUrl = await postgres.createDatabase();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  await migratePostgres(pool);
  await pool.end();
  return databaseUrl;
}

/** A stopped embedded ledger in a data folder with its keys. */
async function folderLedger(dataDir: string): Promise<Record<string, string[]>> {
  mkdirSync(dataDir);
  await seedLedger(dataDir);
  writeFileSync(join(dataDir, 'seal-keys'), `${SEAL}\n`, { mode: 0o600 });
  writeFileSync(join(dataDir, 'api-key'), 'kv_secret\n', { mode: 0o600 });
  const server = await startLedgerServer({ dataDir });
  await fill(server.databaseUrl, true);
  const before = await contents(server.databaseUrl, true);
  await server.stop();
  return before;
}

describe('a copy of a Postgres', () => {
  test('restored into another one is the same, goes on, and counts no event again', async () => {
    const from = await postgresLedger();
    const reference = await fill(from, false);
    const file = join(temporaryFolder(), 'book.gz');
    const copied = await kavach(['backup', file, '--json'], {
      env: { DATABASE_URL: from, KAVACH_SEAL_KEYS: SEAL },
    });
    expect(copied).toMatchObject({ code: 0, err: '' });
    // The environment's keys stay where they are: named, not copied.
    expect(JSON.parse(copied.out)).toMatchObject({ sealKeys: { k1: 2 }, tables: { stop: 2 } });
    expect(readdirSync(join(file, '..'))).toEqual(['book.gz']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = gunzipSync(readFileSync(file)).toString();
    expect(text).not.toContain(SEAL.slice(3));
    expect(text).not.toContain('canary-address');

    const to = await postgres.createDatabase();
    const env = { DATABASE_URL: to, KAVACH_SEAL_KEYS: SEAL, KAVACH_DATA_DIR: temporaryFolder() };
    const restored = await kavach(['restore', file], { env });
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect(await contents(to, false)).toEqual(await contents(from, false));

    const ledger = await openLedger({ databaseUrl: to, seal: parseSealKeys(SEAL) });
    onTestFinished(() => ledger.close());
    expect(await ledger.usage(ORG)).toMatchObject({ events: 7, cost: 7 * USD });
    expect(await store(ledger, batch([event('a'), event('c')], []))).toMatchObject({ stored: 1 });
    // What was changed and raised after the copy must not come again under the same numbers.
    expect(await ledger.loadRules(ORG, 'bot', ['r1'])).toMatchObject({
      rev: 1_000_001,
      rules: [{ row: { alerts: 1_000_003, over: 1_000_003, told: 1_000_003 } }],
    });
    const claim = await ledger.claimPeriods({ now: Date.now(), limit: 10, leaseMs: 1_000 });
    // RE-2. Told at once, as a new life of the ledger.
    expect(claim.map(({ key, epoch, own }) => [key.cadence, epoch, own.calls]).sort()).toEqual([
      ['daily', 2, 7],
      ['total', 2, 7],
    ]);
    const ref = { org: ORG, alertId: 'a', deliveryId: 'a/0', purpose: 'acknowledge' } as const;
    const opened = await ledger.openDelivery(
      { ...ref, channel: 'webhook', destination: reference },
      NOW,
    );
    expect(opened).toMatchObject({ type: 'open', destination: { address: SENT.address } });
    // Numbers go on where they were.
    await ledger.stop(ORG, { agent: 'z', at: NOW, by: 'ada', reason: 'r' });
    const pool = new pg.Pool({ connectionString: to, max: 1 });
    const ids = await pool.query<{ id: string }>('select id from audit order by id');
    await pool.end();
    expect(ids.rows.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
  });

  test('is refused where there is a ledger, and where the keys do not fit; nothing is changed', async () => {
    const from = await postgresLedger();
    await fill(from, false);
    const file = join(temporaryFolder(), 'book.gz');
    const env = { DATABASE_URL: from, KAVACH_SEAL_KEYS: SEAL };
    await kavach(['backup', file], { env });
    const taken = await kavach(['restore', file], {
      env: { ...env, KAVACH_DATA_DIR: temporaryFolder() },
    });
    expect(taken.code).toBe(1);
    expect(taken.err).toMatch(/ledger in this database already/);

    const to = await postgres.createDatabase();
    const other = { DATABASE_URL: to, KAVACH_DATA_DIR: temporaryFolder() };
    const stranger = { ...other, KAVACH_SEAL_KEYS: createSealKey('k2') };
    expect((await kavach(['restore', file], { env: stranger })).err).toMatch(
      /Seal key k1 is needed/,
    );
    expect((await kavach(['restore', file], { env: other })).err).toMatch(
      /needs the sealing keys k1/,
    );
    const pool = new pg.Pool({ connectionString: to, max: 1 });
    const made = await pool.query(`select 1 from pg_class where relname = 'usage_event'`);
    await pool.end();
    expect(made.rows).toEqual([]);
    const given = await kavach(['restore', file, '--without-keys'], { env: other });
    expect(given).toMatchObject({ code: 0 });
  });
});

describe('a copy of the embedded ledger', () => {
  let before: Record<string, string[]>;
  let folder: string;
  let file: string;
  let copied: CliRun;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kavach-backup-'));
    const dataDir = join(folder, 'from');
    before = await folderLedger(dataDir);
    file = join(folder, 'book.gz');
    copied = await kavach(['backup', file], { env: { KAVACH_DATA_DIR: dataDir } });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('with its keys apart is restored into an empty folder, and the service’s ledger starts on it', async () => {
    expect(copied).toMatchObject({ code: 0, err: '' });
    expect(copied.out).toMatch(/seal-keys, api-key .* keep it apart/);
    expect(statSync(`${file}.keys`).mode & 0o777).toBe(0o600);
    expect(gunzipSync(readFileSync(file)).toString()).not.toContain(SEAL.slice(3));

    const to = join(temporaryFolder(), 'new');
    const restored = await kavach(['restore', file], { env: { KAVACH_DATA_DIR: to } });
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(to).sort()).toEqual(['api-key', 'ledger', 'seal-keys']);
    expect(readFileSync(join(to, 'seal-keys'), 'utf8')).toBe(`${SEAL}\n`);
    const server = await startLedgerServer({ dataDir: to });
    try {
      expect(await contents(server.databaseUrl, true)).toEqual(before);
      // The running one is found by its folder.
      const again = await kavach(['retention', '--json'], { env: { KAVACH_DATA_DIR: to } });
      expect(again.out).toContain('"rows": 7');
      const twice = await kavach(['restore', file], { env: { KAVACH_DATA_DIR: to } });
      expect(twice.err).toMatch(/holds a ledger already/);
    } finally {
      await server.stop();
    }
  });

  test('goes into a Postgres, too', async () => {
    const to = await postgres.createDatabase();
    const env = { DATABASE_URL: to, KAVACH_SEAL_KEYS: SEAL, KAVACH_DATA_DIR: temporaryFolder() };
    expect(await kavach(['restore', file], { env })).toMatchObject({ code: 0 });
    expect(await contents(to, false)).toEqual(before);
  });

  test('into a Postgres without the keys in the environment, says what to set there', async () => {
    const to = await postgres.createDatabase();
    const dataDir = join(temporaryFolder(), 'new');
    const env = { DATABASE_URL: to, KAVACH_DATA_DIR: dataDir };
    const { code, out } = await kavach(['restore', file], { env });
    expect(code).toBe(0);
    expect(out).toContain(`export KAVACH_SEAL_KEYS="$(cat ${dataDir}/seal-keys)"`);

    // The way on: whoever forgets it is not told to make a new key.
    const needs = /KAVACH_SEAL_KEYS is not set: expected the key k1, with which the ledger/;
    for (const argv of [['up'], ['relay']]) {
      const started = await kavach(argv, { env });
      expect(started).toMatchObject({ code: 1 });
      expect(started.err).toMatch(needs);
      expect(started.err).not.toContain('kavach seal-key');
    }
    const examined = await kavach(['doctor'], { env: { ...env, KAVACH_DATA_DIR: folder } });
    expect(examined.out).toMatch(needs);
    expect(examined.out).toMatch(/sealing keys +there is no key here, and this ledger needs k1/);
  });

  test('into a database that is not there says what to make', async () => {
    const to = new URL(await postgres.createDatabase());
    to.pathname = '/nowhere';
    const env = { DATABASE_URL: to.href, KAVACH_DATA_DIR: temporaryFolder() };
    const { code, err } = await kavach(['restore', file], { env });
    expect(code).toBe(1);
    expect(err).toMatch(
      /There is no database nowhere at .*createdb nowhere.* and restore again\. Nothing was restored\.\n$/,
    );
  });

  test('cut off, changed, or no copy at all is refused before anything is made', async () => {
    const text = gunzipSync(readFileSync(file)).toString();
    const lines = text.trimEnd().split('\n');
    const bad: [name: string, bytes: Buffer | string, words: RegExp][] = [
      ['cut', readFileSync(file).subarray(0, 2_000), /cut off/],
      ['short', gzipSync(`${lines.slice(0, -1).join('\n')}\n`), /cut off/],
      ['changed', gzipSync(text.replace('gpt-4o-mini', 'gpt-4o-maxi')), /checksum/],
      ['fewer', gzipSync(`${lines.toSpliced(-2, 1).join('\n')}\n`), /checksum/],
      ['newer', gzipSync(text.replace('"version":1', '"version":2')), /later format/],
      ['text', 'hello', /none/],
      ['other', gzipSync('hello\n'), /no backup/],
      ['nothing', gzipSync(''), /empty/],
    ];
    for (const [name, bytes, words] of bad) {
      writeFileSync(join(folder, name), bytes);
      const to = join(folder, `to-${name}`);
      const argv = ['restore', join(folder, name), '--keys', `${file}.keys`];
      const { code, err } = await kavach(argv, { env: { KAVACH_DATA_DIR: to } });
      expect({ name, code }).toEqual({ name, code: 1 });
      expect(err, name).toMatch(words);
      expect(existsSync(join(to, 'ledger')), name).toBe(false);
    }
    const missing = await kavach(['restore', '/nonexistent'], { env: { KAVACH_DATA_DIR: folder } });
    expect(missing.err).toMatch(/no file/);
  });
});

test('a migration’s tables are those the database has', async () => {
  const databaseUrl = await postgresLedger();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r'
       and relnamespace = current_schema()::regnamespace order by 1`,
  );
  await pool.end();
  const known = new Set(['ledger_migration', ...(await tableNames())]);
  expect([...known].sort()).toEqual(rows.map(({ name }) => name).sort());
});

test('a copy that is there is replaced only when that is said', async () => {
  const env = { DATABASE_URL: await postgresLedger() };
  const file = join(temporaryFolder(), 'book.gz');
  expect(await kavach(['backup', file], { env })).toMatchObject({ code: 0 });
  const before = readFileSync(file);
  const again = await kavach(['backup', file], { env });
  expect(again).toMatchObject({ code: 1 });
  expect(again.err).toMatch(/book\.gz is there already, and nothing was written: .*--force/);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(await kavach(['backup', file, '--force'], { env })).toMatchObject({ code: 0 });
});

test('a backup into a place that cannot be, and of nothing, say what to do', async () => {
  const env = { DATABASE_URL: await postgresLedger() };
  const nowhere = await kavach(['backup', '/proc/none/x'], { env });
  expect(nowhere).toMatchObject({ code: 1 });
  expect(nowhere.err).toMatch(/cannot be written/);
  const empty = temporaryFolder();
  const none = await kavach(['backup', join(empty, 'x')], { env: { KAVACH_DATA_DIR: empty } });
  expect(none.err).toMatch(/There is no ledger: DATABASE_URL is not set/);
  expect(readdirSync(empty)).toEqual([]);
});
