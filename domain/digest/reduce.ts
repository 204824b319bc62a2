/**
 * P3. The machine of one recipient's digests.
 * D-1. Items are claimed only when their hour has come, and every claim that has items is one mail:
 *      nothing is sent that is empty, and what comes after the claim is in the next.
 * D-2. The ladder and what ends it are those of any delivery (A3, A4), under one key (A11).
 * D-3. What was claimed is ended and written before anything else is claimed.
 */
import { afterAttempt, afterLoss, LOST, type Next } from '../alert/ladder.js';
import type { Outcome } from '../alert/outcome.js';
import type { Machine, Step } from '../step.js';
import { assertNever } from '../step.js';
import type { DigestEffect, DigestEnd, DigestEvent, DigestState } from './state.js';

type DigestStep = Step<DigestState, DigestEffect>;

export const digestMachine: Machine<DigestState, DigestEvent, DigestEffect> = {
  reduce,
  dueAt: ({ dueAt }) => dueAt,
  tick: () => ({ type: 'ticked' }),
  isSettled: ({ phase }) => phase === 'idle',
};

function reduce(state: DigestState, event: DigestEvent, now: number): DigestStep {
  switch (event.type) {
    case 'began':
      return plan(state);
    case 'woken':
      return woken(state);
    case 'planned':
      return planned(state, event.dueAt);
    case 'claimed':
      return state.phase === 'claiming' ? claimed(state, event.digest) : [state, []];
    case 'sent':
      return attempted(state, event.attempt, event.outcome, now);
    case 'attemptLost':
      return attempted(state, event.attempt, 'lost', now);
    case 'suppressed':
      return isUnderWay(state, event.attempt)
        ? end(state, { result: 'suppressed', reason: event.reason })
        : [state, []];
    case 'written':
      return state.phase === 'ending' ? written(state) : [state, []];
    case 'failed':
      // What waits for its moment does not wait for an answer.
      return state.dueAt === undefined && state.phase !== 'idle'
        ? [{ ...state, dueAt: now + state.policy.retryMs }, []]
        : [state, []];
    case 'ticked':
      return ticked(state, now);
    default:
      return assertNever(event);
  }
}

function plan(state: DigestState): DigestStep {
  const { dueAt: _due, woken: _woken, digest: _digest, end: _end, ...rest } = state;
  return [{ ...rest, phase: 'planning', attempts: [] }, [{ type: 'plan', ref: state.ref }]];
}

/** What is under way goes on: whatever was added waits for the plan that follows it. */
function woken(state: DigestState): DigestStep {
  if (state.phase === 'waiting' || state.phase === 'idle') return plan(state);
  return state.phase === 'planning' ? [{ ...state, woken: true }, []] : [state, []];
}

function planned(state: DigestState, dueAt: number | undefined): DigestStep {
  if (state.phase !== 'planning' || state.dueAt !== undefined) return [state, []];
  // It may have been asked before whatever was said meanwhile.
  if (state.woken === true) return plan(state);
  return dueAt === undefined
    ? [{ ...state, phase: 'idle' }, []]
    : [{ ...state, phase: 'waiting', dueAt }, []];
}

function ticked(state: DigestState, now: number): DigestStep {
  if (state.dueAt === undefined || now < state.dueAt) return [state, []];
  const { dueAt: _due, ...due } = state;
  switch (state.phase) {
    case 'planning':
      return plan(state);
    case 'waiting':
    case 'claiming':
      return [{ ...due, phase: 'claiming' }, [{ type: 'claim', ref: state.ref }]];
    case 'sending':
      return attempt(due);
    case 'ending':
      return write(due);
    case 'idle':
      return [due, []];
    default:
      return assertNever(state.phase);
  }
}

/** D-1. */
function claimed(state: DigestState, digest: DigestState['digest']): DigestStep {
  if (state.dueAt !== undefined) return [state, []];
  if (digest === undefined) return plan(state);
  return attempt({ ...state, phase: 'sending', digest, attempts: [] });
}

function attempt(state: DigestState): DigestStep {
  const { ref, digest, attempts, policy } = state;
  if (digest === undefined) return plan(state);
  const no = attempts.length + 1;
  const isLast = no > policy.ladderMs.length;
  return [state, [{ type: 'send', ref, digest, attempt: no, isLast }]];
}

function isUnderWay({ phase, dueAt, attempts }: DigestState, no: number): boolean {
  return phase === 'sending' && dueAt === undefined && no === attempts.length + 1;
}

/** D-2. */
function attempted(
  state: DigestState,
  no: number,
  came: Outcome | 'lost',
  now: number,
): DigestStep {
  if (!isUnderWay(state, no)) return [state, []];
  const { attempts, policy } = state;
  const lost = came === 'lost';
  const outcome = lost ? LOST : came;
  const next: Next = lost
    ? afterLoss('email', attempts, policy.ladderMs)
    : afterAttempt('email', attempts, outcome, policy.ladderMs);
  const { kind, reason } = outcome;
  const tried = { no, at: now, outcome: kind, reason: reason.slice(0, 200) };
  const noted: DigestState = {
    ...state,
    attempts: [...attempts, lost ? { ...tried, lost } : tried],
  };
  if (next.type === 'again') return [{ ...noted, dueAt: now + Math.max(next.afterMs, 1) }, []];
  const result = next.type === 'accepted' ? 'sent' : 'failed';
  return end(noted, { result, reason: `${kind}: ${reason}`.slice(0, 200) });
}

/** D-3. */
function end(state: DigestState, came: DigestEnd): DigestStep {
  return write({ ...state, phase: 'ending', end: came });
}

function write(state: DigestState): DigestStep {
  const { ref, digest, end: came } = state;
  if (digest === undefined || came === undefined) return plan(state);
  return [state, [{ type: 'end', ref, digest, end: came }]];
}

function written(state: DigestState): DigestStep {
  return plan({ ...state, ended: state.ended + 1 });
}
