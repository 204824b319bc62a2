import { expect, test } from 'vitest';
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

test('warnings are bounded, however long the document', () => {
  expect(warned({ alert_configs: Array(400).fill(slack) })).toHaveLength(20);
});
