/** A5, A8, C3: what operators set: who they are, when alerts become theirs, whose emails are sent. */
import { describe, expect, test } from 'vitest';
import type { Escalation } from '../../../domain/alert/state.js';
import { DAY, NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';
import { sendingOf } from './sending.js';

export function operatingContract(bed: Bed): void {
  const { ref, put, verdict } = sendingOf(bed);

  describe('A8: how an alert goes on', () => {
    const operators = [
      { channel: 'slack', destination: 'b' },
      { channel: 'email', destination: 'a' },
    ] as const;
    const answer = (
      priority: 'low' | 'medium' | 'high' | 'critical',
      kind = 'threshold' as const,
    ) => bed.ledger().response(ORG, { priority, kind });

    test('without operators it does not', async () => {
      expect(await answer('critical')).toEqual({ operators: [] });
    });

    test('to the operators after 15 minutes, once, when it is high or critical', async () => {
      await bed.ledger().setOperators(ORG, operators);
      const escalation = { levels: [{ afterMs: 900_000, routes: operators }], rounds: 1 };
      expect(await answer('critical')).toEqual({ operators, escalation });
      expect(await answer('high')).toEqual({ operators, escalation });
      expect(await answer('medium')).toEqual({ operators });
      expect(await answer('low')).toEqual({ operators });
      const notice = { priority: 'critical', kind: 'notice' } as const;
      expect(await bed.ledger().response(ORG, notice)).toEqual({ operators });
      expect(await bed.ledger().response('other', { ...notice, kind: 'rule' })).toEqual({
        operators: [],
      });
    });

    test('as the organisation set it, until that is taken back', async () => {
      const routes = [{ channel: 'sms', destination: 'c' }] as const;
      const escalation: Escalation = { levels: [{ afterMs: 1, routes }], rounds: 3 };
      await bed.ledger().setEscalation(ORG, escalation);
      expect(await answer('high')).toEqual({ operators: [], escalation });
      expect(await answer('medium')).toEqual({ operators: [] });
      await bed.ledger().setOperators(ORG, operators);
      expect(await answer('high')).toEqual({ operators, escalation });
      await bed.ledger().setEscalation(ORG, undefined);
      expect((await answer('high')).escalation?.rounds).toBe(1);
      await bed.ledger().setOperators(ORG, []);
      expect(await answer('high')).toEqual({ operators: [] });
    });
  });

  describe('C3: email targets', () => {
    const channel = 'email';
    const open = (destination: string) => verdict({ channel, destination });

    test('an unverified one is held until an operator confirms it, and a sync takes nothing back', async () => {
      const destination = await put({ channel, address: 'x@y.test', verified: false });
      expect(await open(destination)).toBe('unverified');
      const confirm = () => bed.ledger().confirmDestination(ORG, destination, 'ann', NOW);
      expect(await bed.ledger().confirmDestination('other', destination, 'x', NOW)).toEqual({
        changed: false,
      });
      expect(await confirm()).toEqual({ changed: true });
      expect(await confirm()).toEqual({ changed: false });
      await put({ channel, address: 'x@y.test', verified: false });
      expect(await open(destination)).toBe('open');
      expect(await bed.sql('select subject, by, what from audit')).toEqual([
        { subject: `destination:${destination}`, by: 'ann', what: 'destination_confirmed' },
      ]);
    });

    test('what an operator puts is verified, also where a sync had put it first', async () => {
      const address = 'x@y.test';
      const destination = await put({ channel, address, verified: false });
      expect(await put({ channel, address })).toBe(destination);
      expect(await open(destination)).toBe('open');
    });

    test('only emails need it', async () => {
      expect(await verdict({ destination: await put({ verified: false }) })).toBe('open');
    });

    test('domains are kept as they are compared', async () => {
      expect(await bed.ledger().allowedEmailDomains(ORG)).toEqual([]);
      await bed.ledger().setOperators(ORG, []);
      await bed.ledger().setAllowedEmailDomains(ORG, ['Example.COM ', 'a.test', 'example.com']);
      expect(await bed.ledger().allowedEmailDomains(ORG)).toEqual(['a.test', 'example.com']);
      expect(await bed.ledger().allowedEmailDomains('other')).toEqual([]);
    });
  });

  describe('a webhook’s new secret', () => {
    const secretsAt = async (destination: string, now: number) => {
      const opened = await bed.ledger().openDelivery(ref({ destination }), now);
      if (opened.type === 'open') return opened.destination.secrets;
      return opened.type === 'suppressed' ? opened.reason : opened.type;
    };

    test('stands first, and the old one beside it for a day', async () => {
      const destination = await put({ secrets: ['one'] });
      await put({ secrets: ['one'] }, NOW + 1);
      await put({ secrets: ['two'] }, NOW + 2);
      expect(await secretsAt(destination, NOW + 1 + DAY)).toEqual(['two', 'one']);
      expect(await secretsAt(destination, NOW + 2 + DAY)).toEqual(['two']);
      await put({ secrets: ['two'] }, NOW + 3);
      expect(await secretsAt(destination, NOW + 3)).toEqual(['two', 'one']);
      await put({ secrets: ['three'] }, NOW + 4);
      expect(await secretsAt(destination, NOW + 4)).toEqual(['three', 'two', 'one']);
      await put({ secrets: ['one'] }, NOW + 5);
      expect(await secretsAt(destination, NOW + 5)).toEqual(['one', 'three', 'two']);
      await put({}, NOW + 6);
      expect(await secretsAt(destination, NOW + 6)).toBeUndefined();
    });

    test('a secret with every sync does not grow for ever', async () => {
      const destination = await put({ secrets: ['0'] });
      for (let no = 1; no < 20; no += 1) await put({ secrets: [String(no)] }, NOW + no);
      expect(await secretsAt(destination, NOW + 20)).toHaveLength(11);
    });

    test('an email’s key is replaced at once', async () => {
      const [channel, address] = ['email', 'x@y.test'] as const;
      const destination = await put({ channel, address, secrets: ['one'] });
      await put({ channel, address, secrets: ['two'] }, NOW + 1);
      const opened = await bed.ledger().openDelivery(ref({ channel, destination }), NOW + 1);
      expect(opened).toMatchObject({ destination: { secrets: ['two'] } });
    });
  });
}
