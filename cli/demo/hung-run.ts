/**
 * A run that hangs: it said that it started, its heartbeats go on, and it never reports a call.
 * Only the durable timer of its period can notice that its time is up (B7).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayApi } from './gateway-api.js';

const HEARTBEAT_MS = 2_000;
const RETRY_MS = 200;

export interface HungRunOptions {
  readonly api: GatewayApi;
  readonly agent: string;
  readonly run: string;
  /** Aborted when the play is over: a hung process does not end by itself. */
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborts; throws when the gateway refuses what it says. */
export async function playHungRun({ api, agent, run, signal }: HungRunOptions): Promise<void> {
  let what: 'started' | 'heartbeat' = 'started';
  try {
    for (;;) {
      const isTold = await api.reportRun({ id: run, agent, what }, signal);
      if (isTold) what = 'heartbeat';
      await delay(isTold ? HEARTBEAT_MS : RETRY_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
