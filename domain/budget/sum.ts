/** A period's totals: its senders added up (B1: saturating), and the length of its run (B7). */
import { addSaturating } from '../money.js';
import type { Dimension } from '../words.js';
import { sinceReset } from './limits.js';
import type { BudgetState, SenderTotals } from './state.js';
import { LEDGER } from './state.js';
import type { RunLife, Totals } from './totals.js';

const NOTHING: Totals = { cost: 0, tokens: 0, calls: 0 };

export interface Sum {
  readonly totals: Totals;
  readonly saturated: boolean;
}

/** Adds senders up, in any order with the same result. */
export function sumOf(senders: readonly SenderTotals[]): Sum {
  let totals = NOTHING;
  let saturated = false;
  for (const sender of senders) {
    const cost = addSaturating(totals.cost, sender.totals.cost);
    const tokens = addSaturating(totals.tokens, sender.totals.tokens);
    const calls = addSaturating(totals.calls, sender.totals.calls);
    saturated ||= cost.saturated || tokens.saturated || calls.saturated;
    totals = {
      cost: cost.value,
      tokens: tokens.value,
      calls: calls.value,
      ...bounds(totals, sender.totals),
    };
  }
  return { totals, saturated };
}

function bounds(a: Totals, b: Totals): Pick<Totals, 'firstAt' | 'lastAt'> {
  const first = least(a.firstAt, b.firstAt);
  const last = most(a.lastAt, b.lastAt);
  return {
    ...(first === undefined ? {} : { firstAt: first }),
    ...(last === undefined ? {} : { lastAt: last }),
  };
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
const most = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.max(a, b);

/** The senders that report directly, by name. */
export function directSenders(state: BudgetState): Record<string, SenderTotals> {
  return Object.fromEntries(Object.entries(state.senders).filter(([name]) => name !== LEDGER));
}

/** The earlier of `run_started` and the first event (B7). */
export function runBegan(totals: Totals, run: RunLife | undefined): number | undefined {
  return least(totals.firstAt, run?.startedAt);
}

/** B7. Open: said started, not ended, and heard of within the silence. */
export function isRunOpen(run: RunLife | undefined, silenceMs: number, now: number): boolean {
  return (
    run !== undefined && run.open && run.heardAt !== undefined && now - run.heardAt <= silenceMs
  );
}

/** B7. The run's length so far in ms, never negative. */
export function runLength(
  totals: Totals,
  run: RunLife | undefined,
  open: boolean,
  now: number,
): number {
  const began = runBegan(totals, run);
  if (began === undefined) return 0;
  const until = open ? Math.max(now, totals.lastAt ?? now) : (totals.lastAt ?? began);
  return Math.max(0, until - began);
}

/** What the period's limits count in each dimension (C1). `duration` is 0 outside a run. */
export function spentOf(state: BudgetState, now: number): Readonly<Record<Dimension, number>> {
  return spent(state, isRunOpen(state.run, state.policy.runSilenceMs, now), now);
}

/** The same with a run measured up to its last event only. */
export function spentAtRest(state: BudgetState): Readonly<Record<Dimension, number>> {
  return spent(state, false, 0);
}

function spent(
  state: BudgetState,
  open: boolean,
  now: number,
): Readonly<Record<Dimension, number>> {
  const { totals } = sumOf(Object.values(state.senders));
  return sinceReset(state.limits, {
    cost: totals.cost,
    tokens_total: totals.tokens,
    calls: totals.calls,
    duration: state.key.cadence === 'run' ? runLength(totals, state.run, open, now) : 0,
  });
}
