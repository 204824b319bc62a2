/**
 * Taking a batch of usage. L-1: an event counts once per (org, idempotency key), in the book and
 * in every period's totals, in one statement.
 */
import type { Limits } from '../domain/budget/limits.js';
import type { Database } from './database.js';
import { INGEST, INGEST_LEASED } from './ingest-sql.js';
import type { IngestBatch, IngestResult, PeriodSeed, UsageEvent } from './ledger.js';
import { jsonText, numberArray, storable, textArray, type Value } from './literals.js';
import { claimedPeriodOf, touchedPeriodOf, type ClaimedRow, type PeriodRow } from './period-row.js';
import { reopenRuns } from './reopen.js';
import { limitColumns, seedColumns } from './seeds.js';
import { stopOf, type StopRow } from './stops.js';

export interface IngestPolicy {
  /** B2. A run closes after so long without a word, ms. */
  readonly runIdleMs: number;
  /** The whole statement is given up after so long, ms. */
  readonly timeoutMs: number;
}

interface IngestRow {
  readonly current: boolean;
  readonly reopens: boolean;
  readonly stored: number;
  readonly touched: readonly (ClaimedRow & { claimed: boolean })[] | null;
  readonly seen: readonly PeriodRow[] | null;
  readonly stops: readonly StopRow[] | null;
}

const MAX_REOPENINGS = 5;
/** Events up to which planning costs more than a plan for few rows loses. */
const SMALL_BATCH = 32;

export async function ingest(
  db: Database,
  policy: IngestPolicy,
  batch: IngestBatch,
): Promise<IngestResult> {
  const events = uniqueEvents(batch.events);
  const leases = leaseParametersOf(events);
  const parameters = [...parametersOf(batch, policy, events), ...leases];
  for (let tries = 0; tries < MAX_REOPENINGS; tries += 1) {
    const rows = await db.run(leases.length === 0 ? INGEST : INGEST_LEASED, parameters, {
      ...{ timeoutMs: policy.timeoutMs, yields: true },
      hot: batch.events.length <= SMALL_BATCH,
    });
    const row = rows[0] as unknown as IngestRow;
    if (!row.current) return { type: 'stale_configuration' };
    if (!row.reopens) return resultOf(batch, row);
    await db.transaction((run) => reopenRuns(run, runsOf(batch), policy.runIdleMs));
  }
  throw new Error(`Runs of ${batch.org} kept closing while a batch came in; send it again.`);
}

function resultOf(batch: IngestBatch, row: IngestRow): IngestResult {
  const touched = (row.touched ?? []).map((each) =>
    touchedPeriodOf(each, each.claimed ? claimedPeriodOf(each, batch.now) : undefined),
  );
  const seen = (row.seen ?? []).map((each) => touchedPeriodOf(each, undefined));
  return {
    type: 'stored',
    stored: row.stored,
    duplicates: batch.events.length - row.stored,
    periods: [...touched, ...seen],
    stopped: (row.stops ?? []).map(stopOf),
  };
}

/** LE-3. None where no event names a lease. */
function leaseParametersOf(events: readonly KeyedEvent[]): Value[] {
  const named = events.flatMap(({ event: { lease } }) =>
    lease === undefined ? [] : storable(lease),
  );
  if (named.length === 0) return [];
  return [
    textArray(events.map(({ event }) => event.lease)),
    numberArray(events.map(({ event }) => event.leaseSeq)),
    textArray([...new Set(named)]),
  ];
}

function parametersOf(
  batch: IngestBatch,
  policy: IngestPolicy,
  events: readonly KeyedEvent[],
): Value[] {
  // In one order in every batch: their totals are locked in it.
  const agents = [...new Set(batch.events.map(({ agent }) => storable(agent)))].sort();
  const { bucketOf, members } = bucketsOf(batch, agents);
  const limits = new Map<Limits, number>();
  const limitsNo = (each: Limits): number => {
    const known = limits.get(each) ?? limits.size;
    limits.set(each, known);
    return known;
  };
  const seeds = batch.placements.map(({ seed, events: placed }, no) => ({
    no,
    limits_no: limitsNo(seed.limits),
    last_at: latestAt(batch.events, placed),
    ...seedColumns(seed),
  }));
  const column = <T>(read: (event: UsageEvent) => T): T[] => events.map(({ event }) => read(event));
  return [
    batch.org,
    textArray(batch.revisions.map(({ scope }) => scope)),
    numberArray(batch.revisions.map(({ rev }) => rev)),
    jsonText(seeds),
    jsonText([...limits].map(([each, no]) => ({ limits_no: no, ...limitColumns(each) }))),
    numberArray(members.map(({ seed }) => seed)),
    numberArray(members.map(({ bucket }) => bucket)),
    textArray(agents),
    batch.now,
    batch.claimMs,
    policy.runIdleMs,
    textArray(events.map(({ key }) => key)),
    textArray(column((event) => event.agent)),
    textArray(column((event) => event.run)),
    textArray(column((event) => event.provider)),
    textArray(column((event) => event.model)),
    numberArray(column((event) => event.inputTokens)),
    numberArray(column((event) => event.outputTokens)),
    numberArray(column((event) => event.costReported)),
    numberArray(column((event) => event.costUsed)),
    textArray(column((event) => event.priceVersion)),
    numberArray(column((event) => event.durationMs)),
    textArray(column((event) => event.status)),
    numberArray(column((event) => event.at)),
    numberArray(column((event) => event.receivedAt)),
    textArray(column((event) => (event.flags.length === 0 ? undefined : event.flags.join(' ')))),
    numberArray(events.map(({ no }) => bucketOf[no] ?? 0)),
  ];
}

interface KeyedEvent {
  readonly key: string;
  readonly event: UsageEvent;
  readonly no: number;
}

/** The first of each key, in the order of the keys: two batches lock theirs in the same order. */
function uniqueEvents(events: readonly UsageEvent[]): KeyedEvent[] {
  const byKey = new Map<string, KeyedEvent>();
  events.forEach((event, no) => {
    const key = storable(event.idempotencyKey);
    if (!byKey.has(key)) byKey.set(key, { key, event, no });
  });
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/**
 * Events that count in the same places share a bucket: a batch has few, so the statement adds up
 * buckets instead of every event once per place. A place is a seed, or -n, the n-th agent's total.
 */
function bucketsOf(
  batch: IngestBatch,
  agents: readonly string[],
): {
  bucketOf: readonly number[];
  members: readonly { seed: number; bucket: number }[];
} {
  const numbers = new Map(agents.map((agent, i) => [agent, -1 - i]));
  const placesOf = batch.events.map(({ agent }) => String(numbers.get(storable(agent))));
  batch.placements.forEach(({ events }, seed) => {
    for (const no of new Set(events)) placesOf[no] = `${placesOf[no] ?? ''} ${String(seed)}`;
  });
  const buckets = new Map<string, number>();
  const bucketOf = placesOf.map((places) => {
    const bucket = buckets.get(places) ?? buckets.size;
    buckets.set(places, bucket);
    return bucket;
  });
  const members = [...buckets].flatMap(([places, bucket]) =>
    places.split(' ').map((seed) => ({ seed: Number(seed), bucket })),
  );
  return { bucketOf, members };
}

function latestAt(events: readonly UsageEvent[], placed: readonly number[]): number | undefined {
  const latest = placed.reduce((most, no) => Math.max(most, events[no]?.at ?? 0), -1);
  return latest < 0 ? undefined : latest;
}

function runsOf(batch: IngestBatch): { seed: PeriodSeed; at: number }[] {
  return batch.placements.flatMap(({ seed, events }) => {
    const at = latestAt(batch.events, events);
    return seed.key.cadence === 'run' && at !== undefined ? [{ seed, at }] : [];
  });
}
