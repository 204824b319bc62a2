/**
 * How much a lease may come to. Pure: the book reads its rows under lock and asks here (L2).
 *
 * G-1. What is granted fits in every budget the lease counts in: its open remainder grows by no
 *      more than limit - spent - all open remainders. All budgets or none.
 * G-2. A refusal changes nothing; what was granted stands, also where a limit was lowered.
 * G-3. Beyond what is needed a holder gets half of its fair part of the room, so that grants
 *      shrink towards the edge, and its open remainder stays within 5 % of the limit (L4).
 */
import { AMOUNTS, type AmountName, type Amounts } from './amounts.js';

/** A budget under lock. `spent` and `leased` may together be more than the limit. */
export interface BudgetRoom {
  readonly periodId: string;
  /** Only what blocks: a dimension that is missing is unlimited. */
  readonly limits: Partial<Readonly<Record<AmountName, number>>>;
  /** Since its reset, all senders together. */
  readonly spent: Amounts;
  /** Open remainders of all leases in it, the asker's own included. */
  readonly leased: Amounts;
  /** Live ones, the asker included. */
  readonly holders: number;
}

/** Totals over the lease's life; a lease that is new has nothing granted and nothing settled. */
export interface GrantAsk {
  readonly need: Amounts;
  /** Below `granted` it gives the difference back. */
  readonly want: Amounts;
  readonly granted: Amounts;
  readonly settled: Amounts;
}

export type Grant =
  | { readonly type: 'granted'; readonly granted: Amounts }
  | {
      readonly type: 'refused';
      readonly periodId: string;
      readonly dimension: AmountName;
      /** Others' leases hold what may come back. */
      readonly othersHold: boolean;
    };

/** A holder's open remainder is at most this part of a limit, in 1/n, unless one call needs more. */
const HOLDER_PART = 20;
/** A grant is at most this part of a holder's fair part of the room, in 1/n. */
const EAGERNESS = 2;

/** What the lease comes to, or the budget that has no room for what is needed. */
export function decideGrant(rooms: readonly BudgetRoom[], ask: GrantAsk): Grant {
  const refused = refusalOf(rooms, ask);
  if (refused !== undefined) return refused;
  return {
    type: 'granted',
    granted: {
      cost: totalOf(rooms, ask, 'cost'),
      tokens: totalOf(rooms, ask, 'tokens'),
      calls: totalOf(rooms, ask, 'calls'),
    },
  };
}

/** A budget that nobody else holds anything of comes first: waiting for it makes no sense. */
function refusalOf(rooms: readonly BudgetRoom[], ask: GrantAsk): Grant | undefined {
  let found: Grant | undefined;
  for (const room of rooms) {
    for (const dimension of AMOUNTS) {
      const reach = reachOf(room, ask, dimension);
      if (reach === undefined || ask.need[dimension] <= reach) continue;
      const othersHold = room.leased[dimension] > openOf(ask, dimension);
      if (!othersHold) return { type: 'refused', periodId: room.periodId, dimension, othersHold };
      found ??= { type: 'refused', periodId: room.periodId, dimension, othersHold };
    }
  }
  return found;
}

function totalOf(rooms: readonly BudgetRoom[], ask: GrantAsk, name: AmountName): number {
  const granted = ask.granted[name];
  const need = ask.need[name];
  const want = Math.max(ask.want[name], need);
  // What is settled was spent: giving it back would make room that is not there.
  if (want < granted) return Math.max(want, Math.min(granted, ask.settled[name]));
  let total = want;
  for (const room of rooms) {
    const fair = fairOf(room, ask, name);
    if (fair !== undefined) total = Math.min(total, fair);
  }
  return Math.max(total, need, granted);
}

/** The most this budget could let the lease come to; undefined: it does not limit it. */
function reachOf(room: BudgetRoom, ask: GrantAsk, name: AmountName): number | undefined {
  const left = leftOf(room, name);
  if (left === undefined) return undefined;
  return left > 0 ? ask.settled[name] + openOf(ask, name) + left : ask.granted[name];
}

/** G-3. What it would let it come to unasked. */
function fairOf(room: BudgetRoom, ask: GrantAsk, name: AmountName): number | undefined {
  const left = leftOf(room, name);
  if (left === undefined) return undefined;
  if (left <= 0) return ask.granted[name];
  const open = openOf(ask, name);
  const share = Math.floor(left / (EAGERNESS * Math.max(room.holders, 1)));
  const cap = Math.floor((room.limits[name] ?? 0) / HOLDER_PART);
  return ask.settled[name] + Math.min(open + share, cap);
}

function leftOf(room: BudgetRoom, name: AmountName): number | undefined {
  const limit = room.limits[name];
  return limit === undefined ? undefined : limit - room.spent[name] - room.leased[name];
}

function openOf(ask: GrantAsk, name: AmountName): number {
  return Math.max(ask.granted[name] - ask.settled[name], 0);
}
