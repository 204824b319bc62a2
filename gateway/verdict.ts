/**
 * Whether usage that has just been stored is answered with a refusal (K1, K2, K3, B9).
 *
 * G-V1. A refusal that pauses the sender for good is given only when every event of the batch is
 *       of one agent that may not go on now (of one run, if only the run ended), and the newest is
 *       fresh: the Python SDK never undoes that pause, and posts other agents' waiting events too.
 * G-V2. A kill or block of a period that is over holds for nobody (T7).
 */
import { holdsAgent } from '../domain/budget/hold.js';
import type { Limits } from '../domain/budget/limits.js';
import type { PeriodKey, PeriodWindow } from '../domain/budget/period-key.js';
import type { Killed } from '../domain/budget/state.js';
import type { Dimension } from '../domain/words.js';
import type { Stop } from '../ledger/ledger.js';
import { holdWords } from './hold-words.js';

export { holdsAgent };

/** The words the Python SDK knows. */
export type RefusalReason = 'tier_agent_limit' | 'org_budget_exceeded';

export interface UsageRefusal {
  readonly reason: RefusalReason;
  readonly agent: string;
  readonly detail: string;
}

/** What a period says about going on. */
export interface Hold {
  readonly killed?: Killed;
  readonly blocked: boolean;
  readonly limits: Limits;
  readonly window: PeriodWindow;
  /** Its run, where it is one. */
  readonly run?: string;
  readonly name: string;
  readonly key: Pick<PeriodKey, 'scope' | 'cadence'>;
  /** What its limits count. */
  readonly spent: Readonly<Record<Dimension, number>>;
}

export interface StoredBatch {
  /** Of every event, quarantined ones included; `undefined` where one has none that is readable. */
  readonly agents: ReadonlySet<string | undefined>;
  readonly runs: ReadonlySet<string | undefined>;
  /** When the newest event happened by its sender's word, epoch ms. */
  readonly newestAt: number;
  readonly holds: readonly Hold[];
  readonly stopped: readonly Stop[];
}

/** Undefined: the sender may go on. */
export function judgeBatch(
  batch: StoredBatch,
  now: number,
  freshMs: number,
): UsageRefusal | undefined {
  const [agent] = batch.agents;
  if (batch.agents.size !== 1 || agent === undefined) return undefined;
  if (now - batch.newestAt >= freshMs) return undefined;
  const stop = batch.stopped.find((each) => each.agent === agent);
  if (stop !== undefined) return refusalOfStop(stop);
  const hold = batch.holds.find(
    (each) =>
      holdsAgent(each, agent, now) &&
      (each.run === undefined || (batch.runs.size === 1 && batch.runs.has(each.run))),
  );
  return hold === undefined ? undefined : refusalOfHold(hold, agent);
}

export function refusalOfStop(stop: Stop): UsageRefusal {
  return {
    reason: 'tier_agent_limit',
    agent: stop.agent,
    detail: `${stop.agent} was stopped by ${stop.by}: ${stop.reason}. A person has to resume it.`,
  };
}

export function refusalOfHold(hold: Hold, agent: string): UsageRefusal {
  return { reason: 'org_budget_exceeded', agent, detail: holdWords(hold, agent) };
}
