/** A14, A15: what is told instead of a storm, and what the service says of itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertView, OperatorNotice } from '../../ledger/ledger.js';
import { kavach } from '../support/run-cli.js';
import { startTestService, until, type TestService } from './service-kit.js';

const SLACK = '/slack/team';
const OPERATORS = '/webhook/operators';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({
    variables: ({ url }) => ({
      KAVACH_STORM_LIMIT: '2',
      KAVACH_STORM_WINDOW_MS: '1500',
      AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}${SLACK}`,
      KAVACH_OPERATORS_WEBHOOK_URL: `${url}${OPERATORS}`,
    }),
  });
});
afterAll(() => service.stop());

interface Body {
  readonly type: string;
  readonly data: { readonly title: string; readonly lines: readonly { value: string }[] };
}

const toOperators = (): Body[] =>
  service.sink.messages(OPERATORS).map(({ body }) => JSON.parse(body) as Body);

const spend = async (agent: string, channel: string, model = 'gpt-4o-mini'): Promise<void> => {
  await service.post('/v1/sync-config', {
    agent_name: agent,
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 5 }],
    alert_configs: [{ channel, threshold_pct: 0.8 }],
  });
  const event = { agent_name: agent, model, cost: 4.5 };
  await service.post('/v1/ingest', { events: [event] });
};

test('of five agents that cross at once two are told of, and the rest in one summary', async () => {
  await Promise.all([1, 2, 3, 4, 5].map((no) => spend(`stormy-${String(no)}`, 'slack')));
  const summary = await until('the summary', () =>
    service.sink.messages(SLACK).find(({ body }) => body.includes('not sent one by one')),
  );
  expect(summary.body).toContain('3 more alerts were raised');
  expect(service.sink.messages(SLACK)).toHaveLength(3);
  const over = await until('its end', async () => {
    const answer = await service.get<{ alerts: AlertView[] }>('/v1/alerts?agent=Kavach');
    return answer.alerts.find(({ phase }) => phase === 'resolved');
  });
  expect(over).toMatchObject({ exhausted: false, facts: { kind: 'notice', topic: 'storm' } });

  const env = { KAVACH_URL: service.url, KAVACH_API_KEY: service.apiKey };
  const shown = await kavach(['alert', over.id], { env });
  expect(shown.out).toContain('3 more alerts were raised within a minute and not sent one by one');
  const link = /<(http[^|>]+\/alerts\/[^|>]+)\|/.exec(summary.body)?.[1] ?? '';
  expect(await (await fetch(link)).text()).toContain('3 more alerts were raised');
});

test('operators hear of a channel without a destination and a model without a price', async () => {
  await spend('silent', 'email');
  await service.post('/v1/ingest', {
    events: [{ agent_name: 'odd', model: 'oracle-9', input_tokens: 10, output_tokens: 5, cost: 0 }],
  });
  const texts = await until('both notices', () => {
    const found = toOperators()
      .filter(({ type }) => type === 'notice.service')
      .flatMap(({ data }) => data.lines.map(({ value }) => value));
    return found.length >= 2 && found;
  });
  expect(texts.join('\n')).toContain('there is no default destination for email');
  expect(texts.join('\n')).toContain('oracle-9');
  const { notices } = await service.get<{ notices: OperatorNotice[] }>('/v1/notices');
  expect(notices.every(({ toldAt }) => toldAt !== undefined)).toBe(true);
  const env = { KAVACH_URL: service.url, KAVACH_API_KEY: service.apiKey };
  expect((await kavach(['notices'], { env })).out).toContain('unpriced');
});
