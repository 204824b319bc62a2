/** How destinations fare: gone, failing, restored; and what operators hear of it (A10, A15). */
import { describe, expect, test } from 'vitest';
import { DAY, NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';
import { MESSAGE, sendingOf } from './sending.js';

export function faringContract(bed: Bed): void {
  const { ref, put, verdict, attempt } = sendingOf(bed);
  const health = async () => {
    const [row] = await bed.sql('select health, failures::int from destination');
    return row;
  };
  const notices = async () =>
    (await bed.ledger().operatorNotices(ORG, 9)).map(({ kind, text }) => ({ kind, text }));
  const delivery = (no: number, destination: string) => ({
    ...{ destination, alertId: `alert/${String(no)}` },
  });

  describe('H-2: health', () => {
    test('a provider’s word that nobody is there closes a destination until it is restored', async () => {
      const destination = await put();
      await attempt({ destination }, 'permanent_recipient', { isLast: false });
      expect(await verdict(delivery(2, destination))).toBe('unhealthy_destination');
      expect(await verdict({ destination, purpose: 'resolve' })).toBe('unhealthy_destination');
      await put({ secrets: ['a sync brings it again'] });
      expect(await verdict(delivery(2, destination))).toBe('unhealthy_destination');
      const restore = () => bed.ledger().restoreDestination(ORG, destination, 'ann', NOW + 1);
      expect(await restore()).toEqual({ changed: true });
      expect(await restore()).toEqual({ changed: false });
      expect(await verdict(delivery(2, destination))).toBe('open');
      expect(await health()).toEqual({ health: 'ok', failures: 0 });
      expect(await bed.ledger().restoreDestination('other', destination, 'x', NOW)).toEqual({
        changed: false,
      });
    });

    test('it is told once, by channel and reference, and stands in the audit', async () => {
      const destination = await put({ address: 'https://canary.test/secret' });
      await attempt({ destination }, 'permanent_recipient');
      await attempt(delivery(2, destination), 'permanent_recipient');
      const text = `The webhook destination ${destination} is gone: nothing is sent to it until it is restored (kavach destinations restore).`;
      expect(await notices()).toEqual([{ kind: 'destination_gone', text }]);
      expect(await bed.ledger().operatorNotices('other', 9)).toEqual([]);
      await bed.ledger().restoreDestination(ORG, destination, 'ann', NOW + 1);
      const entries = await bed.sql(
        'select subject, by, what, before, after from audit order by id',
      );
      const subject = `destination:${destination}`;
      expect(entries).toEqual([
        {
          ...{ subject, by: 'kavach', what: 'destination_gone', before: { health: 'ok' } },
          after: { health: 'gone', reason: 'HTTP 410' },
        },
        {
          ...{ subject, by: 'ann', what: 'destination_restored', before: { health: 'gone' } },
          after: { health: 'ok' },
        },
      ]);
    });

    test('the default destination fares like a named one', async () => {
      const destination = await put();
      await bed.ledger().setDefaultDestination(ORG, 'webhook', destination);
      await attempt({}, 'permanent_recipient');
      expect(await verdict({ alertId: 'alert/2' })).toBe('unhealthy_destination');
    });

    test('five deliveries in a row over a day are failing, and it is still tried', async () => {
      const destination = await put();
      const fail = (no: number, now: number) =>
        attempt(delivery(no, destination), 'transient', { now });
      for (const no of [1, 2, 3, 4, 5]) await fail(no, NOW + no);
      expect(await health()).toEqual({ health: 'ok', failures: 5 });
      await fail(6, NOW + DAY);
      expect(await health()).toEqual({ health: 'ok', failures: 6 });
      await fail(7, NOW + 1 + DAY);
      expect(await health()).toEqual({ health: 'failing', failures: 7 });
      await fail(8, NOW + 2 * DAY);
      expect(await verdict(delivery(9, destination))).toBe('open');
      expect(await notices()).toEqual([
        {
          kind: 'destination_failing',
          text: `The last 7 deliveries to the webhook destination ${destination} have failed: it is still tried.`,
        },
      ]);
    });

    test('fewer than five are not failing however long they take', async () => {
      const destination = await put();
      for (const no of [1, 2, 3, 4]) {
        await attempt(delivery(no, destination), 'permanent_config', { now: NOW + no * DAY });
      }
      expect(await health()).toEqual({ health: 'ok', failures: 4 });
    });

    test('an accepted delivery ends a row of failures, but not the provider’s word', async () => {
      const quick = await bed.open({ delivery: { failingAfter: 2, failingSpanMs: 10 } });
      const destination = await put();
      const end = async (no: number, kind: 'transient' | 'accepted', now: number) => {
        const of = ref(delivery(no, destination));
        await quick.beginAttempt(of, 1, MESSAGE, now);
        await quick.finishAttempt(of, 1, { kind, reason: 'x' }, now, true);
      };
      await end(1, 'transient', NOW);
      await end(2, 'transient', NOW + 10);
      expect(await health()).toEqual({ health: 'failing', failures: 2 });
      await end(3, 'accepted', NOW + 11);
      expect(await health()).toEqual({ health: 'ok', failures: 0 });
      await end(4, 'transient', NOW + 30);
      await end(5, 'transient', NOW + 31);
      expect(await health()).toEqual({ health: 'ok', failures: 2 });
      await attempt(delivery(6, destination), 'permanent_recipient');
      await end(7, 'accepted', NOW + 40);
      await end(8, 'transient', NOW + 41);
      await end(9, 'transient', NOW + 60);
      expect((await health())?.['health']).toBe('gone');
    });

    test('H-1: what is tried again, and what is written twice, counts for nothing', async () => {
      const destination = await put();
      await attempt({ destination }, 'transient', { isLast: false });
      await attempt({ destination }, 'permanent_recipient');
      expect(await health()).toEqual({ health: 'ok', failures: 0 });
      await attempt({ destination }, 'throttled', { no: 2 });
      await attempt({ destination }, 'throttled', { no: 2 });
      expect(await health()).toEqual({ health: 'ok', failures: 1 });
    });
  });
}
