/**
 * The bare arms: the least code with which Temporal alone does the same. No limits, no latches,
 * no rotation: whatever Kavach adds is measured against this.
 */
import {
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';

/** One usage event as the bare arm signals it. */
export interface BareEvent {
  readonly cost: number;
  readonly tokens: number;
}

export interface BareTotals {
  readonly cost: number;
  readonly tokens: number;
  readonly calls: number;
}

export interface BareActivities {
  /** One HTTP POST to the sink. */
  post: (url: string) => Promise<void>;
}

export const bareAdd = defineSignal<[BareEvent]>('add');
export const bareTotals = defineQuery<BareTotals>('totals');
export const bareCross = defineSignal<[{ readonly url: string; readonly eager: boolean }]>('cross');
export const bareEnd = defineSignal('end');

/** Adds up one signal an event until it is told to end. */
export async function bareTally(): Promise<void> {
  let totals: BareTotals = { cost: 0, tokens: 0, calls: 0 };
  let isOver = false;
  setHandler(bareAdd, ({ cost, tokens }) => {
    totals = { cost: totals.cost + cost, tokens: totals.tokens + tokens, calls: totals.calls + 1 };
  });
  setHandler(bareTotals, () => totals);
  setHandler(bareEnd, () => {
    isOver = true;
  });
  await condition(() => isOver);
}

/** One activity a signal: the shortest way from a signal to a sink. */
export async function bareCrossing(): Promise<void> {
  const options = { startToCloseTimeout: '5s', retry: { maximumAttempts: 1 } } as const;
  const eager = proxyActivities<BareActivities>({ ...options, allowEagerDispatch: true });
  const queued = proxyActivities<BareActivities>({ ...options, allowEagerDispatch: false });
  const waiting: { readonly url: string; readonly eager: boolean }[] = [];
  let isOver = false;
  let calls = 0;
  setHandler(bareTotals, () => ({ cost: 0, tokens: 0, calls }));
  setHandler(bareCross, (crossing) => {
    waiting.push(crossing);
  });
  setHandler(bareEnd, () => {
    isOver = true;
  });
  for (;;) {
    await condition(() => isOver || waiting.length > 0);
    const next = waiting.shift();
    if (next === undefined) return;
    await (next.eager ? eager : queued).post(next.url);
    calls += 1;
  }
}
