/** A machine's refusal in the words of the port: what the author of an agent gets to read. */
import type { HolderRefusal } from '../../domain/lease/events.js';
import type { LeaseBudget } from '../../domain/lease/lease.js';
import type { Refusal } from '../admission.js';
import { formatAmount } from '../../domain/amount.js';

export function refusalOf(agent: string, { why, reason, budget }: HolderRefusal): Refusal {
  switch (why) {
    case 'budget':
      return {
        ...{ why: 'budget', reason: budget === undefined ? 'cost' : killWord(budget.dimension) },
        detail: budgetWords(agent, budget),
        ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
      };
    case 'killed':
      return {
        ...{
          why,
          reason: budget === undefined ? 'org_budget_exceeded' : killWord(budget.dimension),
        },
        detail: reason ?? `A budget that ${agent} counts in was killed.`,
        ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
      };
    case 'stopped':
      return { why, reason: 'tier_agent_limit', detail: reason ?? `${agent} was stopped.` };
    case 'rejected':
      return {
        ...{ why, reason: 'backend_rejected' },
        detail: `The gateway grants ${agent} nothing (${reason ?? 'no reason given'}): check its API key.`,
      };
    case 'unreachable':
      return {
        ...{ why, reason: 'unreachable' },
        detail:
          reason ??
          `The gateway cannot be reached, and nothing is granted ahead: ${agent} waits for it.`,
      };
    case 'full':
      return {
        ...{ why: 'unreachable', reason: 'too_many_waiting' },
        detail: `Too many calls of ${agent} wait for room already: try again later.`,
      };
    case 'closed':
      return {
        ...{ why: 'rejected', reason: 'closed' },
        detail: `The guard of ${agent} is closed: make a new one.`,
      };
    default:
      return why satisfies never;
  }
}

/** In the words of `onKill`. */
function killWord(dimension: LeaseBudget['dimension']): string {
  return dimension === 'tokens_total' ? 'tokens' : dimension;
}

function budgetWords(agent: string, budget: LeaseBudget | undefined): string {
  if (budget === undefined) return `No budget that ${agent} counts in has room for the call.`;
  const { dimension, cadence, scope, limit, spent, leased } = budget;
  const whose = scope === 'org' ? 'the organisation’s' : 'its';
  const [has, of, held] = [spent, limit, leased].map((amount) => formatAmount(dimension, amount));
  const others = leased > 0 ? `, and ${held ?? ''} are held for calls under way` : '';
  return `${agent} has no room for the call in ${whose} ${cadence} budget: ${has ?? ''} of ${of ?? ''} are spent${others}.`;
}

function budgetOf(budget: LeaseBudget): NonNullable<Refusal['budget']> {
  const { dimension, cadence, spent, limit, resetsAt } = budget;
  return {
    ...{ dimension, cadence, spent, limit },
    ...(resetsAt === undefined ? {} : { resetsAt }),
  };
}
