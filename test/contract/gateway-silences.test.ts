/** Silences over HTTP (A13). */
import { describe, expect, test } from 'vitest';
import { NOON } from './gateway-kit.js';
import { bearer, realLedger } from './gateway-real-kit.js';

const real = realLedger();
const HOUR = 3_600_000;

async function start(org: string) {
  const started = await real.start();
  const key = await real.key({ org });
  const ask = (method: string, path: string, body?: unknown) =>
    started.request(method, path, body === undefined ? undefined : JSON.stringify(body), {
      ...bearer(key),
    });
  return {
    ...started,
    list: async (query = '') => {
      const { body } = await ask('GET', `/v1/silences${query}`);
      return body as { silences: { id: string }[]; nextCursor?: string };
    },
    add: (body: object) =>
      ask('POST', '/v1/silences', { agent: 'bot', until: '1h', reason: 'known', ...body }),
    end: (id: string, body: object = {}) => ask('POST', `/v1/silences/${id}/end`, body),
    ask,
  };
}

describe('silences', () => {
  test('one is made, listed while it lasts, and ended once', async () => {
    const { add, list, end, clock } = await start('silences');
    const made = await add({
      id: 's1',
      severity: 'warning',
      by: 'ana',
      budget: { cadence: 'daily' },
    });
    expect(made).toMatchObject({ status: 200, body: { changed: true } });
    expect(made.body['silence']).toEqual({
      ...{ id: 's1', agent: 'bot', severity: 'warning', budget: { cadence: 'daily' } },
      ...{ from: NOON, until: NOON + HOUR, at: NOON, by: 'ana', reason: 'known' },
    });
    const same = { id: 's1', severity: 'warning', by: 'ana', budget: { cadence: 'daily' } };
    clock.now += 1_000;
    expect(await add(same)).toMatchObject({ status: 200, body: { changed: false } });
    clock.now -= 1_000;
    for (const other of [{ reason: 'another' }, { until: '2h' }, { agent: 'b2' }, { by: 'ben' }]) {
      const refused = await add({ ...same, ...other });
      expect(refused).toMatchObject({ status: 409, body: { path: 'id' } });
    }
    await add({ id: 's2', from: '30m' });
    expect((await list()).silences.map(({ id }) => id)).toEqual(['s1', 's2']);
    const ended = await end('s1', { by: 'ben' });
    expect(ended.body).toMatchObject({ changed: true, silence: { ended: { by: 'ben' } } });
    expect((await end('s1')).body).toMatchObject({ changed: false });
    expect((await list()).silences.map(({ id }) => id)).toEqual(['s2']);
    expect((await list('?all=true')).silences).toHaveLength(2);
    clock.now += HOUR;
    expect((await list()).silences).toEqual([]);
  });

  test('a rule is named by its name or its id, and one that is unknown is refused', async () => {
    const { add, list, end, ask } = await start('silenced-rules');
    expect(await add({ agent: undefined, rule: 'x' })).toMatchObject({
      status: 422,
      body: { path: 'rule', detail: expect.stringContaining('there is no rule yet') as string },
    });
    const rule = { name: 'high_error_rate', condition: 'error_rate > 0.05', channels: ['email'] };
    const made = (await ask('POST', '/v1/rules', rule)).body['rule'] as { id: string };
    const both = { rule: made.id, ruleName: 'high_error_rate' };
    for (const [id, named] of [
      ['by-name', 'high_error_rate'],
      ['by-id', made.id],
    ] as const) {
      const body = { id, agent: undefined, rule: named };
      expect((await add(body)).body).toMatchObject({ changed: true, silence: both });
      expect((await add(body)).body).toMatchObject({ changed: false, silence: both });
    }
    expect((await list()).silences).toMatchObject([both, both]);
    expect((await end('by-id')).body).toMatchObject({ changed: true, silence: both });
    const mistyped = await add({ agent: undefined, rule: 'high_eror_rate' });
    expect(mistyped.status).toBe(422);
    expect(mistyped.body['detail']).toContain('did you mean "high_error_rate"?');
    expect((await list()).silences).toHaveLength(1);
    // The same request again, when its rule is gone.
    await ask('DELETE', `/v1/rules/${made.id}`, {});
    expect(await add({ id: 'by-id', agent: undefined, rule: made.id })).toMatchObject({
      ...{ status: 200, body: { changed: false } },
    });
  });

  test('pages follow each other', async () => {
    const { add, list, clock } = await start('pages');
    for (const id of ['a', 'b', 'c']) {
      await add({ id });
      clock.now += 1;
    }
    const first = await list('?limit=2');
    expect(first.silences.map(({ id }) => id)).toEqual(['c', 'b']);
    const next = await list(`?limit=2&cursor=${first.nextCursor ?? ''}`);
    expect(next).toEqual({ silences: [expect.objectContaining({ id: 'a' })] });
  });

  test('of another organisation there is none', async () => {
    const { add } = await start('mine');
    await add({ id: 'mine-1' });
    const other = await start('theirs');
    expect((await other.list('?all=true')).silences).toEqual([]);
    expect((await other.end('mine-1')).status).toBe(404);
  });

  test.each([
    [{ agent: undefined }, 'name an agent'],
    [{ organisation: true }, 'not both'],
    [{ agent: undefined, organisation: true, rule: 'r' }, 'a rule is about agents'],
    [{ agent: '*' }, 'leave `agent` out'],
    [{ budget: {} }, 'name a cadence'],
    [{ budget: { cadence: 'yearly' } }, 'budget.cadence'],
    [{ severity: 'bad' }, 'severity'],
    [{ until: 'yesterday' }, 'until'],
    [{ until: '2020-01-01' }, 'in the past'],
    [{ until: '400d' }, '366 days'],
    [{ until: '1h', from: '2h' }, 'not after'],
    [{ reason: ' ' }, 'reason'],
    [{ more: 1 }, 'more'],
  ])('%j is refused: %s', async (over, said) => {
    const { add, list } = await start('refused');
    const refused = await add(over);
    expect(refused.status).toBe(422);
    expect(String(refused.body['detail'])).toContain(said);
    expect((await list('?all=true')).silences).toEqual([]);
  });
});
