/**
 * What becomes of a period's latches and its kill under changed limits: in its workflow, and in its
 * row while nobody else may have heard of them.
 *
 * T5. A raise arms again what it leaves unreached.
 * K4. A raise lifts a kill only if the new ratio is below the kill's threshold.
 * C1. A reset arms everything of its dimension again, as the period counts anew from there.
 */
import { thresholdAmount } from '../ratio.js';
import { baseOf, type Limits } from './limits.js';
import type { Killed, Latches } from './state.js';
import { rearmThresholds, type Spent } from './thresholds.js';

interface Enforced {
  readonly limits: Limits;
  readonly latches: Latches;
  readonly killed?: Killed;
}

/** `spent` is what the new limits count. */
export function underLimits(
  before: Enforced,
  limits: Limits,
  spent: Spent,
): { readonly latches: Latches; readonly killed?: Killed } {
  const kept = Object.entries(before.latches).filter(
    ([key]) => !wasReset(before.limits, limits, key),
  );
  const latches = rearmThresholds(limits, Object.fromEntries(kept), spent);
  const { killed } = before;
  if (killed === undefined || isLifted(killed, before.limits, limits, spent)) return { latches };
  return { latches, killed: narrowed(killed, limits) };
}

/** A latch's key begins with its dimension. */
function wasReset(before: Limits, after: Limits, key: string): boolean {
  return (['cost', 'tokens_total', 'calls'] as const).some(
    (dimension) =>
      key.startsWith(`${dimension}/`) && baseOf(after, dimension) > baseOf(before, dimension),
  );
}

function isLifted(killed: Killed, before: Limits, after: Limits, spent: Spent): boolean {
  const { dimension, bps } = killed;
  const limit = after.limits.find((each) => each.dimension === dimension);
  if (limit === undefined) return false;
  const isRaised = limit.amount > killed.limit || wasReset(before, after, `${dimension}/`);
  return isRaised && spent[dimension] < thresholdAmount(limit.amount, bps);
}

/** C2. Whom an organisation's kill stops follows who has it configured now. */
function narrowed(killed: Killed, limits: Limits): Killed {
  const routes = limits.limits
    .find((each) => each.dimension === killed.dimension)
    ?.thresholds.find((each) => each.bps === killed.bps)
    ?.routes.filter((route) => route.channel === 'kill');
  return routes === undefined || routes.length === 0
    ? killed
    : withAgents(killed, agentsOf(routes));
}

export function withAgents(killed: Killed, agents: readonly string[] | undefined): Killed {
  const { agents: _old, ...rest } = killed;
  return agents === undefined ? rest : { ...rest, agents };
}

/** One kill route without agents stops everyone; else those named by any. */
export function agentsOf(
  routes: readonly { readonly agents?: readonly string[] }[],
): readonly string[] | undefined {
  const agents = new Set<string>();
  for (const route of routes) {
    if (route.agents === undefined) return undefined;
    for (const agent of route.agents) agents.add(agent);
  }
  return [...agents].sort();
}
