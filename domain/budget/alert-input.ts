/** What a crossing becomes: the frozen input of its alert (A1, T4, T6). */
import type { Policy } from '../alert/policy.js';
import type { AlertRoute, ThresholdAlert } from '../alert/state.js';
import { alertWorkflowId, budgetWorkflowId, periodRowId } from '../ids.js';
import { priorityOf, severityOf } from '../severity.js';
import type { PeriodKey, PeriodWindow } from './period-key.js';
import type { Crossing } from './thresholds.js';

export interface AlertOrigin {
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly name: string;
  readonly policy: Policy;
  readonly limitsRev: number;
}

/** `firingNo` numbers the alerts of a period from 1: it makes the alert's id, so twice is once. */
export function alertInputOf(
  origin: AlertOrigin,
  crossing: Crossing,
  firingNo: number,
  now: number,
): ThresholdAlert {
  const { key, window, name, policy, limitsRev } = origin;
  const severity = severityOf(crossing.bps);
  return {
    id: alertWorkflowId(key, { no: firingNo, dimension: crossing.dimension, bps: crossing.bps }),
    org: key.org,
    subject: budgetWorkflowId(key),
    kind: 'threshold',
    facts: {
      org: key.org,
      agentName: name,
      dimension: crossing.dimension,
      cadence: key.cadence,
      thresholdBps: crossing.bps,
      spent: crossing.spent,
      limit: crossing.limit,
      severity,
      priority: priorityOf(severity),
      ...(window.endsAt === undefined ? {} : { resetsAt: window.endsAt }),
      zone: window.zone,
      at: now,
      ...(crossing.routes.some((route) => route.channel === 'kill') ? { kills: true } : {}),
    },
    routes: routesOf(crossing),
    firing: {
      no: firingNo,
      periodId: `${periodRowId(key)}/${String(key.generation)}`,
      limitsRev,
    },
    policy,
  };
}

/** `kill` is budget state, not a delivery (K1); the same way out twice is one. */
export function routesOf(crossing: Pick<Crossing, 'routes'>): AlertRoute[] {
  const seen = new Set<string>();
  const routes: AlertRoute[] = [];
  for (const { channel, destination } of crossing.routes) {
    const way = `${channel} ${destination ?? ''}`;
    if (channel === 'kill' || seen.has(way)) continue;
    seen.add(way);
    routes.push({ channel, ...(destination === undefined ? {} : { destination }) });
  }
  return routes;
}
