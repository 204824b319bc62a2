/**
 * A batch of usage: read, placed, stored in one ledger transaction, then judged (K3).
 *
 * G-I1. Nothing is answered before it is stored: the quarantine first, so that an event is either
 *       counted or readable there, then the good ones, all or none.
 * G-I2. One bad event never costs the good ones (spec §8).
 */
import type { Scope } from '../domain/budget/period-key.js';
import type { ApiKey, IngestResult, UsageEvent } from '../ledger/ledger.js';
import { deliverClaims } from './claims.js';
import { withDeadline } from './deadline.js';
import { readEvent, type ReadEvent } from './event.js';
import type { EventFault } from './event-fault.js';
import type { Gateway } from './options.js';
import { placeBatch, type PlacedBatch } from './place.js';
import { Problem } from './problem.js';
import { quarantinedEvent } from './quarantine.js';
import { agentScope, type ScopeCache, type ScopeSlot } from './scopes.js';
import { judgeBatch, type Hold, type UsageRefusal } from './verdict.js';

/** Shown to the sender and kept in quarantine at most, of one batch. */
const MAX_REJECTED = 100;
/** A configuration that changes this often while one batch is placed is trouble. */
const MAX_PLACINGS = 5;

export interface Rejected {
  readonly index: number;
  readonly path: string;
  readonly message: string;
}

export interface IngestAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly Rejected[];
  /** All of them: `rejected` lists the first hundred. */
  readonly rejectedCount: number;
  /** Of events that were taken all the same, the first hundred. */
  readonly warnings: readonly Rejected[];
  readonly refusal?: UsageRefusal;
}

interface ReadBatch {
  readonly events: UsageEvent[];
  readonly rejected: Rejected[];
  rejectedCount: number;
  readonly warnings: Rejected[];
  newestAt: number;
  readonly agents: Set<string | undefined>;
  readonly runs: Set<string | undefined>;
}

type Stored = Extract<IngestResult, { type: 'stored' }>;

/** Throws a `Problem` for a body that is no batch, and whatever the ledger throws. */
export async function ingestBatch(
  gateway: Gateway,
  scopes: ScopeCache,
  { org, agent }: Pick<ApiKey, 'org' | 'agent'>,
  body: unknown,
): Promise<IngestAnswer> {
  const raws = eventsOf(body);
  const now = gateway.now();
  const batch = readBatch(gateway, raws, now, agent);
  if (batch.rejected.length > 0) {
    const bad = batch.rejected.map((each) => quarantinedEvent(org, now, each, raws[each.index]));
    await withDeadline(
      gateway.ledger.quarantine(bad),
      gateway.policy.ledgerTimeoutMs,
      'The quarantine',
    );
  }
  const { rejected, rejectedCount, warnings } = batch;
  const told = { rejected, rejectedCount, warnings };
  if (batch.events.length === 0) return { accepted: 0, duplicates: 0, ...told };
  const { stored, placed } = await withDeadline(
    storeBatch(gateway, scopes, org, batch.events, now),
    gateway.policy.ledgerTimeoutMs,
    'The ledger',
  );
  const refusal = judgeBatch(
    { ...batch, holds: holdsOf(stored, placed), stopped: stored.stopped },
    now,
    gateway.policy.freshMs,
  );
  return {
    accepted: stored.stored,
    duplicates: stored.duplicates,
    ...told,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

function eventsOf(body: unknown): readonly unknown[] {
  const isObject = typeof body === 'object' && body !== null;
  const events: unknown = isObject && 'events' in body ? body.events : undefined;
  if (Array.isArray(events)) return events;
  throw new Problem({
    status: 400,
    title: 'No events',
    detail: 'Expected an object with an array `events`.',
    path: 'events',
  });
}

/** `only`: the agent whose key it is; another's event is a bad one (G-K2). */
function readBatch(
  gateway: Gateway,
  raws: readonly unknown[],
  now: number,
  only: string | undefined,
): ReadBatch {
  const context = { receivedAt: now, newId: gateway.newId, pricer: gateway.pricer };
  const batch: ReadBatch = {
    events: [],
    rejected: [],
    rejectedCount: 0,
    warnings: [],
    newestAt: 0,
    agents: new Set(),
    runs: new Set(),
  };
  raws.forEach((raw, index) => {
    const read = ofAgent(readEvent(raw, context), only);
    if (read.type === 'event') {
      batch.events.push(read.event);
      batch.agents.add(read.event.agent);
      batch.runs.add(read.event.run);
      if (read.sentAt > batch.newestAt) batch.newestAt = read.sentAt;
      if (read.warning !== undefined) tell(batch.warnings, index, read.warning);
      return;
    }
    batch.rejectedCount += 1;
    batch.agents.add(undefined);
    tell(batch.rejected, index, read);
  });
  return batch;
}

function tell(list: Rejected[], index: number, { path, problem }: EventFault): void {
  if (list.length >= MAX_REJECTED) return;
  const at = `events[${String(index)}]`;
  list.push({ index, path: path === '' ? at : `${at}.${path}`, message: problem });
}

function ofAgent(read: ReadEvent | EventFault, only: string | undefined): ReadEvent | EventFault {
  if (only === undefined || read.type === 'fault' || read.event.agent === only) return read;
  const problem = `this key is for the agent ${JSON.stringify(only)} only`;
  return { type: 'fault', path: 'agent_name', problem };
}

/** Stored under the configuration that holds now: a batch placed under an older one is placed again. */
async function storeBatch(
  gateway: Gateway,
  cache: ScopeCache,
  org: string,
  events: readonly UsageEvent[],
  now: number,
): Promise<{ stored: Stored; placed: PlacedBatch }> {
  const { ledger, policy } = gateway;
  const names: Scope[] = ['org', ...new Set(events.map((event) => agentScope(event.agent)))];
  for (let placing = 0; placing < MAX_PLACINGS; placing += 1) {
    const scopes = await cache.load(org, names);
    const placed = placeBatch(events, scopes);
    await openPeriods(gateway, placed, now);
    const result = await ledger.ingest({
      org,
      events: placed.events,
      placements: placed.placements,
      revisions: revisionsOf(scopes),
      now,
      claimMs: policy.claimMs,
    });
    if (result.type === 'stored') {
      deliverClaims(gateway, result.periods);
      return { stored: result, placed };
    }
    cache.forget(org, names);
  }
  throw new Error(
    `The configuration changed ${String(MAX_PLACINGS)} times while a batch was placed.`,
  );
}

/** B8. Each period once per life of its configuration in this process. */
async function openPeriods({ ledger }: Gateway, placed: PlacedBatch, now: number): Promise<void> {
  if (placed.unopened.length === 0) return;
  await ledger.ensurePeriods(
    placed.unopened.map((slot) => slot.seed),
    now,
  );
  for (const slot of placed.unopened) slot.needsRow = false;
}

function revisionsOf(scopes: ReadonlyMap<Scope, ScopeSlot>) {
  return Array.from(scopes, ([scope, slot]) => ({ scope, rev: slot.configuration.rev }));
}

function holdsOf(stored: Stored, placed: PlacedBatch): Hold[] {
  return stored.periods.flatMap(({ key, killed, blocked, spent }) => {
    if (killed === undefined && !blocked) return [];
    const seed = placed.placements.find(
      ({ seed: { key: other } }) =>
        other.scope === key.scope && other.cadence === key.cadence && other.period === key.period,
    )?.seed;
    if (seed === undefined) return [];
    return {
      ...(killed === undefined ? {} : { killed }),
      ...{ key, blocked, spent },
      limits: seed.limits,
      window: seed.window,
      ...(key.cadence === 'run' ? { run: key.period } : {}),
      name: seed.name,
    };
  });
}
