/** Exports: whole to the byte, bounded in memory, never half and looking whole. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashApiKey } from '../../gateway/auth.js';
import type { Ledger } from '../../ledger/ledger.js';
import { migratePostgres } from '../../ledger/migrate.js';
import { openLedger } from '../../ledger/open.js';
import { createSealKey, parseSealKeys } from '../../ledger/seal.js';
import { kavach } from '../support/run-cli.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { KEY, NOON, startTestGateway } from './gateway-kit.js';
import { batch, event } from './ledger/bed.js';

const MANY = 120_000;
/** Names that break naive writers, by the way they do. */
const ODD = [
  'comma, "quotes" and \'single\'',
  'two\r\nlines\nand more',
  '💸 emoji ünïcode \u202e rtl',
  '=SUM(A1)',
  '+1',
  '-1',
  '@cmd',
  '\ttab',
  "'quoted already",
  '\\back\\slash $1 {n}',
];

let postgres: TestPostgres;
let ledger: Ledger;
let sql: pg.Pool;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const databaseUrl = await postgres.createDatabase();
  sql = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  await migratePostgres(sql);
  const seal = parseSealKeys(createSealKey());
  ledger = await openLedger({ databaseUrl, seal, timeoutMs: 20_000 });
  await ledger.putApiKey(hashApiKey(KEY), { org: 'default', name: 'tester' });
  await ledger.putApiKey(hashApiKey('kv_other'), { org: 'other', name: 'stranger' });
  await sql.query(`insert into usage_event
    select 'default', 'many-' || lpad(n::text, 7, '0'), 'many', 'run ' || n % 7, 'openai', 'gpt-4o',
      n, 10, 0, n * 1000, null, 800, 'success', ${String(NOON)} - n, ${String(NOON)}, null
    from generate_series(1, ${String(MANY)}) as n`);
});

afterAll(async () => {
  await sql.end();
  await ledger.close();
  await postgres.stop();
});

const start = () => startTestGateway({ ledger });
const headers = (key = KEY) => ({ authorization: `Bearer ${key}` });

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is in use, garbage apart. */
function liveBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Cells of RFC 4180, as a reader that knows nothing of us would see them. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  const row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let at = 0; at < text.length; at = cell.lastIndex) {
    const found = cell.exec(text);
    if (found === null) throw new Error(`No CSV at ${String(at)}: ${text.slice(at, at + 40)}`);
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === '\r\n') rows.push(row.splice(0));
  }
  return rows;
}

describe('an export of 120,000 events', () => {
  test('comes whole, in order, and takes no more memory than its pages', async () => {
    const { gateway } = await start();
    const answer = await fetch(`${gateway.url}/v1/export/events?agent=many`, {
      headers: headers(),
    });
    expect(answer.headers.get('content-type')).toContain('application/x-ndjson');
    const [held, rss] = [liveBytes(), process.memoryUsage().rss];
    let [bytes, lines, mostHeld, chunks] = [0, 0, 0, 0];
    for await (const chunk of answer.body ?? []) {
      for (const byte of chunk as Uint8Array) if (byte === 10) lines += 1;
      bytes += (chunk as Uint8Array).length;
      chunks += 1;
      if (chunks % 50 === 0) mostHeld = Math.max(mostHeld, liveBytes() - held);
    }
    expect(lines).toBe(MANY);
    expect(bytes).toBeGreaterThan(25e6);
    // A page is a quarter of a megabyte as text. RSS follows the collector, at its own pace.
    expect(mostHeld).toBeLessThan(8e6);
    expect(process.memoryUsage().rss - rss).toBeLessThan(100e6);
  });

  test('a reader that stops reading stops the pages', async () => {
    let pages = 0;
    const counting: Ledger = {
      ...ledger,
      exportPage: (kind, query) => {
        pages += 1;
        return ledger.exportPage(kind, query);
      },
    };
    const { gateway } = await startTestGateway({ ledger: counting });
    const reading = new AbortController();
    const answer = await fetch(`${gateway.url}/v1/export/events`, {
      ...{ headers: headers(), signal: reading.signal },
    });
    const reader = answer.body!.getReader();
    await reader.read();
    let seen = -1;
    const stands = (): boolean => {
      const isSame = seen === pages;
      seen = pages;
      return isSame;
    };
    // What the sockets hold is full, and nothing moves any more.
    await expect.poll(stands, { interval: 300, timeout: 20_000 }).toBe(true);
    expect(pages).toBeLessThan(60);
    reading.abort();
    await expect(reader.read()).rejects.toThrow();
  });

  test('by the command, to a file that appears whole and for its owner only', async () => {
    const { gateway } = await start();
    const out = join(temporaryFolder(), 'events.csv');
    const argv = ['export', 'events', '--agent', 'many', '--format', 'csv', '--out', out, '--json'];
    const run = await kavach(argv, { env: { KAVACH_URL: gateway.url, KAVACH_API_KEY: KEY } });
    expect(run).toMatchObject({ code: 0, err: '' });
    const rows = parseCsv(readFileSync(out, 'utf8'));
    expect(rows).toHaveLength(MANY + 1);
    expect(JSON.parse(run.out)).toMatchObject({ file: out, bytes: statSync(out).size });
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });
});

describe('odd names', () => {
  beforeAll(async () => {
    const odd = ODD.map((name, i) => ({
      ...event(`odd-${String(i)}`),
      ...{ agent: name, model: name, run: name },
    }));
    await ledger.ingest(batch(odd, [], { org: 'default' }));
  });

  test('come back byte for byte as NDJSON', async () => {
    const { gateway } = await start();
    for (const name of ODD) {
      const path = `/v1/export/events?agent=${encodeURIComponent(name)}`;
      const text = await (await fetch(gateway.url + path, { headers: headers() })).text();
      expect(text.endsWith('\n')).toBe(true);
      expect(JSON.parse(text)).toMatchObject({ agent: name, run: name, model: name });
    }
  });

  test('and as CSV without the quote that keeps them from being formulas', async () => {
    const { gateway } = await start();
    const path = '/v1/export/events?format=csv&from=0';
    const text = await (await fetch(gateway.url + path, { headers: headers() })).text();
    const [head = [], ...rows] = parseCsv(text);
    const [agent, key] = [head.indexOf('agent'), head.indexOf('idempotencyKey')];
    const odd = rows.filter((row) => row[key]?.startsWith('odd-'));
    expect(odd).toHaveLength(ODD.length);
    for (const row of odd) expect(row[agent]).not.toMatch(/^[=+\-@\t\r]/);
    const names = odd.map((row) => row[agent]?.replace(/^'/, ''));
    expect(names.sort()).toEqual([...ODD].sort());
  });
});

describe('what is exported', () => {
  test('from and to bound it, by day, by time or by number; nonsense is refused with its path', async () => {
    const { gateway, get } = await start();
    const count = async (query: string): Promise<number> => {
      const url = `${gateway.url}/v1/export/events?agent=many&${query}`;
      return (await (await fetch(url, { headers: headers() })).text()).split('\n').length - 1;
    };
    expect(await count(`from=${String(NOON - 5)}`)).toBe(5);
    expect(await count(`from=${String(NOON - 5)}&to=${String(NOON - 2)}`)).toBe(3);
    expect(await count('from=2026-11-21T11:59:59.990Z')).toBe(10);
    expect(await count('from=2026-11-21T12:59:59.990%2B01:00')).toBe(10);
    expect(await count('from=2026-11-22')).toBe(0);
    expect(await get('/v1/export/events?from=yesterday')).toMatchObject({
      status: 422,
      body: { path: 'from' },
    });
    expect(await get('/v1/export/events?format=xml')).toMatchObject({ status: 422 });
    expect((await get('/v1/export/secrets')).status).toBe(422);
  });

  test('journal and audit have every entry with its words, of one agent where it is asked for', async () => {
    await sql.query(`insert into alert values
      ('default', 'alert/1', 's', 'bot', 'firing', false, 1, '{}', 1)`);
    await sql.query(`insert into journal (org, alert_id, no, at, what, by, reason) values
      ('default', 'alert/1', 1, ${String(NOON)}, 'acknowledged', 'ana', 'on, it'),
      ('default', 'alert/2', 1, ${String(NOON)}, 'raised', null, null)`);
    await ledger.stop('default', { agent: 'bot', at: NOON, by: 'ana', reason: 'x' });
    const { gateway } = await start();
    const lines = async (path: string): Promise<unknown[]> => {
      const text = await (await fetch(`${gateway.url}${path}`, { headers: headers() })).text();
      return text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    };
    expect(await lines('/v1/export/journal')).toHaveLength(2);
    expect(await lines('/v1/export/journal?agent=bot')).toEqual([
      {
        ...{ alertId: 'alert/1', no: 1, at: NOON, agent: 'bot' },
        ...{ what: 'acknowledged', by: 'ana', reason: 'on, it' },
      },
    ]);
    expect(await lines('/v1/export/audit?agent=bot')).toMatchObject([
      { what: 'stopped', by: 'ana', subject: 'agent:bot', after: { reason: 'x' } },
    ]);
  });

  test('is the own organisation’s alone, and for admin keys alone', async () => {
    const { gateway } = await start();
    for (const kind of ['events', 'journal', 'audit']) {
      const url = `${gateway.url}/v1/export/${kind}`;
      const other = await fetch(url, { headers: headers('kv_other') });
      // Of the stranger's own: the key that was made for it.
      const lines = (await other.text()).split('\n').filter((line) => line !== '');
      expect(lines.map((line) => (JSON.parse(line) as { what: string }).what)).toEqual(
        kind === 'audit' ? ['key_created'] : [],
      );
      expect((await fetch(url)).status).toBe(401);
    }
    await ledger.putApiKey(hashApiKey('kv_reader'), {
      ...{ org: 'default', name: 'reader', scopes: ['read', 'operate'] },
    });
    const reader = { headers: headers('kv_reader') };
    expect((await fetch(`${gateway.url}/v1/export/events`, reader)).status).toBe(403);
  });
});

describe('an export that breaks off', () => {
  test('is an error for its reader, and leaves no file', async () => {
    let pages = 0;
    const failing: Ledger = {
      ...ledger,
      exportPage: (kind, query) => {
        pages += 1;
        if (pages > 3) return Promise.reject(new Error('the ledger is away'));
        return ledger.exportPage(kind, query);
      },
    };
    const { gateway, lines } = await startTestGateway({ ledger: failing });
    const dir = temporaryFolder();
    const out = join(dir, 'events.ndjson');
    const run = await kavach(['export', 'events', '--out', out], {
      env: { KAVACH_URL: gateway.url, KAVACH_API_KEY: KEY },
    });
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/broke off after \d+ bytes/);
    expect(readdirSync(dir)).toEqual([]);
    expect(lines.map(({ message }) => message)).toContain('an export broke off');
  });

  test.each([
    [['export', 'events', '--json'], /--out/],
    [['export', 'events', '--out', '/proc/none/x'], /cannot be made/],
  ])('%j is refused with what to do', async (argv, words) => {
    const { gateway } = await start();
    const env = { KAVACH_URL: gateway.url, KAVACH_API_KEY: KEY };
    const { code, err } = await kavach(argv, { env });
    expect({ code }).toEqual({ code: 1 });
    expect(err).toMatch(words);
  });
});
