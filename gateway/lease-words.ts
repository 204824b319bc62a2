/** Leases in the words of the wire: snake_case, and null for what never comes. */
import type { Amounts } from '../domain/lease/amounts.js';
import type {
  GrantedLease,
  LeaseAnswer,
  LeaseAsk,
  LeaseBudget,
  LeaseClose,
} from '../domain/lease/lease.js';
import type { LeaseView } from '../ledger/ledger.js';
import type { CloseLeaseBody, LeaseBody, WireAmounts } from './lease-schemas.js';

export function askOf(body: LeaseBody): LeaseAsk {
  const { holder, n, agent_name: agent, run_id: run, lease, starts, need, want } = body;
  return {
    ...{ holder, n, agent },
    ...(run === undefined ? {} : { run }),
    ...(lease === undefined ? {} : { lease }),
    ...(starts === undefined ? {} : { startsNext: true }),
    ...{ need: amountsOf(need), want: amountsOf(want) },
  };
}

/** The schema has seen to it that there is one of both. */
export function closeOf(body: CloseLeaseBody): LeaseClose {
  const { holder, n, agent_name: agent, lease, last_seq: lastSeq = 0, mark } = body;
  const end = mark === undefined ? { lastSeq } : { mark: amountsOf(mark) };
  return { holder, n, agent, lease, end };
}

export function answerWords(answer: LeaseAnswer): object {
  switch (answer.type) {
    case 'granted':
      return { ...answer, lease: grantedWords(answer.lease) };
    case 'refused': {
      const { type, why, budget, othersHold, lease, reason, now } = answer;
      return {
        ...{ type, why, others_hold: othersHold },
        ...(budget === undefined ? {} : { budget: budgetWords(budget) }),
        ...(lease === undefined ? {} : { lease: grantedWords(lease) }),
        ...(reason === undefined ? {} : { reason }),
        now,
      };
    }
    case 'unlimited':
      return { type: answer.type, renew_in_ms: answer.renewInMs, now: answer.now };
    default:
      return answer satisfies never;
  }
}

export function leaseWords(lease: LeaseView): object {
  return {
    ...{ id: lease.id, agent_name: lease.agent },
    ...(lease.run === undefined ? {} : { run_id: lease.run }),
    ...{ holder: lease.holder, state: lease.state },
    granted: amountWords(lease.granted),
    settled: amountWords(lease.settled),
    remainder: amountWords(lease.remainder),
    period_ids: lease.periods,
    ...{ opened_at: lease.openedAt, renewed_at: lease.renewedAt, expires_at: lease.expiresAt },
    ...(lease.closedAt === undefined ? {} : { closed_at: lease.closedAt }),
    vanished: lease.vanished,
    ...(lease.why === undefined ? {} : { why: lease.why }),
  };
}

function grantedWords(lease: GrantedLease): object {
  return {
    id: lease.id,
    granted: amountWords(lease.granted),
    expires_in_ms: lease.expiresInMs,
    valid_in_ms: lease.validInMs,
    ends_in_ms: lease.endsInMs ?? null,
    budgets: lease.budgets.map(budgetWords),
  };
}

function budgetWords(budget: LeaseBudget): object {
  const { periodId, scope, cadence, dimension, limit, spent, leased, resetsAt } = budget;
  const counted = { limit, spent, leased };
  return {
    ...{ period_id: periodId, scope, cadence, dimension, ...counted },
    resets_at: resetsAt ?? null,
  };
}

function amountsOf({ cost_nano_usd: cost, tokens, calls }: WireAmounts): Amounts {
  return { cost, tokens, calls };
}

function amountWords({ cost, tokens, calls }: Amounts): WireAmounts {
  return { cost_nano_usd: cost, tokens, calls };
}
