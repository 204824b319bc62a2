/** Spec §7: every mistake in a guard's options is an error at its construction, all of them at once. */
import { describe, expect, test } from 'vitest';
import { createChannel } from '../../sdk/channel.js';
import { AgentKavach, Budget, ConfigurationError, syncDocument } from '../../sdk/index.js';
import { readSettings, type Settings } from '../../sdk/settings.js';

const GOOD = {
  ...{ apiKey: 'ak_1', llmKey: 'sk-1', agentName: 'bot', budget: Budget.daily(5) },
  endpoint: 'http://127.0.0.1:4000/',
};

function read(options: object, env: Record<string, string> = {}): Settings {
  return readSettings(options, env, () => 'run-1');
}

function faultsOf(options: object, env: Record<string, string> = {}): string[] {
  try {
    read(options, env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.faults.map(({ path, expected, given }) => `${path}: ${expected}; ${given}`);
  }
  return [];
}

describe('options', () => {
  test('have the defaults that are written beside them', () => {
    expect(read(GOOD)).toEqual({
      ...{ provider: 'openai', apiKey: 'ak_1', llmKey: 'sk-1', agentName: 'bot', runId: 'run-1' },
      ...{ budget: Budget.daily(5), guardrails: {}, savePrompts: false, failOnError: false },
      ...{ endpoint: 'http://127.0.0.1:4000', prices: {}, callBound: {}, logger: {} },
      ...{ whenUnreachable: 'closed', standalone: false },
      channels: [{ type: 'kill', threshold: 1, budgetType: 'cost' }],
    });
    expect(read({ ...GOOD, budget: undefined }).budget).toEqual(Budget.daily(100));
    expect(read({ ...GOOD, detectLoops: true }).guardrails).toEqual({ loopThreshold: 3 });
    const slack = createChannel('slack', { threshold: 0.5, webhookUrl: 'https://a.example/x' });
    expect(read({ ...GOOD, channels: [slack] }).whenUnreachable).toBe('open');
  });

  test('with many mistakes name every one, and no secret', () => {
    const faults = faultsOf({
      ...{ provider: 'opnai', apiKey: '', llmKey: undefined, agentName: '  ', on_kill: 1 },
      ...{ budget: { limit: -1, period: 'dayly' }, orgBudget: Budget.daily(1), onKill: 'exit' },
      ...{ maxTokensPerRun: 0, maxCallsPerRun: 1.5, maxRuntimeSeconds: NaN, loopThreshold: 1 },
      ...{ detectLoops: 'yes', endpoint: 'ftp://x', prices: { m: { input: -1 } } },
      ...{ callBound: { usd: Infinity, token: 1 }, whenUnreachable: 'maybe', maxTokenPerRun: 5 },
      channels: [
        { type: 'slack', threshold: 0, webhookUrl: 'not a url' },
        { type: 'slak', threshold: 1 },
        { type: 'kill', threshold: 1, budgetType: 'tokens_total' },
      ],
    });
    expect(faults.map((each) => each.split(':')[0]).sort()).toEqual(
      [
        ...['agentName', 'apiKey', 'budget.limit', 'budget.period', 'callBound.token'],
        ...['callBound.usd', 'channels[0].threshold', 'channels[0].webhookUrl'],
        ...['channels[1].type', 'detectLoops', 'endpoint', 'llmKey', 'loopThreshold'],
        ...['maxCallsPerRun', 'maxRuntimeSeconds', 'maxTokenPerRun', 'maxTokensPerRun', 'onKill'],
        ...['on_kill', 'orgBudget', 'prices.m.input', 'prices.m.output', 'provider'],
        'whenUnreachable',
      ].sort(),
    );
    const text = faults.join('\n');
    expect(text).toContain('on_kill: onKill, perhaps');
    expect(text).toContain('maxTokenPerRun: maxTokensPerRun, perhaps');
    expect(text).toContain(
      'budget.period: one of hourly, daily, weekly, monthly, total (daily, perhaps)',
    );
    expect(text).not.toContain('not a url');
  });

  test('a message of one fault is one line, of several a list', () => {
    expect(() => read({ ...GOOD, agentName: '' })).toThrow(
      'AgentKavach cannot be used: agentName: expected a text of 1 to 200 characters, got an empty string.',
    );
    expect(() => read({ ...GOOD, agentName: '', runId: 5 })).toThrow(
      /used:\n- agentName.*\n- runId/,
    );
    expect(() => new AgentKavach(undefined as never)).toThrow(ConfigurationError);
  });

  test('a channel of a dimension without a limit would never fire, and is a mistake', () => {
    const tokens = createChannel('kill', { threshold: 1, budgetType: 'tokens_total' });
    expect(faultsOf({ ...GOOD, channels: [tokens] })[0]).toMatch(/budgetType.*maxTokensPerRun/);
    expect(faultsOf({ ...GOOD, channels: [tokens], maxTokensPerRun: 10 })).toEqual([]);
  });

  test('a shared budget goes where it belongs', () => {
    const shared = Budget.orgBudget(500, { period: 'monthly' });
    expect(read({ ...GOOD, budget: shared })).toMatchObject({ orgBudget: shared });
    expect(read({ ...GOOD, budget: shared })).not.toHaveProperty('budget');
    expect(faultsOf({ ...GOOD, budget: shared, orgBudget: shared })).toHaveLength(1);
  });

  test('the endpoint comes from the environment where nobody gives one', () => {
    const { endpoint: _, ...rest } = GOOD;
    expect(faultsOf(rest)[0]).toMatch(/AGENTKAVACH_BACKEND_URL/);
    expect(read(rest, { AGENTKAVACH_BACKEND_URL: 'https://k.example' }).endpoint).toBe(
      'https://k.example',
    );
    expect(faultsOf(rest, { AGENTKAVACH_BACKEND_URL: 'nonsense' })).toHaveLength(1);
    expect(read({ ...rest, apiKey: undefined, standalone: true })).not.toHaveProperty('endpoint');
  });
});

describe('channels from the environment', () => {
  const ENV = {
    AGENTKAVACH_SLACK_WEBHOOK_URL: 'https://hooks.slack.example/x',
    AGENTKAVACH_PAGERDUTY_ROUTING_KEY: 'R0',
    AGENTKAVACH_WEBHOOK_URL: 'https://a.example/hook',
    AGENTKAVACH_WEBHOOK_SECRET: 'whsec',
    AGENTKAVACH_ALERT_EMAIL: 'ops@acme.example',
    RESEND_API_KEY: 're_1',
  };

  test('are those whose variables are set, at 0.70, 0.90 and 1.00, and a kill', () => {
    const { channels } = read(GOOD, ENV);
    expect(channels).toHaveLength(4 * 3 + 1);
    expect(channels).toContainEqual({
      ...{ type: 'webhook', threshold: 0.9, budgetType: 'cost' },
      ...{ url: 'https://a.example/hook', secret: 'whsec' },
    });
    expect(channels.filter(({ type }) => type === 'kill')).toEqual([
      { type: 'kill', threshold: 1, budgetType: 'cost' },
    ]);
    const one = read(GOOD, { AGENTKAVACH_PAGERDUTY_ROUTING_KEY: 'R0', RESEND_API_KEY: 're_1' });
    expect(one.channels.map(({ type, threshold }) => `${type} ${String(threshold)}`)).toEqual([
      ...['pagerduty 0.7', 'pagerduty 0.9', 'pagerduty 1', 'kill 1'],
    ]);
  });

  test('are not asked for where channels are given, but the key of Resend', () => {
    expect(read({ ...GOOD, channels: [] }, ENV).channels).toEqual([]);
    const email = createChannel('email', { threshold: 0.5, to: 'a@b.example' });
    expect(read({ ...GOOD, channels: [email] }, ENV).channels[0]).toMatchObject({ apiKey: 're_1' });
  });

  test('that are no addresses are told once, by their variable', () => {
    const faults = faultsOf(GOOD, { AGENTKAVACH_SLACK_WEBHOOK_URL: 'x' });
    expect(faults).toEqual([
      'AGENTKAVACH_SLACK_WEBHOOK_URL.webhookUrl: an http or https URL; a string of 1 characters',
    ]);
  });
});

describe('the document that is synced', () => {
  test('has every limit in its unit, and every target', () => {
    const channels = [
      createChannel('email', { threshold: 0.5, to: 'a@b.example', apiKey: 're_1' }),
      createChannel('webhook', { threshold: 0.8, url: 'https://a.example', secret: 's' }),
      createChannel('kill', { threshold: 1, budgetType: 'tokens_total' }),
    ];
    const limits = { maxTokensPerRun: 9, maxCallsPerRun: 8, maxRuntimeSeconds: 1.5 };
    const document = syncDocument(read({ ...GOOD, ...limits, detectLoops: true, channels }));
    expect(document.budgets).toEqual([
      { budget_type: 'cost', period: 'daily', limit_value: 5, unit: 'usd' },
      { budget_type: 'tokens_total', period: 'per_run', limit_value: 9, unit: 'tokens' },
      { budget_type: 'calls', period: 'per_run', limit_value: 8, unit: 'calls' },
      { budget_type: 'duration', period: 'per_run', limit_value: 1_500, unit: 'ms' },
      { budget_type: 'loops', period: 'per_run', limit_value: 3, unit: 'loops' },
    ]);
    expect(document.alert_configs).toEqual([
      { ...alert('email', 0.5), target: 'a@b.example', secret: 're_1' },
      { ...alert('webhook', 0.8), target: 'https://a.example', secret: 's' },
      { ...alert('kill', 1), budget_type: 'tokens_total' },
    ]);
    expect(document).not.toHaveProperty('org_alert_configs');
  });

  test('C2. with a shared budget its channels watch that too', () => {
    const org = syncDocument(read({ ...GOOD, budget: Budget.orgBudget(500) }));
    expect(org).toMatchObject({ budgets: [], alert_configs: [], org_budget: { limit_value: 500 } });
    expect(org.org_alert_configs).toEqual([alert('kill', 1)]);
    const both = syncDocument(read({ ...GOOD, orgBudget: Budget.orgBudget(500) }));
    expect(both.alert_configs).toEqual([alert('kill', 1)]);
    expect(both.org_alert_configs).toEqual([alert('kill', 1)]);
  });
});

function alert(channel: string, threshold_pct: number) {
  return { channel, threshold_pct, budget_type: 'cost' };
}
