/** Deliveries: the one place where an address leaves (L-5), and the record of every attempt. */
import { and, eq, isNull } from 'drizzle-orm';
import type { RenderedMessage } from '../domain/alert/message.js';
import type { Outcome } from '../domain/alert/outcome.js';
import type { Database, Run } from './database.js';
import { openDestination } from './destinations.js';
import type { DeliveryRef, OpenedDelivery } from './ledger.js';
import { attempts, defaultDestinations, deliveries, firings, typed } from './schema.js';
import type { SealKeys } from './seal.js';

/** C3, T2, T7. Opens the way, or says why nothing is to be sent. */
export function openDelivery(
  db: Database,
  keys: SealKeys,
  ref: DeliveryRef,
): Promise<OpenedDelivery> {
  return db.transaction(async (run): Promise<OpenedDelivery> => {
    const reference = ref.destination ?? (await defaultOf(run, ref));
    const found =
      reference === undefined ? undefined : await openDestination(run, keys, ref.org, reference);
    if (found === undefined) return { type: 'suppressed', reason: 'no_destination' };
    if (ref.purpose === 'resolve' && !found.sendResolved) {
      return { type: 'suppressed', reason: 'resolved' };
    }
    if (ref.purpose === 'fire' && !(await holdsFiring(run, ref))) {
      return { type: 'suppressed', reason: 'superseded' };
    }
    const message = await storedMessage(run, ref);
    return {
      type: 'open',
      destination: found.destination,
      ...(message === undefined ? {} : { message }),
    };
  });
}

async function defaultOf(run: Run, ref: DeliveryRef): Promise<string | undefined> {
  const [row] = await typed(run)
    .select({ reference: defaultDestinations.reference })
    .from(defaultDestinations)
    .where(and(eq(defaultDestinations.org, ref.org), eq(defaultDestinations.channel, ref.channel)));
  return row?.reference;
}

/** The first alert of a firing keeps it; one from a life before a restore is another. */
async function holdsFiring(run: Run, ref: DeliveryRef): Promise<boolean> {
  const { periodId, dimension, bps, limitsRev } = ref.firing;
  const key = { org: ref.org, periodId, dimension, bps, channel: ref.channel, limitsRev };
  await typed(run)
    .insert(firings)
    .values({ ...key, alertId: ref.alertId })
    .onConflictDoNothing();
  const [row] = await typed(run)
    .select({ alertId: firings.alertId })
    .from(firings)
    .where(
      and(
        eq(firings.org, key.org),
        eq(firings.periodId, key.periodId),
        eq(firings.dimension, key.dimension),
        eq(firings.bps, key.bps),
        eq(firings.channel, key.channel),
        eq(firings.limitsRev, key.limitsRev),
      ),
    );
  return row?.alertId === ref.alertId;
}

async function storedMessage(run: Run, ref: DeliveryRef): Promise<RenderedMessage | undefined> {
  const [row] = await typed(run)
    .select({ body: deliveries.body, contentType: deliveries.contentType })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.org, ref.org),
        eq(deliveries.alertId, ref.alertId),
        eq(deliveries.id, ref.deliveryId),
      ),
    );
  return row;
}

/** A11. The first message of a delivery is the one that is sent, to the byte, on every attempt. */
export function beginAttempt(
  db: Database,
  ref: DeliveryRef,
  attempt: number,
  message: RenderedMessage,
  now: number,
): Promise<{ message: RenderedMessage; unfinished: boolean }> {
  const { org, alertId, deliveryId, channel } = ref;
  return db.transaction(async (run) => {
    await typed(run)
      .insert(deliveries)
      .values({ org, alertId, id: deliveryId, ...message })
      .onConflictDoNothing();
    const begun = await typed(run)
      .insert(attempts)
      .values({ org, alertId, deliveryId, attempt, channel, startedAt: now })
      .onConflictDoNothing()
      .returning({ attempt: attempts.attempt });
    const unfinished =
      begun.length === 0 &&
      (
        await typed(run)
          .select({ attempt: attempts.attempt })
          .from(attempts)
          .where(and(ofAttempt(ref, attempt), isNull(attempts.endedAt)))
      ).length === 1;
    return { message: (await storedMessage(run, ref)) ?? message, unfinished };
  });
}

/** The first outcome stands. */
export async function finishAttempt(
  db: Database,
  ref: DeliveryRef,
  attempt: number,
  outcome: Outcome,
  now: number,
): Promise<void> {
  await typed(db.run)
    .update(attempts)
    .set({ endedAt: now, outcome })
    .where(and(ofAttempt(ref, attempt), isNull(attempts.endedAt)));
}

function ofAttempt(ref: DeliveryRef, attempt: number) {
  return and(
    eq(attempts.org, ref.org),
    eq(attempts.alertId, ref.alertId),
    eq(attempts.deliveryId, ref.deliveryId),
    eq(attempts.attempt, attempt),
  );
}
