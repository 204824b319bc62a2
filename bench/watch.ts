/** Asking budget workflows until they say what they should, and the ids to ask. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KavachClient } from '../client/index.js';
import type { PeriodKey, Scope } from '../domain/budget/period-key.js';
import { budgetWorkflowId } from '../domain/ids.js';
import { createPeriodFinder } from '../domain/period.js';
import type { Check } from './figure.js';
import type { Sum } from './load.js';

const POLL_MS = 10;
const GIVE_UP_MS = 60_000;

export interface Expected {
  readonly workflowId: string;
  readonly sum: Sum;
}

const find = createPeriodFinder('UTC');

/** The period of a calendar cadence that holds now, or a run. */
export function keyOf(scope: Scope, cadence: 'daily' | 'monthly' | { run: string }): PeriodKey {
  const isRun = typeof cadence === 'object';
  return {
    ...{ org: 'default', scope, generation: 1 },
    cadence: isRun ? 'run' : cadence,
    period: isRun ? cadence.run : find(cadence, Date.now()).period,
  };
}

export function expectSum(key: PeriodKey, sum: Sum): Expected {
  return { workflowId: budgetWorkflowId(key), sum };
}

/** Until every status shows its whole total; what does not come in a minute is left as it is. */
export async function untilTold(client: KavachClient, all: readonly Expected[]): Promise<void> {
  const until = Date.now() + GIVE_UP_MS;
  let waiting = all;
  while (waiting.length > 0 && Date.now() < until) {
    const isTold = await Promise.all(
      waiting.map(async ({ workflowId, sum }) => {
        const status = await client.budgetStatus(workflowId).catch(notNow);
        return (status?.totals.calls ?? 0) >= sum.events;
      }),
    );
    waiting = waiting.filter((_, i) => isTold[i] !== true);
    if (waiting.length > 0) await delay(POLL_MS);
  }
}

/** A question that got no answer in time is asked again; the clock runs on. */
function notNow(): undefined {
  return undefined;
}

/** Each workflow's events, nano-USD and tokens against what was sent. */
export async function checksOf(
  client: KavachClient,
  what: string,
  all: readonly Expected[],
): Promise<Check[]> {
  const differing: Check[] = [];
  for (const { workflowId, sum } of all) {
    const actual = await totalsOf(client, workflowId);
    const expected = `${String(sum.events)} events, ${String(sum.cost)} nano-USD, ${String(sum.tokens)} tokens`;
    if (actual !== expected) differing.push({ what: `${what}: ${workflowId}`, expected, actual });
  }
  const balanced = all.length - differing.length;
  return [
    { what: `${what}: workflows that show their total`, expected: all.length, actual: balanced },
    ...differing,
  ];
}

/** Who does not answer, after being asked again and again, is one that does not balance: with its cause. */
async function totalsOf(client: KavachClient, workflowId: string): Promise<string> {
  const until = Date.now() + GIVE_UP_MS;
  for (;;) {
    try {
      const totals = (await client.budgetStatus(workflowId))?.totals;
      return `${String(totals?.calls)} events, ${String(totals?.cost)} nano-USD, ${String(totals?.tokens)} tokens`;
    } catch (error) {
      if (Date.now() > until) return `no answer: ${reasonOf(error)}`;
      await delay(1_000);
    }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

/** The ledger's own sums against all that was ever posted. */
export async function ledgerChecks(
  what: string,
  poster: { get(path: string): Promise<unknown>; posted(): Sum },
): Promise<Check[]> {
  return usageChecks(what, poster, poster.posted());
}

/** The same where several have posted to one ledger. */
export async function usageChecks(
  what: string,
  poster: { get(path: string): Promise<unknown> },
  posted: Sum,
): Promise<Check[]> {
  const usage = await usageOf(poster);
  return (['events', 'cost', 'tokens'] as const).map((each) => ({
    what: `${what}: ${each} in the ledger`,
    expected: posted[each],
    actual: usage[each],
  }));
}

/** The sum over a big book may take longer than the gateway waits while other work goes on. */
async function usageOf(poster: { get(path: string): Promise<unknown> }): Promise<Sum> {
  const until = Date.now() + GIVE_UP_MS;
  for (;;) {
    const answer = (await poster.get('/v1/status')) as { usage?: Sum };
    if (answer.usage !== undefined) return answer.usage;
    if (Date.now() > until) {
      throw new Error(`The ledger's sums were not answered: ${JSON.stringify(answer)}`);
    }
    await delay(1_000);
  }
}
