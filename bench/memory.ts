/**
 * memory.bytesPerPeriod: what an open period costs the worker that has it in its sticky cache.
 * The worker's own process is asked, before and after, garbage collected; what the workflow
 * thread has not collected yet counts too, so the figure errs on the high side.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { figure, type Report } from './figure.js';
import { benchClient, benchPeriod, shareReport, type BenchPeriod } from './periods.js';
import type { Stack } from './stack.js';

const IN_FLIGHT = 20;
/** Opened before the first look: code that is loaded once is no period's. */
const WARM_UP = 50;
const STEPS = 5;

export async function benchMemory(stack: Stack, periods: number): Promise<Report> {
  const worker = await stack.kavach();
  const client = benchClient(stack.client, worker.taskQueue);
  const open: BenchPeriod[] = [];
  const openMore = async (count: number): Promise<void> => {
    let left = count;
    const next = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const period = benchPeriod([5_000, 8_000, 10_000]);
        open.push(period);
        const { row } = period;
        await client.reportPeriod({ row, started: false, report: shareReport(1, 0.1) });
        await client.reportPeriod({ row, started: true, report: shareReport(2, 0.2) });
        await client.budgetStatus(period.workflowId);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, next));
  };
  const settled = async (): Promise<number> => {
    await worker.memory();
    await delay(500);
    return worker.memory();
  };

  await openMore(WARM_UP);
  const samples: number[] = [];
  const before = await settled();
  let last = before;
  for (let step = 0; step < STEPS; step += 1) {
    const count = Math.floor((periods * (step + 1)) / STEPS) - Math.floor((periods * step) / STEPS);
    await openMore(count);
    const now = await settled();
    samples.push((now - last) / count);
    last = now;
  }
  const whole = (last - before) / periods;
  const answers = await Promise.all(
    open.map(async ({ workflowId }) => (await client.budgetStatus(workflowId))?.totals.calls),
  );
  await worker.stop();
  return {
    figures: [
      {
        ...figure('memory.bytesPerPeriod', 'bytes', samples, { atMost: 400_000 }),
        median: whole,
      },
    ],
    checks: [
      {
        what: 'memory: periods that hold their totals',
        expected: periods + WARM_UP,
        actual: answers.filter((calls) => calls === 2).length,
      },
    ],
    notes: [
      `memory: ${String(periods)} open periods in ${String(STEPS)} steps; the figure is the whole ` +
        'difference divided by all, the range is that of the steps.',
    ],
  };
}
