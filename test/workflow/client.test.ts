import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKavachClient, type KavachClient } from '../../client/client.js';
import { describeFailure } from '../../client/failure.js';
import { createReporter } from '../../client/reporter.js';
import type { AlertInput } from '../../domain/alert/state.js';
import { alertWorkflowId, budgetWorkflowId } from '../../domain/ids.js';
import { kavachOrg } from '../../workflows/search-attributes.js';
import { QUICK, reportOf, rowOf, startHarness, type Harness } from './harness.js';

let harness: Harness;
let kavach: KavachClient;
const warned: string[] = [];
const log = {
  info: () => undefined,
  warn: (_fields: object, message: string) => warned.push(message),
  error: () => undefined,
};

function facadeOn(client: Client): KavachClient {
  return createKavachClient({
    client,
    taskQueue: harness.taskQueue,
    policy: QUICK,
    log,
    workflowTaskTimeoutMs: 5_000,
  });
}

beforeAll(async () => {
  harness = await startHarness('client');
  kavach = facadeOn(harness.client);
});
afterAll(async () => {
  await harness.stop();
});

const freshRow = () => rowOf(`agent-${randomUUID()}`);

describe('the facade on a real server', () => {
  test('a first report starts the period with its texts; later ones reach it', async () => {
    const row = freshRow();
    const id = budgetWorkflowId(row.key);
    const report = (seq: number, cost: number, started: boolean) =>
      kavach.reportPeriod({ row, started, report: reportOf(seq, cost) });
    expect(await report(1, 10, false)).toBe('delivered');
    expect(await report(2, 20, true)).toBe('delivered');
    expect(await kavach.budgetStatus(id)).toMatchObject({ totals: { cost: 20 }, phase: 'open' });
    const described = await harness.client.workflow.getHandle(id).describe();
    expect(await described.staticSummary()).toContain(`${row.name}: daily budget from`);
    expect(described.typedSearchAttributes.get(kavachOrg)).toBe('default');
    const history = await kavach.history(id);
    expect(history?.events?.length).toBeGreaterThan(5);
    expect(
      history?.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowTaskTimeout?.seconds,
    ).toEqual(expect.objectContaining({ low: 5 }));
  });

  test('a report to a period that nobody runs any more starts it from its row', async () => {
    const row = freshRow();
    const answer = await kavach.reportPeriod({ row, started: true, report: reportOf(1, 10) });
    expect(answer).toBe('delivered');
    await harness.client.workflow.getHandle(budgetWorkflowId(row.key)).terminate('lost');
    const again = await kavach.reportPeriod({ row, started: true, report: reportOf(2, 30) });
    expect(again).toBe('delivered');
    expect(await kavach.budgetStatus(budgetWorkflowId(row.key))).toMatchObject({
      totals: { cost: 30 },
    });
  });

  test('a report to a period that has ended is told so, not taken for delivered', async () => {
    const row = freshRow();
    const last = reportOf(1, 10, { closing: true });
    await kavach.reportPeriod({ row, started: false, report: last });
    await harness.client.workflow.getHandle(budgetWorkflowId(row.key)).result();
    for (const started of [true, false]) {
      const answer = await kavach.reportPeriod({ row, started, report: reportOf(2, 20) });
      expect(answer).toBe('already_ended');
    }
  });

  test('A9: acknowledging twice is once, also after the alert has ended', async () => {
    const row = freshRow();
    await kavach.reportPeriod({ row, started: false, report: reportOf(1, 600) });
    const alertId = alertWorkflowId(row.key, { no: 1, dimension: 'cost', bps: 5_000 });
    await harness.until(async () => (await kavach.alertStatus(alertId)) !== undefined);
    const first = await kavach.acknowledge(alertId, { by: 'ana', note: 'on it' });
    const second = await kavach.acknowledge(alertId, { by: 'ben' });
    expect(first).toMatchObject({ type: 'done', status: { phase: 'acknowledged' } });
    expect(second).toMatchObject({ type: 'done', status: { acknowledged: { by: 'ana' } } });
    expect(await kavach.resolve(alertId, { by: 'ana' })).toMatchObject({ type: 'done' });
    await harness.client.workflow.getHandle(alertId).result();
    expect(await kavach.acknowledge(alertId, { by: 'eve' })).toMatchObject({
      type: 'done',
      status: { acknowledged: { by: 'ana' } },
    });
    const raised = harness.recorded.deliveries.find((each) => each.input.id === alertId);
    expect(await kavach.startAlert(raised?.input as AlertInput)).toBe('already');
  });

  test('what nobody knows is undefined, and not running', async () => {
    expect(await kavach.budgetStatus('budget/none')).toBeUndefined();
    expect(await kavach.history('budget/none')).toBeUndefined();
    expect(await kavach.acknowledge('alert/none', { by: 'ana' })).toEqual({ type: 'not_running' });
    const revoked = { delivery: 'alert/none/0', reason: 'bounced' };
    expect(await kavach.revokeDelivery('alert/none', revoked)).toBe('not_running');
    await kavach.ping();
  });

  test('a direct reporter opens its period and is counted', async () => {
    const row = freshRow();
    harness.row = row;
    const { key, window, name, limits } = row;
    const reporter = createReporter({
      client: kavach,
      sender: `${name}-1f`,
      periods: [{ key, window, name, limits }],
      flushEveryMs: 50,
      onError: (error) => {
        throw error;
      },
    });
    for (let call = 0; call < 100; call += 1) reporter.record({ costNanos: 6, tokens: 1 });
    const { undelivered } = await reporter.drain();
    expect(undelivered).toEqual([]);
    await harness.until(async () => {
      const now = await kavach.budgetStatus(budgetWorkflowId(key));
      return now?.totals.cost === 600 && now.firings === 1;
    });
  });

  test('a namespace without the search attributes is started in without them, said once', async () => {
    const namespace = `bare-${randomUUID()}`;
    await harness.client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    const bare = facadeOn(new Client({ connection: harness.client.connection, namespace }));
    const report = (row = freshRow()) =>
      bare.reportPeriod({ row, started: false, report: reportOf(1, 10) });
    await harness.until(() =>
      report().then(
        () => true,
        (error: unknown) => {
          // The namespace is not known everywhere at once.
          if (!/not found/i.test(describeFailure(error).reason)) throw error;
          return false;
        },
      ),
    );
    expect(await report()).toBe('delivered');
    expect(warned).toHaveLength(1);
    expect(warned[0]).toContain('lacks the search attributes');
  });
});
