/**
 * replay.ms: what a worker pays when it takes over the longest run of a period there can be: one
 * that was told its totals task by task until it rotated by itself, thresholds passed on the way.
 */
import { Worker } from '@temporalio/worker';
import { workflowBundle } from '../worker/bundle.js';
import { createLog } from '../worker/log.js';
import { installRuntime } from '../worker/runtime.js';
import { figure, type Check, type Report } from './figure.js';
import { benchClient, benchPeriod, shareReport, type BenchPeriod } from './periods.js';
import type { Stack } from './stack.js';

/** More than any bound of the policy lets into one run. */
const MOST_REPORTS = 1_000;
const IN_FLIGHT = 20;

type Pace = 'task by task' | 'in bursts';

export async function benchReplay(stack: Stack, repetitions: number): Promise<Report> {
  const worker = await stack.kavach();
  const bundle = await workflowBundle(stack.dataDir);
  installRuntime(createLog({ level: 'error', format: 'json' }));
  const measure = async (pace: Pace) => {
    const { history, workflowId } = await runToItsBound(stack, worker.taskQueue, pace);
    const samples: number[] = [];
    for (let i = 0; i < repetitions; i += 1) {
      const began = performance.now();
      await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
      samples.push(performance.now() - began);
    }
    const events = history.events ?? [];
    const of = (type: string): number =>
      events.filter((event) => Object.keys(event).some((name) => name === type)).length;
    const tasks = of('workflowTaskCompletedEventAttributes');
    const rotations = of('workflowExecutionContinuedAsNewEventAttributes');
    return { samples, tasks, rotations, events: events.length };
  };
  const byTask = await measure('task by task');
  const byBurst = await measure('in bursts');
  await worker.stop();
  const rotated = (what: Pace, { rotations }: { rotations: number }): Check => ({
    what: `replay, ${what}: the run ends in a rotation`,
    expected: 1,
    actual: rotations,
  });
  return {
    figures: [
      figure('replay.ms', 'ms', byTask.samples, { atMost: 300 }),
      figure('replay.bursts.ms', 'ms', byBurst.samples),
    ],
    checks: [rotated('task by task', byTask), rotated('in bursts', byBurst)],
    notes: [
      `replay: a run of ${String(byTask.tasks)} workflow tasks (${String(byTask.events)} events) told task by task, ` +
        `and one of ${String(byBurst.tasks)} tasks (${String(byBurst.events)} events) told in bursts.`,
    ],
  };
}

/** Reports until the workflow rotates; answers the history of its first run. */
async function runToItsBound(stack: Stack, taskQueue: string, pace: Pace) {
  const client = benchClient(stack.client, taskQueue);
  const period = benchPeriod([2_500, 5_000, 7_500, 9_000]);
  await client.reportPeriod({ row: period.row, started: false, report: shareReport(1, 0) });
  const first = await stack.client.workflow.getHandle(period.workflowId).describe();
  const step = pace === 'task by task' ? 1 : IN_FLIGHT;
  for (let seq = 2; seq < MOST_REPORTS; seq += step) {
    await tell(client, period, seq, step);
    if (seq % IN_FLIGHT !== 2 % IN_FLIGHT) continue;
    const now = await stack.client.workflow.getHandle(period.workflowId).describe();
    if (now.runId !== first.runId) break;
  }
  const { workflowId } = period;
  const handle = stack.client.workflow.getHandle(workflowId, first.runId);
  return { workflowId, history: await handle.fetchHistory() };
}

/** So many reports at once, then a word from the workflow that it has seen them. */
async function tell(
  client: ReturnType<typeof benchClient>,
  { row, workflowId }: BenchPeriod,
  seq: number,
  count: number,
): Promise<void> {
  const reports = Array.from({ length: count }, (_, i) =>
    shareReport(seq + i, Math.min((seq + i) / 200, 0.95)),
  );
  await Promise.all(reports.map((report) => client.reportPeriod({ row, started: true, report })));
  await client.budgetStatus(workflowId);
}
