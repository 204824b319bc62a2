/** Leases in the words of the wire (snake_case, null for what never comes), checked as they come. */
import type { Amounts } from '../../domain/lease/amounts.js';
import type {
  ClosedLease,
  GrantedLease,
  LeaseAnswer,
  LeaseAsk,
  LeaseBudget,
  LeaseClose,
} from '../../domain/lease/lease.js';
import { CADENCES, DIMENSIONS } from '../../domain/words.js';

export function askWords({
  holder,
  n,
  agent,
  run,
  lease,
  startsNext,
  need,
  want,
}: LeaseAsk): object {
  return {
    ...{ holder, n, agent_name: agent },
    ...(run === undefined ? {} : { run_id: run }),
    ...(lease === undefined ? {} : { lease }),
    ...(startsNext === undefined ? {} : { starts: 'next' }),
    ...{ need: amountWords(need), want: amountWords(want) },
  };
}

export function closeWords({ holder, n, agent, lease, end }: LeaseClose): object {
  return {
    ...{ holder, n, agent_name: agent, lease },
    ...('mark' in end ? { mark: amountWords(end.mark) } : { last_seq: end.lastSeq }),
  };
}

/** Undefined: no gateway said this. */
export function readAnswer(value: unknown): LeaseAnswer | undefined {
  const now = value && fieldsOf(value)['now'];
  if (!isWhole(now)) return undefined;
  const answer = fieldsOf(value);
  switch (answer['type']) {
    case 'granted': {
      const lease = readLease(answer['lease']);
      return lease && { type: 'granted', lease, wanted: answer['wanted'] === true, now };
    }
    case 'unlimited': {
      const renewInMs = answer['renew_in_ms'];
      return isWhole(renewInMs) ? { type: 'unlimited', renewInMs, now } : undefined;
    }
    case 'refused': {
      const why = WHYS.find((each) => each === answer['why']);
      if (why === undefined) return undefined;
      const budget = readBudget(answer['budget']);
      const lease = readLease(answer['lease']);
      return {
        ...{ type: 'refused', why, othersHold: answer['others_hold'] === true, now },
        ...(budget === undefined ? {} : { budget }),
        ...(lease === undefined ? {} : { lease }),
        ...(typeof answer['reason'] === 'string' ? { reason: answer['reason'] } : {}),
      };
    }
    default:
      return undefined;
  }
}

export function readClosed(value: unknown): ClosedLease | undefined {
  const { type, lease } = fieldsOf(value);
  const state = STATES.find((each) => each === type);
  return state === undefined || typeof lease !== 'string' ? undefined : { lease, state };
}

const WHYS = ['exhausted', 'killed', 'stopped', 'ended'] as const;
const STATES = ['open', 'closing', 'closed', 'abandoned', 'released', 'unknown'] as const;

function readLease(value: unknown): GrantedLease | undefined {
  const fields = fieldsOf(value);
  const granted = readAmounts(fields['granted']);
  const { id, expires_in_ms: expiresInMs, valid_in_ms: validInMs, ends_in_ms: endsInMs } = fields;
  const budgets = Array.isArray(fields['budgets']) ? fields['budgets'].map(readBudget) : [];
  if (granted === undefined || typeof id !== 'string') return undefined;
  if (!isWhole(expiresInMs) || !isWhole(validInMs)) return undefined;
  // A budget that cannot be read would make its dimension unlimited.
  if (!budgets.every((budget) => budget !== undefined)) return undefined;
  return {
    ...{ id, granted, expiresInMs, validInMs, budgets },
    ...(isWhole(endsInMs) ? { endsInMs } : {}),
  };
}

function readBudget(value: unknown): LeaseBudget | undefined {
  const fields = fieldsOf(value);
  const { period_id: periodId, scope, limit, spent, leased, resets_at: resetsAt } = fields;
  const cadence = CADENCES.find((each) => each === fields['cadence']);
  const dimension = DIMENSIONS.find((each) => each === fields['dimension']);
  if (typeof periodId !== 'string' || cadence === undefined || dimension === undefined) {
    return undefined;
  }
  if (!isWhole(limit) || !isWhole(spent) || !isWhole(leased)) return undefined;
  return {
    ...{ periodId, cadence, dimension, limit, spent, leased },
    scope: scope === 'org' ? 'org' : 'agent',
    ...(isWhole(resetsAt) ? { resetsAt } : {}),
  };
}

function amountWords({ cost, tokens, calls }: Amounts): object {
  return { cost_nano_usd: cost, tokens, calls };
}

function readAmounts(value: unknown): Amounts | undefined {
  const { cost_nano_usd: cost, tokens, calls } = fieldsOf(value);
  return isWhole(cost) && isWhole(tokens) && isWhole(calls) ? { cost, tokens, calls } : undefined;
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
