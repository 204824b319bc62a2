/**
 * Turns what the ledger keeps for destinations and operators into alerts (A14, A15), and looks at
 * the relay's own lag: whoever is told late has to be told that he is.
 */
import type { Policy } from '../domain/alert/policy.js';
import type { Ledger } from '../ledger/ledger.js';

export type NoticesLedger = Pick<Ledger, 'raiseNotices' | 'lag' | 'tellOperators'>;

export interface NoticesOptions {
  readonly ledger: NoticesLedger;
  readonly policy: Policy;
  readonly now: () => number;
  /** Whose operators run the service; absent: nobody is told of a lag. */
  readonly serviceOrg?: string;
}

/** A storm's minute and a fault of the service are old news by then anyway, ms. */
const RAISE_EVERY_MS = 2_000;
const LOOK_EVERY_MS = 30_000;
/** A crossing is due at once and any other row within its interval: this late is a fault, ms. */
const LAG_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Does what is due, and nothing where it was done a moment ago. Rejects when the ledger does. */
export function createNotices({ ledger, policy, now, serviceOrg }: NoticesOptions): {
  isDue(): boolean;
  step(): Promise<void>;
} {
  let raisedAt = Number.NEGATIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = async (org: string): Promise<void> => {
    lookedAt = now();
    const { oldestMs, due } = await ledger.lag(now());
    if (oldestMs < LAG_MS) return;
    const text =
      `${String(due)} periods wait to be told their usage, the oldest for ` +
      `${String(Math.round(oldestMs / 1_000))} s: their alerts are late. Is Temporal there, and ` +
      'are there enough workers? The usage itself is kept.';
    const once = String(Math.floor(now() / HOUR_MS));
    await ledger.tellOperators(org, { kind: 'relay_lag', text, once }, now());
  };
  return {
    isDue: () => now() - raisedAt >= RAISE_EVERY_MS,
    step: async () => {
      raisedAt = now();
      if (serviceOrg !== undefined && now() - lookedAt >= LOOK_EVERY_MS) await look(serviceOrg);
      await ledger.raiseNotices(policy, now());
    },
  };
}
