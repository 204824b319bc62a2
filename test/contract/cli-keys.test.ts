/** `kavach keys …` against a gateway that answers what it is told. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashApiKey, makeApiKey } from '../../gateway/api-key.js';
import type { KeyView } from '../../ledger/ledger.js';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MADE = 1_795_240_000_000;
const key: KeyView = {
  ...{ id: '3f9ac41d2b77e801', name: 'ci', scopes: ['read', 'operate'], hint: 'kv_3f9a…' },
  ...{ createdAt: MADE, createdBy: 'ada' },
};
const list = (...keys: KeyView[]): Record<string, Answer> => ({
  'GET /v1/keys?limit=1000': [200, { keys }],
});

async function ask(argv: string[], answers: Record<string, Answer>) {
  const server = await startFakeKavach(answers);
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  return { ...(await kavach(['keys', ...argv], { env })), asked: server.asked };
}

describe('keys create', () => {
  const answers: Record<string, Answer> = {
    'POST /v1/keys': [201, { key: 'kv_secret', created: { ...key, agent: 'bot' } }],
  };

  test('sends name, scopes and agent, and shows the key once', async () => {
    const argv = ['create', '--name', 'ci', '--scopes', 'operate, read', '--agent', 'bot'];
    const { code, out, asked } = await ask(argv, answers);
    expect(code).toBe(0);
    const body = { name: 'ci', scopes: ['read', 'operate'], agent: 'bot', by: 'ada' };
    expect(asked[0]?.body).toEqual(body);
    expect(out).toContain('read, operate for the agent bot');
    expect(out.match(/kv_secret/g)).toHaveLength(1);
  });

  test('as JSON it is the whole answer', async () => {
    const { out } = await ask(['create', '--name', 'ci', '--scopes', 'read', '--json'], answers);
    expect(JSON.parse(out)).toMatchObject({ key: 'kv_secret', created: { id: key.id } });
  });

  test.each([
    [['--scopes', 'read'], '--name'],
    [['--name', 'ci'], '--scopes'],
    [['--name', 'ci', '--scopes', 'root'], '"root" is no scope'],
  ])('%j is called wrongly', async (argv, said) => {
    const { code, err, asked } = await ask(['create', ...argv], answers);
    expect(code).toBe(2);
    expect(err).toContain(said);
    expect(asked).toEqual([]);
  });
});

test('keys list shows rights and states, over all pages', async () => {
  const revoked = { ...key, id: 'b', name: 'old', agent: 'bot', revokedAt: MADE };
  const rotated = { ...key, id: 'c', name: 'was', expiresAt: MADE, replacedBy: 'd' };
  const { out, asked } = await ask(['list'], {
    'GET /v1/keys?limit=1000': [200, { keys: [key], nextCursor: 'a b' }],
    'GET /v1/keys?limit=1000&cursor=a%20b': [200, { keys: [revoked, rotated] }],
  });
  expect(asked).toHaveLength(2);
  expect(out).toMatch(/3f9ac41d2b77e801 +ci +read,operate +\(all\) +kv_3f9a… .* valid/);
  expect(out).toMatch(/b +old .* bot .* revoked 2026-11-21/);
  expect(out).toMatch(/c +was .* rotated; until 2026-11-21/);
});

describe('keys rotate and revoke', () => {
  test('rotate by name, with its grace', async () => {
    const { code, out, asked } = await ask(['rotate', 'ci', '--grace', '60'], {
      ...list({ ...key, id: 'gone', revokedAt: MADE }, key),
      [`POST /v1/keys/${key.id}/rotate`]: [
        201,
        { key: 'kv_new', created: key, old: { ...key, expiresAt: MADE } },
      ],
    });
    expect(code).toBe(0);
    expect(asked.at(-1)?.body).toEqual({ graceSeconds: 60, by: 'ada' });
    expect(out).toContain('kv_new');
    expect(out).toContain('is valid until 2026-11-21');
  });

  test('revoke by id; twice says so', async () => {
    const { out } = await ask(['revoke', key.id], {
      ...list(key),
      [`POST /v1/keys/${key.id}/revoke`]: [200, { changed: false, revoked: key }],
    });
    expect(out).toContain('was revoked before');
  });

  test('an unknown name, and one that several have, are told apart', async () => {
    const unknown = await ask(['revoke', 'nobody'], list(key));
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.err).toContain('no API key "nobody"');
    const several = await ask(['revoke', 'ci'], list(key, { ...key, id: 'other' }));
    expect(several.err).toContain('other');
    expect(several.asked).toHaveLength(1);
  });

  test('one that this machine uses is renewed where it is kept, or said', async () => {
    const dataDir = temporaryFolder();
    const held = makeApiKey();
    const [id, file] = [hashApiKey(held).slice(0, 16), join(dataDir, 'api-key')];
    writeFileSync(file, `${held}\n`, { mode: 0o600 });
    const own = { ...key, id };
    const rotated = { key: 'kv_new', created: { ...key, id: 'x' }, old: { ...own, expiresAt: 1 } };
    const server = await startFakeKavach({
      ...list(own, { ...key, id: 'other' }),
      [`POST /v1/keys/${id}/rotate`]: [200, rotated],
      'POST /v1/keys/other/rotate': [200, rotated],
    });
    const env = { KAVACH_URL: server.url, KAVACH_DATA_DIR: dataDir };
    const other = await kavach(['keys', 'rotate', 'other'], { env });
    expect(other.out).not.toContain('api-key');
    const mine = await kavach(['keys', 'rotate', id], { env: { ...env, KAVACH_API_KEY: held } });
    expect(mine.out).toContain(`${file} held the old key, and holds the new one now.`);
    expect(mine.out).toContain('KAVACH_API_KEY here holds the old key');
    expect(readFileSync(file, 'utf8')).toBe('kv_new\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('a key without the right is told what it may not do', async () => {
    const { code, err } = await ask(['list'], {
      'GET /v1/keys?limit=1000': [403, { detail: 'The key "ci" has not the scope admin.' }],
    });
    expect(code).toBe(1);
    expect(err).toContain('has not the scope admin');
    expect(err).not.toContain('kv_test');
  });
});

test.each([
  [['alerts', '--limit', '0'], 'from 1 to 1000', 2],
  [['alerts', '--limit', '1001'], 'from 1 to 1000', 2],
  [['alert', ''], 'No alert is named', 1],
  [['ack', ' '], 'No alert is named', 1],
  [['stop', '', '--reason', 'x'], 'No agent is named', 1],
])('%j says what is wrong', async (argv, said, code) => {
  const server = await startFakeKavach({});
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url };
  const run = await kavach(argv, { env });
  expect(run.code).toBe(code);
  expect(run.err).toContain(said);
  expect(server.asked).toEqual([]);
});

test('an agent named `..` is stopped by the body: no path can say it', async () => {
  const server = await startFakeKavach({ 'POST /v1/agents/stop': [200, { changed: true }] });
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  const { code } = await kavach(['stop', '..', '--reason', 'x'], { env });
  expect(code).toBe(0);
  expect(server.asked[0]?.body).toEqual({ agent: '..', reason: 'x', by: 'ada' });
});
