/**
 * B3. Which events of a batch count in which periods: in their run, and in every cadence their
 * agent and their organisation have budgets for.
 */
import type { Scope } from '../domain/budget/period-key.js';
import type { PeriodSeed, Placement, UsageEvent } from '../ledger/ledger.js';
import { agentScope, type ScopeSlot, type SeedSlot } from './scopes.js';

export interface PlacedBatch {
  readonly placements: readonly Placement[];
  /** Events with `late` set where a period of theirs was over when they came (B4). */
  readonly events: readonly UsageEvent[];
  /** B8. Periods whose rows have to be made from the book first. */
  readonly unopened: readonly SeedSlot[];
}

/** Of all scopes that the events are in, the organisation's included. */
export function placeBatch(
  events: readonly UsageEvent[],
  scopes: ReadonlyMap<Scope, ScopeSlot>,
): PlacedBatch {
  const periods = new Map<SeedSlot, number[]>();
  const runs = new Map<string, { seed: PeriodSeed; events: number[] }>();
  const organisation = slotOf(scopes, 'org');

  function placeIn(scope: ScopeSlot, event: UsageEvent, index: number): boolean {
    let isLate = false;
    for (const cadence of scope.cadences) {
      const slot = scope.slotAt(cadence, event.at);
      const { endsAt } = slot.seed.window;
      if (endsAt !== undefined && endsAt <= event.receivedAt) isLate = true;
      const placed = periods.get(slot);
      if (placed === undefined) periods.set(slot, [index]);
      else placed.push(index);
    }
    return isLate;
  }

  function placeInRun(scope: ScopeSlot, run: string, event: UsageEvent, index: number): void {
    const name = `${event.agent}\n${run}`;
    const known = runs.get(name);
    if (known === undefined) {
      runs.set(name, { seed: scope.runSeed(run, event.at), events: [index] });
      return;
    }
    known.events.push(index);
    if (event.at < known.seed.window.startsAt) known.seed = scope.runSeed(run, event.at);
  }

  const placed = events.map((event, index) => {
    const scope = slotOf(scopes, agentScope(event.agent));
    const lateHere = placeIn(scope, event, index);
    const lateThere = placeIn(organisation, event, index);
    if (event.run !== undefined) placeInRun(scope, event.run, event, index);
    return lateHere || lateThere ? { ...event, flags: [...event.flags, 'late' as const] } : event;
  });
  const calendar = Array.from(periods, ([{ seed }, indices]) => ({ seed, events: indices }));
  return {
    placements: [...calendar, ...runs.values()],
    events: placed,
    unopened: [...periods.keys()].filter((slot) => slot.needsRow),
  };
}

/** A scope that was asked for is answered: the ledger makes what is missing. */
function slotOf(scopes: ReadonlyMap<Scope, ScopeSlot>, scope: Scope): ScopeSlot {
  const slot = scopes.get(scope);
  if (slot === undefined) throw new Error(`The ledger has no configuration row for ${scope}.`);
  return slot;
}
