import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isWorded } from '../../domain/alert/facts.js';
import type { BudgetPeriodInput } from '../../domain/budget/input.js';
import type { Report } from '../../domain/budget/report.js';
import type { Policy } from '../../domain/alert/policy.js';
import { alertWorkflowId, budgetWorkflowId } from '../../domain/ids.js';
import { acknowledge, alertStatus, reportTotals, status } from '../../workflows/messages.js';
import { QUICK, reportOf, rowOf, startHarness, type Harness } from './harness.js';

let harness: Harness;
let agents = 0;
beforeAll(async () => {
  harness = await startHarness('budget');
});
afterAll(async () => {
  await harness.stop();
});
beforeEach(() => {
  harness.answer = () => ({ type: 'sent', outcome: { kind: 'accepted', reason: 'ok' } });
  harness.onPublish = () => undefined;
});

/** One period with an agent of its own, and the means to speak to it. */
function period(policy: Partial<Policy> = {}, endsAt?: number) {
  agents += 1;
  const row = rowOf(`agent-${String(agents)}-${String(Date.now())}`, endsAt);
  const workflowId = budgetWorkflowId(row.key);
  const input: BudgetPeriodInput = { kind: 'row', row, policy: { ...QUICK, ...policy } };
  const handle = harness.client.workflow.getHandle(workflowId);
  const send = (report: Report) =>
    harness.client.workflow.signalWithStart('budgetPeriod', {
      workflowId,
      taskQueue: harness.taskQueue,
      args: [input],
      signal: reportTotals,
      signalArgs: [report],
    });
  const mine = () =>
    harness.recorded.deliveries.filter((each) => each.input.subject === workflowId);
  // Alerts are workflows of their own and deliver side by side: their ids tell the order (T3).
  const fired = () =>
    [...mine()]
      .sort((a, b) => a.input.id.localeCompare(b.input.id))
      .map(({ input: { facts } }) => (isWorded(facts) ? 0 : facts.thresholdBps));
  const alertOf = (no: number) =>
    harness.client.workflow.getHandle(
      alertWorkflowId(row.key, { no, dimension: 'cost', bps: [5_000, 8_000, 10_000][no - 1] ?? 0 }),
    );
  return { row, workflowId, handle, send, mine, fired, alertOf };
}

describe('a budget period on a real server', () => {
  test('alerts at its thresholds, kills at its limit, and ends what it began', async () => {
    const { handle, send, fired, alertOf, workflowId } = period();
    await send(reportOf(1, 400));
    await send(reportOf(2, 850));
    await harness.until(() => fired().length === 2);
    expect(fired()).toEqual([5_000, 8_000]);
    await send(reportOf(3, 1_000));
    await harness.until(() => fired().length === 3);
    const now = await handle.query(status);
    expect(now.totals).toEqual({ cost: 1_000, tokens: 1_000, calls: 3, durationMs: 0 });
    expect(now.killed).toMatchObject({ dimension: 'cost', bps: 10_000, limit: 1_000 });
    await send(reportOf(4, 1_000, { closing: true }));
    await handle.result();
    for (const no of [1, 2, 3]) {
      await alertOf(no).result();
      expect((await alertOf(no).query(alertStatus)).phase).toBe('resolved');
    }
    const last = harness.recorded.published
      .filter((each) => budgetWorkflowId(each.key) === workflowId)
      .at(-1);
    expect(last).toMatchObject({ closed: true, firingNo: 3, openAlerts: [] });
  });

  test('K3: the row says killed before the alert that tells of it starts', async () => {
    const { send, fired, workflowId, handle } = period();
    let away = true;
    harness.onPublish = (published) => {
      if (away && published.killed !== undefined) throw new Error('the ledger is away');
    };
    await send(reportOf(1, 1_000));
    await harness.until(() => fired().length === 2);
    expect(fired()).toEqual([5_000, 8_000]);
    away = false;
    await harness.until(() => fired().includes(10_000));
    const told = harness.recorded.published.filter(
      (each) => budgetWorkflowId(each.key) === workflowId,
    );
    expect(told.at(-1)?.killed).toBeDefined();
    await handle.terminate();
  });

  test('repeated and reordered reports change nothing', async () => {
    const { send, fired, handle } = period();
    await send(reportOf(5, 600));
    for (const seq of [1, 3, 2, 5, 5]) await send(reportOf(seq, seq * 100));
    await harness.until(() => fired().length === 1);
    expect((await handle.query(status)).totals.cost).toBe(600);
    expect(fired()).toEqual([5_000]);
    await handle.terminate();
  });

  test('nonsense is counted and readable, and blocks nothing', async () => {
    const { handle, send, fired } = period();
    await send(reportOf(1, 100));
    const nonsense: unknown[] = [
      null,
      7,
      'x',
      [],
      {},
      { sender: 'ledger' },
      reportOf(2, -1),
      reportOf(3, Number.MAX_VALUE),
      { ...reportOf(4, 5), cost: '12' },
      { ...reportOf(5, 5), limits: { rev: 9, limits: 'all' } },
      { ...reportOf(6, 5), sender: '__proto__' },
      { ...reportOf(7, 5), lastAt: 1e308 },
    ];
    for (const each of nonsense) await handle.signal('reportTotals', each);
    await handle.signal('nobodyKnowsThis', 1);
    await send(reportOf(9, 500));
    await harness.until(() => fired().length === 1);
    const now = await handle.query(status);
    expect(now.rejected).toBe(nonsense.length + 1);
    expect(now.lastRejection).toContain('nobodyKnowsThis');
    expect(now.totals.cost).toBe(500);
    await handle.terminate();
  });

  test('rotation carries everything: totals, latches, open alerts, direct senders', async () => {
    const { handle, send, fired } = period({ rotateAfterSignals: 3 });
    const firstRun = (await (await send(reportOf(1, 100))).describe()).runId;
    for (let seq = 2; seq <= 20; seq += 1) await send(reportOf(seq, seq * 40));
    await send({ ...reportOf(1, 30), sender: 'direct-1' });
    await harness.until(async () => (await handle.query(status)).totals.cost === 830);
    await harness.until(() => fired().length === 2);
    expect((await handle.describe()).runId).not.toBe(firstRun);
    expect(fired()).toEqual([5_000, 8_000]);
    expect((await handle.query(status)).openAlerts).toHaveLength(2);
    await handle.terminate();
  });

  test('a worker without a cache replays every task to the same end', async () => {
    await harness.restartWorker({ maxCachedWorkflows: 0 });
    const { handle, send, fired } = period();
    for (let seq = 1; seq <= 10; seq += 1) await send(reportOf(seq, seq * 90));
    await harness.until(() => fired().length === 2);
    expect((await handle.query(status)).totals.cost).toBe(900);
    await handle.terminate();
    await harness.restartWorker();
  });

  test('its own timer closes it when the ledger is silent', async () => {
    const { handle, send, alertOf } = period({}, Date.now() + 1_500);
    await send(reportOf(1, 600));
    await handle.result();
    await alertOf(1).result();
    const { resolved } = await alertOf(1).query(alertStatus);
    expect(resolved?.by).toBe('period end');
  });

  test('acknowledging stops the ladder: nothing is sent after it', async () => {
    const { handle, send, mine, alertOf } = period({ ladderMs: [1_500, 1_500] });
    harness.answer = () => ({ type: 'sent', outcome: { kind: 'transient', reason: 'HTTP 503' } });
    await send(reportOf(1, 500));
    await harness.until(() => mine().length === 1);
    const alert = alertOf(1);
    await harness.until(
      async () => (await alert.query(alertStatus)).deliveries[0]?.status === 'due',
    );
    await alert.executeUpdate(acknowledge, { args: [{ by: 'ana' }], updateId: 'acknowledge' });
    await alert.executeUpdate(acknowledge, { args: [{ by: 'ben' }], updateId: 'again' });
    const after = await harness.until(async () => {
      const now = await alert.query(alertStatus);
      return now.deliveries[0]?.status === 'suppressed' && now;
    });
    expect(after.acknowledged?.by).toBe('ana');
    expect(after.deliveries[0]?.suppression).toBe('acknowledged');
    expect(mine()).toHaveLength(1);
    await handle.terminate();
  });
});
