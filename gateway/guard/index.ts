/** Leases and their guards, as the gateway starts and ends them. */
import type { LeaseOptions, Leases, Logger } from '../options.js';
import { createGuardHub } from './hub.js';
import { DEFAULT_GUARD_POLICY } from './policy.js';

interface Surroundings {
  readonly log: Logger;
  readonly now: () => number;
  readonly timeoutMs: number;
  readonly retryAfterS: number;
}

/** Undefined where there are none. */
export function startLeases(
  options: LeaseOptions | undefined,
  around: Surroundings,
): Leases | undefined {
  if (options === undefined) return undefined;
  const { ledger } = options;
  const policy = { ...DEFAULT_GUARD_POLICY, ...options.policy };
  return { ledger, guards: createGuardHub({ ledger, policy, ...around }) };
}
