/**
 * history.eventsRatio: Temporal events that a million usage events of one period leave behind.
 * Ours is read from all runs of the period's workflow; a bare workflow cannot hold a million
 * signals, so its history is read after fewer and taken as a rate.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { countBare } from './bare.js';
import { figure, type Report } from './figure.js';
import { awayFromMidnight, BATCH, sumOf, writeBatch, type Sum } from './load.js';
import { benchClient } from './periods.js';
import type { Stack } from './stack.js';
import { syncDocument } from './sync.js';
import { checksOf, expectSum, keyOf, ledgerChecks, untilTold } from './watch.js';

/** Written out and posted at a time. */
const CHUNK = 64;
/** Average of an event's cost, near enough for thresholds on the way. */
const ABOUT_NANOS = 2_000_000;

export async function benchHistory(
  stack: Stack,
  size: { readonly events: number; readonly bareEvents: number },
): Promise<Report> {
  const { poster } = await stack.service();
  const client = benchClient(stack.client, stack.taskQueue);
  await awayFromMidnight(180_000);
  const agent = `history-${randomUUID()}`;
  await poster.sync(
    syncDocument({
      agent,
      budgets: { daily: size.events * ABOUT_NANOS },
      thresholds: [0.25, 0.5, 0.7, 0.9, 1],
      webhook: `${stack.sink.url}/webhook/history`,
    }),
  );
  let sum: Sum = { events: 0, cost: 0, tokens: 0 };
  while (sum.events < size.events) {
    const left = Math.ceil((size.events - sum.events) / BATCH);
    const batches = Array.from({ length: Math.min(CHUNK, left) }, () => writeBatch({ agent }));
    await poster.post(batches);
    sum = sumOf([sum, ...batches]);
  }
  const expected = expectSum(keyOf(`agent:${agent}`, 'daily'), sum);
  await untilTold(client, [expected]);
  const checks = [
    ...(await checksOf(client, 'history', [expected])),
    ...(await ledgerChecks('history', poster)),
  ];
  const { events, runs } = await historyOfChain(stack.client, expected.workflowId);
  const bare = await countBare(stack, size.bareEvents);
  return {
    figures: [
      figure('history.eventsRatio', 'x', [(bare.historyPerEvent * sum.events) / events], {
        atLeast: 1_000,
      }),
      figure('history.events', 'events', [events]),
      figure('history.bare.eventsPerEvent', 'events', [bare.historyPerEvent]),
    ],
    checks: [...checks, ...bare.checks],
    notes: [
      `history: ${String(sum.events)} usage events left ${String(events)} Temporal events in ${String(runs)} run(s); ` +
        `the bare arm's rate is read after ${String(size.bareEvents)} signals.`,
    ],
  };
}

/** Every run, back to the first: each names the one it continued. */
async function historyOfChain(
  client: Client,
  workflowId: string,
): Promise<{ events: number; runs: number }> {
  let runId: string | undefined;
  let [events, runs] = [0, 0];
  do {
    const { events: list } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    events += list?.length ?? 0;
    runs += 1;
    const before = list?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    runId = before ?? undefined;
  } while (runId !== undefined && runId !== '');
  return { events, runs };
}
