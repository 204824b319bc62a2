/**
 * recovery.*: many busy periods at once, a `kill -9` of the service in the middle and its restart:
 * how late crossings are before, in the 20 s after, and later; none missed, none decided twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { figure, quantile, type Check, type Figure, type Report } from './figure.js';
import { awayFromMidnight } from './load.js';
import {
  accountOf,
  SHADOW_MS,
  splitByKill,
  type Account,
  type Arrived,
} from './recovery-account.js';
import { startTraffic, type TrafficSize } from './recovery-traffic.js';
import type { Stack } from './stack.js';
import { ledgerChecks } from './watch.js';

const PATH = '/webhook/recovery';
/** Bounds: the median of what the kill did not touch, and the slowest of what it did. */
const OUTSIDE_MEDIAN_MS = 1_000;
const INSIDE_MAX_MS = 7_000;
/** What has not arrived after the longest wait a first repeat may have is missing. */
const GIVE_UP_MS = 45_000;

export interface RecoverySize extends TrafficSize {
  readonly beforeMs: number;
  /** After the kill; beyond its shadow of 20 s where that is to be judged. */
  readonly afterMs: number;
  /** A run too short to tell a median only checks the accounts. */
  readonly isJudged: boolean;
}

export interface Recovery {
  readonly account: Account;
  readonly killedAt: number;
  /** From the kill until the gateway served again. */
  readonly awayMs: number;
  readonly repeatedPosts: number;
}

export async function benchRecovery(stack: Stack, size: RecoverySize): Promise<Report> {
  const { poster } = await stack.service();
  await awayFromMidnight(size.beforeMs + size.afterMs + 120_000);
  const recovery = await runRecovery(stack, size);
  const { account, killedAt, awayMs, repeatedPosts } = recovery;
  const parts = splitByKill(account.arrived, killedAt);
  const outside = [...parts.before, ...parts.later];
  return {
    figures: [
      ...figuresOf('before', parts.before),
      ...figuresOf('inside', parts.inside),
      ...figuresOf('later', parts.later),
      figure('recovery.away.ms', 'ms', [awayMs]),
    ],
    checks: [
      ...accountChecks(account),
      ...(await ledgerChecks('recovery', poster)),
      ...(size.isJudged
        ? [
            within('recovery: median outside, ms', medianOf(outside), OUTSIDE_MEDIAN_MS),
            within('recovery: slowest inside, ms', slowestOf(parts.inside), INSIDE_MAX_MS),
          ]
        : []),
    ],
    notes: [
      `recovery: ${String(account.arrived.length)} crossings of ${String(size.periods)} periods, ` +
        `${String(parts.inside.length)} of them under way in the ${String(SHADOW_MS / 1_000)} s after the kill; ` +
        `${String(repeatedPosts)} posts and ${String(account.repeats)} deliveries were repeated.`,
    ],
  };
}

/** The run itself, for whoever looks into what made a crossing late. */
export async function runRecovery(stack: Stack, size: RecoverySize): Promise<Recovery> {
  const { poster, url, apiKey, killAndRestart } = await stack.service();
  const { sink } = stack;
  const webhook = sink.url + PATH;
  const traffic = await startTraffic(
    { urls: [url], apiKey, webhook, sync: (document) => poster.sync(document) },
    size,
  );
  await delay(size.beforeMs);
  const killedAt = Date.now();
  await killAndRestart();
  const awayMs = Date.now() - killedAt;
  await delay(size.afterMs - awayMs);
  const { crossings, posted, repeated } = await traffic.stop();
  poster.count(posted);
  const requests = () => sink.requests.filter(({ path }) => path.startsWith(PATH));
  const until = Date.now() + GIVE_UP_MS;
  while (Date.now() < until && accountOf(crossings, requests()).missed.length > 0) await delay(200);
  // What would come twice has its chance.
  await delay(2_000);
  const account = accountOf(crossings, requests());
  return { account, killedAt, awayMs, repeatedPosts: repeated };
}

export function accountChecks(account: Account): Check[] {
  return [
    { what: 'recovery: crossings missed', expected: 0, actual: account.missed.length },
    { what: 'recovery: crossings decided twice', expected: 0, actual: account.decidedTwice },
    { what: 'recovery: alerts of no crossing', expected: 0, actual: account.unexpected },
    { what: 'recovery: alerts under two keys', expected: 0, actual: account.underTwoKeys },
  ];
}

function figuresOf(part: string, arrived: readonly Arrived[]): Figure[] {
  if (arrived.length === 0) return [];
  const all = arrived.map(({ tookMs }) => tookMs);
  return [
    figure(`recovery.${part}.ms`, 'ms', all),
    figure(`recovery.${part}.p95`, 'ms', [quantile(all, 0.95)]),
    figure(`recovery.${part}.max`, 'ms', [slowestOf(arrived)]),
  ];
}

function medianOf(arrived: readonly Arrived[]): number {
  return quantile(
    arrived.map(({ tookMs }) => tookMs),
    0.5,
  );
}

function slowestOf(arrived: readonly Arrived[]): number {
  return Math.max(...arrived.map(({ tookMs }) => tookMs));
}

/** A bound that has to hold, as an account: without samples it does not. */
function within(what: string, value: number, atMost: number): Check {
  const expected = `at most ${String(atMost)}`;
  return { what, expected, actual: value <= atMost ? expected : String(Math.round(value)) };
}
