/** Guards, budgets that block, and what a lease's book has to add up to. */
import { expect } from 'vitest';
import type { Limit } from '../../../domain/budget/limits.js';
import type { Scope } from '../../../domain/budget/period-key.js';
import { NOTHING, type Amounts } from '../../../domain/lease/amounts.js';
import type { LeaseAnswer, LeaseAsk, LeaseClose } from '../../../domain/lease/lease.js';
import { periodRowId } from '../../../domain/ids.js';
import type { Ledger, PeriodSeed, PlacedAsk, UsageEvent } from '../../../ledger/ledger.js';
import { NOW, ORG, USD, batch, costLimit, event, limitsOf, seed, store } from './bed.js';

export const blockOf = (usd: number, over: Partial<Limit> = {}): Limit =>
  costLimit(usd, { enforcement: 'block', thresholds: [], ...over });

export const dailyOf = (usd: number, scope: Scope = 'agent:bot', org = ORG): PeriodSeed =>
  seed('daily', { org, scope, limits: limitsOf(0, blockOf(usd)) });

/** Whole dollars of cost, with as many calls and tokens as anybody may want. */
export const usd = (cost: number): Amounts => ({ cost: cost * USD, tokens: 0, calls: 0 });

export interface Guard {
  /** `need` dollars in all, and as many wanted; `over` says more. */
  ask(need: number, over?: Partial<LeaseAsk>, now?: number): Promise<LeaseAnswer>;
  close(end: LeaseClose['end'], now?: number): Promise<string>;
  /** Its next event, out of its lease. */
  event(key: string, cost: number, over?: Partial<UsageEvent>): UsageEvent;
  spend(key: string, cost: number, over?: Partial<UsageEvent>): Promise<void>;
  placed(ask: Partial<LeaseAsk>): PlacedAsk;
  readonly lease: () => string | undefined;
  readonly granted: () => Amounts;
}

/** One process with one agent, that keeps to what it is answered. */
export function guardOf(
  ledger: () => Ledger,
  holder: string,
  seeds: readonly PeriodSeed[],
  agent = 'bot',
): Guard {
  let n = 0;
  let seq = 0;
  let lease: string | undefined;
  let granted = NOTHING;
  const placed = (ask: Partial<LeaseAsk>): PlacedAsk => ({
    org: ORG,
    ask: { holder, n, agent, need: NOTHING, want: NOTHING, ...ask },
    seeds,
    revisions: [],
  });
  const guard: Guard = {
    placed,
    lease: () => lease,
    granted: () => granted,
    ask: async (need, over = {}, now = NOW) => {
      n += 1;
      const known = lease === undefined ? {} : { lease };
      const asked = placed({ ...known, need: usd(need), want: usd(need), ...over });
      const result = await ledger().askLease(asked, now);
      if (result.type !== 'answered') throw new Error(`Not answered: ${result.type}`);
      const { answer } = result;
      if (answer.type !== 'unlimited' && answer.lease !== undefined) {
        lease = answer.lease.id;
        granted = answer.lease.granted;
      }
      return answer;
    },
    close: async (end, now = NOW) => {
      n += 1;
      const close = { holder, n, agent, lease: lease ?? 'none', end };
      const result = await ledger().closeLease(ORG, close, now);
      if (result.type !== 'closed') throw new Error(`Not closed: ${result.type}`);
      lease = undefined;
      granted = NOTHING;
      return result.closed.state;
    },
    event: (key, cost, over = {}) => {
      seq += 1;
      const of = lease === undefined ? {} : { lease, leaseSeq: seq };
      return event(key, { agent, costUsed: cost * USD, ...of, ...over });
    },
    spend: async (key, cost, over) => {
      await store(ledger(), batch([guard.event(key, cost, over)], seeds));
    },
  };
  return guard;
}

/** Spent and held of a period's cost, in dollars. */
export async function bookOf(ledger: Ledger, of: PeriodSeed, now = NOW) {
  const id = periodRowId(of.key);
  const [view] = await ledger.budgets({ org: of.key.org, id, now, limit: 1 });
  if (view === undefined) throw new Error(`There is no period ${id}.`);
  const { own, leased, vanished, holders, guarded } = view;
  return {
    ...{ spent: own.cost / USD, leased: leased.cost / USD, vanished: vanished.cost / USD },
    ...{ holders, guarded },
  };
}

export function grantedIn(answer: LeaseAnswer): number {
  expect(answer.type).toBe('granted');
  return answer.type === 'granted' ? answer.lease.granted.cost / USD : 0;
}
