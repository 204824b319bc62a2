/**
 * An SDK's document -> what the ledger keeps (C1 to C3). Pure: addresses come out as a list to be
 * sealed, and go in again as references.
 *
 * G-S1. An entry applies to every budget of its dimension in the same document (C1); those of
 *       `org_alert_configs` to the organisation's budget, or, if not of cost, to the sender's runs.
 * G-S2. `block` exactly where there is a kill (B9). Doubles are dropped.
 * G-S3. Words nobody here evaluates (`loops`, those of newer SDKs) are shown, never refused; what
 *       is known and wrong is refused with its path, and nothing of the document is applied.
 */
import type { Limit, Route, Threshold } from '../domain/budget/limits.js';
import type { Budget } from '../domain/configuration.js';
import { parseRatio } from '../domain/ratio.js';
import { isRefusal } from '../domain/refusal.js';
import {
  CADENCES,
  CHANNELS,
  DIMENSIONS,
  type Cadence,
  type ChannelName,
  type Dimension,
} from '../domain/words.js';
import type { NewDestination } from '../ledger/ledger.js';
import { readAmount } from './amount.js';
import type { OrgPart } from '../domain/configuration/org-parts.js';
import {
  unprocessable,
  type SyncDocument,
  type SyncedAlert,
  type SyncedBudget,
} from './schemas.js';
import { readTarget } from './target.js';
import {
  enforcementOf,
  mergeThresholds,
  sortThresholds,
} from '../domain/configuration/thresholds.js';

export interface ReadDocument {
  readonly agent: string;
  /** To be stored before `configurationOf`, which takes their references in this order. */
  readonly destinations: readonly NewDestination[];
  readonly budgets: readonly ReadBudget[];
  readonly alerts: readonly ReadAlert[];
  readonly orgBudget?: ReadBudget;
  readonly orgAlerts: readonly ReadAlert[];
  /** Accepted, not evaluated; free of targets and secrets. */
  readonly shown: readonly unknown[];
}

interface ReadBudget {
  readonly cadence: Cadence;
  readonly dimension: Dimension;
  readonly amount: number;
}

interface ReadAlert {
  readonly channel: ChannelName;
  readonly bps: number;
  readonly dimension: Dimension;
  /** Index into `destinations`. */
  readonly destination?: number;
}

export interface SyncedConfiguration {
  readonly budgets: readonly Budget[];
  readonly orgPart?: OrgPart;
}

/** Throws a `Problem` (422) with the path of the first fault. */
export function readDocument(document: SyncDocument): ReadDocument {
  const shown: unknown[] = [];
  const destinations: NewDestination[] = [];
  const budgets = new Map<string, ReadBudget>();
  document.budgets.forEach((synced, index) => {
    const path = `budgets[${String(index)}]`;
    const budget = readBudget(synced, path);
    if (budget === undefined) {
      shown.push({ budget: synced });
      return;
    }
    const name = `${budget.cadence} ${budget.dimension}`;
    const known = budgets.get(name);
    if (known !== undefined && known.amount !== budget.amount) {
      throw unprocessable(path, `is a second ${name} budget with another limit`);
    }
    budgets.set(name, budget);
  });
  const readAlerts = (entries: readonly SyncedAlert[], list: string): ReadAlert[] =>
    entries.flatMap((synced, index) => {
      const alert = readAlert(synced, `${list}[${String(index)}]`, destinations);
      if (alert === undefined) shown.push({ alert: withoutSecrets(synced) });
      return alert ?? [];
    });
  const alerts = readAlerts(document.alert_configs, 'alert_configs');
  const orgAlerts = readAlerts(document.org_alert_configs ?? [], 'org_alert_configs');
  refuseTooMany([...alerts, ...orgAlerts]);
  const orgBudget = readOrgBudget(document.org_budget ?? undefined, shown);
  return {
    agent: document.agent_name,
    ...{ destinations, alerts, orgAlerts, shown },
    budgets: [...budgets.values()],
    ...(orgBudget === undefined ? {} : { orgBudget }),
  };
}

/** With the 50 of an operator's layer they are what a period takes (domain/budget/read-report.ts). */
const MOST_RATIOS = 50;
const MOST_WAYS = 200;

/** A document that its periods would refuse later is refused now. */
function refuseTooMany(alerts: readonly ReadAlert[]): void {
  for (const dimension of DIMENSIONS) {
    const ways = new Map<number, number>();
    for (const { bps } of alerts.filter((each) => each.dimension === dimension)) {
      ways.set(bps, (ways.get(bps) ?? 0) + 1);
    }
    if (ways.size > MOST_RATIOS) {
      const count = `${String(ways.size)} different threshold_pct for ${dimension}`;
      throw unprocessable(
        'alert_configs',
        `have ${count}: at most ${String(MOST_RATIOS)} are taken`,
      );
    }
    const [crowded] = [...ways].find(([, count]) => count > MOST_WAYS) ?? [];
    if (crowded === undefined) continue;
    const where = `more than ${String(MOST_WAYS)} entries for ${dimension} at ${String(crowded / 100)}%`;
    throw unprocessable('alert_configs', `have ${where}: send a group's address instead`);
  }
}

/** `references` are those of `document.destinations`, in order. */
export function configurationOf(
  document: ReadDocument,
  references: readonly string[],
): SyncedConfiguration {
  const thresholdsFor = (
    alerts: readonly ReadAlert[],
    dimension: Dimension,
    kill: Route,
  ): readonly Threshold[] =>
    sortThresholds(
      alerts
        .filter((alert) => alert.dimension === dimension)
        .map(({ channel, bps, destination }) => {
          const reference = destination === undefined ? undefined : references[destination];
          const route: Route =
            channel === 'kill'
              ? kill
              : { channel, ...(reference === undefined ? {} : { destination: reference }) };
          return { bps, routes: [route] };
        })
        .reduce<Threshold[]>((merged, each) => mergeThresholds(merged, [each]), []),
    );

  const limitOf = ({ cadence, dimension, amount }: ReadBudget): Limit => {
    // C2. Entries of the organisation's list that are not of cost are about the sender's own runs.
    const fromOrg = cadence === 'run' && dimension !== 'cost' ? document.orgAlerts : [];
    const thresholds = thresholdsFor([...document.alerts, ...fromOrg], dimension, {
      channel: 'kill',
    });
    return { dimension, amount, enforcement: enforcementOf(thresholds), thresholds };
  };
  const budgets = CADENCES.flatMap((cadence): Budget[] => {
    const limits = DIMENSIONS.flatMap((dimension) =>
      document.budgets.filter((each) => each.cadence === cadence && each.dimension === dimension),
    ).map(limitOf);
    return limits.length === 0 ? [] : [{ cadence, limits }];
  });
  if (document.orgBudget === undefined) return { budgets };
  const { cadence, amount } = document.orgBudget;
  const thresholds = thresholdsFor(document.orgAlerts, 'cost', {
    channel: 'kill',
    agents: [document.agent],
  });
  return {
    budgets,
    orgPart: { kind: 'org_part', agent: document.agent, cadence, amount, thresholds },
  };
}

function readOrgBudget(synced: SyncedBudget | undefined, shown: unknown[]): ReadBudget | undefined {
  if (synced === undefined) return undefined;
  const budget = readBudget(synced, 'org_budget');
  if (budget === undefined) {
    shown.push({ org_budget: synced });
    return undefined;
  }
  if (budget.dimension !== 'cost') {
    throw unprocessable('org_budget.budget_type', 'must be cost: only money is pooled');
  }
  if (budget.cadence === 'run') {
    throw unprocessable('org_budget.period', 'must not be per_run: runs belong to one agent');
  }
  return budget;
}

/** Undefined: words that are shown and not evaluated. */
function readBudget(synced: SyncedBudget, path: string): ReadBudget | undefined {
  const dimension = DIMENSIONS.find((each) => each === synced.budget_type);
  const cadence = CADENCES.find(
    (each) => each === (synced.period === 'per_run' ? 'run' : synced.period),
  );
  if (dimension === undefined || cadence === undefined) return undefined;
  if (dimension === 'duration' && cadence !== 'run') {
    throw unprocessable(`${path}.period`, 'must be per_run: only runs have a duration (B7)');
  }
  return {
    cadence,
    dimension,
    amount: readAmount(dimension, synced.limit_value, `${path}.limit_value`),
  };
}

function readAlert(
  synced: SyncedAlert,
  path: string,
  destinations: NewDestination[],
): ReadAlert | undefined {
  const bps = parseRatio(synced.threshold_pct);
  if (isRefusal(bps)) throw unprocessable(`${path}.threshold_pct`, bps.message);
  const channel = CHANNELS.find((each) => each === synced.channel);
  const dimension = DIMENSIONS.find((each) => each === synced.budget_type);
  if (channel === undefined || dimension === undefined) return undefined;
  const target = readTarget(channel, synced, path);
  if (target === undefined) return { channel, bps, dimension };
  destinations.push(target);
  return { channel, bps, dimension, destination: destinations.length - 1 };
}

function withoutSecrets({ channel, threshold_pct, budget_type }: SyncedAlert): unknown {
  return { channel, threshold_pct, budget_type };
}
