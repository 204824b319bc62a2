/** A14: storms, and the day's cap of text messages. */
import { describe, expect, test } from 'vitest';
import type { ThresholdFacts } from '../../../domain/alert/facts.js';
import { DEFAULT_POLICY } from '../../../domain/alert/policy.js';
import type { AlertInput } from '../../../domain/alert/state.js';
import type { ChannelName } from '../../../domain/words.js';
import { createSealKey, parseSealKeys } from '../../../ledger/seal.js';
import { DAY, DAY_START, NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';
import { raisingOf } from './raising.js';
import { FIRING, MESSAGE, sendingOf } from './sending.js';

const MINUTE = 60_000;
const FACTS: Omit<ThresholdFacts, 'agentName' | 'severity'> = {
  ...{ org: ORG, dimension: 'cost', cadence: 'daily', thresholdBps: 8_000, spent: 8, limit: 10 },
  ...{ priority: 'high', zone: 'UTC', at: NOW },
};

export function pacingContract(bed: Bed): void {
  const { ref, put, verdict } = sendingOf(bed);
  const { raised, claimed } = raisingOf(bed);
  const lineOf = (alert: AlertInput | undefined, label: string): string | undefined =>
    alert?.kind === 'notice'
      ? alert.facts.lines.find((line) => line.label === label)?.value
      : undefined;
  const held = (alert: AlertInput | undefined) => lineOf(alert, 'Held back');
  /** Opens `count` alerts' deliveries and answers how many were let through. */
  const burst = async (
    count: number,
    over: { destination: string; channel?: ChannelName },
    { now = NOW, prefix = 'a' } = {},
  ) => {
    const verdicts = [];
    for (let no = 0; no < count; no += 1) {
      verdicts.push(await verdict({ ...over, alertId: `${prefix}/${String(no)}` }, now));
    }
    return verdicts.filter((each) => each === 'open').length;
  };

  describe('A14: storms', () => {
    test('past ten in a minute the rest is held, and told in one summary when it is over', async () => {
      const destination = await put();
      expect(await burst(13, { destination })).toBe(10);
      expect(await verdict({ destination, alertId: 'b' }, NOW + MINUTE - 1)).toBe('storm');
      expect(await raised(NOW + MINUTE - 1)).toEqual([]);
      const [summary, ...others] = await raised(NOW + MINUTE);
      expect(others).toEqual([]);
      expect(summary).toMatchObject({
        ...{ org: ORG, kind: 'notice', routes: [{ channel: 'webhook', destination }] },
        facts: {
          topic: 'storm',
          title: '4 more alerts were raised within a minute and not sent one by one',
        },
      });
      expect(await raised(NOW + DAY)).toEqual([]);
    });

    test('what is held after a summary was told is another summary', async () => {
      const destination = await put();
      await burst(12, { destination });
      const [first] = await raised(NOW + MINUTE);
      expect(held(first)).toBe('2');
      await burst(13, { destination }, { now: NOW + MINUTE, prefix: 'b' });
      expect(await raised(NOW + 2 * MINUTE - 1)).toEqual([]);
      const [second] = await raised(NOW + 2 * MINUTE);
      expect(held(second)).toBe('3');
      expect(second?.id).not.toBe(first?.id);
    });

    test('the next minute begins with the first delivery after it', async () => {
      const destination = await put();
      await burst(11, { destination });
      const next = { now: NOW + 2 * MINUTE, prefix: 'b' };
      expect(await burst(12, { destination }, next)).toBe(10);
      // Nobody had told the first yet: they are one.
      expect((await raised(NOW + 2 * MINUTE)).map(held)).toEqual(['3']);
    });

    test('the summary says whose alerts they are, and the next one does not say it again', async () => {
      const destination = await put();
      const journal = (id: string, agentName: string, severity: 'warning' | 'critical') =>
        bed.ledger().appendJournal(
          {
            ...{ id, org: ORG, subject: 's', phase: 'firing', exhausted: true, raisedAt: NOW },
            facts: { ...FACTS, agentName, severity, kills: severity === 'critical' },
          },
          [{ no: 1, at: NOW, what: 'raised' }],
        );
      await burst(12, { destination });
      await journal('a/10', 'loud', 'warning');
      await journal('a/11', 'wild', 'critical');
      await journal('a/9', 'told', 'critical');
      const [summary] = await raised(NOW + MINUTE);
      expect(lineOf(summary, 'Agents')).toBe('wild, loud');
      expect(lineOf(summary, 'Killed')).toBe('wild');
      expect(summary?.facts.priority).toBe('critical');
      await burst(11, { destination }, { now: NOW + MINUTE, prefix: 'b' });
      const [next] = await raised(NOW + 2 * MINUTE);
      expect(lineOf(next, 'Agents')).toBeUndefined();
    });

    test('the summary itself is not held, and counts for nothing', async () => {
      const destination = await put();
      await burst(12, { destination });
      for (let no = 0; no < 3; no += 1) {
        const summary = { destination, alertId: `s/${String(no)}`, sumsUp: true } as const;
        expect(await verdict(summary)).toBe('open');
      }
      expect((await raised(NOW + MINUTE)).map(held)).toEqual(['2']);
    });

    test('of four who raise at once one writes the summary', async () => {
      const destination = await put();
      await burst(12, { destination });
      const ledgers = await Promise.all([bed.open(), bed.open(), bed.open(), bed.open()]);
      await Promise.all(ledgers.map((ledger) => ledger.raiseNotices(DEFAULT_POLICY, NOW + MINUTE)));
      expect(await claimed(NOW + MINUTE)).toHaveLength(1);
    });

    test('destinations are counted each on its own', async () => {
      const [a, b] = [await put(), await put({ address: 'https://b.test/' })];
      expect(await burst(10, { destination: a })).toBe(10);
      expect(await burst(10, { destination: b }, { prefix: 'b' })).toBe(10);
      expect(await verdict({ destination: a, alertId: 'c' })).toBe('storm');
    });

    test('a retry is never held, nor is the word that it is over', async () => {
      const destination = await put();
      const first = ref({ destination, alertId: 'first' });
      await bed.ledger().openDelivery(first, NOW);
      await bed.ledger().beginAttempt(first, 1, MESSAGE, NOW);
      await burst(11, { destination });
      expect(await verdict(first)).toBe('open');
      expect(await verdict({ destination, purpose: 'resolve' })).toBe('open');
    });

    test('one that is opened again because its attempt could not begin counts once', async () => {
      const destination = await put();
      for (let no = 0; no < 12; no += 1) {
        expect(await verdict({ destination, alertId: 'first' }, NOW + no)).toBe('open');
      }
      expect(await burst(10, { destination })).toBe(9);
      expect((await raised(NOW + MINUTE)).map(held)).toEqual(['1']);
      const begun = await bed
        .ledger()
        .beginAttempt(ref({ destination, alertId: 'first' }), 1, MESSAGE, NOW + MINUTE);
      expect(begun.message).toEqual(MESSAGE);
    });

    test('one whose destination no key of this process opens counts once too', async () => {
      const destination = await put();
      const foreign = await bed.open({ seal: parseSealKeys(createSealKey('other')) });
      const again = ref({ destination, alertId: 'first' });
      for (let no = 0; no < 12; no += 1) {
        await expect(foreign.openDelivery(again, NOW)).rejects.toThrow(/is needed to open/);
      }
      expect(await verdict(again)).toBe('open');
      expect(await burst(10, { destination })).toBe(9);
    });

    test('PagerDuty and a kill are never held', async () => {
      for (const channel of ['pagerduty', 'kill'] as const) {
        const destination = await put({ channel });
        expect(await burst(12, { destination, channel }, { prefix: channel })).toBe(12);
      }
    });

    test('what is not sent for another reason counts for nothing', async () => {
      const destination = await put();
      await verdict({ destination, alertId: 'holder', firing: FIRING });
      for (let no = 0; no < 12; no += 1) {
        const superseded = { destination, alertId: `s/${String(no)}`, firing: FIRING };
        expect(await verdict(superseded)).toBe('superseded');
      }
      expect(await burst(9, { destination })).toBe(9);
      const channel = 'email';
      const mail = await put({ channel, address: 'x@y.test', verified: false });
      expect(await burst(12, { destination: mail, channel })).toBe(0);
      await bed.ledger().confirmDestination(ORG, mail, 'ann', NOW);
      expect(await burst(12, { destination: mail, channel }, { prefix: 'm' })).toBe(10);
    });

    test('of twenty at once from four connections ten are let through', async () => {
      const destination = await put();
      const ledgers = await Promise.all([bed.open(), bed.open(), bed.open(), bed.open()]);
      const opened = await Promise.all(
        ledgers.flatMap((ledger, n) =>
          [0, 1, 2, 3, 4].map((no) => {
            const alertId = `a/${String(n)}/${String(no)}`;
            return ledger.openDelivery(ref({ destination, alertId }), NOW);
          }),
        ),
      );
      expect(opened.filter((each) => each.type === 'open')).toHaveLength(10);
      expect((await raised(NOW + MINUTE)).map(held)).toEqual(['10']);
    });
  });

  describe('A14: text messages', () => {
    test('a number has its share of a UTC day, and the operators hear once that it is spent', async () => {
      const channel = 'sms';
      const destination = await put({ channel, address: '+15550100' });
      const of = { destination, channel } as const;
      expect(await burst(14, of)).toBe(10);
      expect(await burst(10, of, { now: NOW + MINUTE, prefix: 'b' })).toBe(10);
      expect(await burst(3, of, { now: NOW + 2 * MINUTE, prefix: 'c' })).toBe(0);
      expect(await burst(3, of, { now: DAY_START + DAY - 1, prefix: 'd' })).toBe(0);
      expect(await bed.ledger().operatorNotices(ORG, 9)).toMatchObject([
        {
          ...{ kind: 'sms_cap', at: NOW + 2 * MINUTE },
          text: `The sms destination ${destination} has had its 20 messages of the day: further ones are held until midnight UTC.`,
        },
      ]);
      const summary = { ...of, alertId: 's', sumsUp: true } as const;
      expect(await verdict({ ...of, alertId: 'x' }, DAY_START + DAY - 1)).toBe('daily_cap');
      expect(await verdict(summary, DAY_START + DAY - 1)).toBe('daily_cap');
      expect(await burst(3, of, { now: DAY_START + DAY + MINUTE, prefix: 'e' })).toBe(3);
      expect(await verdict(summary, DAY_START + DAY + MINUTE)).toBe('open');
    });

    test('the numbers are policy', async () => {
      const channel = 'sms';
      const destination = await put({ channel, address: '+15550100' });
      const tight = await bed.open({ delivery: { smsPerDay: 1 } });
      const open = (alertId: string) =>
        tight.openDelivery(ref({ destination, channel, alertId }), NOW);
      expect(await open('a')).toMatchObject({ type: 'open' });
      expect(await open('a')).toMatchObject({ type: 'open' });
      expect(await open('b')).toEqual({ type: 'suppressed', reason: 'daily_cap' });
    });
  });
}
