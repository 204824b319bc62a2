/**
 * Compares what was observed with the plan. Every difference is a sentence that says which.
 * AU-1. Money, tokens and events are equal to the unit, in the ledger and in the workflows.
 * AU-2. Each threshold that must fire fired once, and no other (T2).
 * AU-3. Every delivery was accepted; each request of an idempotent channel came under the one key
 *       of its delivery with the same bytes (A11); Slack saw a message twice only where an attempt
 *       was ambiguous (A12).
 */
import { isWorded } from '../../domain/alert/facts.js';
import type { AlertStatus } from '../../domain/alert/view.js';
import { idempotencyKey, parseBudgetWorkflowId } from '../../domain/ids.js';
import type { SinkRequest } from '../../fakes/sink.js';
import { crossingName } from './expectation.js';
import { DAY, type Observed } from './observe.js';
import type { Plan, PlannedRun, Sums } from './plan.js';

/** All differences; none when the play balances. */
export function audit(plan: Plan, observed: Observed): string[] {
  return [
    ...auditSums('the ledger', plan.total, observed.usage),
    ...auditPeriods(plan, observed),
    ...auditCrossings(plan, observed),
    ...observed.alerts.flatMap((alert) => auditDeliveries(alert)),
    ...auditRequests(observed),
  ];
}

function auditSums(where: string, expected: Sums, actual: Sums | undefined): string[] {
  if (actual === undefined) return [`${where}: nothing is there`];
  return (['events', 'cost', 'tokens'] as const)
    .filter((what) => expected[what] !== actual[what])
    .map((what) => {
      const unit = what === 'cost' ? 'nano-USD' : what;
      return `${where}: ${String(actual[what])} ${unit}, the trace has ${String(expected[what])}`;
    });
}

function auditPeriods(plan: Plan, { rows, workflows }: Observed): string[] {
  const hung: PlannedRun = { id: plan.hungRun, events: 0, cost: 0, tokens: 0, durationMs: 0 };
  const periods: readonly (Sums & { readonly id: string })[] = [
    { id: DAY, ...plan.total },
    ...plan.runs,
    hung,
  ];
  return periods.flatMap((expected) => {
    const { id } = expected;
    const row = rows.get(id)?.own;
    const inLedger = auditSums(`the ledger's row of ${id}`, expected, row && sumsOf(row));
    const workflow = workflows.get(id);
    const count = plan.crossings.filter(({ run = DAY }) => run === id).length;
    // A period that passed nothing has no workflow, unless something was to be waited for.
    if (workflow === undefined) {
      return count === 0 ? inLedger : [...inLedger, `the workflow of ${id}: there is none`];
    }
    const isTold = id === DAY || count > 0;
    return [
      ...inLedger,
      ...(isTold ? auditSums(`the workflow of ${id}`, expected, sumsOf(workflow.totals)) : []),
      ...(workflow.firings === count
        ? []
        : [`the workflow of ${id}: fired ${String(workflow.firings)} times, not ${String(count)}`]),
      ...(workflow.rejected === 0
        ? []
        : [`the workflow of ${id}: refused ${String(workflow.rejected)} messages`]),
      ...auditKill(plan, id, workflow.killed !== undefined),
    ];
  });
}

function auditKill({ crossings }: Plan, id: string, isKilled: boolean): string[] {
  const kills = crossings.some(
    ({ run = DAY, channels }) => run === id && channels.includes('kill'),
  );
  if (kills === isKilled) return [];
  return [`${id}: ${isKilled ? 'was killed and should not be' : 'should be killed and is not'}`];
}

export function sumsOf(totals: { cost: number; tokens: number; calls: number }): Sums {
  return { events: totals.calls, cost: totals.cost, tokens: totals.tokens };
}

/** The name of what an alert is about, as `crossingName` has it. */
export function nameOfAlert({ subject, facts }: AlertStatus): string {
  if (isWorded(facts)) return facts.title;
  const key = parseBudgetWorkflowId(subject);
  const run = key?.cadence === 'run' ? key.period : undefined;
  return crossingName({ run, dimension: facts.dimension, bps: facts.thresholdBps });
}

function auditCrossings({ crossings }: Plan, { alerts }: Observed): string[] {
  const fired = new Map<string, number>();
  for (const alert of alerts) {
    const name = nameOfAlert(alert);
    fired.set(name, (fired.get(name) ?? 0) + 1);
  }
  const expected = new Set(crossings.map(crossingName));
  return [
    ...[...expected]
      .filter((name) => fired.get(name) !== 1)
      .map((name) => `${name}: fired ${String(fired.get(name) ?? 0)} times, not once`),
    ...[...fired.keys()]
      .filter((name) => !expected.has(name))
      .map((name) => `${name}: fired, and the trace does not reach it`),
    ...crossings.flatMap((crossing) => {
      const alert = alerts.find((each) => nameOfAlert(each) === crossingName(crossing));
      const routes = alert?.deliveries.map(({ route }) => route.channel);
      const wanted = crossing.channels.filter((channel) => channel !== 'kill');
      const isSame = routes?.toSorted().join() === wanted.toSorted().join();
      if (alert === undefined || isSame) return [];
      return [`${crossingName(crossing)}: goes to ${String(routes)}, not ${String(wanted)}`];
    }),
  ];
}

function auditDeliveries(alert: AlertStatus): string[] {
  return alert.deliveries
    .filter(({ status }) => status !== 'accepted')
    .map(({ route, status, suppression, attempts }) => {
      const why = suppression ?? attempts.at(-1)?.reason ?? 'no attempt';
      return `${nameOfAlert(alert)} by ${route.channel}: ${status} (${why})`;
    });
}

function auditRequests({ alerts, requests }: Observed): string[] {
  const deliveries = alerts.flatMap((alert) => alert.deliveries);
  const keyed = new Map(deliveries.map(({ id, route }) => [idempotencyKey(id), route.channel]));
  const bodies = new Map<string, string>();
  const faults: string[] = [];
  for (const request of requests) {
    if (request.channel === 'slack') continue;
    const { key = 'none', channel, body, no } = request;
    const what = `request ${String(no)} to ${channel}`;
    if (keyed.get(key) !== channel) faults.push(`${what}: its key belongs to no delivery`);
    if ((bodies.get(key) ?? body) !== body) faults.push(`${what}: other bytes under the same key`);
    bodies.set(key, body);
  }
  for (const [key, channel] of keyed) {
    if (channel !== 'slack' && !requests.some((each) => each.key === key && each.taken)) {
      faults.push(`a delivery by ${channel} is said to be accepted, and the sink has not seen it`);
    }
  }
  return [...faults, ...auditSlack(alerts, requests)];
}

/** Slack knows no keys: a delivery may be seen once more for each attempt nobody knew the end of. */
function auditSlack(alerts: readonly AlertStatus[], requests: readonly SinkRequest[]): string[] {
  const deliveries = alerts
    .flatMap((alert) => alert.deliveries)
    .filter(({ route }) => route.channel === 'slack');
  const seen = requests.filter(({ channel, taken }) => channel === 'slack' && taken).length;
  const unsure = deliveries
    .flatMap(({ attempts }) => attempts)
    .filter(({ outcome }) => outcome === 'ambiguous').length;
  if (seen >= deliveries.length && seen <= deliveries.length + unsure) return [];
  const told = `${String(deliveries.length)} deliveries with ${String(unsure)} ambiguous attempts`;
  return [`Slack saw ${String(seen)} messages for ${told}`];
}
