/**
 * backlog.*: what a relay does after it was away. Usage came in for thousands of periods that nobody
 * was told of; when the relay is back it tells them at its pace, a crossing made meanwhile goes
 * ahead of them all, and its memory stays bounded.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sink } from '../fakes/sink.js';
import { arrival } from './arrival.js';
import { figure, type Check, type Report } from './figure.js';
import { awayFromMidnight, sumOf, writeBatch } from './load.js';
import type { SetStack } from './set-stack.js';
import { syncDocument } from './sync.js';
import { usageChecks } from './watch.js';

export interface BacklogSize {
  readonly periods: number;
  readonly events: number;
  /** Whether there is enough of it for a crossing to overtake. */
  readonly isJudged: boolean;
}

interface Status {
  readonly relay: { readonly due: number; readonly oldestMs: number; readonly parked: number };
}

const PATH = '/webhook/backlog';
const NEVER = 'http://127.0.0.1:9/never';
/** Nano-USD. */
const LIMIT = 10_000_000_000;
const AT_ONCE = 8;
const GIVE_UP_MS = 900_000;
const MEGABYTE = 2 ** 20;

export async function benchBacklog(
  { set, posters }: SetStack,
  sink: Sink,
  { periods, events, isJudged }: BacklogSize,
): Promise<Report> {
  const [poster] = posters;
  const [relay] = set.relays;
  if (poster === undefined || relay === undefined)
    throw new Error('The set has no gateway or relay');
  await awayFromMidnight(GIVE_UP_MS);
  const crosser = `backlog-crosser-${randomUUID()}`;
  const crossing = (): Promise<void> =>
    poster.post([writeBatch({ agent: crosser, cost: LIMIT / 10 }, 1)]);
  await poster.sync(
    syncDocument({
      ...{ agent: crosser, budgets: { daily: LIMIT }, webhook: `${sink.url}${PATH}` },
      thresholds: [0.2, 0.3],
    }),
  );
  await crossing();
  const idleMs = await timed(sink, crossing);

  await relay.pause();
  const agents = Array.from({ length: periods }, () => `backlog-${randomUUID()}`);
  const each = Math.ceil(events / periods);
  await inTurn(agents, async (agent) => {
    const budgets = { daily: 2 ** 52 };
    await poster.sync(syncDocument({ agent, budgets, thresholds: [1], webhook: NEVER }));
    await poster.post([writeBatch({ agent }, each)]);
  });
  const status = async (): Promise<Status['relay']> =>
    ((await poster.get('/v1/status')) as Status).relay;
  const { due } = await status();

  await relay.resume();
  const before = residentBytes(relay.pid());
  const began = performance.now();
  await delay(1_000);
  const atCrossing = await status();
  const overtakingMs = await timed(sink, crossing);
  const afterCrossing = await status();
  let most = before;
  let left = afterCrossing;
  while (left.due > 0 && performance.now() - began < GIVE_UP_MS) {
    most = Math.max(most, residentBytes(relay.pid()));
    await delay(500);
    left = await status();
  }
  const seconds = (performance.now() - began) / 1_000;
  const posted = sumOf(posters.map((every) => every.posted()));
  const checks: Check[] = [
    {
      what: 'backlog: periods that were due',
      expected: 'all',
      actual: due >= periods ? 'all' : due,
    },
    { what: 'backlog: periods left untold', expected: 0, actual: left.due },
    { what: 'backlog: periods given up', expected: 0, actual: left.parked },
    ...(isJudged ? [overtaking(atCrossing.due, afterCrossing.due)] : []),
    ...(await usageChecks('backlog', poster, posted)),
  ];
  return {
    figures: [
      figure('backlog.periodsPerSecond', '/s', [due / seconds]),
      figure('backlog.crossing.ms', 'ms', [overtakingMs]),
      figure('backlog.crossing.idleMs', 'ms', [idleMs]),
      figure('backlog.relayGrowth', 'MB', [(most - before) / MEGABYTE], { atMost: 200 }),
    ],
    checks,
    notes: [
      `backlog: ${String(due)} periods holding ${String(each * periods)} events were told in ` +
        `${seconds.toFixed(0)} s; when the crossing was made ${String(atCrossing.due)} waited, when it ` +
        `had arrived ${String(afterCrossing.due)}.`,
    ],
  };
}

function overtaking(before: number, after: number): Check {
  const what = 'backlog: a crossing overtakes what waits';
  return {
    what,
    expected: 'yes',
    actual: after > before / 2 ? 'yes' : `${String(after)} were left`,
  };
}

async function timed(sink: Sink, crossing: () => Promise<void>): Promise<number> {
  const arrived = arrival(sink, PATH);
  const began = performance.timeOrigin + performance.now();
  const [at] = await Promise.all([arrived, crossing()]);
  return at - began;
}

async function inTurn<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  let next = 0;
  const go = async (): Promise<void> => {
    for (let each = all[next]; each !== undefined; each = all[next]) {
      next += 1;
      await work(each);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, go));
}

/** Of a process of this machine; Linux only. */
function residentBytes(pid: number | undefined): number {
  if (pid === undefined) throw new Error('The relay does not run');
  const [, kilobytes = '0'] =
    /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}
