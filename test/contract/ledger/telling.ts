/** A15: what the service tells its operators of itself. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../domain/alert/policy.js';
import type { AlertInput } from '../../../domain/alert/state.js';
import type { UsageEvent } from '../../../ledger/ledger.js';
import { batch, DAY, event as usage, HOUR, NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';
import { raisingOf } from './raising.js';
import { sendingOf } from './sending.js';

export function tellingContract(bed: Bed): void {
  const { ref, put, attempt } = sendingOf(bed);
  const { raised, claimed } = raisingOf(bed);
  const tell = (text: string, once?: string, now = NOW) =>
    bed
      .ledger()
      .tellOperators(ORG, { kind: 'sms_cap', text, ...(once === undefined ? {} : { once }) }, now);
  const notices = () => bed.ledger().operatorNotices(ORG, 999);
  const values = (alert: AlertInput | undefined): string[] =>
    alert?.kind === 'notice' ? alert.facts.lines.map(({ value }) => value) : [];

  describe('A15: notices', () => {
    test('wait for operators, and are told to them in one alert', async () => {
      await tell('first');
      await tell('second');
      expect(await raised(NOW)).toEqual([]);
      const routes = [
        { channel: 'slack', destination: 'a' },
        { channel: 'email', destination: 'b' },
      ] as const;
      await bed.ledger().setOperators(ORG, routes);
      const [alert, ...others] = await raised(NOW + 1);
      expect(others).toEqual([]);
      expect(values(alert)).toEqual(['first', 'second']);
      expect(alert).toMatchObject({ kind: 'notice', routes: [routes[0]], subject: 'service' });
      expect(await raised(NOW + DAY)).toEqual([]);
      expect(await notices()).toMatchObject([{ toldAt: NOW + 1 }, { toldAt: NOW + 1 }]);
    });

    test('what its alert told nobody is said to be unheard', async () => {
      await tell('into the void');
      await bed.ledger().setOperators(ORG, [{ channel: 'slack', destination: 'a' }]);
      const [alert] = await raised(NOW);
      if (alert?.kind !== 'notice') throw new Error('nothing was raised');
      const { id, org, subject, facts } = alert;
      const view = { ...{ id, org, subject, facts }, phase: 'resolved', raisedAt: NOW } as const;
      const entry = { no: 1, at: NOW, what: 'raised' } as const;
      await bed.ledger().appendJournal({ ...view, exhausted: false }, [entry]);
      expect(await notices()).toMatchObject([{ alertId: id }]);
      expect((await notices())[0]).not.toHaveProperty('unheard');
      await bed.ledger().appendJournal({ ...view, exhausted: true }, [{ ...entry, no: 2 }]);
      expect(await notices()).toMatchObject([{ unheard: true }]);
    });

    test('what is about a destination is told to another one', async () => {
      const [a, b] = [await put(), await put({ address: 'https://b.test/' })];
      const routes = [a, b].map((destination) => ({ channel: 'webhook', destination }) as const);
      await bed.ledger().setOperators(ORG, routes);
      await attempt({ destination: a }, 'permanent_recipient');
      expect(await raised(NOW)).toMatchObject([{ routes: [routes[1]] }]);
    });

    test('the same is kept once, and the same of another kind or organisation beside it', async () => {
      await tell('a', 'x');
      await tell('b', 'x');
      await tell('c', 'y');
      await tell('d');
      await tell('e');
      await bed.ledger().tellOperators('other', { kind: 'sms_cap', text: 'f', once: 'x' }, NOW);
      expect((await notices()).map(({ text }) => text)).toEqual(['e', 'd', 'c', 'a']);
    });

    test('of one kind fifty a day are kept, whoever asks for more', async () => {
      for (let no = 0; no < 60; no += 1) await tell('again', `model ${String(no)}`);
      expect(await notices()).toHaveLength(50);
      await tell('tomorrow', 'model 60', NOW + DAY);
      expect(await notices()).toHaveLength(51);
    });

    test('what nobody could be told for a day stays a line of the list', async () => {
      await tell('old');
      await bed.ledger().setOperators(ORG, [{ channel: 'slack', destination: 'a' }]);
      expect(await raised(NOW + DAY)).toEqual([]);
      expect(await notices()).toMatchObject([{ text: 'old' }]);
    });

    test('of four who raise at once one writes the alert', async () => {
      await bed.ledger().setOperators(ORG, [{ channel: 'slack', destination: 'a' }]);
      await tell('only once');
      const ledgers = await Promise.all([bed.open(), bed.open(), bed.open(), bed.open()]);
      await Promise.all(ledgers.map((ledger) => ledger.raiseNotices(DEFAULT_POLICY, NOW)));
      expect(await claimed(NOW)).toHaveLength(1);
    });
  });

  describe('A15: what the ledger meets', () => {
    const kinds = async () => (await notices()).map(({ kind }) => kind);

    test('B6: a model nobody can price, once a model and day', async () => {
      const unpriced = (key: string, model: string): UsageEvent => ({
        ...usage(key),
        ...{ model, flags: ['unpriced'] },
      });
      const take = (now: number, ...events: UsageEvent[]) =>
        bed.ledger().ingest(batch(events, [], { now }));
      await take(NOW, unpriced('1', 'oracle-9'), unpriced('2', 'oracle-9'), usage('3'));
      await take(NOW + 1, unpriced('4', 'oracle-9'));
      const another = await bed.open();
      await another.ingest(batch([unpriced('5', 'oracle-9')], [], { now: NOW + 2 }));
      expect(await kinds()).toEqual(['unpriced']);
      await take(NOW + 3, unpriced('6', 'oracle-10'));
      await take(NOW + DAY, unpriced('7', 'oracle-9'));
      expect(await kinds()).toEqual(['unpriced', 'unpriced', 'unpriced']);
      const [, , first] = await notices();
      expect(first?.text).toContain('/oracle-9", used by');
    });

    test('usage that was set aside, once a day', async () => {
      const event = {
        org: ORG,
        at: NOW,
        path: 'events[1].cost',
        problem: 'is negative',
        raw: '{}',
      };
      const fresh = await bed.open();
      await fresh.quarantine([event, event]);
      await fresh.quarantine([{ ...event, at: NOW + 1 }]);
      expect(await kinds()).toEqual(['quarantined']);
      await fresh.quarantine([{ ...event, at: NOW + DAY }]);
      expect(await kinds()).toHaveLength(2);
      // Metrics are told as metrics, and apart.
      await fresh.quarantine([{ ...event, what: 'metrics', path: 'metrics.x' }]);
      const texts = (await notices()).map(({ text }) => text);
      expect(texts.find((text) => text.startsWith('Metrics'))).toMatch(
        /^Metrics were set aside and are held against no rule: metrics.x/,
      );
      expect(await kinds()).toHaveLength(3);
    });

    test('a channel without a destination, and a delivery that is refused for good, once a day', async () => {
      const fresh = await bed.open();
      for (const [alertId, now] of [
        ['a', NOW],
        ['b', NOW + HOUR],
      ] as const) {
        const opened = await fresh.openDelivery(ref({ channel: 'slack', alertId }), now);
        expect(opened).toEqual({ type: 'suppressed', reason: 'no_destination' });
      }
      expect(await kinds()).toEqual(['no_destination']);
      const destination = await put();
      await attempt({ destination }, 'permanent_config');
      await attempt({ destination, alertId: 'c' }, 'permanent_config');
      expect(await kinds()).toEqual(['permanent_failure', 'no_destination']);
      expect((await notices())[0]).toMatchObject({ destination });
    });
  });
}
