/** `kavach rules`: what is asked of the gateway, and what people read. */
import { describe, expect, test } from 'vitest';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach } from '../support/run-cli.js';

const rule = {
  ...{ id: 'a1b2', name: 'high_error_rate', agentId: '*', condition: 'error_rate > 0.05' },
  ...{ channels: ['slack'], priority: 'high', cooldownSeconds: 600, userIds: ['ana'] },
  ...{ by: 'ada', at: 1_795_240_000_000 },
};
const list: Record<string, Answer> = { 'GET /v1/rules': [200, { rev: 3, rules: [rule] }] };

async function ask(argv: string[], answers: Record<string, Answer>) {
  const server = await startFakeKavach(answers);
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  return { ...(await kavach(['rules', ...argv], { env })), asked: server.asked };
}

describe('kavach rules', () => {
  test('lists them with all that they say', async () => {
    const { code, out } = await ask([], list);
    expect(code).toBe(0);
    for (const word of ['high_error_rate', 'every agent', 'error_rate > 0.05', '600 s', 'ana']) {
      expect(out).toContain(word);
    }
    const none: Record<string, Answer> = {
      'GET /v1/rules?agent=a%20b': [200, { rev: 0, rules: [] }],
    };
    expect((await ask(['--agent', 'a b'], none)).out).toContain('No rule is set');
    const json = await ask(['--json'], list);
    expect(JSON.parse(json.out)).toEqual({ rev: 3, rules: [rule] });
  });

  test('set makes one with defaults', async () => {
    const answers: Record<string, Answer> = {
      'GET /v1/rules': [200, { rev: 0, rules: [] }],
      'POST /v1/rules': [200, { changed: true, rule }],
    };
    const words = ['set', 'slow', 'p99 > 3', '--channel', 'push', 'email', '--cooldown', '0'];
    const { code, asked } = await ask(words, answers);
    expect(code).toBe(0);
    expect(asked.at(-1)?.body).toEqual({
      ...{ name: 'slow', condition: 'p99 > 3', channels: ['push', 'email'], agentId: '*' },
      ...{ priority: 'medium', cooldownSeconds: 0, userIds: [], by: 'ada' },
    });
    const without = await ask(['set', 'slow', 'p99 > 3'], answers);
    expect([without.code, without.err]).toEqual([1, expect.stringContaining('--channel')]);
  });

  test('set changes the one of that name, and keeps what is not said', async () => {
    const answers = { ...list, 'PUT /v1/rules/a1b2': [200, { changed: true, rule }] as Answer };
    const { code, asked } = await ask(['set', 'high_error_rate', 'error_rate > 0.1'], answers);
    expect(code).toBe(0);
    const { id: _id, at: _at, ...kept } = rule;
    expect(asked.at(-1)?.body).toEqual({ ...kept, condition: 'error_rate > 0.1' });
  });

  test('a refusal is told with its position', async () => {
    const detail = 'condition: character 12: expected one of >= <= == != > <';
    const answers = {
      ...list,
      'PUT /v1/rules/a1b2': [422, { detail, path: 'condition' }] as Answer,
    };
    const { code, err } = await ask(['set', 'high_error_rate', 'error_rate = 1'], answers);
    expect(code).toBe(1);
    expect(err).toContain('character 12');
  });

  test('remove takes a name, an id or the beginning of one', async () => {
    const answers = { ...list, 'DELETE /v1/rules/a1b2': [200, { changed: true, rule }] as Answer };
    for (const word of ['high_error_rate', 'a1b2', 'a1']) {
      const { code, asked } = await ask(['remove', word], answers);
      expect([code, asked.at(-1)]).toMatchObject([0, { method: 'DELETE', body: { by: 'ada' } }]);
    }
    const unknown = await ask(['remove', 'nothing'], answers);
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('no rule')]);
  });
});
