/** What the ledger's contract is tested with: a running ledger, and short words for its inputs. */
import type {
  Ledger,
  PeriodSeed,
  UsageEvent,
  IngestBatch,
  ClaimedPeriod,
} from '../../../ledger/ledger.js';
import type { LedgerOptions } from '../../../ledger/open.js';
import type { Limit, Limits, Route } from '../../../domain/budget/limits.js';
import type { Scope } from '../../../domain/budget/period-key.js';
import type { Published } from '../../../domain/budget/state.js';
import type { Cadence } from '../../../domain/words.js';

/** Set up once per database; every test finds its tables empty. */
export interface Bed {
  ledger(): Ledger;
  /** Another process's view of the same database. Closed after the test. */
  open(options?: Partial<LedgerOptions>): Promise<Ledger>;
  /** Plain SQL, for what no process may do. */
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
  databaseUrl(): string;
}

export const NOW = Date.UTC(2026, 10, 21, 12);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const USD = 1_000_000_000;
export const ORG = 'acme';
export const BOT: Scope = 'agent:bot';
export const DAY_START = Date.UTC(2026, 10, 21);

const SLACK: Route = { channel: 'slack' };

export function costLimit(usd: number, over: Partial<Limit> = {}): Limit {
  return {
    dimension: 'cost',
    amount: usd * USD,
    enforcement: 'alert',
    thresholds: [
      { bps: 8_000, routes: [SLACK] },
      { bps: 10_000, routes: [SLACK] },
    ],
    ...over,
  };
}

export function limitsOf(rev: number, ...limits: Limit[]): Limits {
  return { rev, limits };
}

export function event(key: string, over: Partial<UsageEvent> = {}): UsageEvent {
  return {
    idempotencyKey: key,
    agent: 'bot',
    provider: 'openai',
    model: 'gpt-4o-mini',
    inputTokens: 100,
    outputTokens: 20,
    costReported: 0,
    costUsed: USD,
    durationMs: 800,
    status: 'success',
    at: NOW,
    receivedAt: NOW,
    flags: [],
    ...over,
  };
}

export function events(count: number, over: Partial<UsageEvent> = {}, prefix = 'e'): UsageEvent[] {
  return Array.from({ length: count }, (_, i) => event(`${prefix}${String(i)}`, over));
}

const ENDS: Partial<Record<Cadence, number>> = {
  hourly: NOW + HOUR,
  daily: DAY_START + DAY,
  monthly: Date.UTC(2026, 11, 1),
};
const STARTS: Partial<Record<Cadence, number>> = {
  hourly: NOW,
  daily: DAY_START,
  monthly: Date.UTC(2026, 10, 1),
};
const PERIODS: Partial<Record<Cadence, string>> = { run: 'run-1', total: 'all' };

interface SeedOptions {
  readonly org?: string;
  readonly scope?: Scope;
  readonly period?: string;
  readonly limits?: Limits;
  readonly startsAt?: number;
  readonly endsAt?: number;
}

/** A period that contains NOW; without limits unless given. */
export function seed(cadence: Cadence, options: SeedOptions = {}): PeriodSeed {
  const endsAt = options.endsAt ?? ENDS[cadence];
  return {
    key: {
      org: options.org ?? ORG,
      scope: options.scope ?? BOT,
      cadence,
      period: options.period ?? PERIODS[cadence] ?? `${cadence}-1`,
      generation: 1,
    },
    window: {
      startsAt: options.startsAt ?? STARTS[cadence] ?? NOW,
      ...(endsAt === undefined ? {} : { endsAt }),
      zone: 'UTC',
    },
    name: 'bot',
    limits: options.limits ?? limitsOf(0),
  };
}

/** All events count in all seeds. */
export function batch(
  given: readonly UsageEvent[],
  seeds: readonly PeriodSeed[],
  over: Partial<IngestBatch> = {},
): IngestBatch {
  const all = given.map((_, i) => i);
  return {
    org: ORG,
    events: given,
    placements: seeds.map((each) => ({ seed: each, events: all })),
    revisions: [],
    now: NOW,
    claimMs: 5_000,
    ...over,
  };
}

/** Ingests and narrows: anything but stored fails the test. */
export async function store(
  ledger: Ledger,
  given: IngestBatch,
): Promise<Extract<Awaited<ReturnType<Ledger['ingest']>>, { type: 'stored' }>> {
  const result = await ledger.ingest(given);
  if (result.type !== 'stored') throw new Error(`The batch was not stored: ${result.type}`);
  return result;
}

/** What a workflow that evaluated the claim's totals and fired nothing would publish. */
export function publishedOf(claim: ClaimedPeriod, over: Partial<Published> = {}): Published {
  return {
    key: claim.key,
    epoch: claim.epoch,
    seq: claim.seq,
    order: 1,
    notify: {},
    latches: {},
    firingNo: 0,
    appliedRev: claim.limits.rev,
    direct: { cost: 0, tokens: 0, calls: 0 },
    senders: {},
    openAlerts: [],
    closed: false,
    rejected: 0,
    ...over,
  };
}

/** The row of a period as people see it. */
export async function viewOf(ledger: Ledger, id: string) {
  const [view] = await ledger.budgets({ org: ORG, id, now: NOW, limit: 1 });
  if (view === undefined) throw new Error(`There is no period ${id}.`);
  return view;
}

/** Claims all that is due. */
export function claimAll(ledger: Ledger, now = NOW): Promise<readonly ClaimedPeriod[]> {
  return ledger.claimPeriods({ now, limit: 100, leaseMs: 5_000 });
}

/** Claims and expects exactly one. */
export async function claimOne(ledger: Ledger, now = NOW): Promise<ClaimedPeriod> {
  const claims = await claimAll(ledger, now);
  const [claim] = claims;
  if (claim === undefined || claims.length > 1) {
    throw new Error(`Expected one claim, not ${String(claims.length)}.`);
  }
  return claim;
}
