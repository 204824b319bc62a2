/** A steady load of other agents' usage, far below their limits, while something is measured. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { writeBatch, type Poster } from './load.js';
import { syncDocument } from './sync.js';

export interface BackgroundSize {
  readonly eventsPerSecond: number;
  /** Agents with a day each, posting in turn. */
  readonly periods: number;
}

export interface Background {
  /** Ends the load and says what it was. */
  stop(): Promise<string>;
}

const PER_BATCH = 100;
/** So that every period is open and told at least once before the clock starts. */
const WARM_UP_MS = 3_000;
const FAR_AWAY = 1_000_000 * 1_000_000_000;

export async function startBackground(
  poster: Poster,
  size: BackgroundSize | undefined,
): Promise<Background> {
  if (size === undefined) return { stop: () => Promise.resolve('') };
  const agents = Array.from({ length: size.periods }, () => `load-${randomUUID()}`);
  for (const agent of agents) {
    const webhook = 'http://127.0.0.1:9/never';
    await poster.sync(
      syncDocument({ agent, budgets: { daily: FAR_AWAY }, thresholds: [0.5, 0.8, 1], webhook }),
    );
  }
  const everyMs = (PER_BATCH * 1_000) / size.eventsPerSecond;
  const began = performance.now();
  let isOver = false;
  let batches = 0;
  const run = async (): Promise<void> => {
    while (!isOver) {
      const agent = agents[batches % agents.length] ?? '';
      await poster.post([writeBatch({ agent }, PER_BATCH)]);
      batches += 1;
      // By the clock, not by the pause: a slow answer is caught up with.
      await delay(Math.max(began + batches * everyMs - performance.now(), 0));
    }
  };
  const running = run();
  await Promise.race([delay(WARM_UP_MS), running]);
  return {
    stop: async () => {
      isOver = true;
      await running;
      const perSecond = (batches * PER_BATCH * 1_000) / (performance.now() - began);
      return `; beside it ${perSecond.toFixed(0)} events/s over ${String(agents.length)} periods`;
    },
  };
}
