/**
 * hung.*: nine endpoints that answer, beside a tenth that answers as well or hangs: what the hang
 * costs the others, from the POST of a crossing to the first byte at its endpoint (A3). The two arms
 * take turns; a hang is over before the other arm's turn.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { arrival } from './arrival.js';
import { figure, quantile, type Check, type Report } from './figure.js';
import { awayFromMidnight, writeBatch } from './load.js';
import { benchClient } from './periods.js';
import type { Stack } from './stack.js';
import { syncDocument } from './sync.js';
import { expectSum, keyOf, untilTold } from './watch.js';

const ENDPOINTS = 10;
/** Crossings an agent has in it. */
const THRESHOLDS = 19;
const STEP = 1_000_000_000;
/** What follows an alert is over before the next crossing. */
const PAUSE_MS = 100;
/** An attempt is given up after 4 s; then the hang is over. */
const HANG_MS = 4_500;
const BLOCKS = 6;

const ARMS = ['good', 'hung'] as const;
type Arm = (typeof ARMS)[number];

/** `rounds` of nine crossings an arm. */
export async function benchHung(stack: Stack, rounds: number): Promise<Report> {
  await awayFromMidnight(400_000);
  const agents: Record<Arm, string[][]> = { good: [], hung: [] };
  for (const arm of ARMS) {
    for (let set = 0; set < Math.ceil(rounds / THRESHOLDS); set += 1) {
      agents[arm].push(await openSet(stack, arm));
    }
  }
  const latencies: Record<Arm, number[]> = { good: [], hung: [] };
  const play = async (arm: Arm, round: number): Promise<void> => {
    const [tenth = '', ...others] = agents[arm][Math.floor(round / THRESHOLDS)] ?? [];
    const hangsUntil = Date.now() + HANG_MS;
    if (arm === 'hung') stack.sink.script(pathOf(tenth), [{ type: 'hang', at: 'headers' }]);
    await cross(stack, tenth);
    for (const agent of others) latencies[arm].push(await cross(stack, agent));
    if (arm === 'hung') await delay(Math.max(hangsUntil - Date.now(), 0));
  };
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? ARMS : ARMS.toReversed();
    for (const arm of order) await play(arm, round);
  }
  const ratio = (q: number): number[] =>
    Array.from({ length: BLOCKS }, (_, block) => {
      const part = (all: readonly number[]): number =>
        quantile(
          all.filter((_each, i) => Math.floor((i * BLOCKS) / all.length) === block),
          q,
        );
      return part(latencies.hung) / part(latencies.good);
    });
  const whole = (q: number): number => quantile(latencies.hung, q) / quantile(latencies.good, q);
  const checks: Check[] = ARMS.map((arm) => ({
    what: `hung: crossings that reached their endpoint, ${arm}`,
    expected: rounds * (ENDPOINTS - 1),
    actual: latencies[arm].length,
  }));
  return {
    figures: [
      { ...figure('hung.p50Ratio', 'x', ratio(0.5), { atMost: 1.2 }), median: whole(0.5) },
      { ...figure('hung.p95Ratio', 'x', ratio(0.95), { atMost: 1.5 }), median: whole(0.95) },
      figure('hung.good.ms', 'ms', latencies.good),
      figure('hung.hung.ms', 'ms', latencies.hung),
    ],
    checks,
    notes: [
      `hung: ${String(latencies.hung.length)} crossings an arm at nine endpoints; the tenth holds its request for 4 s in one of the arms.`,
    ],
  };
}

function pathOf(agent: string): string {
  return `/webhook/hung/${agent}`;
}

/** Ten agents with an endpoint each, whose days are open. */
async function openSet(stack: Stack, arm: Arm): Promise<string[]> {
  const { poster } = await stack.service();
  const agents = Array.from({ length: ENDPOINTS }, () => `${arm}-${randomUUID()}`);
  let tokens = 0;
  for (const agent of agents) {
    await poster.sync(
      syncDocument({
        agent,
        budgets: { daily: STEP * (THRESHOLDS + 1) },
        thresholds: Array.from({ length: THRESHOLDS }, (_, i) => (i + 2) / (THRESHOLDS + 1)),
        webhook: stack.sink.url + pathOf(agent),
      }),
    );
    const first = writeBatch({ agent, cost: STEP }, 1);
    tokens = first.tokens;
    await poster.post([first]);
  }
  const sum = { events: 1, cost: STEP, tokens };
  const expected = agents.map((agent) => expectSum(keyOf(`agent:${agent}`, 'daily'), sum));
  await untilTold(benchClient(stack.client, stack.taskQueue), expected);
  return agents;
}

/** Posts the event that crosses the agent's next threshold; ms until the alert's first byte. */
async function cross(stack: Stack, agent: string): Promise<number> {
  const { poster } = await stack.service();
  const arrived = arrival(stack.sink, pathOf(agent));
  const began = performance.timeOrigin + performance.now();
  const [at] = await Promise.all([arrived, poster.post([writeBatch({ agent, cost: STEP }, 1)])]);
  await delay(PAUSE_MS);
  return at - began;
}
