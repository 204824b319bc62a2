/** A13: silences, what they hold, and who is told when one is ended. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SilenceSubject } from '../../../domain/silence.js';
import { CADENCES, DIMENSIONS, SEVERITIES } from '../../../domain/words.js';
import type { DeliveryRef, NewSilence } from '../../../ledger/ledger.js';
import { HOUR, NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';
import { FIRING } from './sending.js';

const hook = { channel: 'webhook', address: 'https://example.test/hook' } as const;
const about: SilenceSubject = {
  ...{ agent: 'bot', organisation: false, severity: 'warning' },
  ...{ cadence: 'daily', dimension: 'cost' },
};
const silence = (over: Partial<NewSilence> = {}): NewSilence => ({
  ...{ org: ORG, id: 's1', agent: 'bot', from: NOW, until: NOW + HOUR },
  ...{ by: 'ana', reason: 'a migration', now: NOW },
  ...over,
});

export function silencingContract(bed: Bed): void {
  const ref = (over: Partial<DeliveryRef> = {}): DeliveryRef => ({
    ...{ org: ORG, alertId: 'alert/1', deliveryId: 'alert/1/0', purpose: 'fire' },
    ...{ channel: 'webhook', about, firing: FIRING },
    ...over,
  });
  const open = async (over: Partial<DeliveryRef> = {}, at = NOW) => {
    const [destination = ''] = await bed.ledger().putDestinations(ORG, [hook], NOW);
    return bed.ledger().openDelivery(ref({ destination, ...over }), at);
  };
  const claims = (now = NOW) => bed.ledger().claimSilenced({ now, limit: 9, leaseMs: 5_000 });
  const end = (id: string, now = NOW + 1) => bed.ledger().endSilence(ORG, id, { by: 'ben', now });

  describe('A13: silences', () => {
    test('one is made once, listed newest first, ended once, and both are in the audit', async () => {
      const made = await bed.ledger().addSilence(silence());
      expect(made.changed).toBe(true);
      const again = await bed.ledger().addSilence(silence({ reason: 'another' }));
      expect(again).toEqual({ changed: false, silence: made.silence });
      await bed.ledger().addSilence(
        silence({
          ...{ id: 's2', now: NOW + 1, rule: 'errors', severity: 'error' },
          budget: { cadence: 'daily' },
        }),
      );
      const listed = await bed.ledger().silences({ org: ORG, limit: 9 });
      expect(listed.map(({ id }) => id)).toEqual(['s2', 's1']);
      expect(listed[0]).toEqual({
        ...{ id: 's2', agent: 'bot', rule: 'errors', severity: 'error', at: NOW + 1 },
        ...{ budget: { cadence: 'daily' }, from: NOW, until: NOW + HOUR },
        ...{ by: 'ana', reason: 'a migration' },
      });
      const after = { at: NOW + 1, id: 's2' };
      const next = await bed.ledger().silences({ org: ORG, limit: 9, after });
      expect(next.map(({ id }) => id)).toEqual(['s1']);
      expect(await end('s1')).toMatchObject({
        changed: true,
        silence: { ended: { by: 'ben', at: NOW + 1 } },
      });
      expect(await end('s1', NOW + 2)).toMatchObject({
        changed: false,
        silence: { ended: { at: NOW + 1 } },
      });
      expect(await end('nobody knows it')).toBeUndefined();
      expect(await bed.ledger().endSilence('other', 's2', { by: 'x', now: NOW })).toBeUndefined();
      const openOnes = await bed.ledger().silences({ org: ORG, limit: 9, openAt: NOW + 2 });
      expect(openOnes.map(({ id }) => id)).toEqual(['s2']);
      expect(await end('s2', NOW + HOUR)).toMatchObject({ changed: false });
      const entries = await bed.ledger().audit({ org: ORG, subject: 'agent:bot', limit: 9 });
      expect(entries.map(({ what, by }) => [what, by])).toEqual([
        ['silence_ended', 'ben'],
        ['silenced', 'ana'],
        ['silenced', 'ana'],
      ]);
      expect(entries[2]).toMatchObject({ after: { id: 's1', reason: 'a migration' } });
    });

    test('while it lasts it holds what fires, and nothing else', async () => {
      await bed.ledger().addSilence(silence({ from: NOW + 10, until: NOW + 100 }));
      const held = { type: 'held', until: NOW + 100 };
      expect(await open({ deliveryId: 'd1' }, NOW + 9)).toMatchObject({ type: 'open' });
      expect(await open({ deliveryId: 'd2' }, NOW + 10)).toEqual(held);
      expect(await open({ deliveryId: 'd3' }, NOW + 99)).toEqual(held);
      expect(await open({ deliveryId: 'd4' }, NOW + 100)).toMatchObject({ type: 'open' });
      expect(await open({ purpose: 'resolve' }, NOW + 50)).toMatchObject({ type: 'open' });
      expect(await open({ deliveryId: 'd6', channel: 'kill' }, NOW + 50)).not.toEqual(held);
      const { about: _none, ...silent } = ref();
      const [destination = ''] = await bed.ledger().putDestinations(ORG, [hook], NOW);
      const own = { ...silent, destination };
      expect(await bed.ledger().openDelivery(own, NOW + 50)).toMatchObject({ type: 'open' });
      await end('s1', NOW + 60);
      expect(await open({ deliveryId: 'd5' }, NOW + 61)).toMatchObject({ type: 'open' });
    });

    test('the latest of several ends the wait; a silence of another organisation is none', async () => {
      await bed.ledger().addSilence(silence());
      await bed.ledger().addSilence(silence({ id: 's2', until: NOW + 2 * HOUR }));
      await bed.ledger().addSilence(silence({ org: 'other', id: 's3', until: NOW + 9 * HOUR }));
      expect(await open()).toEqual({ type: 'held', until: NOW + 2 * HOUR });
    });

    test('what it holds counts towards nothing, and speaks for no firing yet', async () => {
      await bed.ledger().addSilence(silence());
      for (let i = 0; i < 20; i += 1) await open({ alertId: `a${String(i)}`, deliveryId: 'd' });
      const [row] = await bed.sql(
        'select max(minute_count) as count, max(held) as held from destination_pace',
      );
      expect([Number(row?.['count']), Number(row?.['held'])]).toEqual([0, 0]);
      expect(await bed.sql('select * from firing')).toEqual([]);
      await end('s1');
      expect(await open({ alertId: 'a19', deliveryId: 'd' }, NOW + 2)).toMatchObject({
        type: 'open',
      });
    });

    test('A11: what was accepted before is told, silenced or not', async () => {
      const [destination = ''] = await bed.ledger().putDestinations(ORG, [hook], NOW);
      const mine = ref({ destination });
      const outcome = { kind: 'accepted', reason: 'HTTP 200' } as const;
      await bed.ledger().beginAttempt(mine, 1, { body: '{}', contentType: 'text/plain' }, NOW);
      await bed.ledger().finishAttempt(mine, 1, outcome, NOW);
      await bed.ledger().addSilence(silence());
      expect(await open()).toEqual({ type: 'delivered', outcome });
      expect(await bed.sql('select * from silenced_alert')).toEqual([]);
    });

    test('any matcher, any alert: held exactly when all that the matcher names fits', async () => {
      const some = <T>(values: readonly T[]) =>
        fc.option(fc.constantFrom(...values), { nil: undefined });
      const names = ['bot', 'b2'] as const;
      const rules = ['errors', 'slow'] as const;
      const matcher = fc.record({
        ...{ agent: some(names), organisation: some([true] as const), rule: some(rules) },
        ...{ cadence: some(CADENCES.slice(0, 2)), dimension: some(DIMENSIONS.slice(0, 2)) },
        severity: some(SEVERITIES),
      });
      const alert = fc.record({
        ...{ agent: some(names), organisation: fc.boolean(), rule: some(rules) },
        ...{ cadence: some(CADENCES.slice(0, 2)), dimension: some(DIMENSIONS.slice(0, 2)) },
        severity: fc.constantFrom(...SEVERITIES),
      });
      let no = 0;
      await fc.assert(
        fc.asyncProperty(matcher, alert, async (given, subject) => {
          no += 1;
          const id = `m${String(no)}`;
          const { cadence, dimension, ...rest } = given;
          const budget = known({ cadence, dimension });
          const { agent: _bot, ...any } = silence({ id });
          await bed.ledger().addSilence({
            ...any,
            ...known(rest),
            ...(Object.keys(budget).length === 0 ? {} : { budget }),
          });
          const answer = await open({
            about: known(subject) as unknown as SilenceSubject,
            alertId: id,
          });
          const fits =
            (given.organisation === undefined || subject.organisation) &&
            (['agent', 'rule', 'cadence', 'dimension', 'severity'] as const).every(
              (key) => given[key] === undefined || given[key] === subject[key],
            );
          expect(answer.type === 'held').toBe(fits);
          await end(id);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('A13: whoever it holds', () => {
    test('is told when it is ended, once, and not when it ends by itself', async () => {
      await bed.ledger().addSilence(silence());
      await open();
      await open({ deliveryId: 'alert/1/1' });
      await open({ alertId: 'alert/2' });
      expect(await claims(NOW + 2 * HOUR)).toEqual([]);
      await end('s1');
      const claimed = await claims();
      expect(claimed.map(({ alertId }) => alertId).sort()).toEqual(['alert/1', 'alert/2']);
      expect(await claims()).toEqual([]);
      for (const claim of claimed) await bed.ledger().silencedTold(claim);
      expect(await claims(NOW + HOUR)).toEqual([]);
    });

    test('also where its note was written after the end', async () => {
      await bed.ledger().addSilence(silence());
      await end('s1');
      await bed.sql(
        `insert into silenced_alert (org, silence, alert_id) values ('${ORG}', 's1', 'alert/7')`,
      );
      expect(await claims()).toMatchObject([{ alertId: 'alert/7', silence: 's1' }]);
    });

    test('a failure is tried again later, and an outdated claim changes nothing', async () => {
      await bed.ledger().addSilence(silence());
      await open();
      await end('s1');
      const [first] = await claims();
      await bed.ledger().silencedFailed(first!, { now: NOW, backoffMs: 1_000 });
      expect(await claims(NOW + 999)).toEqual([]);
      const [second] = await claims(NOW + 1_000);
      expect(second).toMatchObject({ tries: 1, alertId: 'alert/1' });
      await bed.ledger().silencedTold(first!);
      expect(await claims(NOW + 10_000)).toHaveLength(1);
    });

    test('what asks by itself is forgotten once its silence is long over', async () => {
      await bed.ledger().addSilence(silence());
      await open();
      expect(await bed.ledger().forgetSilenced(NOW + HOUR)).toBe(0);
      expect(await bed.ledger().forgetSilenced(NOW + HOUR + 1)).toBe(1);
    });
  });
}

function known<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
