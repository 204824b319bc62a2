/**
 * Asks for leases, answered together: those that come while a transaction runs are the next batch,
 * so that a crowd costs no more transactions than the database has time for.
 *
 * LD-1. One transaction a batch (lease-rows.ts): locks, then what is counted, then one write.
 * LD-2. What a batch lacks (a row of a period, of a holder, a run that begins anew) is made by
 *       itself first, and the batch begins again: the order of locks stays what it is (LE-2).
 */
import pg from 'pg';
import type { Limits } from '../domain/budget/limits.js';
import { periodRowId } from '../domain/ids.js';
import type { Database, Run } from './database.js';
import { decideAsk } from './lease-ask.js';
import { addHolders } from './lease-holders.js';
import type { AskResult, LeasePolicy, PlacedAsk } from './lease.js';
import {
  leaseIdOf,
  lockRows,
  nameOf,
  readCounted,
  type Counted,
  type HolderRow,
  type LeaseRow,
  type Locked,
} from './lease-rows.js';
import { storable } from './literals.js';
import { writeAnswers } from './lease-write.js';
import { ensurePeriods } from './periods.js';
import { reopenRuns } from './reopen.js';

export interface DeskOptions {
  readonly policy: LeasePolicy;
  /** B2. */
  readonly runIdleMs: number;
}

/** An ask and the time at which it is answered, epoch ms. */
export interface TimedAsk {
  readonly placed: PlacedAsk;
  readonly now: number;
}

interface Waiting extends TimedAsk {
  readonly resolve: (result: AskResult) => void;
  readonly reject: (failure: unknown) => void;
}

export function createLeaseDesk(
  db: Database,
  options: DeskOptions,
): (placed: PlacedAsk, now: number) => Promise<AskResult> {
  const waiting: Waiting[] = [];
  let isOpen = false;

  async function serve(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await answerAsks(db, options, batch);
      batch.forEach(({ resolve }, i) => {
        resolve(results[i] as AskResult);
      });
    } catch (failure) {
      // What the database refuses of one ask is not the others' fault.
      if (batch.length > 1 && failure instanceof pg.DatabaseError) {
        for (const each of batch) await serve([each]);
      } else for (const { reject } of batch) reject(failure);
    }
  }
  async function open(): Promise<void> {
    isOpen = true;
    while (waiting.length > 0) await serve(waiting.splice(0, options.policy.batch));
    isOpen = false;
  }
  return (placed, now) =>
    new Promise((resolve, reject) => {
      waiting.push({ placed: storableAsk(placed), now, resolve, reject });
      if (!isOpen) void open();
    });
}

/** Names as the database has them, so that what it answers is found by them. */
function storableAsk(placed: PlacedAsk): PlacedAsk {
  const { ask } = placed;
  return {
    ...placed,
    ask: {
      ...ask,
      ...{ agent: storable(ask.agent), holder: storable(ask.holder) },
      ...(ask.run === undefined ? {} : { run: storable(ask.run) }),
      ...(ask.lease === undefined ? {} : { lease: storable(ask.lease) }),
    },
  };
}

const MAX_PREPARATIONS = 5;

interface Lacking {
  readonly holders: readonly PlacedAsk[];
  readonly periods: readonly TimedAsk[];
  readonly runs: readonly TimedAsk[];
}

/** In the order of the asks. */
async function answerAsks(
  db: Database,
  options: DeskOptions,
  asks: readonly TimedAsk[],
): Promise<readonly AskResult[]> {
  for (let tries = 0; tries < MAX_PREPARATIONS; tries += 1) {
    const outcome = await db.transaction(async (run) => {
      const locked = await lockRows(
        run,
        asks.map(({ placed }) => placed),
      );
      const lacking = lackingOf(asks, locked);
      return lacking ?? { results: await decideAll(run, options.policy, asks, locked) };
    });
    if ('results' in outcome) return outcome.results;
    await prepare(db, options, outcome);
  }
  throw new Error('Periods of a lease kept ending while it was asked for; ask again.');
}

const blocks = ({ limits }: Limits): boolean =>
  limits.some(({ enforcement }) => enforcement === 'block');

function lackingOf(asks: readonly TimedAsk[], locked: Locked): Lacking | undefined {
  const current = asks.filter(({ placed }) => isCurrent(placed, locked));
  const holders = current
    .map(({ placed }) => placed)
    .filter(({ org, ask }) => !locked.holders.has(nameOf(org, ask.holder)));
  const withSeeds = (isWanted: (seed: PlacedAsk['seeds'][number], each: TimedAsk) => boolean) =>
    current.flatMap((each) => {
      const seeds = each.placed.seeds.filter((seed) => isWanted(seed, each));
      return seeds.length === 0 ? [] : { ...each, placed: { ...each.placed, seeds } };
    });
  const periods = withSeeds(
    ({ key, limits }) => blocks(limits) && !locked.periods.has(periodRowId(key)),
  );
  // B2. A new lease is a word of the run; one that is renewed says nothing of calls.
  const runs = withSeeds(({ key }, { placed, now }) => {
    const row = locked.periods.get(periodRowId(key));
    if (row?.cadence !== 'run' || placed.ask.lease !== undefined || !blocks(row.limits)) {
      return false;
    }
    return row.state === 'closed'
      ? now > (row.own_last_at ?? -1)
      : (row.closes_at ?? Infinity) <= now;
  });
  const isWhole = holders.length + periods.length + runs.length === 0;
  return isWhole ? undefined : { holders, periods, runs };
}

async function prepare(db: Database, { runIdleMs }: DeskOptions, lacking: Lacking): Promise<void> {
  await addHolders(db, lacking.holders);
  const latest = Math.max(...[...lacking.periods, ...lacking.runs].map(({ now }) => now));
  const seeds = lacking.periods.flatMap(({ placed }) => placed.seeds);
  if (seeds.length > 0) await ensurePeriods(db, seeds, latest, runIdleMs);
  const runs = lacking.runs.flatMap(({ placed, now }) =>
    placed.seeds.map((seed) => ({ seed, at: now })),
  );
  if (runs.length > 0) await db.transaction((run) => reopenRuns(run, runs, runIdleMs));
}

function isCurrent({ org, revisions }: PlacedAsk, locked: Locked): boolean {
  return revisions.every(({ scope, rev }) => locked.revisions.get(nameOf(org, scope)) === rev);
}

async function decideAll(
  run: Run,
  policy: LeasePolicy,
  asks: readonly TimedAsk[],
  locked: Locked,
): Promise<readonly AskResult[]> {
  const latest = Math.max(...asks.map(({ now }) => now));
  const placed = asks.map((each) => each.placed);
  const counted = await readCounted(run, placed, locked, latest);
  const holders = new Map(locked.holders);
  const leases = new Map(locked.leases);
  const written = new Map<string, LeaseRow>();
  const answered = new Map<string, HolderRow>();
  const results = asks.map((each): AskResult => {
    const { org, ask } = each.placed;
    if (!isCurrent(each.placed, locked)) return { type: 'stale_configuration' };
    const name = nameOf(org, ask.holder);
    const holder = holders.get(name);
    if (holder?.agent !== ask.agent || ask.n < holder.last_n) return { type: 'stale' };
    if (ask.n === holder.last_n) return repeated(holder);
    const result = decideOne(each, { policy, counted, leases, written });
    const told = { ...holder, last_n: ask.n, answer: JSON.stringify(result) };
    holders.set(name, told);
    answered.set(name, told);
    return result;
  });
  await writeAnswers(run, {
    ...{ leases: [...written.values()], holders: [...answered.values()] },
    ...{ periods: [...counted.periods.values()], now: latest },
  });
  return results;
}

/** L5. The same request is answered in the same words; another kind of it is none of the same. */
function repeated({ answer }: HolderRow): AskResult {
  const kept = JSON.parse(answer ?? '{}') as Partial<AskResult>;
  return kept.type === 'answered' ? (kept as AskResult) : { type: 'stale' };
}

function decideOne(
  { placed, now }: TimedAsk,
  books: {
    readonly policy: LeasePolicy;
    readonly counted: Counted;
    readonly leases: Map<string, LeaseRow>;
    readonly written: Map<string, LeaseRow>;
  },
): AskResult {
  const { org, ask } = placed;
  const name = nameOf(org, leaseIdOf(placed));
  const { answer, lease } = decideAsk(
    placed,
    {
      period: (id) => books.counted.periods.get(id),
      lease: books.leases.get(name),
      stop: books.counted.stops.get(nameOf(org, ask.agent)),
    },
    now,
    books.policy,
  );
  if (lease !== undefined) {
    books.leases.set(name, lease);
    books.written.set(name, lease);
  }
  return { type: 'answered', answer };
}
