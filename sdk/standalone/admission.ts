/**
 * Admission without any service (spec §7): the same rules in this process, its channels sent from
 * here, best effort. Other processes and earlier lives of this one count for nothing.
 *
 * SA-1. RO-1 holds whatever the order of calls: deciding and reserving are one step.
 * SA-2. K1. A kill is told once, holds until its period ends, and is lifted then.
 */
import { HOLDER_POLICY } from '../../domain/lease/policy.js';
import type { Amounts } from '../../domain/lease/amounts.js';
import type { Admission, AdmissionStatus, Admitted, Refusal } from '../admission.js';
import { randomId } from '../engine/random-id.js';
import { refusalOf } from '../engine/refusals.js';
import { systemClock, systemTimers, type Clock, type Timers } from '../engine/surroundings.js';
import type { Settings } from '../settings.js';
import { createAlerts } from './alerts.js';
import { keepBudget, type KeptPeriod } from './kept-budget.js';
import { planBudgets } from './plan.js';
import { createQueue } from './queue.js';
import { killOf, roomFor } from './room.js';
import { createSend, type Send } from './send.js';

export interface StandaloneSurroundings {
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly send?: Send;
}

export function createStandaloneAdmission(
  settings: Settings,
  surroundings: StandaloneSurroundings = {},
): Admission {
  const { agentName: agent, runId, channels, logger } = settings;
  const standalone = settings.standalone === false ? {} : settings.standalone;
  const { clock = systemClock, timers = systemTimers } = surroundings;
  const send = surroundings.send ?? createSend({ channels, standalone, logger });
  const queue = createQueue(timers, HOLDER_POLICY.waitMs);
  const alerts = createAlerts({
    ...{ agentName: agent, send, clock, timers, logger, session: randomId() },
  });
  const refusals = new Set<(refusal: Refusal) => void>();
  const lifts = new Set<() => void>();
  let held: Refusal | undefined;
  let isCounting = true;
  let isClosed = false;

  const budgets = planBudgets(settings).map((plan) =>
    keepBudget({
      ...{ plan, agentName: agent, runId, clock, timers },
      zone: standalone.timeZone ?? 'UTC',
      raise: alerts.raise,
      endAlert: alerts.end,
      onChange: review,
    }),
  );
  isCounting = false;

  /** Opens what has begun meanwhile. */
  function current(): readonly KeptPeriod[] {
    const was = isCounting;
    isCounting = true;
    const periods = budgets.map((budget) => budget.current());
    isCounting = was;
    return periods;
  }

  sayAlone(settings);

  /** Something has changed; who waits may be served. Never in the middle of a change. */
  function review(): void {
    if (isCounting) return;
    tellKill(current());
    queue.serve((worst) => {
      const answer = decide(worst);
      return 'later' in answer ? undefined : answer;
    });
  }

  /** SA-2. */
  function tellKill(periods: readonly KeptPeriod[]): Refusal | undefined {
    const before = held;
    held = killOf(agent, periods);
    if (held !== undefined && !isSame(before, held)) for (const tell of refusals) tell(held);
    if (held === undefined && before !== undefined) for (const tell of lifts) tell();
    return held;
  }

  function decide(worst: Amounts): Admitted | { readonly later: Refusal } {
    if (isClosed) return { type: 'refused', refusal: refusalOf(agent, { why: 'closed' }) };
    const periods = current();
    const killed = tellKill(periods);
    if (killed !== undefined) return { type: 'refused', refusal: killed };
    const room = roomFor(agent, periods, worst);
    if (room.type === 'never') return { type: 'refused', refusal: room.refusal };
    if (room.type === 'later') return { later: room.refusal };
    return admitted(periods, worst);
  }

  /** KB-1. Its end belongs to the periods it began in. */
  function admitted(periods: readonly KeptPeriod[], worst: Amounts): Admitted {
    for (const period of periods) period.reserve(worst);
    let isOver = false;
    const end = (actual?: Amounts): void => {
      if (isOver) return;
      isOver = true;
      count(periods, actual, worst);
    };
    return {
      type: 'admitted',
      reservation: {
        settle: (actual) => {
          end(actual);
        },
        release: () => {
          end();
        },
      },
    };
  }

  function count(
    periods: readonly KeptPeriod[],
    actual: Amounts | undefined,
    reserved?: Amounts,
  ): void {
    isCounting = true;
    for (const period of periods) {
      if (actual !== undefined) period.count(actual);
      if (reserved !== undefined) period.release(reserved);
    }
    isCounting = false;
    review();
  }

  return {
    admit(worst, signal) {
      const answer = decide(worst);
      if (!('later' in answer)) return answer;
      if (queue.size() >= HOLDER_POLICY.queueMax) {
        return { type: 'refused', refusal: refusalOf(agent, { why: 'full' }) };
      }
      return queue.wait({ worst, refusal: answer.later, ...(signal && { signal }) });
    },
    report(actual) {
      if (!isClosed) count(current(), actual);
    },
    status() {
      const periods = current();
      tellKill(periods);
      return statusOf(periods);
    },
    onRefusal(tell) {
      refusals.add(tell);
      if (held !== undefined) tell(held);
    },
    onLifted(tell) {
      lifts.add(tell);
    },
    async close(timeoutMs) {
      isClosed = true;
      review();
      for (const budget of budgets) budget.stop();
      await alerts.close(timeoutMs);
    },
  };
}

/** Spec §7: it says so. */
function sayAlone({ agentName, orgBudget, logger }: Settings): void {
  logger.info?.(
    `Agent ${agentName} is guarded standalone: its budgets are kept in this process, start at nothing with it, and its alerts are sent best effort.`,
  );
  if (orgBudget === undefined) return;
  logger.warn?.(
    `The shared budget of agent ${agentName} is this process's alone: without a service nobody else counts in it.`,
  );
}

function isSame(before: Refusal | undefined, now: Refusal): boolean {
  const [a, b] = [before?.budget, now.budget];
  return (
    before?.reason === now.reason &&
    a?.dimension === b?.dimension &&
    a?.cadence === b?.cadence &&
    a?.resetsAt === b?.resetsAt
  );
}

/** Of the tightest budget of cost. */
function statusOf(periods: readonly KeptPeriod[]): AdmissionStatus {
  const [tightest] = periods
    .flatMap((period) => {
      const limit = period.plan.limits.limits.find(({ dimension }) => dimension === 'cost');
      if (limit === undefined) return [];
      const spent = period.spent().cost;
      return [{ spent, remaining: Math.max(limit.amount - spent, 0) }];
    })
    .sort((a, b) => a.remaining - b.remaining);
  return { ...tightest, waiting: 0, connected: false, standalone: true };
}
