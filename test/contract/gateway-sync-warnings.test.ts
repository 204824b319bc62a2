import { expect, test } from 'vitest';
import { createGuard } from '../../channels/address-guard.js';
import { refuseTarget } from '../../channels/target.js';
import { parseInput, syncDocument } from '../../gateway/schemas.js';
import { warningsOf } from '../../gateway/sync-warnings.js';

const warned = (document: object): readonly string[] =>
  warningsOf(parseInput(syncDocument, { agent_name: 'bot', ...document }));

const daily = { budget_type: 'cost', period: 'daily', limit_value: 5 };
const slack = { channel: 'slack', threshold_pct: 0.5, budget_type: 'cost' };

test('what an SDK sends raises no warning', () => {
  const loops = { budget_type: 'loops', period: 'per_run', limit_value: 3 };
  const onLoops = { ...slack, budget_type: 'loops' };
  expect(warned({ budgets: [daily, loops], alert_configs: [slack, onLoops] })).toEqual([]);
  const org = { org_budget: daily, org_alert_configs: [slack] };
  expect(warned({ budgets: [daily], alert_configs: [], ...org })).toEqual([]);
});

test('words that will have no effect are told, each with its path', () => {
  const [field, type, period, channel, alert] = warned({
    budgts: [],
    budgets: [{ ...daily, budget_type: 'nope', period: 'yearly' }],
    alert_configs: [{ ...slack, channel: 'pigeon' }, slack],
  });
  expect(field).toContain('"budgts" is no field');
  expect(type).toContain('budgets[0].budget_type: "nope"');
  expect(period).toContain('budgets[0].period: "yearly"');
  expect(channel).toContain('alert_configs[0].channel: "pigeon"');
  expect(alert).toContain('alert_configs[1].budget_type: no budget of "cost"');
});

test('targets that no channel will send to are told with their path, and never repeated', () => {
  const target = 'https://evil.example/canary';
  const document = {
    agent_name: 'bot',
    budgets: [daily],
    alert_configs: [slack, { ...slack, target }, { ...slack, target, channel: 'pigeon' }],
    org_budget: daily,
    org_alert_configs: [{ ...slack, target: 'http://10.0.0.1/canary', channel: 'webhook' }],
  };
  const guard = createGuard();
  const warnings = warningsOf(parseInput(syncDocument, document), (channel, address) =>
    refuseTarget(guard, channel, address),
  );
  expect(warnings).toHaveLength(3);
  expect(warnings[1]).toMatch(
    /^alert_configs\[1\]\.target: the address is not on hooks\.slack\.com or hooks\.slack-gov\.com/,
  );
  expect(warnings[2]).toMatch(
    /^org_alert_configs\[0\]\.target: the address is not on the public internet/,
  );
  expect(warnings.join()).not.toMatch(/canary|evil|10\.0/);
});

test('warnings are bounded, however long the document', () => {
  expect(warned({ alert_configs: Array(400).fill(slack) })).toHaveLength(20);
});

test('a field of an entry that nobody reads is told: an address under another name goes nowhere', () => {
  const entry = { channel: 'slack', threshold_pct: 0.8, webhook_url: 'https://x.test' };
  const budget = { budget_type: 'cost', period: 'daily', limit_value: 5, unit: 'usd', hard: true };
  expect(
    warningsOf(
      parseInput(syncDocument, {
        ...{ agent_name: 'bot', budgets: [budget], alert_configs: [entry] },
      }),
    ),
  ).toEqual([
    'budgets[0].hard: is no field here; ignored',
    'alert_configs[0].webhook_url: is no field here; ignored',
  ]);
});
