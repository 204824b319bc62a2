/** The demo's audit must be able to fail: each book is falsified once, and each is found. */
import { describe, expect, test } from 'vitest';
import { audit } from '../../cli/demo/audit.js';
import type { Observed } from '../../cli/demo/observe.js';
import { periodKeys, DAY } from '../../cli/demo/observe.js';
import { createPlan, type Plan, type Sums } from '../../cli/demo/plan.js';
import { isWorded, type ThresholdFacts } from '../../domain/alert/facts.js';
import type { AlertStatus } from '../../domain/alert/view.js';
import type { BudgetStatus } from '../../domain/budget/view.js';
import { alertWorkflowId, budgetWorkflowId, deliveryId, idempotencyKey } from '../../domain/ids.js';
import type { SinkRequest } from '../../fakes/sink.js';
import { createPricer } from '../../gateway/price.js';
import type { BudgetStatusView } from '../../gateway/views.js';

const NOW = Date.UTC(2026, 10, 21, 12);
const plan: Plan = createPlan({
  trace: Array.from({ length: 30 }, (_, n) => ({
    ...{ offsetMs: n * 100, inputTokens: 1_000, outputTokens: 100 },
  })),
  ...{ pricer: createPricer(), seed: 1, now: NOW },
});
const keys = periodKeys(plan, 'UTC', NOW);

const countedOf = ({ events, cost, tokens }: Sums) => ({ calls: events, cost, tokens });

/** What everybody would say after a play in which nothing went wrong. */
function faultless() {
  const sums = new Map<string, Sums>([
    [DAY, plan.total],
    ...plan.runs.map((run) => [run.id, run] as const),
    [plan.hungRun, { events: 0, cost: 0, tokens: 0 }],
  ]);
  const counts = new Map<string, number>();
  const alerts = plan.crossings.map(({ run = DAY, dimension, bps, channels }): AlertStatus => {
    const key = keys.get(run);
    if (key === undefined) throw new Error(`no key of ${run}`);
    const no = (counts.get(run) ?? 0) + 1;
    counts.set(run, no);
    const id = alertWorkflowId(key, { no, dimension, bps });
    const routes = channels.filter((channel) => channel !== 'kill');
    return {
      ...{ id, org: 'default', subject: budgetWorkflowId(key), phase: 'firing', raisedAt: NOW },
      facts: { dimension, thresholdBps: bps } as AlertStatus['facts'],
      deliveries: routes.map((channel, index) => ({
        ...{ id: deliveryId(id, index), route: { channel }, purpose: 'fire', status: 'accepted' },
        attempts: [{ no: 1, at: NOW, outcome: 'accepted', reason: 'HTTP 200' }],
      })),
      ...{ result: 'delivered', exhausted: false, rejected: 0 },
    };
  });
  const requests = alerts
    .flatMap(({ deliveries }) => deliveries)
    .map(({ id, route }, index) => ({
      ...{ no: index + 1, channel: route.channel, path: '/', headers: {}, body: id, at: NOW },
      ...(route.channel === 'slack' ? {} : { key: idempotencyKey(id) }),
      ...{ status: 200, taken: true, repeat: false },
    })) as SinkRequest[];
  const rows = new Map(
    [...sums].map(([name, own]) => [name, { own: countedOf(own) } as BudgetStatusView] as const),
  );
  const workflows = new Map(
    [...sums]
      .filter(([name]) => counts.has(name))
      .map(([name, own]) => {
        const killed = name === DAY ? { killed: { at: NOW } } : {};
        const firings = counts.get(name) ?? 0;
        const said = { totals: countedOf(own), firings, rejected: 0, ...killed };
        return [name, said as unknown as BudgetStatus] as const;
      }),
  );
  return { usage: plan.total, rows, workflows, alerts, requests } satisfies Observed;
}

function thresholdOf({ facts }: AlertStatus): ThresholdFacts {
  if (isWorded(facts)) throw new Error(`${facts.title} is no threshold`);
  return facts;
}

describe('the audit of a play', () => {
  test('finds nothing where every book agrees', () => {
    expect(plan.crossings.some(({ channels }) => channels.includes('kill'))).toBe(true);
    expect(audit(plan, faultless())).toEqual([]);
  });

  test('one nano too much in the ledger, one event too few in the workflow', () => {
    const seen = faultless();
    const day = seen.workflows.get(DAY);
    if (day === undefined) throw new Error('no day');
    seen.workflows.set(DAY, { ...day, totals: { ...day.totals, calls: day.totals.calls - 1 } });
    const found = audit(plan, { ...seen, usage: { ...plan.total, cost: plan.total.cost + 1 } });
    expect(found).toEqual([
      expect.stringMatching(/^the ledger: \d+ nano-USD, the trace has/),
      expect.stringMatching(/^the workflow of day: 29 events, the trace has 30/),
    ]);
  });

  test('a kill that was not carried out, and a workflow that refused a message', () => {
    const seen = faultless();
    const { killed: _killed, ...day } = seen.workflows.get(DAY) as BudgetStatus;
    seen.workflows.set(DAY, { ...day, rejected: 1 });
    expect(audit(plan, seen)).toEqual([
      'the workflow of day: refused 1 messages',
      'day: should be killed and is not',
    ]);
  });

  test('T2: a threshold that fired twice, never, or without reason', () => {
    const seen = faultless();
    const [first, second] = seen.alerts as [AlertStatus, AlertStatus];
    const facts = { ...thresholdOf(first), thresholdBps: 1 };
    const odd = { ...first, facts, deliveries: [] };
    const found = audit(plan, { ...seen, alerts: [first, first, ...seen.alerts.slice(2), odd] });
    expect(thresholdOf(second).thresholdBps).toBe(8_000);
    expect(found).toContain('day/cost/5000: fired 2 times, not once');
    expect(found).toContain('day/cost/8000: fired 0 times, not once');
    expect(found).toContain('day/cost/1: fired, and the trace does not reach it');
  });

  test('a delivery that was not accepted', () => {
    const seen = faultless();
    const alerts = seen.alerts.map((alert, index) =>
      index > 0
        ? alert
        : { ...alert, deliveries: alert.deliveries.map((d) => ({ ...d, status: 'due' as const })) },
    );
    expect(audit(plan, { ...seen, alerts })).toEqual(['day/cost/5000 by slack: due (HTTP 200)']);
  });

  test('A11: a strange key, other bytes under one key, an acceptance the sink has not seen', () => {
    const seen = faultless();
    const email = seen.requests.find(({ channel }) => channel === 'email') as SinkRequest;
    const strange = { ...email, no: 98, key: 'kavach-strange' };
    const changed = { ...email, no: 99, body: 'changed' };
    expect(audit(plan, { ...seen, requests: [...seen.requests, strange, changed] })).toEqual([
      'request 98 to email: its key belongs to no delivery',
      'request 99 to email: other bytes under the same key',
    ]);
    const without = seen.requests.filter((request) => request !== email);
    expect(audit(plan, { ...seen, requests: without })).toEqual([
      expect.stringMatching(/^a delivery by email is said to be accepted/),
    ]);
  });

  test('A12: a Slack double is a fault, unless an attempt was ambiguous', () => {
    const seen = faultless();
    const slack = seen.requests.find(({ channel }) => channel === 'slack') as SinkRequest;
    const requests = [...seen.requests, { ...slack, no: 99 }];
    expect(audit(plan, { ...seen, requests })).toEqual([expect.stringMatching(/^Slack saw/)]);
    const unsure = { no: 1, at: NOW, outcome: 'ambiguous', reason: 'worker lost' } as const;
    const alerts = seen.alerts.map((alert, index) =>
      index > 0
        ? alert
        : {
            ...alert,
            deliveries: alert.deliveries.map((d) => ({ ...d, attempts: [unsure, ...d.attempts] })),
          },
    );
    expect(audit(plan, { ...seen, alerts, requests })).toEqual([]);
  });
});
