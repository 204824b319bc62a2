/** Push as the gateway starts and ends it. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Logger, PushOptions, PushTickets } from '../options.js';
import { createPushHub } from './hub.js';
import { DEFAULT_PUSH_POLICY } from './policy.js';
import { answerUpgrades } from './upgrade.js';

export interface RunningPush {
  readonly tickets: PushTickets;
  listenTo(server: Server): void;
  /** Tells every client to come again; cuts off who has not gone after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

interface Surroundings {
  readonly log: Logger;
  readonly now: () => number;
  readonly newId: () => string;
  readonly isDraining: () => boolean;
  readonly retryAfterS: number;
}

/** Undefined where there is none. */
export function startPush(
  options: PushOptions | undefined,
  around: Surroundings,
): RunningPush | undefined {
  if (options === undefined) return undefined;
  const { ledger, confirm } = options;
  const policy = { ...DEFAULT_PUSH_POLICY, ...options.policy };
  // Never the same twice: the sessions of a process that was killed are nobody's.
  const gateway = randomUUID();
  const { log, now } = around;
  const hub = createPushHub({ ledger, confirm, policy, log, now, gateway });
  return {
    tickets: { ledger, ticketMs: policy.ticketMs },
    listenTo: (server) => {
      answerUpgrades(server, { ...around, hub, ledger, policy, gateway });
    },
    stop: (graceMs) => hub.stop(graceMs),
  };
}
