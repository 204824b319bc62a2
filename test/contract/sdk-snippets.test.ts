/** The Python of reference/product-alerts-and-channels.txt, line by line in TypeScript. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { syncDocument as syncSchema } from '../../gateway/schemas.js';
import { readDocument } from '../../gateway/sync.js';
import { AgentKavach, Budget, ChannelType, syncDocument } from '../../sdk/index.js';
import { readSettings } from '../../sdk/settings.js';

function setEnvironment(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

describe('the documented snippets', () => {
  test('configuring channels', () => {
    setEnvironment({ AGENTKAVACH_BACKEND_URL: 'http://127.0.0.1:4000' });
    const options = {
      provider: 'openai',
      apiKey: 'ak_prod_...', // your AgentKavach key
      llmKey: 'sk-...', // your OpenAI key
      agentName: 'research-bot',
      budget: Budget.daily(50),
      onKill: () => undefined,
      channels: [
        AgentKavach.channel(ChannelType.EMAIL, { threshold: 0.5, to: 'team@acme.com' }),
        AgentKavach.channel(ChannelType.SLACK, {
          threshold: 0.8,
          webhookUrl: 'https://hooks.slack.com/...',
        }),
        AgentKavach.channel(ChannelType.PAGERDUTY, { threshold: 0.95, routingKey: 'R0...' }),
        AgentKavach.channel(ChannelType.KILL, { threshold: 1.0 }),
      ],
    } as const;
    const guard = new AgentKavach(options);
    expect(guard.remaining).toBe(50);
    const document = syncDocument(readSettings(options, process.env, () => 'run'));
    const taken = readDocument(syncSchema.parse(document));
    expect(taken).toMatchObject({ agent: 'research-bot', shown: [] });
    expect(taken.alerts.map(({ bps }) => bps)).toEqual([5_000, 8_000, 9_500, 10_000]);
    expect(document).toEqual({
      agent_name: 'research-bot',
      budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 50, unit: 'usd' }],
      alert_configs: [
        { channel: 'email', threshold_pct: 0.5, budget_type: 'cost', target: 'team@acme.com' },
        {
          ...{ channel: 'slack', threshold_pct: 0.8, budget_type: 'cost' },
          target: 'https://hooks.slack.com/...',
        },
        { channel: 'pagerduty', threshold_pct: 0.95, budget_type: 'cost', target: 'R0...' },
        { channel: 'kill', threshold_pct: 1, budget_type: 'cost' },
      ],
      org_budget: null,
    });
  });

  test('email', () => {
    expect(
      AgentKavach.channel(ChannelType.EMAIL, { threshold: 0.8, to: 'oncall@acme.com' }),
    ).toEqual({ type: 'email', threshold: 0.8, budgetType: 'cost', to: 'oncall@acme.com' });
    expect(AgentKavach.channel('email', { threshold: 0.8, to: 'oncall@acme.com' }).type).toBe(
      'email',
    );
  });

  test('custom template', () => {
    setEnvironment({ AGENTKAVACH_SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x' });
    const channel = AgentKavach.channel(ChannelType.SLACK, {
      threshold: 0.7,
      webhookUrl: process.env['AGENTKAVACH_SLACK_WEBHOOK_URL'],
      template: {
        text: ':rotating_light: {agent_name} at {pct}% of {period} {budget_type} limit',
      },
    });
    expect(channel).toMatchObject({ webhookUrl: 'https://hooks.slack.com/services/T/B/x' });
  });

  test('pagerduty', () => {
    setEnvironment({ AGENTKAVACH_PAGERDUTY_ROUTING_KEY: 'R'.repeat(32) });
    const channel = AgentKavach.channel(ChannelType.PAGERDUTY, {
      threshold: 0.95,
      routingKey: process.env['AGENTKAVACH_PAGERDUTY_ROUTING_KEY'],
    });
    expect(channel.threshold).toBe(0.95);
  });

  test('webhook', () => {
    setEnvironment({ AGENTKAVACH_WEBHOOK_SECRET: 'whsec_abc' });
    const channel = AgentKavach.channel(ChannelType.WEBHOOK, {
      threshold: 0.8,
      url: 'https://api.acme.com/budget-alerts',
      secret: process.env['AGENTKAVACH_WEBHOOK_SECRET'],
    });
    expect(channel).toMatchObject({ secret: 'whsec_abc' });
  });

  test('a variable that nobody set is told at once', () => {
    const make = () =>
      AgentKavach.channel(ChannelType.SLACK, {
        threshold: 0.7,
        webhookUrl: process.env['A_VARIABLE_NOBODY_SET'],
      });
    expect(make).toThrow(/webhookUrl: expected an http or https URL, got nothing/);
  });

  test('kill switch', () => {
    setEnvironment({ AGENTKAVACH_BACKEND_URL: 'http://127.0.0.1:4000' });
    function emergencyStop() {
      // Called once when the kill threshold is crossed.
      process.stdout.write('agent killed by budget\n');
      process.exit(1);
    }

    const guard = new AgentKavach({
      provider: 'openai',
      apiKey: 'ak_prod_...',
      llmKey: 'sk-...',
      agentName: 'expensive-agent',
      budget: Budget.daily(10),
      onKill: emergencyStop,
      channels: [AgentKavach.channel(ChannelType.KILL, { threshold: 1.0 })],
    });
    expect(guard.status()).toMatchObject({ spent: 0, remaining: 10 });
  });
});
