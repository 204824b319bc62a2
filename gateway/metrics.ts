/**
 * A batch of metric events: read, held against the rules, counted in one ledger transaction.
 *
 * G-M1. Nothing is answered before it is stored: the quarantine first, then the good ones.
 * G-M2. One bad event never costs the good ones (spec §8).
 * G-M3. Rules that were changed or removed hold for every event that is answered after it.
 */
import type { ApiKey, CountAnswer, MetricEvent } from '../ledger/ledger.js';
import { withDeadline } from './deadline.js';
import type { Gateway } from './options.js';
import { Problem } from './problem.js';
import { quarantinedEvent } from './quarantine.js';
import { readMetrics, type ReadMetrics } from './metric-event.js';
import type { RuleCache } from './rule-cache.js';

/** Shown to the sender and kept in quarantine at most, of one batch. */
const MAX_REJECTED = 100;
/** Rules that change this often while one batch is counted are trouble. */
const MAX_TRIES = 5;

export interface MetricsAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { index: number; path: string; message: string }[];
  readonly rejectedCount: number;
  /** Matches of conditions that count. */
  readonly matches: number;
}

type Rejected = MetricsAnswer['rejected'][number];

/** Throws a `Problem` for a body that is neither an event nor a batch, and what the ledger throws. */
export async function takeMetrics(
  gateway: Gateway,
  cache: RuleCache,
  { org, agent: only }: Pick<ApiKey, 'org' | 'agent'>,
  body: unknown,
): Promise<MetricsAnswer> {
  const { ledger, policy } = gateway;
  const { raws, pathOf } = eventsOf(body);
  const now = gateway.now();
  const events: ReadMetrics[] = [];
  const rejected: Rejected[] = [];
  let rejectedCount = 0;
  raws.forEach((raw, index) => {
    const read = ofAgent(readMetrics(raw, now), only);
    if (read.type === 'metrics') {
      events.push(read);
      return;
    }
    rejectedCount += 1;
    if (rejected.length >= MAX_REJECTED) return;
    rejected.push({ index, path: pathOf(index, read.path), message: read.problem });
  });
  if (rejected.length > 0) {
    const bad = rejected.map((each) =>
      quarantinedEvent(org, now, each, raws[each.index], 'metrics'),
    );
    await withDeadline(ledger.quarantine(bad), policy.ledgerTimeoutMs, 'The quarantine');
  }
  const none = { stored: 0, duplicates: 0, matches: 0 };
  const { stored, duplicates, matches } =
    events.length === 0
      ? none
      : await withDeadline(
          count(gateway, cache, { org, events, now }),
          policy.ledgerTimeoutMs,
          'The ledger',
        );
  return { accepted: stored, duplicates, rejected, rejectedCount, matches };
}

/** One event by itself, or several under `events`. */
function eventsOf(body: unknown): {
  readonly raws: readonly unknown[];
  readonly pathOf: (index: number, path: string) => string;
} {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw noEvents('');
  }
  if (!('events' in body)) return { raws: [body], pathOf: (_, path) => path };
  const { events } = body;
  if (!Array.isArray(events)) throw noEvents('events');
  const pathOf = (index: number, path: string): string => {
    const at = `events[${String(index)}]`;
    return path === '' ? at : `${at}.${path}`;
  };
  return { raws: events, pathOf };
}

function noEvents(path: string): Problem {
  return new Problem({
    status: 400,
    title: 'No events',
    detail: 'Expected {"agent_id": …, "metrics": {…}}, or an array of them under `events`.',
    path,
  });
}

/** `only`: the agent whose key it is; another's event is a bad one (G-K2). */
function ofAgent(
  read: ReturnType<typeof readMetrics>,
  only: string | undefined,
): ReturnType<typeof readMetrics> {
  if (only === undefined || read.type === 'fault' || read.agent === only) return read;
  const problem = `this key is for the agent ${JSON.stringify(only)} only`;
  return { type: 'fault', path: 'agent_id', problem };
}

/** G-M3. Held against the rules of now: under older ones the ledger counts nothing. */
async function count(
  { ledger }: Gateway,
  cache: RuleCache,
  { org, events, now }: { org: string; events: readonly ReadMetrics[]; now: number },
): Promise<Extract<CountAnswer, { type: 'counted' }>> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const held = await cache.load(org);
    const answer = await ledger.countMetrics({
      ...{ org, now, rev: held.rev },
      events: events.map(({ agent, key, at, metrics }): MetricEvent => ({
        ...{ agent, at, results: held.results(agent, metrics) },
        ...(key === undefined ? {} : { key }),
      })),
    });
    if (answer.type === 'counted') return answer;
    cache.forget(org);
  }
  throw new Error(`The rules changed ${String(MAX_TRIES)} times while a batch was counted.`);
}
