/** What a guard is told of how it stands (K1, K2): what is new against what it was told before. */
import { killHolds } from '../../domain/budget/hold.js';
import type { GuardStanding } from '../../ledger/ledger.js';
import type { Cadence } from '../../domain/words.js';
import { CADENCES } from '../../domain/words.js';
import { killedWord, stoppedWord, type Standing } from '../standing.js';
import { periodRowId } from '../../domain/ids.js';
import { agentScope } from '../scopes.js';

/** Who is connected. */
export interface Guard {
  readonly org: string;
  readonly agent: string;
  readonly run?: string;
}

export interface Told {
  /** JSON of the event's data. */
  readonly standing: string;
  readonly rev: string;
  /** `<period> <why>`. */
  readonly recalls: ReadonlySet<string>;
}

export interface GuardEvent {
  readonly event: 'standing' | 'limits' | 'recall';
  readonly data: unknown;
}

/** `before`: undefined for one that has just come, who is told how it stands first. */
export function wordsFor(
  guard: Guard,
  standing: GuardStanding,
  before: Told | undefined,
): { readonly told: Told; readonly events: readonly GuardEvent[] } {
  const data = standingWords(guard, standing);
  const recalls = standing.recalls.filter(({ periodId }) => concerns(guard, periodId));
  const told: Told = {
    standing: JSON.stringify(data),
    rev: standing.limitsMark,
    recalls: new Set(recalls.map(({ periodId, why }) => `${periodId} ${why}`)),
  };
  const events: GuardEvent[] = [];
  if (told.standing !== before?.standing) events.push({ event: 'standing', data });
  if (told.rev !== before?.rev) events.push({ event: 'limits', data: { rev: told.rev } });
  for (const { periodId, why } of recalls) {
    if (before?.recalls.has(`${periodId} ${why}`) === true) continue;
    events.push({ event: 'recall', data: { period_id: periodId, why } });
  }
  return { told, events };
}

/** What is not there is null: a word that something has ended is a word. */
function standingWords(
  guard: Guard,
  { stopped, killed }: GuardStanding,
): { readonly [Name in keyof Required<Standing>]: Standing[Name] | null } {
  const holding = killed.find(
    (each) => killHolds(each.killed, guard.agent) && concerns(guard, each.periodId),
  );
  return {
    stopped: stopped === undefined ? null : stoppedWord(stopped),
    killed:
      holding === undefined
        ? null
        : killedWord({
            ...{ id: holding.periodId, cadence: cadenceOf(holding.periodId) },
            ...{ endsAt: holding.endsAt, killed: holding.killed },
          }),
  };
}

/** A run's row is about the guards of that run only. */
function concerns({ org, agent, run }: Guard, periodId: string): boolean {
  if (cadenceOf(periodId) !== 'run') return true;
  if (run === undefined) return false;
  return periodId === periodRowId({ ...RUN, org, scope: agentScope(agent), period: run });
}

const RUN = { cadence: 'run', generation: 1 } as const;

/** `default/agent:bot/daily/20261121T000000Z` -> `daily`. */
function cadenceOf(periodId: string): Cadence {
  const word = periodId.split('/')[2];
  return CADENCES.find((cadence) => cadence === word) ?? 'total';
}
