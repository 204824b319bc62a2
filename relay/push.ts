/**
 * Tells alerts what people have acknowledged on push, where the gateway that heard it could not
 * (it was killed, or Temporal was away), and ends what nobody took.
 *
 * PR-1. A stored acknowledgement is told at least once, however long Temporal is away; telling it
 *       twice is harmless.
 * PR-2. Nothing here throws: what fails is due again when its lease ends.
 */
import type { KavachClient } from '../client/client.js';
import { describeFailure } from '../client/failure.js';
import type { Log } from '../client/log.js';
import { systemTimers, type Timers } from '../client/timers.js';
import type { Ledger, PushConfirmation } from '../ledger/ledger.js';
import { createOutage } from './outage.js';
import { createRounds, type Rounds } from './rounds.js';

export interface PushRelayOptions {
  readonly ledger: Pick<Ledger, 'claimPushConfirmations' | 'pushConfirmed' | 'sweepPush'>;
  readonly client: Pick<KavachClient, 'confirmDelivery'>;
  readonly log: Log;
  readonly timers?: Timers;
  /** ms. @default 500 */
  readonly pollMs?: number;
  /** Longer than one call to Temporal may take, ms. @default 5,000 */
  readonly leaseMs?: number;
  /** ms. @default 5,000 */
  readonly sweepEveryMs?: number;
  /** Told at a time, side by side. @default 20 */
  readonly batch?: number;
}

export function createPushRelay(options: PushRelayOptions): Rounds {
  const { ledger, client, log, timers = systemTimers } = options;
  const { pollMs = 500, leaseMs = 5_000, sweepEveryMs = 5_000, batch = 20 } = options;
  const now = (): number => timers.now();
  const temporalOutage = createOutage('Temporal, told of push', log);

  const tell = async (confirmation: PushConfirmation): Promise<void> => {
    try {
      await client.confirmDelivery(confirmation.alertId, confirmation.deliveryId);
      temporalOutage.recovered();
    } catch (error) {
      temporalOutage.failed(describeFailure(error).reason, now());
      return;
    }
    await ledger.pushConfirmed(confirmation);
  };

  return createRounds({
    ...{ subject: 'the ledger of push', log, timers, pollMs },
    claimDue: async () => {
      const claimed = await ledger.claimPushConfirmations({ now: now(), limit: batch, leaseMs });
      await Promise.all(claimed.map(tell));
      return claimed.length === batch;
    },
    sweep: { everyMs: sweepEveryMs, run: () => ledger.sweepPush(now()) },
  });
}
