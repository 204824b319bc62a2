/** The end of the demo, for people as tables and for machines as one document. */
import { isWorded } from '../../domain/alert/facts.js';
import type { AlertStatus } from '../../domain/alert/view.js';
import { formatAmount } from '../../domain/amount.js';
import { budgetWorkflowId } from '../../domain/ids.js';
import type { PeriodKey } from '../../domain/budget/period-key.js';
import { nameOfAlert, sumsOf } from './audit.js';
import { crossingName, THRESHOLDS, type ExpectedCrossing } from './expectation.js';
import { grouped } from './live.js';
import { DAY, type Observed } from './observe.js';
import type { Plan, Sums } from './plan.js';
import type { Screen } from './screen.js';
import type { Tally } from './sender.js';

export interface Outcome {
  readonly plan: Plan;
  /** Undefined where the books could not be read to the end. */
  readonly observed: Observed | undefined;
  readonly differences: readonly string[];
  readonly tally: Tally;
  readonly kills: { readonly service: number; readonly temporal: number };
  readonly uiUrl: string;
  readonly keys: ReadonlyMap<string, PeriodKey>;
  readonly tookMs: number;
}

const NOTHING: Sums = { events: 0, cost: 0, tokens: 0 };

export function printReport(outcome: Outcome, screen: Screen): void {
  const { plan, observed, tally, kills } = outcome;
  screen.say();
  screen.table(
    [{ head: 'Accounting' }, ...['events', 'nano-USD', 'tokens'].map(toRight)],
    booksOf(outcome).map(({ book, sums }) => [
      book,
      ...[sums.events, sums.cost, sums.tokens].map(grouped),
    ]),
  );
  screen.say();
  screen.table(
    [{ head: 'Threshold' }, { head: 'channels' }, toRight('must fire'), toRight('fired')],
    firingsOf(plan, observed?.alerts ?? []).map((firing) => [
      `${String(firing.bps / 100)} % of ${formatAmount(firing.dimension, firing.limit)} a ${firing.per}`,
      firing.channels.join(', '),
      String(firing.expected),
      String(firing.fired),
    ]),
  );
  screen.say();
  screen.table(
    [{ head: 'Delivery' }, { head: 'channel' }, toRight('attempts'), { head: 'outcome' }],
    deliveriesOf(observed?.alerts ?? []).map((delivery) => [
      delivery.crossing,
      delivery.channel,
      String(delivery.attempts.length),
      delivery.attempts
        .map(({ outcome: kind, reason }) => (kind === 'accepted' ? kind : `${kind} (${reason})`))
        .join(', then ') || delivery.status,
    ]),
  );
  screen.say();
  const again = tally.retries === 0 ? '' : `, ${grouped(tally.retries)} of them again`;
  screen.say(`${grouped(tally.posts)} posts of usage${again}.`);
  if (tally.refusal !== undefined) {
    screen.say(
      `Once the agent was over its limit, ${grouped(tally.refusedEvents)} more events were stored ` +
        `and refused (429 ${tally.refusal}).`,
    );
  }
  if (kills.service > 0) screen.say(`The service was killed ${timesOf(kills.service)}.`);
  if (kills.temporal > 0) screen.say('The Temporal server was killed once.');
}

function timesOf(count: number): string {
  return count === 1 ? 'once' : `${grouped(count)} times`;
}

/** What machines get; amounts are integers, money in nano-USD. */
export function reportDocument(outcome: Outcome): object {
  const { plan, observed, differences, tally, kills, tookMs } = outcome;
  return {
    ok: differences.length === 0,
    differences,
    tookMs,
    speed: plan.speed,
    books: booksOf(outcome).map(({ book, sums }) => ({ book, ...sums })),
    thresholds: firingsOf(plan, observed?.alerts ?? []),
    deliveries: deliveriesOf(observed?.alerts ?? []),
    posts: tally,
    kills,
    links: linksOf(outcome),
  };
}

function booksOf({ plan, observed }: Outcome): { book: string; sums: Sums }[] {
  const day = observed?.workflows.get(DAY);
  const row = observed?.rows.get(DAY);
  const runs = [...(observed?.rows ?? [])].filter(([name]) => name !== DAY);
  const ofRuns = runs
    .map(([, { own }]) => sumsOf(own))
    .reduce(
      (sum, one) => ({
        events: sum.events + one.events,
        cost: sum.cost + one.cost,
        tokens: sum.tokens + one.tokens,
      }),
      NOTHING,
    );
  return [
    { book: 'in the trace', sums: plan.total },
    { book: 'in the ledger, unique events', sums: observed?.usage ?? NOTHING },
    {
      book: "in the ledger, the day's budget",
      sums: row === undefined ? NOTHING : sumsOf(row.own),
    },
    { book: `in the ledger, ${String(runs.length)} runs together`, sums: ofRuns },
    {
      book: "in the workflow of the day's budget",
      sums: day === undefined ? NOTHING : sumsOf(day.totals),
    },
  ];
}

interface Firing extends Pick<ExpectedCrossing, 'dimension' | 'bps' | 'channels'> {
  readonly per: 'day' | 'run';
  readonly limit: number;
  /** How many periods must cross it, each once. */
  readonly expected: number;
  readonly fired: number;
}

function firingsOf({ limits, crossings }: Plan, alerts: readonly AlertStatus[]): Firing[] {
  const names = alerts.map(nameOfAlert);
  return THRESHOLDS.map(({ dimension, bps, channels, cadence }) => {
    const isThis = (name: string): boolean =>
      name.split('/').slice(1).join('/') === `${dimension}/${String(bps)}`;
    return {
      ...{ dimension, bps, channels },
      per: cadence === 'daily' ? ('day' as const) : ('run' as const),
      limit:
        dimension === 'cost'
          ? limits.cost
          : dimension === 'duration'
            ? limits.durationMs
            : limits.tokens,
      expected: crossings.map(crossingName).filter(isThis).length,
      fired: names.filter(isThis).length,
    };
  });
}

function deliveriesOf(alerts: readonly AlertStatus[]) {
  return alerts
    .toSorted((a, b) => a.raisedAt - b.raisedAt)
    .flatMap((alert) =>
      alert.deliveries.map(({ route, status, attempts }) => ({
        crossing: nameOfAlert(alert),
        channel: route.channel,
        status,
        attempts: attempts.map(({ outcome, reason }) => ({ outcome, reason })),
      })),
    );
}

/** Pages of Temporal's Web UI, while it runs. */
export function linksOf({ uiUrl, keys, observed, plan }: Outcome): Record<string, string> {
  const link = (id: string): string =>
    `${uiUrl}/namespaces/default/workflows/${encodeURIComponent(id)}`;
  const budget = (name: string): string[] => {
    const key = keys.get(name);
    return key === undefined ? [] : [link(budgetWorkflowId(key))];
  };
  const kill = observed?.alerts.find(({ facts }) => !isWorded(facts) && facts.kills === true);
  const [day = uiUrl] = budget(DAY);
  const [hung = uiUrl] = budget(plan.hungRun);
  return {
    'all workflows': `${uiUrl}/namespaces/default/workflows`,
    "the day's budget": day,
    'the run that hung': hung,
    ...(kill === undefined ? {} : { 'the alert that killed': link(kill.id) }),
  };
}

function toRight(head: string) {
  return { head, right: true };
}
