/** The page of the agents over HTTP, on the whole service: sign in, stop, resume (K2, K3). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestService, until, type TestService } from './service-kit.js';

let service: TestService | undefined;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(async () => {
  await service?.stop();
});

test('K2: a person signs in, stops an agent and resumes it; its usage is answered so within 1 s', async () => {
  const { url, apiKey } = service!;
  const ask = async (path: string, cookie: string, form?: Record<string, string>, origin = url) => {
    const headers = { cookie, ...(form === undefined ? {} : { origin }) };
    const send = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(url + path, { headers, redirect: 'manual', ...send });
    const text = (await response.text()).replace(/\s+/g, ' ');
    return { status: response.status, text, cookie: response.headers.get('set-cookie') };
  };
  const ingest = async (): Promise<number> => {
    const events = [{ agent_name: '<b>bot</b>', model: 'm', cost: 0.5, timestamp: new Date() }];
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ events });
    return (await fetch(`${url}/v1/ingest`, { method: 'POST', headers, body })).status;
  };
  await service!.post('/v1/sync-config', {
    agent_name: '<b>bot</b>',
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 5 }],
    alert_configs: [{ channel: 'kill', threshold_pct: 0.4 }],
  });
  expect(await ingest()).toBe(202);

  expect((await ask('/agents', '')).status).toBe(303);
  const signedIn = await ask('/login', '', { key: apiKey });
  const cookie = signedIn.cookie?.split(';')[0] ?? '';
  const page = await ask('/agents', cookie);
  expect(page.text).toContain('cost: $0.50 of $5.00 (10%)');
  expect(page.text).not.toContain('<b>bot');
  const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const act = (word: string, origin?: string) => {
    const form = { token, act: word, agent: '<b>bot</b>', reason: 'in circles', by: 'ada' };
    return ask('/agents', cookie, form, origin);
  };

  // A page of somebody else's, in the same browser.
  expect((await act('stop', 'https://evil.example')).status).toBe(403);
  expect(await ingest()).toBe(202);

  const stopped = await act('stop');
  expect(stopped.text).toContain('Stopped by ada (admin)');
  await until('its refusal', async () => (await ingest()) === 429, 1_000);
  expect((await act('resume')).text).toContain('may go on');
  await until('its end', async () => (await ingest()) === 202, 1_000);

  // K1. A kill is the budget's word: the page says which, and when.
  await until('the kill', async () => {
    await ingest();
    return (await ask('/agents', cookie)).text.includes('Killed by this daily budget');
  });
  expect((await ask('/agents', cookie)).text).toContain('it passed 40% of $5.00');

  expect((await ask('/logout', cookie, {})).cookie).toMatch(/Max-Age=0/);
});
