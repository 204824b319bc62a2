/** `kavach silences`: what is asked, what is shown. */
import { describe, expect, test } from 'vitest';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach } from '../support/run-cli.js';

const UNTIL = Date.UTC(2026, 10, 22);
const silence = {
  ...{ id: '5f0c-1', agent: 'bot', budget: { cadence: 'daily', dimension: 'cost' } },
  ...{ severity: 'warning', from: UNTIL - 3_600_000, until: UNTIL, at: 1 },
  ...{ by: 'ada', reason: 'a migration' },
};
const other = { ...silence, id: '77aa-2', agent: 'b2', ended: { by: 'ben', at: UNTIL - 60_000 } };
const LISTED: Record<string, Answer> = {
  'GET /v1/silences?limit=1000': [200, { silences: [silence], nextCursor: 'n' }],
  'GET /v1/silences?limit=1000&cursor=n': [200, { silences: [other] }],
  'GET /v1/silences?limit=1000&all=true': [200, { silences: [silence, other] }],
};

async function ask(argv: string[], answers: Record<string, Answer> = LISTED) {
  const server = await startFakeKavach(answers);
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  const run = await kavach(['silences', ...argv], { env });
  return { ...run, asked: server.asked, body: server.asked.at(-1)?.body };
}

describe('kavach silences', () => {
  test('lists all pages: what, until when, who and why', async () => {
    const { out } = await ask([]);
    expect(out).toMatch(
      /agent bot, daily cost, warning\s+2026-11-21 23:00:00Z\s+2026-11-22 00:00:00Z\s+ada\s+a migration\s+5f0c-1/,
    );
    expect(out).toMatch(/agent b2, .*2026-11-21 23:59:00Z by ben/);
    const none = await ask([], { 'GET /v1/silences?limit=1000': [200, { silences: [] }] });
    expect(none.out).toContain('Nothing is silenced.');
  });

  test('add sends what was named, and says how to end it', async () => {
    const answer: Answer = [200, { changed: true, silence }];
    const argv = ['add', '--agent', 'bot', '--budget', 'daily tokens', '--severity', 'error'];
    const when = ['--until', '2h', '--reason', 'a migration'];
    const { body, out } = await ask([...argv, ...when], { 'POST /v1/silences': answer });
    expect(body).toMatchObject({
      ...{ agent: 'bot', budget: { cadence: 'daily', dimension: 'tokens_total' } },
      ...{ severity: 'error', until: '2h', reason: 'a migration', by: 'ada' },
    });
    expect(body).toHaveProperty('id');
    expect(out).toContain('kavach silences end 5f0c-1');
  });

  test.each([
    [['add', '--until', '2h', '--reason', 'x'], 'name an agent'],
    [['add', '--agent', 'bot', '--until', '2h'], '--reason'],
    [['add', '--agent', 'bot', '--budget', 'yearly', '--until', '2h', '--reason', 'x'], 'cadence'],
    [['add', '--severity', 'bad', '--until', '2h', '--reason', 'x'], 'warning'],
  ])('%j is called wrongly', async (argv, said) => {
    const { code, err, asked } = await ask(argv);
    expect([code, asked]).toEqual([2, []]);
    expect(err).toContain(said);
  });

  test('end takes a unique beginning of an id', async () => {
    const ended = { ...silence, ended: { by: 'ada', at: UNTIL } };
    const { body, out, asked } = await ask(['end', '5f'], {
      ...LISTED,
      'POST /v1/silences/5f0c-1/end': [200, { changed: true, silence: ended }],
    });
    expect(asked.at(-1)?.path).toBe('/v1/silences/5f0c-1/end');
    expect(body).toEqual({ by: 'ada' });
    expect(out).toContain('What still fires is sent now.');
    const unknown = await ask(['end', 'zz']);
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('no silence')]);
  });
});
