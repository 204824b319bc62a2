/**
 * crossing.*: from the POST of the event that crosses a threshold to the first byte at the sink,
 * against a bare signal -> activity -> same sink, in turn, one at a time. The bare activity runs
 * eagerly and queued; the faster of the two is the measure. `loaded`: while other agents' usage
 * goes on.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { arrival } from './arrival.js';
import { bareCross, bareEnd, bareTotals, type bareCrossing } from './baseline-workflows.js';
import { figure, quantile, type Check, type Report } from './figure.js';
import { awayFromMidnight, writeBatch, type EventShape } from './load.js';
import { startBackground, type BackgroundSize } from './background.js';
import { benchClient } from './periods.js';
import type { Stack } from './stack.js';
import { syncDocument } from './sync.js';
import { checksOf, expectSum, keyOf, ledgerChecks, untilTold } from './watch.js';

const AGENTS = 12;
/** Per agent: every event passes the next one. */
const THRESHOLDS = 20;
/** Nano-USD of an event, a twentieth of the limit. */
const STEP = 1_000_000_000;
const LIMIT = THRESHOLDS * STEP;
/** What follows an alert (journal, publish) is over before the next arm's turn. */
const PAUSE_MS = 400;
const BLOCKS = 6;

export interface CrossingSize {
  /** Of each arm; at most `AGENTS × (THRESHOLDS - 1)`. */
  readonly crossings: number;
  /** Absent: idle. */
  readonly load?: BackgroundSize;
}

const ARMS = ['ours', 'eager', 'queued'] as const;
type Arm = (typeof ARMS)[number];
type Latencies = Readonly<Record<Arm, readonly number[]>>;

export async function benchCrossing(stack: Stack, size: CrossingSize): Promise<Report> {
  const name = size.load === undefined ? 'crossing.idle' : 'crossing.loaded';
  const { poster } = await stack.service();
  await awayFromMidnight(180_000);
  const ours = await openAgents(stack, name);
  const bare = await openBare(stack);
  const background = await startBackground(poster, size.load);
  const latencies: Record<Arm, number[]> = { ours: [], eager: [], queued: [] };
  const cross: Record<Arm, (turn: number) => Promise<void>> = {
    ours: (turn) => ours.cross(turn),
    eager: (turn) => bare.cross(turn, pathOf(name, 'eager'), true),
    queued: (turn) => bare.cross(turn, pathOf(name, 'queued'), false),
  };
  for (let turn = 0; turn < size.crossings; turn += 1) {
    for (let i = 0; i < ARMS.length; i += 1) {
      // Each arm comes first, second and last equally often.
      const arm = ARMS[(turn + i) % ARMS.length] ?? 'ours';
      const arrived = arrival(stack.sink, pathOf(name, arm));
      const began = performance.timeOrigin + performance.now();
      const [at] = await Promise.all([arrived, cross[arm](turn)]);
      latencies[arm].push(at - began);
      await delay(PAUSE_MS);
    }
  }
  const backgroundNote = await background.stop();
  await bare.end();
  const checks: Check[] = [
    ...ARMS.map((arm) => ({
      what: `${name}: messages at the sink, ${arm}`,
      expected: size.crossings,
      actual: stack.sink.messages().filter(({ path }) => path.startsWith(pathOf(name, arm))).length,
    })),
    ...(await ours.checks()),
    ...(await ledgerChecks(name, poster)),
  ];
  return {
    figures: figuresOf(name, latencies),
    checks,
    notes: [
      `${name}: ${String(size.crossings)} crossings an arm over ${String(AGENTS)} open periods; ` +
        `the bare p50 is ${quantile(latencies.eager, 0.5).toFixed(1)} ms eager, ` +
        `${quantile(latencies.queued, 0.5).toFixed(1)} ms queued${backgroundNote}.`,
    ],
  };
}

function figuresOf(name: string, latencies: Latencies) {
  const p50 = (samples: readonly number[]): number => quantile(samples, 0.5);
  const faster = p50(latencies.eager) <= p50(latencies.queued) ? 'eager' : 'queued';
  const perBlock = Array.from({ length: BLOCKS }, (_, block) => {
    const part = (samples: readonly number[]): readonly number[] =>
      samples.slice(
        Math.floor((block * samples.length) / BLOCKS),
        Math.floor(((block + 1) * samples.length) / BLOCKS),
      );
    return p50(part(latencies.ours)) / p50(part(latencies[faster]));
  });
  const ratio = p50(latencies.ours) / p50(latencies[faster]);
  return [
    { ...figure(`${name}.p50Ratio`, 'x', perBlock, { atMost: 3.5 }), median: ratio },
    figure(`${name}.ours.ms`, 'ms', latencies.ours),
    figure(`${name}.ours.p95`, 'ms', [quantile(latencies.ours, 0.95)]),
    figure(`${name}.bare.ms`, 'ms', latencies[faster]),
  ];
}

function pathOf(name: string, arm: Arm): string {
  return `/webhook/${name}.${arm}`;
}

/** Agents whose day is open: the workflow runs, and no threshold is passed yet. */
async function openAgents(stack: Stack, name: string) {
  const { poster } = await stack.service();
  const client = benchClient(stack.client, stack.taskQueue);
  const agents = Array.from({ length: AGENTS }, () => `${name}-${randomUUID()}`);
  const counts = agents.map(() => 1);
  const shape = (agent: string): EventShape => ({ agent, cost: STEP });
  const ofOne = writeBatch(shape('any'), 1);
  for (const agent of agents) {
    await poster.sync(
      syncDocument({
        agent,
        budgets: { daily: LIMIT },
        thresholds: Array.from({ length: THRESHOLDS - 1 }, (_, i) => (i + 2) / THRESHOLDS),
        // A destination each: a storm at one would be folded (A14).
        webhook: `${stack.sink.url}${pathOf(name, 'ours')}/${agent}`,
      }),
    );
    await poster.post([writeBatch(shape(agent), 1)]);
  }
  const expected = () =>
    agents.map((agent, i) => {
      const count = counts[i] ?? 0;
      const sum = { events: count, cost: count * STEP, tokens: count * ofOne.tokens };
      return expectSum(keyOf(`agent:${agent}`, 'daily'), sum);
    });
  await untilTold(client, expected());
  return {
    cross: async (turn: number): Promise<void> => {
      const i = turn % AGENTS;
      counts[i] = (counts[i] ?? 0) + 1;
      await poster.post([writeBatch(shape(agents[i] ?? ''), 1)]);
    },
    checks: async (): Promise<Check[]> => {
      await untilTold(client, expected());
      return checksOf(client, name, expected());
    },
  };
}

async function openBare(stack: Stack) {
  const { taskQueue } = await stack.bare();
  const handles = await Promise.all(
    Array.from({ length: AGENTS }, () =>
      stack.client.workflow.start<typeof bareCrossing>('bareCrossing', {
        taskQueue,
        workflowId: `bare-crossing-${randomUUID()}`,
      }),
    ),
  );
  for (const handle of handles) await handle.query(bareTotals);
  return {
    cross: async (turn: number, path: string, eager: boolean): Promise<void> => {
      const url = stack.sink.url + path;
      await handles[turn % AGENTS]?.signal(bareCross, { url, eager });
    },
    end: async (): Promise<void> => {
      for (const handle of handles) await handle.signal(bareEnd);
    },
  };
}
