/**
 * What a guard writes ahead of what it does (L4).
 *
 * J-1. A call starts only within a mark that is on disk; a lease is asked for only when its id is.
 * J-2. One record is under way at a time, and each is the whole truth.
 * J-3. A mark is at most a block ahead of what is used and reserved; it also goes back, so that a
 *      guard that dies at rest leaves little behind it.
 */
import {
  addAmounts,
  AMOUNTS,
  eachAmount,
  maxAmounts,
  minAmounts,
  NOTHING,
  type AmountName,
  type Amounts,
} from './amounts.js';
import type { HolderEffect, HolderRecord, MarkedLease } from './events.js';
import { committedOf, hasRoom, isLimited, reserve, type HeldLease } from './held.js';
import type { HolderState, PendingRequest, WaitingCall } from './state.js';

/** A mark that is this many blocks above what is committed is set back. */
const BLOCKS_TOO_FAR = 4;

/** J-1. The number of the request is covered, and the lease it would open is known. */
export function isJournaled(state: HolderState, pending: PendingRequest): boolean {
  if (pending.n > state.journal.n) return false;
  const id = openedBy(state, pending);
  return id === undefined || state.journal.ids.includes(id);
}

/** Writes a record when something has to be on disk that is not. */
export function writeJournal(state: HolderState, out: HolderEffect[]): HolderState {
  if (state.journal.writing !== undefined || !isWriteDue(state)) return state;
  const current = state.current && withMarking(state, state.current, state.waiting);
  const next = state.next && withMarking(state, state.next, []);
  const draining = state.draining.map((lease) => ({ ...lease, marking: exact(lease) }));
  const held = [...draining, current, next].filter((lease) => lease !== undefined);
  const record = recordOf(state, held);
  const rev = state.journal.rev + 1;
  const writing = { n: record.n, ids: record.leases.map((lease) => lease.id) };
  out.push({ type: 'mark', rev, record });
  return { ...state, draining, current, next, journal: { ...state.journal, rev, writing } };
}

export function takeMarked(state: HolderState, rev: number): HolderState {
  const { writing } = state.journal;
  if (writing === undefined || rev !== state.journal.rev) return state;
  return {
    ...state,
    current: state.current && withMarked(state.current),
    next: state.next && withMarked(state.next),
    draining: state.draining.map(withMarked),
    journal: { rev, ...writing, writing: undefined },
  };
}

/** J-3. The mark of the lease that calls start under is too near or too far. */
export function isMarkOff(state: HolderState, lease: HeldLease): boolean {
  return (
    isOffIn(state, lease, 'cost') ||
    isOffIn(state, lease, 'tokens') ||
    isOffIn(state, lease, 'calls')
  );
}

function isOffIn(state: HolderState, lease: HeldLease, name: AmountName): boolean {
  if (!isLimited(lease, name)) return false;
  const block = Math.max(lease.block[name], state.lastWorst[name]);
  const committed = lease.used[name] + lease.reserved[name];
  const ahead = lease.marked[name] - committed;
  if (ahead < block / 2)
    return lease.marked[name] < Math.min(lease.granted[name], committed + block);
  return ahead > block * BLOCKS_TOO_FAR;
}

function isWriteDue(state: HolderState): boolean {
  const { pending, current, journal } = state;
  if (pending !== undefined && pending.sentAt === undefined && !isJournaled(state, pending)) {
    return true;
  }
  if (current !== undefined && (isMarkOff(state, current) || lacksMark(state, current)))
    return true;
  return journal.ids.some((id) => !isHeld(state, id));
}

/** The first that waits has room and no mark. */
function lacksMark(state: HolderState, lease: HeldLease): boolean {
  const head = state.waiting[0];
  if (head === undefined || !hasRoom(lease, head.worst)) return false;
  return AMOUNTS.some(
    (name) =>
      isLimited(lease, name) &&
      lease.used[name] + lease.reserved[name] + head.worst[name] > lease.marked[name],
  );
}

function isHeld(state: HolderState, id: string): boolean {
  return (
    state.current?.id === id ||
    state.next?.id === id ||
    (state.pending !== undefined && openedBy(state, state.pending) === id) ||
    state.draining.some((lease) => lease.id === id) ||
    state.orphans.some((lease) => lease.id === id)
  );
}

function recordOf(state: HolderState, held: readonly HeldLease[]): HolderRecord {
  const opening = state.pending && openedBy(state, state.pending);
  const leases: MarkedLease[] = [
    ...state.orphans,
    ...held.map((lease) => ({ id: lease.id, mark: lease.marking ?? lease.marked })),
    ...(opening === undefined ? [] : [{ id: opening, mark: NOTHING }]),
  ];
  const n = Math.max(state.journal.n, state.n + state.policy.numbersAhead);
  return { holder: state.holder, agent: state.agent, n, leases };
}

function openedBy(state: HolderState, pending: PendingRequest): string | undefined {
  const { request } = pending;
  if (request.type !== 'ask' || request.ask.lease !== undefined) return undefined;
  return `${state.holder}/${String(pending.n)}`;
}

function withMarking(
  state: HolderState,
  lease: HeldLease,
  waiting: readonly WaitingCall[],
): HeldLease {
  let ahead = lease;
  for (const call of waiting) {
    if (hasRoom(ahead, call.worst)) ahead = reserve(ahead, call.worst);
  }
  const target = addAmounts(committedOf(ahead), maxAmounts(lease.block, state.lastWorst));
  const marking = maxAmounts(minAmounts(target, lease.granted), committedOf(lease));
  return { ...lease, marking: limitedOnly(lease, marking) };
}

function exact(lease: HeldLease): Amounts {
  return limitedOnly(lease, committedOf(lease));
}

/** What nothing limits is marked as far as the book granted it: that gives nothing back. */
function limitedOnly(lease: HeldLease, mark: Amounts): Amounts {
  return eachAmount((name) => (isLimited(lease, name) ? mark[name] : lease.book[name]));
}

function withMarked(lease: HeldLease): HeldLease {
  const { marking } = lease;
  return marking === undefined ? lease : { ...lease, marked: marking, marking: undefined };
}
