/** Budget periods that are told their totals straight through the client, without a ledger. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { createKavachClient, type KavachClient } from '../client/index.js';
import { DEFAULT_POLICY } from '../domain/alert/policy.js';
import type { PeriodRow } from '../domain/budget/input.js';
import type { Threshold } from '../domain/budget/limits.js';
import type { Report } from '../domain/budget/report.js';
import { budgetWorkflowId } from '../domain/ids.js';

const DAY_MS = 86_400_000;
/** Nano-USD and tokens of the benches' budgets. */
export const LIMIT = 1_000_000_000_000;

export function benchClient(client: Client, taskQueue: string): KavachClient {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return createKavachClient({
    ...{ client, taskQueue, policy: DEFAULT_POLICY, log, callTimeoutMs: 20_000 },
  });
}

export interface BenchPeriod {
  readonly row: PeriodRow;
  readonly workflowId: string;
}

/** A day's budget on cost and tokens, with its thresholds at `bps`. */
export function benchPeriod(bps: readonly number[]): BenchPeriod {
  const agent = `bench-${randomUUID()}`;
  const startsAt = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const key = {
    org: 'bench',
    scope: `agent:${agent}`,
    cadence: 'daily',
    period: 'bench',
    generation: 1,
  } as const;
  const thresholds: Threshold[] = bps.map((each) => ({
    bps: each,
    routes: [
      { channel: 'webhook', destination: 'd1' },
      { channel: 'slack', destination: 'd2' },
    ],
  }));
  const limit = { amount: LIMIT, enforcement: 'alert', thresholds } as const;
  return {
    workflowId: budgetWorkflowId(key),
    row: {
      key,
      // Far enough away that no midnight ends it meanwhile.
      window: { startsAt, endsAt: startsAt + 10 * DAY_MS, zone: 'UTC' },
      name: agent,
      limits: {
        rev: 1,
        limits: [
          { ...limit, dimension: 'cost' },
          { ...limit, dimension: 'tokens_total' },
        ],
      },
      ...{ latches: {}, firingNo: 0, senders: {}, openAlerts: [] },
    },
  };
}

/** The ledger's word that the period has spent `share` of its limit. */
export function shareReport(seq: number, share: number): Report {
  const amount = Math.floor(LIMIT * share);
  const now = Date.now();
  return {
    ...{ sender: 'ledger', epoch: 1, seq, cost: amount, tokens: amount, calls: seq },
    ...{ firstAt: now, lastAt: now, limitsRev: 1 },
  };
}
