/** What providers say later: kept, claimed, carried out; and what it does to a destination. */
import { describe, expect, test } from 'vitest';
import type { CallbackWord, NewCallback, ReceiptWord } from '../../../ledger/ledger.js';
import { DAY, HOUR, NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';
import { MESSAGE, sendingOf } from './sending.js';

const WORD: CallbackWord = { what: 'delivered', message: 'SM1' };
const claimRequest = { now: NOW, limit: 10, leaseMs: 5_000 };
const lost = (over: Partial<Extract<ReceiptWord, { what: 'undelivered' }>> = {}): ReceiptWord => ({
  ...{ what: 'undelivered', message: 'm-1', reason: 'it bounced', gone: false },
  ...over,
});
const arrived = (message = 'm-1'): ReceiptWord => ({ what: 'delivered', message });

export function callbacksContract(bed: Bed): void {
  const { ref, put } = sendingOf(bed);
  const callback = (eventId: string, over: Partial<NewCallback> = {}): NewCallback => ({
    ...{ provider: 'twilio', eventId, word: WORD },
    ...over,
  });
  const store = (...ids: string[]) =>
    Promise.all(ids.map((id, i) => bed.ledger().putCallback(callback(id), NOW + i)));

  describe('CB-1: the inbox of callbacks', () => {
    test('an event is stored once, also when it comes ten times at once', async () => {
      const answers = await store(...Array.from({ length: 10 }, () => 'e'));
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1);
      // The same name is another provider's event.
      const other = callback('e', { provider: 'resend' });
      expect(await bed.ledger().putCallback(other, NOW)).toBe('stored');
    });

    test('it is claimed once, with its word, the oldest first, until its lease ends', async () => {
      await store('a', 'b', 'c');
      const request = { ...claimRequest, now: NOW + 9 };
      const two = await bed.ledger().claimCallbacks({ ...request, limit: 2 });
      expect(two.map(({ eventId }) => eventId).sort()).toEqual(['a', 'b']);
      expect(two.find(({ eventId }) => eventId === 'a')).toEqual({
        ...callback('a'),
        ...{ receivedAt: NOW, fence: 1, tries: 0 },
      });
      expect((await bed.ledger().claimCallbacks(request)).map(({ eventId }) => eventId)).toEqual([
        'c',
      ]);
      const later = { ...request, now: NOW + 5_009 };
      expect(await bed.ledger().claimCallbacks(later)).toHaveLength(3);
    });

    test('done is done, and known for as long as it is kept', async () => {
      await store('a', 'b');
      const [claim] = await bed.ledger().claimCallbacks({ ...claimRequest, limit: 1 });
      await bed.ledger().callbackDone(claim!, 'noted');
      const far = { ...claimRequest, now: NOW + DAY };
      expect((await bed.ledger().claimCallbacks(far)).map(({ eventId }) => eventId)).toEqual(['b']);
      expect(await store('a')).toEqual(['known']);
      expect(await bed.ledger().forgetCallbacks(NOW)).toBe(0);
      // What was not carried out is not forgotten.
      expect(await bed.ledger().forgetCallbacks(NOW + DAY)).toBe(1);
      expect(await store('a', 'b')).toEqual(['stored', 'known']);
    });

    test('what failed comes back after its wait; work under an old fence changes nothing', async () => {
      await store('a');
      const [old] = await bed.ledger().claimCallbacks(claimRequest);
      const [claim] = await bed.ledger().claimCallbacks({ ...claimRequest, now: NOW + 5_000 });
      await bed.ledger().callbackDone(old!, 'too late');
      const failure = { now: NOW + 5_000, backoffMs: 1_000, reason: 'Temporal is away' };
      await bed.ledger().callbackFailed(old!, { ...failure, backoffMs: 0 });
      await bed.ledger().callbackFailed(claim!, failure);
      const at = (now: number) => bed.ledger().claimCallbacks({ ...claimRequest, now });
      expect(await at(NOW + 5_999)).toEqual([]);
      expect(await at(NOW + 6_000)).toMatchObject([{ eventId: 'a', tries: 1, fence: 3 }]);
    });
  });

  /** A mail that its provider has taken as `m-<no>`. */
  const taken = async (destination: string, no = 1, now = NOW): Promise<void> => {
    const of = ref({ destination, alertId: `alert/${String(no)}`, channel: 'email' });
    await bed.ledger().beginAttempt(of, 1, MESSAGE, now);
    const outcome = { kind: 'accepted', reason: 'taken', providerId: `m-${String(no)}` } as const;
    await bed.ledger().finishAttempt(of, 1, outcome, now, false);
  };
  const mail = () => put({ channel: 'email', address: 'of@example.com' });
  const note = (word: ReceiptWord, now = NOW) => bed.ledger().noteReceipt('resend', word, now);
  const receipt = async () =>
    (await bed.sql('select receipt from attempt')).map((row) => row['receipt']);
  const health = async () => {
    const [row] = await bed.sql('select health, failures::int, bounces::int from destination');
    return row;
  };

  describe('what became of a message', () => {
    test('it is found by the provider’s id, on that provider’s channel, and noted', async () => {
      await taken(await mail());
      expect(await note(arrived('m-2'))).toEqual([]);
      expect(await bed.ledger().noteReceipt('twilio', arrived(), NOW)).toEqual([]);
      expect(await note(arrived(), NOW + 5)).toEqual([
        { org: ORG, alertId: 'alert/1', deliveryId: 'alert/1/0', hasVote: false },
      ]);
      expect(await receipt()).toEqual([{ what: 'delivered', at: NOW + 5 }]);
    });

    test('RC-1: for the worse it changes, for the better it does not, in whatever order', async () => {
      await taken(await mail());
      await note(arrived());
      await note(lost(), NOW + 1);
      await note(arrived(), NOW + 2);
      await note(lost({ reason: 'again' }), NOW + 3);
      expect(await receipt()).toEqual([{ what: 'undelivered', at: NOW + 1, reason: 'it bounced' }]);
      expect(await health()).toEqual({ health: 'ok', failures: 0, bounces: 1 });
    });

    test('the vote is there once the journal has the delivery as accepted', async () => {
      await taken(await mail());
      const facts = { agentName: 'bot', dimension: 'cost' };
      const alert = {
        ...{ id: 'alert/1', org: ORG, subject: 's', phase: 'firing', exhausted: false },
        ...{ raisedAt: NOW, facts },
      } as unknown as Parameters<ReturnType<Bed['ledger']>['appendJournal']>[0];
      const entry = { no: 1, at: NOW, what: 'delivered', delivery: 'alert/1/0', channel: 'email' };
      await bed.ledger().appendJournal(alert, [{ ...entry, no: 1, delivery: 'other' } as never]);
      expect(await note(lost())).toMatchObject([{ hasVote: false }]);
      await bed.ledger().appendJournal(alert, [{ ...entry, no: 2 } as never]);
      expect(await note(lost())).toMatchObject([{ hasVote: true }]);
    });

    test('a repeat with the same id is one delivery, and counts once', async () => {
      const destination = await mail();
      await taken(destination);
      const of = ref({ destination, channel: 'email' });
      await bed.ledger().beginAttempt(of, 2, MESSAGE, NOW);
      const outcome = { kind: 'accepted', reason: 'taken', providerId: 'm-1' } as const;
      await bed.ledger().finishAttempt(of, 2, outcome, NOW, false);
      expect(await note(lost())).toHaveLength(1);
      expect(await health()).toEqual({ health: 'ok', failures: 0, bounces: 1 });
    });

    test('an alert shows it with its attempt', async () => {
      const destination = await mail();
      await taken(destination);
      await note(lost());
      const alert = { id: 'alert/1', org: ORG, subject: 's', phase: 'firing', exhausted: false };
      const facts = { agentName: 'bot' };
      await bed.ledger().appendJournal({ ...alert, raisedAt: NOW, facts } as never, []);
      expect((await bed.ledger().alert(ORG, 'alert/1'))?.attempts).toMatchObject([
        { destination, receipt: { what: 'undelivered', reason: 'it bounced' } },
      ]);
    });
  });

  describe('RC-2: the destination of what did not arrive', () => {
    test('nobody is there: it is gone, the operators hear of it once, it stands in the audit', async () => {
      const destination = await mail();
      await taken(destination);
      await taken(destination, 2);
      await note(lost({ gone: true }));
      await note(lost({ gone: true, message: 'm-2' }));
      expect(await health()).toEqual({ health: 'gone', failures: 0, bounces: 2 });
      const text = `The email destination ${destination} is gone: nothing is sent to it until it is restored (kavach destinations restore).`;
      expect(await bed.ledger().operatorNotices(ORG, 9)).toMatchObject([
        { kind: 'destination_gone', text },
      ]);
      expect(await bed.sql('select by, what, before, after from audit')).toEqual([
        {
          ...{ by: 'kavach', what: 'destination_gone', before: { health: 'ok' } },
          after: { health: 'gone', reason: 'it bounced' },
        },
      ]);
      await note(arrived('m-3'));
      expect((await health())?.['health']).toBe('gone');
      await bed.ledger().restoreDestination(ORG, destination, 'ann', NOW);
      expect(await health()).toEqual({ health: 'ok', failures: 0, bounces: 0 });
    });

    test('five in a row over a day are failing although each was accepted; one that arrives ends it', async () => {
      const destination = await mail();
      const bounce = async (no: number, now: number): Promise<void> => {
        await taken(destination, no, now);
        await note(lost({ message: `m-${String(no)}` }), now);
      };
      for (const no of [1, 2, 3, 4, 5]) await bounce(no, NOW + no * HOUR);
      expect(await health()).toEqual({ health: 'ok', failures: 0, bounces: 5 });
      await bounce(6, NOW + HOUR + DAY);
      await bounce(7, NOW + HOUR + DAY);
      expect(await health()).toEqual({ health: 'failing', failures: 0, bounces: 7 });
      expect(await bed.ledger().operatorNotices(ORG, 9)).toMatchObject([
        {
          kind: 'destination_failing',
          text: `The last 6 messages to the email destination ${destination} did not arrive: it is still tried.`,
        },
      ]);
      await taken(destination, 8);
      expect((await health())?.['health']).toBe('failing');
      await note(arrived('m-8'));
      expect(await health()).toEqual({ health: 'ok', failures: 0, bounces: 0 });
    });

    test('the default destination fares like a named one', async () => {
      const destination = await mail();
      await bed.ledger().setDefaultDestination(ORG, 'email', destination);
      const of = ref({ channel: 'email' });
      await bed.ledger().beginAttempt(of, 1, MESSAGE, NOW);
      const outcome = { kind: 'accepted', reason: 'taken', providerId: 'm-1' } as const;
      await bed.ledger().finishAttempt(of, 1, outcome, NOW, false);
      await note(lost({ gone: true }));
      expect((await health())?.['health']).toBe('gone');
    });
  });

  describe('T9: the alerts of an incident', () => {
    const KEY = 'kavach-key';
    const journalled = async (
      no: number,
      over: {
        phase?: string;
        subject?: string;
        dimension?: string;
        rule?: string;
        at?: number;
        org?: string;
      } = {},
    ): Promise<void> => {
      const { phase = 'firing', subject = 'budget/1', dimension = 'cost', at = NOW } = over;
      const about = over.rule === undefined ? { dimension } : { kind: 'rule', rule: over.rule };
      const facts = { agentName: 'bot', ...about };
      const alert = {
        ...{ id: `alert/${String(no)}`, org: over.org ?? ORG, subject, phase, exhausted: false },
        ...{ raisedAt: at, facts },
      };
      await bed.ledger().appendJournal(alert as never, []);
    };
    const openAtPagerduty = async (no: number): Promise<void> => {
      const address = 'R'.repeat(32);
      const destination = await put({ channel: 'pagerduty', address });
      const of = { destination, channel: 'pagerduty', incident: KEY } as const;
      await bed.ledger().openDelivery(ref({ ...of, alertId: `alert/${String(no)}` }), NOW);
    };
    const open = async (until = NOW) =>
      (await bed.ledger().alertsOfIncident(KEY, until)).map(({ id, phase }) => `${id} ${phase}`);

    test('all of its budget, period and dimension that are open, told there or not', async () => {
      await openAtPagerduty(1);
      await journalled(1);
      await journalled(2, { phase: 'acknowledged' });
      await journalled(3, { phase: 'resolved' });
      await journalled(4, { subject: 'budget/2' });
      await journalled(5, { dimension: 'calls' });
      await journalled(6, { org: 'other' });
      expect(await open()).toEqual(['alert/1 firing', 'alert/2 acknowledged']);
      expect(await bed.ledger().alertsOfIncident('another key', NOW)).toEqual([]);
    });

    test('of a rule: those of the same rule and agent', async () => {
      await openAtPagerduty(1);
      await journalled(1, { subject: 'agent/bot', rule: 'errors' });
      await journalled(2, { subject: 'agent/bot', rule: 'errors' });
      await journalled(3, { subject: 'agent/bot', rule: 'latency' });
      await journalled(4, { subject: 'agent/other', rule: 'errors' });
      expect(await open()).toEqual(['alert/1 firing', 'alert/2 firing']);
    });

    test('none that was raised after the word', async () => {
      await openAtPagerduty(1);
      await journalled(1);
      await journalled(2, { at: NOW + 1 });
      expect(await open()).toEqual(['alert/1 firing']);
      expect(await open(NOW - 1)).toEqual([]);
    });

    test('one whose row is still to be written is among them', async () => {
      await openAtPagerduty(1);
      expect(await open()).toEqual(['alert/1 firing']);
    });
  });
}
