/** The outside of a recipient's digests (P3): when, what, the mail, and what came of it. */
import { renderDigest } from '../channels/digest-message.js';
import type { Suppression } from '../domain/alert/outcome.js';
import type { DeliverAnswer } from '../domain/alert/state.js';
import { nextDigestAt } from '../domain/digest/schedule.js';
import type { ClaimedDigest, DigestEnd, DigestRef } from '../domain/digest/state.js';
import { deliveryId, idempotencyKey } from '../domain/ids.js';
import { DEFAULT_PREFERENCES } from '../domain/preferences.js';
import type { DeliveryRef, Ledger, RecipientView } from '../ledger/ledger.js';
import { beforeSending } from './before-sending.js';
import { whileBeating } from './heartbeat.js';
import type { ActivityDependencies } from './index.js';

export type DigestActivityLedger = Pick<
  Ledger,
  'recipient' | 'planDigest' | 'claimDigest' | 'digestContents' | 'endDigest'
>;

export interface DigestDependencies extends Pick<
  ActivityDependencies,
  'channels' | 'alertUrl' | 'unsubscribeUrl' | 'digestHourMs' | 'now' | 'timeoutMs'
> {
  readonly ledger: DigestActivityLedger &
    Pick<Ledger, 'openDelivery' | 'beginAttempt' | 'finishAttempt'>;
}

export interface SendDigest {
  readonly ref: DigestRef;
  readonly digest: ClaimedDigest;
  /** From 1. */
  readonly attempt: number;
  readonly isLast: boolean;
}

/** A digest that its workflow has lost is looked after so long after its hour, ms. */
const WATCH_MS = 15 * 60_000;

export function createDigestActivities(dependencies: DigestDependencies) {
  const { ledger, now } = dependencies;
  return {
    /** Epoch ms; undefined: nothing waits. */
    planDigest: async (ref: DigestRef): Promise<{ readonly dueAt?: number }> => {
      const recipient = await recipientOf(ledger, ref);
      const { zone, digest } = recipient?.preferences ?? DEFAULT_PREFERENCES;
      const at = now();
      const nextAt = nextDigestAt(
        { cadence: ref.cadence, zone, hour: digest.hour, hourMs: dependencies.digestHourMs },
        at,
      );
      const dueAt = await ledger.planDigest(ref, { now: at, nextAt, watchMs: WATCH_MS });
      return dueAt === undefined ? {} : { dueAt };
    },
    claimDigest: async (ref: DigestRef): Promise<{ readonly digest?: ClaimedDigest }> => {
      const digest = await ledger.claimDigest(ref, now());
      return digest === undefined ? {} : { digest };
    },
    sendDigest: (request: SendDigest): Promise<DeliverAnswer> =>
      whileBeating(() => send(dependencies, request)),
    endDigest: async (ref: DigestRef, id: string, end: DigestEnd): Promise<void> => {
      await ledger.endDigest(ref, id, end, now());
    },
  };
}

/** As `deliver` does it: written before the request, the stored bytes on every attempt (A11). */
async function send(dependencies: DigestDependencies, request: SendDigest): Promise<DeliverAnswer> {
  const { ledger, channels, now } = dependencies;
  const { digest, attempt, isLast } = request;
  const { email } = channels;
  if (email === undefined) return { type: 'suppressed', reason: 'unsupported_channel' };
  const prepared = await beforeSending(() => prepare(dependencies, request));
  if ('answer' in prepared) return prepared.answer;
  const { ref, message, destination } = prepared;
  const outcome = await email.deliver({
    ...{ message, destination, now: now(), timeoutMs: dependencies.timeoutMs },
    idempotencyKey: idempotencyKey(deliveryId(digest.id, 0)),
  });
  // The workflow has the outcome whether or not it could be recorded.
  await ledger.finishAttempt(ref, attempt, outcome, now(), isLast).catch(() => undefined);
  return { type: 'sent', outcome };
}

async function prepare(
  { ledger, now, alertUrl, unsubscribeUrl }: DigestDependencies,
  { ref: whose, digest, attempt }: SendDigest,
) {
  const recipient = await recipientOf(ledger, whose);
  const way = wayOf(recipient);
  if (way.type === 'closed') {
    return { answer: { type: 'suppressed', reason: way.reason } as const };
  }
  const ref: DeliveryRef = {
    ...{ org: whose.org, alertId: digest.id, deliveryId: deliveryId(digest.id, 0) },
    ...{ purpose: 'fire', channel: 'email', destination: way.destination },
    // It stands for many already: the minute of a storm does not hold it.
    sumsUp: true,
  };
  const opened = await ledger.openDelivery(ref, now());
  if (opened.type === 'suppressed') {
    return { answer: { type: 'suppressed', reason: opened.reason } as const };
  }
  if (opened.type === 'delivered') {
    return { answer: { type: 'sent', outcome: opened.outcome } as const };
  }
  // It names no alert that a silence could be about.
  if (opened.type === 'held') throw new Error(`Digest ${digest.id} was held, which none can be`);
  const message =
    opened.message ??
    renderDigest({
      ...(await ledger.digestContents(whose.org, digest.id)),
      ...{ cadence: whose.cadence, at: now(), alertUrl },
      zone: recipient?.preferences.zone ?? DEFAULT_PREFERENCES.zone,
      unsubscribeUrl: unsubscribeUrl(whose.org, whose.recipient),
    });
  const begun = await ledger.beginAttempt(ref, attempt, message, now());
  return { ref, message: begun.message, destination: opened.destination };
}

type Way =
  | { readonly type: 'open'; readonly destination: string }
  | { readonly type: 'closed'; readonly reason: Suppression };

/** Preferences and contacts hold until the mail is sent. */
function wayOf(recipient: RecipientView | undefined): Way {
  const contact = recipient?.contacts.find(({ channel }) => channel === 'email');
  if (recipient?.preferences.unsubscribed === true) return { type: 'closed', reason: 'preference' };
  if (contact === undefined) return { type: 'closed', reason: 'no_destination' };
  if (contact.verifiedAt === undefined) return { type: 'closed', reason: 'unverified' };
  return { type: 'open', destination: contact.destination };
}

function recipientOf(
  ledger: DigestActivityLedger,
  { org, recipient: id }: DigestRef,
): Promise<RecipientView | undefined> {
  return ledger.recipient({ org, id });
}
