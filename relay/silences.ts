/**
 * Tells alerts that a silence which held them was ended before its time (A13).
 *
 * SR-1. Told at least once, however long Temporal is away; twice is harmless: an alert that is told
 *       asks again, and what another silence holds is held again.
 * SR-2. Nothing here throws: a failure of either side is recorded, and the lease does the rest.
 */
import type { KavachClient } from '../client/client.js';
import { describeFailure } from '../client/failure.js';
import type { Log } from '../client/log.js';
import { systemTimers, type Timers } from '../client/timers.js';
import type { SilencedAlert, SilenceLedger } from '../ledger/ledger.js';
import { backoffAfter } from './backoff.js';
import { createRounds, type Rounds } from './rounds.js';

/** Durations in ms. */
export interface SilenceRelayConfig {
  readonly pollMs: number;
  /** Must be longer than one call to Temporal may take. */
  readonly leaseMs: number;
  /** Claimed at a time, and told side by side. */
  readonly batch: number;
  readonly sweepEveryMs: number;
}

export const DEFAULT_SILENCE_RELAY_CONFIG: SilenceRelayConfig = {
  pollMs: 500,
  leaseMs: 10_000,
  batch: 20,
  sweepEveryMs: 600_000,
};

/** An alert whose timer runs late finds its note for so long after the silence's own end, ms. */
const KEEP_MS = 3_600_000;

export interface SilenceRelayOptions {
  readonly ledger: Pick<
    SilenceLedger,
    'claimSilenced' | 'silencedTold' | 'silencedFailed' | 'forgetSilenced'
  >;
  readonly client: Pick<KavachClient, 'endSilence'>;
  readonly log: Log;
  readonly config?: Partial<SilenceRelayConfig>;
  readonly timers?: Timers;
}

export function createSilenceRelay(options: SilenceRelayOptions): Rounds {
  const { ledger, client, log, timers = systemTimers } = options;
  const config = { ...DEFAULT_SILENCE_RELAY_CONFIG, ...options.config };

  const tell = async (claim: SilencedAlert): Promise<void> => {
    const { alertId, silence, tries } = claim;
    try {
      await client.endSilence(alertId);
    } catch (error) {
      const { reason } = describeFailure(error);
      if (tries === 0) log.warn({ alert: alertId, reason }, 'relay: the end of a silence waits');
      const backoffMs = backoffAfter(tries);
      await ledger.silencedFailed(claim, { now: timers.now(), backoffMs });
      return;
    }
    await ledger.silencedTold(claim);
    log.info({ alert: alertId, silence }, 'an alert was told that a silence has ended');
  };

  return createRounds({
    ...{ subject: 'the ledger of silences', log, timers, pollMs: config.pollMs },
    claimDue: async () => {
      const { batch: limit, leaseMs } = config;
      const claims = await ledger.claimSilenced({ now: timers.now(), limit, leaseMs });
      await Promise.all(claims.map(tell));
      return claims.length === limit;
    },
    sweep: {
      everyMs: config.sweepEveryMs,
      run: () => ledger.forgetSilenced(timers.now() - KEEP_MS),
    },
  });
}
