/**
 * Asks everybody who keeps a book of the play: the ledger through the gateway, every budget
 * workflow and every alert workflow by query, and the sink.
 */
import type { KavachClient } from '../../client/client.js';
import type { AlertStatus } from '../../domain/alert/view.js';
import type { BudgetStatus } from '../../domain/budget/view.js';
import type { PeriodKey } from '../../domain/budget/period-key.js';
import { budgetWorkflowId } from '../../domain/ids.js';
import { periodAt } from '../../domain/period.js';
import type { SinkRequest } from '../../fakes/sink.js';
import type { BudgetStatusView } from '../../gateway/views.js';
import type { GatewayApi } from './gateway-api.js';
import type { Plan, Sums } from './plan.js';

/** The name of the day's budget in the demo's lists; runs go by their ids. */
export const DAY = 'day';

export interface Observed {
  /** Unique events of the agent in the ledger. */
  readonly usage: Sums;
  /** By `day` or run id: the ledger's rows, and what the workflows that exist say. */
  readonly rows: ReadonlyMap<string, BudgetStatusView>;
  readonly workflows: ReadonlyMap<string, BudgetStatus>;
  readonly alerts: readonly AlertStatus[];
  readonly requests: readonly SinkRequest[];
}

export interface Sources {
  readonly api: GatewayApi;
  readonly client: Pick<KavachClient, 'budgetStatus' | 'alertStatus'>;
  readonly requests: readonly SinkRequest[];
  readonly plan: Plan;
  /** By `day` or run id. */
  readonly keys: ReadonlyMap<string, PeriodKey>;
}

/** Every period the play counts in; the day is that of `zone` at `startAt`. */
export function periodKeys(plan: Plan, zone: string, startAt: number): Map<string, PeriodKey> {
  const common = { org: 'default', scope: `agent:${plan.agent}`, generation: 1 } as const;
  const { period } = periodAt('daily', zone, startAt);
  return new Map<string, PeriodKey>([
    [DAY, { ...common, cadence: 'daily', period }],
    ...[...plan.runs.map(({ id }) => id), plan.hungRun].map(
      (run) => [run, { ...common, cadence: 'run', period: run }] as const,
    ),
  ]);
}

/** A sentence where one of them cannot be asked now: the service or Temporal is away. */
export async function observe(
  { api, client, requests, plan, keys }: Sources,
  signal: AbortSignal,
): Promise<Observed | string> {
  const [status, views] = await Promise.all([
    api.status(plan.agent, signal),
    api.alerts(plan.agent, signal),
  ]);
  if (status === undefined || views === undefined) return 'the service does not answer';
  const rows = new Map(
    status.budgets.map((row) => [row.key.cadence === 'run' ? row.key.period : DAY, row]),
  );
  const over = new AbortController();
  try {
    const broken = whenAborted(signal, over.signal);
    const workflows = new Map<string, BudgetStatus>();
    for (const [name, key] of keys) {
      const found = await Promise.race([client.budgetStatus(budgetWorkflowId(key)), broken]);
      if (found !== undefined) workflows.set(name, found);
    }
    const alerts: AlertStatus[] = [];
    for (const { id } of views) {
      const found = await Promise.race([client.alertStatus(id), broken]);
      if (found !== undefined) alerts.push(found);
    }
    return { usage: status.usage, rows, workflows, alerts, requests: [...requests] };
  } catch (error) {
    // A worker that was killed answers no queries until the next one has taken over.
    signal.throwIfAborted();
    return `a workflow does not answer (${error instanceof Error ? error.message : String(error)})`;
  } finally {
    over.abort();
  }
}

/** Rejects when the signal aborts: a query of a worker that was killed may take its time. */
function whenAborted(signal: AbortSignal, over: AbortSignal): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { signal: over });
  });
  broken.catch(() => undefined);
  return broken;
}
