/** The link in a message, followed to its end: the page, the word, the workflow, the journal (A9). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertDetailView } from '../../gateway/alert-state.js';
import { kavach } from '../support/run-cli.js';
import { startTestService, until, type TestService } from './service-kit.js';

let service: TestService | undefined;
beforeAll(async () => {
  service = await startTestService({
    variables: ({ url }) => ({ AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team` }),
  });
});
afterAll(async () => {
  await service?.stop();
});

test('the link in a Slack message opens the page, whose button acknowledges the alert', async () => {
  const { sink, url, apiKey } = service!;
  const post = (path: string, body: unknown) => service!.post(path, body);
  const get = <T>(path: string) => service!.get<T>(path);
  await post('/v1/sync-config', {
    agent_name: 'linked',
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 5 }],
    alert_configs: [{ channel: 'slack', threshold_pct: 0.8 }],
  });
  await post('/v1/ingest', { events: [{ agent_name: 'linked', model: 'm', cost: 4.5 }] });
  const message = await until('the message', () => sink.messages('/slack/team')[0]);
  const link = /<(http[^|>]+\/alerts\/[^|>]+)\|/.exec(message.body)?.[1] ?? '';
  const id = decodeURIComponent(/\/alerts\/([^?]+)/.exec(link)?.[1] ?? '');

  const page = await until('the page', async () => {
    const text = await (await fetch(link)).text();
    return text.includes('accepted') && text;
  });
  expect(page).toContain('linked passed 80% of its daily cost budget: $4.50 of $5.00 (90%)');
  expect((await get<AlertDetailView>(`/v1/alerts/${encodeURIComponent(id)}`)).alert.phase).toBe(
    'firing',
  );

  const t = /name="t" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const form = new URLSearchParams({ t, act: 'acknowledge', by: 'ada', note: 'on it' });
  const said = await fetch(link, { method: 'POST', body: form });
  expect(said.status).toBe(200);
  expect(await said.text()).toContain('Acknowledged by ada (link)');

  const after = await until('the journal', async () => {
    const detail = await get<AlertDetailView>(`/v1/alerts/${encodeURIComponent(id)}`);
    return detail.alert.phase === 'acknowledged' && detail;
  });
  expect(after.alert.acknowledged).toMatchObject({ by: 'ada (link)', note: 'on it' });

  // Twice is once, and from the terminal by its code.
  const env = { KAVACH_URL: url, KAVACH_API_KEY: apiKey, USER: 'eve' };
  const again = await kavach(['ack', after.alert.code], { env });
  expect(again.out).toContain('Acknowledged by ada (link)');
  const over = await kavach(['resolve', after.alert.code, '--note', 'fixed'], { env });
  expect(over.out).toContain('Over by eve');
  await until('its end', async () => {
    const { alert } = await get<AlertDetailView>(`/v1/alerts/${encodeURIComponent(id)}`);
    return alert.phase === 'resolved';
  });
  const late = await kavach(['ack', after.alert.code], { env });
  expect(late).toMatchObject({ code: 1, err: expect.stringContaining('This alert is over') });
  expect((await kavach(['resolve', after.alert.code], { env })).code).toBe(0);
});
