/** What commands and starts make of the environment they find: folder, address, person, names. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keepUrl, keptUrl, prepareDataFolder } from '../../cli/data-folder.js';
import { keepLinkKey } from '../../cli/key-files.js';
import { unknownVariables } from '../../worker/unknown-variables.js';
import { VARIABLES } from '../../worker/variables.js';
import { startFakeKavach } from '../support/fake-kavach.js';
import { kavach } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const STATUS = {
  ...{ now: 0, usage: { events: 0, cost: 0, tokens: 0 }, stopped: [], budgets: [] },
  relay: { due: 0, oldestMs: 0, parked: 0 },
};

function folder(): string {
  const path = temporaryFolder();
  mkdirSync(path, { recursive: true });
  return path;
}

describe('the data folder', () => {
  test('a place that can hold no folder is refused at once', () => {
    expect(() => {
      prepareDataFolder('/proc/none/kavach');
    }).toThrow(/KAVACH_DATA_DIR is .*expected a folder, but nothing can be made there/);
  });

  test('is made for its owner alone', () => {
    const path = join(folder(), 'a', 'b');
    prepareDataFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    prepareDataFolder(path);
  });

  test.each(['', '/below'])(
    'that is a file%s is called so, before anything starts',
    async (below) => {
      const file = join(folder(), 'file');
      writeFileSync(file, 'x');
      const env = { KAVACH_DATA_DIR: `${file}${below}`, KAVACH_PORT: '0' };
      const { code, err } = await kavach(['up'], { env });
      expect(code).toBe(1);
      expect(err).toMatch(/KAVACH_DATA_DIR is ".*": expected a folder, but .* file/);
      expect(err).not.toMatch(/EEXIST|ENOTDIR/);
    },
  );

  test('keeps the key of signed links, readable by its owner only', () => {
    const path = folder();
    const made = keepLinkKey(path);
    expect(made.isNew).toBe(true);
    expect(made.value).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(made.file).mode & 0o777).toBe(0o600);
    expect(keepLinkKey(path)).toMatchObject({ value: made.value, isNew: false });
  });
});

describe('the address that the service left', () => {
  test('is where commands ask, with the key that lies beside it', async () => {
    const path = folder();
    const { url, asked } = await startFakeKavach({ 'GET /v1/status': [200, STATUS] });
    keepUrl(path, url);
    writeFileSync(join(path, 'api-key'), 'kv_file\n');
    for (const port of ['', '0']) {
      const env = { KAVACH_DATA_DIR: path, KAVACH_PORT: port };
      expect((await kavach(['status'], { env })).code).toBe(0);
    }
    expect(asked.map(({ authorization }) => authorization)).toEqual(
      Array.from({ length: 2 }, () => 'Bearer kv_file'),
    );
  });

  test('gives way to KAVACH_URL and to a port that is named', async () => {
    const path = folder();
    keepUrl(path, 'http://127.0.0.1:2');
    const { url, asked } = await startFakeKavach({ 'GET /v1/status': [200, STATUS] });
    const { port } = new URL(url);
    for (const more of [{ KAVACH_URL: url }, { KAVACH_PORT: port }]) {
      const env = { KAVACH_DATA_DIR: path, KAVACH_API_KEY: 'k', ...more };
      expect((await kavach(['status'], { env })).code).toBe(0);
    }
    expect(asked).toHaveLength(2);
  });

  test('leads to this machine where the service listens everywhere', () => {
    const path = folder();
    keepUrl(path, 'http://0.0.0.0:8787');
    expect(keptUrl(path)).toBe('http://127.0.0.1:8787');
    keepUrl(path, 'http://[::]:8787');
    expect(keptUrl(path)).toBe('http://[::1]:8787');
    writeFileSync(join(path, 'url'), 'nonsense');
    expect(keptUrl(path)).toBeUndefined();
    expect(keptUrl(join(path, 'none'))).toBeUndefined();
  });
});

describe('a Kavach that cannot be reached', () => {
  test('is told with the cause, not as "fetch failed"', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const ask = (url: string) =>
      kavach(['status'], { env: { KAVACH_URL: url, KAVACH_API_KEY: 'k' } });
    expect((await ask(`http://127.0.0.1:${port}`)).err).toContain('(ECONNREFUSED)');
    // A port that browsers and `fetch` refuse has no code, only words.
    const { err } = await ask('http://127.0.0.1:9');
    expect(err).toContain('(bad port)');
    expect(err).not.toContain('fetch failed');
  });
});

describe('names that nobody reads', () => {
  test('are told with the nearest that is read', () => {
    expect(unknownVariables({ KAVACH_PROT: '1', AGENTKAVACH_SLACK_WEBHOK_URL: 'x' })).toEqual([
      expect.stringMatching(/^AGENTKAVACH_SLACK_WEBHOK_URL .*AGENTKAVACH_SLACK_WEBHOOK_URL\?$/),
      expect.stringMatching(/^KAVACH_PROT is no setting.*did you mean KAVACH_PORT\?$/),
    ]);
    expect(unknownVariables({ KAVACH_SOMETHING_ELSE: '1' })[0]).toContain('run.md');
  });

  test('are not those that are read, by the service, the commands or the SDK', () => {
    const names = [
      ...Object.keys(VARIABLES.shape),
      ...['KAVACH_URL', 'KAVACH_API_KEY', 'KAVACH_CACHE_DIR', 'KAVACH_LEDGER_PORT'],
      ...['AGENTKAVACH_BACKEND_URL', 'AGENTKAVACH_API_KEY', 'PATH'],
    ];
    expect(unknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
  });

  test('are told when the service starts, which goes on', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, 'x');
    const { err } = await kavach(['up'], { env: { KAVACH_PROT: '1', KAVACH_DATA_DIR: file } });
    expect(err).toMatch(/KAVACH_PROT is no setting[^]*KAVACH_DATA_DIR is/);
  });
});

describe('who is at the terminal', () => {
  test('is the login name where the environment names nobody', async () => {
    const answers = { 'POST /v1/agents/a/resume': [200, { changed: true }] as const };
    const { url, asked } = await startFakeKavach(answers);
    await kavach(['resume', 'a'], { env: { KAVACH_URL: url, KAVACH_API_KEY: 'k' } });
    expect(asked[0]?.body).toEqual({ by: userInfo().username });
  });

  test.each(['stop', 'resume', 'ack'])('and the help of %s says so', async (command) => {
    const { out } = await kavach([command, '--help'], { env: { USER: 'ada' } });
    expect(out.replace(/\s+/g, ' ')).toContain('default: your login name, ada');
  });
});

test.each(['missing.json', './none', '/nowhere/history.json', '../x.JSON'])(
  'replay %s: names the missing file, and does not ask Temporal',
  async (file) => {
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const { code, err } = await kavach(['replay', file], { env });
    expect(code).toBe(1);
    expect(err).toContain(`There is no file ${file}`);
  },
);
