/** The bare arm of counting: one signal an event to one workflow that adds up, 20 in flight. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bareAdd, bareEnd, bareTotals, type bareTally } from './baseline-workflows.js';
import type { Check } from './figure.js';
import type { Stack } from './stack.js';

export const IN_FLIGHT = 20;
const POLL_MS = 10;

export interface BareRun {
  readonly perSecond: number;
  /** Of the workflow's one run, per event. */
  readonly historyPerEvent: number;
  readonly checks: readonly Check[];
}

/** Clock: from the first signal until the workflow's answer holds all of them. */
export async function countBare(stack: Stack, events: number): Promise<BareRun> {
  const { taskQueue } = await stack.bare();
  const handle = await stack.client.workflow.start<typeof bareTally>('bareTally', {
    taskQueue,
    workflowId: `bare-${randomUUID()}`,
  });
  await handle.query(bareTotals);
  const expected = { cost: 0, tokens: 0, calls: events };
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < events) {
      next += 1;
      const event = { cost: 1_000 + next, tokens: 10 + next };
      expected.cost += event.cost;
      expected.tokens += event.tokens;
      await handle.signal(bareAdd, event);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, send));
  let totals = await handle.query(bareTotals);
  while (totals.calls < events) {
    await delay(POLL_MS);
    totals = await handle.query(bareTotals);
  }
  const seconds = (performance.now() - began) / 1_000;
  const { historyLength } = await handle.describe();
  await handle.signal(bareEnd);
  return {
    perSecond: events / seconds,
    historyPerEvent: historyLength / events,
    checks: [
      { what: 'bare: events', expected: events, actual: totals.calls },
      { what: 'bare: nano-USD', expected: expected.cost, actual: totals.cost },
    ],
  };
}
