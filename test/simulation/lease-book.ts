/**
 * The book of leases in memory, for worlds of guards: grants by `decideGrant`, answers kept per
 * (holder, n), events as the only settlement. Every change is held against L2: nothing but a
 * lowered limit, a spender without a lease or an operator brings a row above its limit.
 */
import {
  addAmounts,
  AMOUNTS,
  maxAmounts,
  minAmounts,
  NOTHING,
  subtractAmounts,
  type AmountName,
  type Amounts,
} from '../../domain/lease/amounts.js';
import { decideGrant } from '../../domain/lease/grant.js';
import type {
  ClosedLease,
  LeaseAnswer,
  LeaseAsk,
  LeaseBudget,
  LeaseClose,
  LeaseState,
} from '../../domain/lease/lease.js';

const TTL_MS = 30_000;
const WANTED_MS = 5_000;
const AHEAD_MS = 60_000;

export interface BookBudget {
  readonly name: string;
  limits: Partial<Record<AmountName, number>>;
  /** Absent: it never ends. */
  readonly periodMs?: number;
  /** Whom it counts; absent: everybody. */
  readonly agents?: readonly string[];
}

interface Row {
  readonly id: string;
  readonly budget: BookBudget;
  readonly startsAt: number;
  readonly endsAt: number;
  spent: Amounts;
  wantedAt: number;
  readonly leases: Set<Lease>;
}

interface Lease {
  readonly id: string;
  readonly holder: string;
  readonly rows: readonly Row[];
  readonly startsAt: number;
  readonly endsAt: number;
  granted: Amounts;
  settled: Amounts;
  readonly seqs: Set<number>;
  lastSeq: number | undefined;
  state: LeaseState;
  expiresAt: number;
}

export interface BookEvent {
  readonly key: string;
  readonly agent: string;
  readonly amounts: Amounts;
  readonly lease?: string;
  readonly seq?: number;
}

export type LeaseBook = ReturnType<typeof createLeaseBook>;

export function createLeaseBook(budgets: readonly BookBudget[], now: () => number) {
  const rows = new Map<string, Row>();
  const leases = new Map<string, Lease>();
  const answers = new Map<string, { n: number; answer: LeaseAnswer | ClosedLease }>();
  const keys = new Set<string>();
  const stopped = new Set<string>();
  let asked = 0;

  const openOf = (lease: Lease): Amounts =>
    lease.state === 'closed' || lease.state === 'released'
      ? NOTHING
      : subtractAmounts(lease.granted, lease.settled);
  const leasedIn = (row: Row): Amounts => {
    let sum = NOTHING;
    for (const lease of row.leases) sum = addAmounts(sum, openOf(lease));
    return sum;
  };

  function rowsAt(agent: string, at: number): Row[] {
    return budgets
      .filter((budget) => budget.agents?.includes(agent) ?? true)
      .filter((budget) => AMOUNTS.some((name) => budget.limits[name] !== undefined))
      .map((budget) => {
        const index = budget.periodMs === undefined ? 0 : Math.floor(at / budget.periodMs);
        const id = `${budget.name}#${index}`;
        const found = rows.get(id);
        if (found !== undefined) return found;
        const startsAt = budget.periodMs === undefined ? 0 : index * budget.periodMs;
        const endsAt = startsAt + (budget.periodMs ?? Number.POSITIVE_INFINITY);
        const row: Row = {
          id,
          budget,
          startsAt,
          endsAt,
          spent: NOTHING,
          wantedAt: Number.NEGATIVE_INFINITY,
          leases: new Set(),
        };
        rows.set(id, row);
        return row;
      });
  }

  /** L2. Holds a change against what was there before it. */
  function guarded<T>(change: () => T): T {
    const before = new Map([...rows.values()].map((row) => [row, totalOf(row)]));
    const result = change();
    for (const row of rows.values()) {
      const was = before.get(row) ?? NOTHING;
      const is = totalOf(row);
      for (const name of AMOUNTS) {
        const limit = row.budget.limits[name];
        if (limit !== undefined && is[name] > Math.max(limit, was[name])) {
          throw new Error(`${row.id}: ${name} came to ${is[name]} of ${limit}, from ${was[name]}.`);
        }
      }
    }
    return result;
  }

  const totalOf = (row: Row): Amounts => addAmounts(row.spent, leasedIn(row));

  function once<T extends LeaseAnswer | ClosedLease>(
    request: { holder: string; n: number },
    answer: () => T,
  ): T | 'stale' {
    const last = answers.get(request.holder);
    if (last !== undefined && request.n < last.n) return 'stale';
    if (last?.n === request.n) return last.answer as T;
    const made = guarded(answer);
    answers.set(request.holder, { n: request.n, answer: made });
    return made;
  }

  function shown(row: Row, name: AmountName): LeaseBudget {
    return {
      periodId: row.id,
      scope: row.budget.agents === undefined ? 'org' : 'agent',
      cadence: row.budget.periodMs === undefined ? 'total' : 'hourly',
      dimension: name === 'tokens' ? 'tokens_total' : name,
      limit: row.budget.limits[name]!,
      spent: row.spent[name],
      leased: leasedIn(row)[name],
    };
  }

  function shownLease(lease: Lease) {
    return {
      id: lease.id,
      granted: lease.granted,
      expiresInMs: TTL_MS,
      validInMs: Math.max(lease.startsAt - now(), 0),
      ...(Number.isFinite(lease.endsAt) && { endsInMs: Math.max(lease.endsAt - now(), 0) }),
      budgets: lease.rows.flatMap((row) =>
        AMOUNTS.filter((name) => row.budget.limits[name] !== undefined).map((name) =>
          shown(row, name),
        ),
      ),
    };
  }

  function holdersIn(row: Row, holder: string): number {
    const live = new Set([holder]);
    for (const lease of row.leases) {
      if (lease.state === 'open' && lease.expiresAt > now()) live.add(lease.holder);
    }
    return live.size;
  }

  function answerAsk(ask: LeaseAsk): LeaseAnswer {
    asked += 1;
    const at = now();
    const known = ask.lease === undefined ? undefined : leases.get(ask.lease);
    if (ask.lease !== undefined) {
      if (known?.state !== 'open' || known.endsAt <= at) {
        return { type: 'refused', why: 'ended', othersHold: false, now: at };
      }
    }
    if (stopped.has(ask.agent)) {
      return { type: 'refused', why: 'stopped', othersHold: false, reason: 'by a test', now: at };
    }
    const counted = known?.rows ?? rowsFor(ask, at);
    if (counted.length === 0) return { type: 'unlimited', renewInMs: 10_000, now: at };
    if (known !== undefined) known.expiresAt = at + TTL_MS;
    const grant = decideGrant(
      counted.map((row) => ({
        periodId: row.id,
        limits: row.budget.limits,
        spent: row.spent,
        leased: leasedIn(row),
        holders: holdersIn(row, ask.holder),
      })),
      {
        need: ask.need,
        want: ask.want,
        granted: known?.granted ?? NOTHING,
        settled: known?.settled ?? NOTHING,
      },
    );
    if (grant.type === 'refused') {
      const row = rows.get(grant.periodId)!;
      if (grant.othersHold) row.wantedAt = at;
      return {
        type: 'refused',
        why: 'exhausted',
        budget: shown(row, grant.dimension),
        othersHold: grant.othersHold,
        ...(known !== undefined && { lease: shownLease(known) }),
        now: at,
      };
    }
    const lease = known ?? openLease(ask, counted, at);
    lease.granted = grant.granted;
    const wanted = lease.rows.some((row) => at - row.wantedAt < WANTED_MS);
    return { type: 'granted', lease: shownLease(lease), wanted, now: at };
  }

  function rowsFor(ask: LeaseAsk, at: number): Row[] {
    const present = rowsAt(ask.agent, at);
    if (ask.startsNext !== true) return present;
    const ends = Math.min(...present.map((row) => row.endsAt));
    return ends - at <= AHEAD_MS ? rowsAt(ask.agent, ends) : present;
  }

  function openLease(ask: LeaseAsk, counted: readonly Row[], at: number): Lease {
    const ends = Math.min(...counted.map((row) => row.endsAt));
    const lease: Lease = {
      id: `${ask.holder}/${ask.n}`,
      holder: ask.holder,
      rows: counted,
      startsAt: Math.max(...counted.map((row) => row.startsAt)),
      endsAt: ends,
      granted: NOTHING,
      settled: NOTHING,
      seqs: new Set(),
      lastSeq: undefined,
      state: 'open',
      expiresAt: at + TTL_MS,
    };
    leases.set(lease.id, lease);
    for (const row of counted) row.leases.add(lease);
    return lease;
  }

  function answerClose({ lease: id, end }: LeaseClose): ClosedLease {
    const lease = leases.get(id);
    if (lease === undefined) return { lease: id, state: 'unknown' };
    if (lease.state === 'closed' || lease.state === 'released')
      return { lease: id, state: lease.state };
    if ('mark' in end) {
      lease.granted = minAmounts(lease.granted, maxAmounts(lease.settled, end.mark));
      lease.state = 'abandoned';
    } else {
      lease.lastSeq = end.lastSeq;
      lease.state = 'closing';
      finish(lease);
    }
    return { lease: id, state: lease.state };
  }

  /** L4. All events up to the last are stored: nothing of it is out any more. */
  function finish(lease: Lease): void {
    if (lease.state === 'closing' && lease.seqs.size >= (lease.lastSeq ?? Infinity)) {
      lease.state = 'closed';
    }
    if (lease.state === 'closed') for (const row of lease.rows) row.leases.delete(lease);
  }

  function store(event: BookEvent): void {
    if (keys.has(event.key)) return;
    keys.add(event.key);
    const lease = event.lease === undefined ? undefined : leases.get(event.lease);
    for (const row of lease?.rows ?? rowsAt(event.agent, now())) {
      row.spent = addAmounts(row.spent, event.amounts);
    }
    if (lease === undefined) return;
    lease.settled = addAmounts(lease.settled, event.amounts);
    if (event.seq !== undefined) lease.seqs.add(event.seq);
    finish(lease);
  }

  return {
    ask: (ask: LeaseAsk) => once(ask, () => answerAsk(ask)),
    close: (close: LeaseClose) => once(close, () => answerClose(close)),
    /** An event under a lease settles within what was granted, where bounds are true. */
    ingest: (event: BookEvent) => {
      if (event.lease === undefined) store(event);
      else
        guarded(() => {
          store(event);
        });
    },
    stop: (agent: string) => void stopped.add(agent),
    resume: (agent: string) => void stopped.delete(agent),
    isStopped: (agent: string) => stopped.has(agent),
    /** What a live channel tells a holder: somebody was refused in a row it holds a lease in. */
    isWantedOf: (holder: string) =>
      [...rows.values()].some(
        (row) =>
          now() - row.wantedAt < WANTED_MS &&
          [...row.leases].some((lease) => lease.holder === holder && lease.state === 'open'),
      ),
    isOverrunOf: (holder: string) =>
      [...rows.values()].some(
        (row) =>
          AMOUNTS.some((name) => totalOf(row)[name] > (row.budget.limits[name] ?? Infinity)) &&
          [...row.leases].some((lease) => lease.holder === holder && lease.state === 'open'),
      ),
    totals: (): { id: string; budget: BookBudget; spent: Amounts; leased: Amounts }[] =>
      [...rows.values()].map((row) => ({
        id: row.id,
        budget: row.budget,
        spent: row.spent,
        leased: leasedIn(row),
      })),
    rowsOf: (id: string): readonly string[] => leases.get(id)?.rows.map((row) => row.id) ?? [],
    holding: () =>
      [...leases.values()].map(({ id, state, granted, settled }) => ({
        id,
        state,
        granted,
        settled,
      })),
    asked: () => asked,
  };
}
