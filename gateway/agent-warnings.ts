/**
 * What a person who stops or resumes an agent should hear beside the answer. W-1. The word was kept
 * before this is asked: what cannot be found out is not told, and fails nothing.
 */
import { sinceReset } from '../domain/budget/limits.js';
import { nearestWord } from '../domain/nearest.js';
import type { ApiKey } from '../ledger/ledger.js';
import { holdWords } from './hold-words.js';
import type { Gateway } from './options.js';
import type { ScopeCache } from './scopes.js';
import { heldBy } from './standing.js';
import { budgetStatusView } from './views.js';

/** Of an organisation's agents so many are compared. */
const COMPARED = 5_000;
const NEAR = 2;

/** A mistyped name is stopped, too, and stops nobody. */
export function stopWarnings(
  { ledger }: Pick<Gateway, 'ledger'>,
  { org, agent: own }: Pick<ApiKey, 'org' | 'agent'>,
  agent: string,
): Promise<readonly string[]> {
  return unlessLost(async () => {
    const names = await ledger.agentNames(org, agent, COMPARED);
    if (names.includes(agent)) return [];
    // An agent's key hears of no other agent.
    const meant = own === undefined ? nearestWord(agent, names, NEAR) : undefined;
    const hint = meant === undefined ? '' : ` Did you mean ${JSON.stringify(meant)}?`;
    return [`no agent of this name has reported yet: it is stopped from its first call on.${hint}`];
  });
}

/** Who is not stopped any more may still be held by a budget (K1, B9). */
export function resumeWarnings(
  gateway: Pick<Gateway, 'ledger'>,
  cache: ScopeCache,
  org: string,
  agent: string,
  now: number,
): Promise<readonly string[]> {
  return unlessLost(async () => {
    const held = await heldBy(gateway, cache, org, agent, now);
    if (held === undefined) return [];
    const spent = sinceReset(held.limits, budgetStatusView(held, now).spent);
    return [holdWords({ ...held, spent }, agent)];
  });
}

async function unlessLost(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await look();
  } catch {
    return [];
  }
}
