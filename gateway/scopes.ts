/**
 * What the agents and the organisation are held to, remembered between batches. It may be out of
 * date: every batch names the revisions it was placed under, and the ledger refuses older ones.
 * What ends by itself (C1) does so here at its time: a slot that is over is not answered.
 */
import type { PeriodKey, Scope } from '../domain/budget/period-key.js';
import { limitsOf, type ScopeConfiguration } from '../domain/configuration.js';
import {
  createPeriodFinder,
  type CalendarCadence,
  type CalendarPeriod,
  type TotalPeriod,
} from '../domain/period.js';
import type { Cadence } from '../domain/words.js';
import type { Ledger, PeriodSeed } from '../ledger/ledger.js';

/** A period as events are placed in it. */
export interface SeedSlot {
  readonly seed: PeriodSeed;
  /** B8. It may have begun before it was configured: its row has to be made from the book first. */
  needsRow: boolean;
}

/** One scope's configuration with its periods at hand. */
export interface ScopeSlot {
  readonly configuration: ScopeConfiguration;
  /** What people call it. */
  readonly name: string;
  /** B3. The cadences it has budgets for, but for `run`. */
  readonly cadences: readonly (CalendarCadence | 'total')[];
  /** The period of a cadence that holds an instant. */
  slotAt(cadence: CalendarCadence | 'total', at: number): SeedSlot;
  /** A run's seed: its limits are frozen at its first event (C3). */
  runSeed(run: string, startsAt: number): PeriodSeed;
}

export interface ScopeCache {
  /**
   * Slots of the scopes asked for, in no order; loads what is not remembered, all at once. With
   * `maxAgeMs` also what was read longer ago: for whoever names no revisions to the ledger.
   */
  load(
    org: string,
    scopes: readonly Scope[],
    maxAgeMs?: number,
  ): Promise<ReadonlyMap<Scope, ScopeSlot>>;
  /** Forgets what has turned out to be out of date. */
  forget(org: string, scopes: readonly Scope[]): void;
}

interface RememberedSlot {
  readonly slot: ScopeSlot;
  /** Epoch ms. */
  readonly readAt: number;
}

/** Agents are named by whoever sends: what is remembered of them is bounded. */
const REMEMBERED_SCOPES = 20_000;
const REMEMBERED_PERIODS = 32;

export function agentScope(agent: string): Scope {
  return `agent:${agent}`;
}

export function createScopeCache(
  ledger: Pick<Ledger, 'configurations' | 'endLayers'>,
  now: () => number,
): ScopeCache {
  const slots = new Map<string, RememberedSlot>();
  const nameOf = (org: string, scope: Scope): string => `${org}\n${scope}`;

  const isOver = ({ changesAt }: ScopeConfiguration): boolean =>
    changesAt !== undefined && changesAt <= now();

  /** As they hold now. */
  async function read(org: string, scopes: readonly Scope[]) {
    const read = await ledger.configurations(org, scopes);
    const over = read.filter(isOver).map(({ scope }) => scope);
    if (over.length === 0) return read;
    await ledger.endLayers(now(), { org, scopes: over });
    return ledger.configurations(org, scopes);
  }

  async function load(org: string, scopes: readonly Scope[], maxAgeMs = Infinity) {
    const at = now();
    const found = new Map<Scope, ScopeSlot>();
    const missing: Scope[] = [];
    for (const scope of scopes) {
      const known = slots.get(nameOf(org, scope));
      const isFresh = known !== undefined && Math.abs(at - known.readAt) <= maxAgeMs;
      if (isFresh && !isOver(known.slot.configuration)) found.set(scope, known.slot);
      else missing.push(scope);
    }
    if (missing.length > 0) {
      if (slots.size + missing.length > REMEMBERED_SCOPES) slots.clear();
      for (const configuration of await read(org, missing)) {
        const id = nameOf(org, configuration.scope);
        const known = slots.get(id)?.slot;
        // What is the same knows its periods already, and which rows were made.
        const isSame = known?.configuration.rev === configuration.rev;
        const slot = isSame && !isOver(known.configuration) ? known : scopeSlot(configuration);
        slots.set(id, { slot, readAt: at });
        found.set(configuration.scope, slot);
      }
    }
    return found;
  }

  function forget(org: string, scopes: readonly Scope[]): void {
    for (const scope of scopes) slots.delete(nameOf(org, scope));
  }
  return { load, forget };
}

/** The working form of one configuration. */
export function scopeSlot(configuration: ScopeConfiguration): ScopeSlot {
  const { org, scope, zone, rev, changedAt } = configuration;
  const name = scope === 'org' ? org : scope.slice('agent:'.length);
  const find = createPeriodFinder(zone);
  const limitsByCadence = (cadence: Cadence) => ({ rev, limits: limitsOf(configuration, cadence) });
  const runLimits = limitsByCadence('run');
  const remembered = new Map<string, SeedSlot>();

  function slotAt(cadence: CalendarCadence | 'total', at: number): SeedSlot {
    const found = find(cadence, at);
    const id = cadence + found.period;
    const known = remembered.get(id);
    if (known !== undefined) return known;
    const seed: PeriodSeed = {
      key: { org, scope, cadence, period: found.period, generation: 1 } satisfies PeriodKey,
      window: windowOf(found),
      name,
      limits: limitsByCadence(cadence),
    };
    const slot: SeedSlot = { seed, needsRow: found.startsAt < changedAt };
    if (remembered.size >= REMEMBERED_PERIODS) remembered.clear();
    remembered.set(id, slot);
    return slot;
  }

  return {
    configuration,
    name,
    cadences: configuration.budgets
      .map((budget) => budget.cadence)
      .filter((cadence) => cadence !== 'run'),
    slotAt,
    runSeed: (run, startsAt) => ({
      key: { org, scope, cadence: 'run', period: run, generation: 1 },
      window: { startsAt, zone },
      name,
      limits: runLimits,
    }),
  };
}

function windowOf(period: CalendarPeriod | TotalPeriod): PeriodSeed['window'] {
  const { startsAt, zone } = period;
  return 'endsAt' in period ? { startsAt, endsAt: period.endsAt, zone } : { startsAt, zone };
}
