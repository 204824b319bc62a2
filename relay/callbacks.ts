/**
 * Carries out what providers said later: takes votes back (A6), acknowledges and resolves (T9).
 *
 * CR-1. A stored callback is carried out at least once, however long Temporal is away; doing it
 *       twice is harmless.
 * CR-2. A vote is taken back only when the alert's journal has it: before that the alert does not
 *       count the delivery as accepted, and the word would be lost on it.
 * CR-3. Nothing here throws: a failure of either side is recorded, and the lease does the rest.
 */
import type { KavachClient } from '../client/client.js';
import { describeFailure } from '../client/failure.js';
import type { Log } from '../client/log.js';
import { systemTimers, type Timers } from '../client/timers.js';
import type { CallbackLedger, ClaimedCallback, ReceiptWord } from '../ledger/ledger.js';
import { backoffAfter } from './backoff.js';
import { createRounds, type Rounds } from './rounds.js';

/** Durations in ms. */
export interface CallbackConfig {
  readonly pollMs: number;
  /** Must be longer than all that one callback asks of Temporal may take. */
  readonly leaseMs: number;
  /** Claimed at a time, and carried out side by side. */
  readonly batch: number;
  /** A message whose id no attempt has by then is somebody else's. */
  readonly unknownMs: number;
  /** A delivery that has no vote by then will not get one. */
  readonly votelessMs: number;
  /** How long what was carried out is known against repeats. */
  readonly keepMs: number;
  readonly sweepEveryMs: number;
}

const HOUR_MS = 3_600_000;

export const DEFAULT_CALLBACK_CONFIG: CallbackConfig = {
  pollMs: 500,
  leaseMs: 30_000,
  batch: 10,
  unknownMs: HOUR_MS / 4,
  votelessMs: 24 * HOUR_MS,
  // Providers repeat for a day and a half; people, by hand, for longer.
  keepMs: 14 * 24 * HOUR_MS,
  sweepEveryMs: HOUR_MS,
};

/** T9. The provider's clock may go before ours by so much. */
const CLOCK_SKEW_MS = 5_000;

export interface CallbackRelayOptions {
  readonly ledger: CallbackLedger;
  readonly client: Pick<KavachClient, 'acknowledge' | 'resolve' | 'revokeDelivery'>;
  readonly log: Log;
  readonly config?: Partial<CallbackConfig>;
  readonly timers?: Timers;
}

/** What came of it: an end, or the reason to come back. */
type Verdict =
  | { readonly type: 'done'; readonly result: string }
  | { readonly type: 'later'; readonly reason: string };

const done = (result: string): Verdict => ({ type: 'done', result });
const later = (reason: string): Verdict => ({ type: 'later', reason });

export function createCallbackRelay(options: CallbackRelayOptions): Rounds {
  const { ledger, log, timers = systemTimers } = options;
  const config = { ...DEFAULT_CALLBACK_CONFIG, ...options.config };
  const now = (): number => timers.now();
  const carryOut = createCarryOut(options, config, now);
  return createRounds({
    ...{ subject: 'the ledger of callbacks', log, timers, pollMs: config.pollMs },
    claimDue: async () => {
      const request = { now: now(), limit: config.batch, leaseMs: config.leaseMs };
      const claims = await ledger.claimCallbacks(request);
      await Promise.all(claims.map(carryOut));
      return claims.length === config.batch;
    },
    sweep: {
      everyMs: config.sweepEveryMs,
      run: () => ledger.forgetCallbacks(now() - config.keepMs),
    },
  });
}

/** One claimed callback to its end, or to its next try. Rejects only when the ledger fails. */
function createCarryOut(
  { ledger, client, log }: CallbackRelayOptions,
  config: CallbackConfig,
  now: () => number,
): (claim: ClaimedCallback) => Promise<void> {
  const receipt = async (claim: ClaimedCallback, word: ReceiptWord): Promise<Verdict> => {
    const age = now() - claim.receivedAt;
    const deliveries = await ledger.noteReceipt(claim.provider, word, claim.receivedAt);
    if (deliveries.length === 0) {
      const reason = 'no delivery has this message';
      return age >= config.unknownMs ? done(reason) : later(reason);
    }
    if (word.what === 'delivered') return done('noted');
    const voted = deliveries.filter(({ hasVote }) => hasVote);
    const { reason } = word;
    const answers = await Promise.all(
      voted.map(({ alertId, deliveryId }) =>
        client.revokeDelivery(alertId, { delivery: deliveryId, reason }),
      ),
    );
    if (voted.length < deliveries.length && age < config.votelessMs) {
      return later('the alert has not counted the delivery yet');
    }
    const told = answers.filter((answer) => answer === 'told').length;
    return done(told > 0 ? `revoked ${String(told)}` : 'the alert was over');
  };

  const word = async (
    act: 'acknowledge' | 'resolve',
    { incident, by, until }: { incident: string; by: string; until: number },
  ): Promise<Verdict> => {
    const alerts = await ledger.alertsOfIncident(incident, until);
    const open = alerts.filter(({ phase }) => act === 'resolve' || phase === 'firing');
    const answers = await Promise.all(open.map(({ id }) => client[act](id, { by })));
    const taken = answers.filter(({ type }) => type === 'done').length;
    return done(`${act}: ${String(taken)} of ${String(open.length)}`);
  };

  const act = (claim: ClaimedCallback): Promise<Verdict> => {
    const { word: said, receivedAt } = claim;
    switch (said.what) {
      case 'delivered':
      case 'undelivered':
        return receipt(claim, said);
      case 'acknowledged':
      case 'resolved': {
        // What was raised after the word was said is not what it was said of.
        const until = Math.min(said.occurredAt + CLOCK_SKEW_MS, receivedAt);
        const verb = said.what === 'acknowledged' ? 'acknowledge' : 'resolve';
        return word(verb, { ...said, until });
      }
      default:
        return said satisfies never;
    }
  };

  return async (claim) => {
    const { provider, word: said, tries } = claim;
    let verdict: Verdict;
    try {
      verdict = await act(claim);
    } catch (error) {
      const { reason } = describeFailure(error);
      verdict = later(reason);
      if (tries === 0) log.warn({ provider, reason }, 'relay: a callback waits and is tried again');
    }
    if (verdict.type === 'done') {
      await ledger.callbackDone(claim, verdict.result);
      log.info({ provider, what: said.what, result: verdict.result }, 'a callback was carried out');
      return;
    }
    const { reason } = verdict;
    const backoffMs = backoffAfter(tries);
    await ledger.callbackFailed(claim, { now: now(), backoffMs, reason });
  };
}
