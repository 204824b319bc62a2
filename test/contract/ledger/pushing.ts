/** Push as the ledger promises it (ledger/push.ts): PU-1 to PU-4. */
import { describe, expect, test } from 'vitest';
import type { DeliveryRef, Ledger, PushSession } from '../../../ledger/ledger.js';
import { NOW, ORG, type Bed } from './bed.js';

const ADA = { org: ORG, recipient: 'ada' };
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

function refTo(id: string): DeliveryRef {
  return {
    ...{ org: ORG, alertId: `alert/${id}`, deliveryId: `alert/${id}/0`, purpose: 'fire' },
    ...{ channel: 'push', recipient: 'ada' },
  };
}

const offerTo = (ledger: Ledger, id: string, recipient = 'ada', now = NOW) =>
  ledger.offerPush({ ref: refTo(id), recipient, id, body: `{"id":"${id}"}` }, now);

async function connect(
  ledger: Ledger,
  { session = 's1', gateway = 'g1', recipient = 'ada', org = ORG, most = 20 } = {},
) {
  const hash = `ticket of ${session}`;
  await ledger.putPushTicket({ hash, org, recipient, expiresAt: NOW + MINUTE_MS });
  return ledger.redeemPushTicket(hash, { id: session, gateway }, most, NOW);
}

const OFFERED = { type: 'offered', confirmWithinMs: 5_000 };
const NOBODY = { type: 'sent', outcome: { kind: 'permanent_recipient' } };
const ACCEPTED = { type: 'sent', outcome: { kind: 'accepted' } };

export function pushingContract(bed: Bed): void {
  const silence = (gateway: string) =>
    bed.sql(`update push_gateway set beat_at = beat_at - 4001 where id = '${gateway}'`);

  describe('tickets', () => {
    test('PU-4: one lets one socket in, and only while it is fresh', async () => {
      const ledger = bed.ledger();
      const opened = await connect(ledger);
      const session = { id: 's1', gateway: 'g1', ...ADA, openedAt: NOW };
      expect(opened).toEqual({ type: 'opened', session });
      const again = { id: 's2', gateway: 'g1' };
      const used = await ledger.redeemPushTicket('ticket of s1', again, 20, NOW);
      expect(used).toEqual({ type: 'unknown' });
      await ledger.putPushTicket({ hash: 'old', ...ADA, expiresAt: NOW });
      expect(await ledger.redeemPushTicket('old', again, 20, NOW)).toEqual({ type: 'unknown' });
      expect(await ledger.redeemPushTicket('none', again, 20, NOW)).toEqual({ type: 'unknown' });
    });

    test('PU-4: of two who bring the same at once one gets in', async () => {
      const [first, second] = [await bed.open(), await bed.open()];
      for (let i = 0; i < 5; i += 1) {
        const hash = `both ${String(i)}`;
        await first.putPushTicket({ hash, ...ADA, expiresAt: NOW + MINUTE_MS });
        const answers = await Promise.all(
          [first, second].map((ledger, no) =>
            ledger.redeemPushTicket(hash, { id: `${hash}-${String(no)}`, gateway: 'g1' }, 99, NOW),
          ),
        );
        expect(answers.map(({ type }) => type).sort()).toEqual(['opened', 'unknown']);
      }
    });

    test('a person has so many sockets; those of a gateway that was lost do not count', async () => {
      const ledger = bed.ledger();
      await connect(ledger, { session: 's1', gateway: 'g1', most: 2 });
      await connect(ledger, { session: 's2', gateway: 'g2', most: 2 });
      expect(await connect(ledger, { session: 's3', most: 2 })).toEqual({ type: 'full' });
      const other = await connect(ledger, { session: 's4', recipient: 'bob', most: 2 });
      expect(other.type).toBe('opened');
      await silence('g2');
      expect((await connect(ledger, { session: 's5', most: 2 })).type).toBe('opened');
    });
  });

  describe('offers', () => {
    test('PU-2: somebody is connected, or nobody is: also when only his gateway was lost', async () => {
      const ledger = bed.ledger();
      expect(await offerTo(ledger, 'm1')).toMatchObject(NOBODY);
      await connect(ledger);
      expect(await offerTo(ledger, 'm2')).toEqual(OFFERED);
      expect(await offerTo(ledger, 'm3', 'bob')).toMatchObject(NOBODY);
      await silence('g1');
      expect(await offerTo(ledger, 'm4')).toMatchObject(NOBODY);
      expect(await ledger.beatPush('g1')).toBe('known');
      expect(await offerTo(ledger, 'm5')).toEqual(OFFERED);
      await ledger.endPushSessions(['s1']);
      expect(await offerTo(ledger, 'm6')).toMatchObject(NOBODY);
    });

    test('of another organisation with the same name nobody is connected here', async () => {
      const ledger = bed.ledger();
      await connect(ledger, { org: 'other' });
      expect(await offerTo(ledger, 'm1')).toMatchObject(NOBODY);
    });

    test('a gateway that was forgotten is told so, and puts its sessions again', async () => {
      const ledger = bed.ledger();
      const opened = await connect(ledger);
      await bed.sql('update push_gateway set beat_at = beat_at - 60001');
      await ledger.sweepPush(NOW);
      expect(await bed.sql('select * from push_session')).toEqual([]);
      expect(await ledger.beatPush('g1')).toBe('new');
      expect(await offerTo(ledger, 'm1')).toMatchObject(NOBODY);
      const { session } = opened as { session: PushSession };
      await ledger.putPushSessions([session]);
      await ledger.putPushSessions([session]);
      expect(await offerTo(ledger, 'm2')).toEqual(OFFERED);
      await ledger.endPushGateway('g1');
      expect(
        await bed.sql('select id from push_gateway union all select id from push_session'),
      ).toEqual([]);
    });

    test('A11: offered again it is the same message; taken before, it is accepted', async () => {
      const ledger = bed.ledger();
      await connect(ledger);
      await offerTo(ledger, 'm1');
      expect(await offerTo(ledger, 'm1', 'ada', NOW + 1)).toEqual(OFFERED);
      expect((await ledger.missedPush(ADA, 0, 10)).messages).toHaveLength(1);
      await ledger.acknowledgePush(ADA, 'm1', NOW, 1_000);
      expect(await offerTo(ledger, 'm1', 'ada', NOW + 2)).toMatchObject(ACCEPTED);
    });

    test('T2, T7: a delivery is opened as any other, and nobody has to be verified for it', async () => {
      const ledger = bed.ledger();
      const firing = { periodId: 'p', dimension: 'cost', bps: 8_000, limitsRev: 1 } as const;
      const opened = await ledger.openDelivery({ ...refTo('m1'), firing }, NOW);
      expect(opened).toEqual({ type: 'open', destination: { address: '' } });
      const other = await ledger.openDelivery({ ...refTo('m2'), firing }, NOW);
      expect(other).toEqual({ type: 'suppressed', reason: 'superseded' });
      const over = await ledger.openDelivery({ ...refTo('m1'), purpose: 'resolve' }, NOW);
      expect(over).toEqual({ type: 'suppressed', reason: 'resolved' });
      const { recipient: _nobody, ...toNobody } = refTo('m3');
      expect(await ledger.openDelivery(toNobody, NOW)).toEqual({
        ...{ type: 'suppressed', reason: 'no_destination' },
      });
    });
  });

  describe('what is read', () => {
    test('missed: unacknowledged ones of the time asked for, oldest first, the newest of many', async () => {
      const ledger = bed.ledger();
      for (const [i, id] of ['m1', 'm2', 'm3', 'm4'].entries()) {
        await offerTo(ledger, id, 'ada', NOW + i);
      }
      await offerTo(ledger, 'bobs', 'bob');
      await ledger.acknowledgePush(ADA, 'm3', NOW, 1_000);
      const missed = await ledger.missedPush(ADA, NOW - 1, 2);
      expect(missed.messages.map(({ id }) => id)).toEqual(['m2', 'm4']);
      expect(missed.messages[0]?.body).toBe('{"id":"m2"}');
      expect(missed.waiting).toBe(3);
      expect((await ledger.missedPush(ADA, NOW + 3, 9)).messages).toEqual([]);
      expect(await ledger.missedPush({ org: 'other', recipient: 'ada' }, 0, 9)).toMatchObject({
        ...{ messages: [], waiting: 0 },
      });
    });

    test('PU-1: changes come in their order, to gateways with sockets of the person only', async () => {
      const ledger = bed.ledger();
      await connect(ledger);
      await connect(ledger, { session: 's2', gateway: 'g2', recipient: 'bob' });
      const { upTo } = await ledger.missedPush(ADA, 0, 9);
      await offerTo(ledger, 'm1');
      await offerTo(ledger, 'm2', 'bob');
      await offerTo(ledger, 'm3');
      await ledger.acknowledgePush(ADA, 'm1', NOW, 1_000);
      const { changes, upTo: end } = await ledger.pushChanges('g1', upTo, 10);
      expect(changes.map(({ id, body }) => [id, body])).toEqual([
        ['m3', '{"id":"m3"}'],
        ['m1', undefined],
      ]);
      expect((await ledger.pushChanges('g2', upTo, 10)).changes.map(({ id }) => id)).toEqual([
        'm2',
      ]);
      expect(await ledger.pushChanges('g1', end, 10)).toEqual({ changes: [], upTo: end });
      const first = await ledger.pushChanges('g1', upTo, 1);
      expect(first.changes.map(({ id }) => id)).toEqual(['m3']);
      expect((await ledger.pushChanges('g1', first.upTo, 1)).changes[0]?.id).toBe('m1');
    });

    test('PU-1: who reads while many write misses none and sees none twice', async () => {
      const reader = await bed.open();
      const writers = [await bed.open(), await bed.open(), await bed.open()];
      await connect(reader);
      let { upTo } = await reader.missedPush(ADA, 0, 1);
      const seen: string[] = [];
      const writing = { isOver: false };
      const reading = (async () => {
        for (;;) {
          const wasOver = writing.isOver;
          const read = await reader.pushChanges('g1', upTo, 7);
          seen.push(...read.changes.map(({ id }) => id));
          upTo = read.upTo;
          if (wasOver && read.changes.length === 0) return;
        }
      })();
      await Promise.all(
        writers.flatMap((writer, w) =>
          Array.from({ length: 15 }, (_, i) => offerTo(writer, `${String(w)}-${String(i)}`)),
        ),
      );
      writing.isOver = true;
      await reading;
      expect(seen).toHaveLength(45);
      expect(new Set(seen).size).toBe(45);
    });

    test('whoever watches is told of a change made here; on Postgres of everybody’s', async () => {
      const [here, there] = [await bed.open(), await bed.open()];
      let rings = 0;
      const watch = await here.watchPush(() => (rings += 1));
      await expect
        .poll(() => rings, { timeout: 5_000 })
        .toBeGreaterThanOrEqual(watch.pollMs === 200 ? 0 : 1);
      rings = 0;
      await offerTo(here, 'm1');
      await expect.poll(() => rings).toBeGreaterThan(0);
      if (watch.pollMs > 200) {
        rings = 0;
        await offerTo(there, 'm2');
        await expect.poll(() => rings).toBeGreaterThan(0);
      }
      await watch.stop();
    });
  });

  describe('acknowledgements', () => {
    test('PU-3: counts once, only from the person it is for, and ends its attempt', async () => {
      const ledger = bed.ledger();
      const ref = refTo('m1');
      const message = { body: '{}', contentType: 'application/json' };
      await ledger.beginAttempt(ref, 1, message, NOW);
      await offerTo(ledger, 'm1');
      const bob = { org: ORG, recipient: 'bob' };
      expect(await ledger.acknowledgePush(bob, 'm1', NOW, 1_000)).toBeUndefined();
      expect(await ledger.acknowledgePush(ADA, 'm2', NOW, 1_000)).toBeUndefined();
      const taken = { org: ORG, id: 'm1', alertId: ref.alertId, deliveryId: ref.deliveryId };
      expect(await ledger.acknowledgePush(ADA, 'm1', NOW, 1_000)).toEqual(taken);
      expect(await ledger.acknowledgePush(ADA, 'm1', NOW, 1_000)).toBeUndefined();
      const opened = await ledger.openDelivery(ref, NOW);
      expect(opened).toMatchObject({ type: 'delivered', outcome: { kind: 'accepted' } });
    });

    test('PU-3: is told by whoever took it, or by a relay after the lease, until it was', async () => {
      const ledger = bed.ledger();
      await offerTo(ledger, 'm1');
      await ledger.acknowledgePush(ADA, 'm1', NOW, 1_000);
      const claim = (now: number) =>
        ledger.claimPushConfirmations({ now, limit: 10, leaseMs: 5_000 });
      expect(await claim(NOW + 999)).toEqual([]);
      const [confirmation] = await claim(NOW + 1_000);
      expect(confirmation).toMatchObject({ id: 'm1', deliveryId: 'alert/m1/0' });
      expect(await claim(NOW + 5_999)).toEqual([]);
      expect(await claim(NOW + 6_000)).toHaveLength(1);
      await ledger.pushConfirmed(confirmation!);
      expect(await claim(NOW + DAY_MS)).toEqual([]);
    });

    test('an offer that nobody took is ended in its record, and forgotten after a day', async () => {
      const ledger = bed.ledger();
      const ref = refTo('m1');
      await ledger.beginAttempt(ref, 1, { body: '{}', contentType: 'a/b' }, NOW);
      await offerTo(ledger, 'm1');
      const outcomes = () => bed.sql("select outcome->>'kind' as kind from attempt");
      await ledger.sweepPush(NOW + 6_999);
      expect(await outcomes()).toEqual([{ kind: null }]);
      await ledger.sweepPush(NOW + 7_000);
      expect(await outcomes()).toEqual([{ kind: 'permanent_recipient' }]);
      expect((await ledger.missedPush(ADA, 0, 9)).messages).toHaveLength(1);
      await ledger.putPushTicket({ hash: 'x', ...ADA, expiresAt: NOW });
      await ledger.sweepPush(NOW + DAY_MS);
      expect(await bed.sql('select id from push_message')).toEqual([]);
      expect(await bed.sql('select hash from push_ticket')).toEqual([]);
    });
  });
}
