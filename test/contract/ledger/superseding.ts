/** P4: what quiet hours held is not sent once a newer alert tells the same person the same way. */
import { describe, expect, test } from 'vitest';
import type { RuleFacts } from '../../../domain/alert/facts.js';
import type { AlertView, DeliveryRef } from '../../../ledger/ledger.js';
import { NOW, ORG } from './bed.js';
import type { Bed } from './bed.js';

const SUBJECT = 'agent/acme/bot';
const facts = (over: Partial<RuleFacts> = {}): RuleFacts => ({
  ...{ kind: 'rule', org: ORG, agentName: 'bot', rule: 'errors', title: 'Too many', lines: [] },
  ...{ severity: 'error', priority: 'high', at: NOW + 1 },
  ...over,
});

export function supersedingContract(bed: Bed): void {
  const raise = async (
    id: string,
    { what = 'send', routed = id, over = {}, subject = SUBJECT } = {},
  ): Promise<void> => {
    const said = facts(over);
    const alert: AlertView = {
      ...{ id, org: ORG, subject, phase: 'firing', exhausted: false, facts: said },
      raisedAt: said.at,
    };
    await bed.ledger().appendJournal(alert, [{ no: 1, at: said.at, what: 'raised' }]);
    await bed.sql(
      `insert into routing (org, alert_id, recipient, channel, destination, no, what, reason)
       values ('${ORG}', '${routed}', 'ana', 'webhook', 'd', 0, '${what}', 'wanted')`,
    );
  };
  const verdict = async (over: Partial<NonNullable<DeliveryRef['waited']>> = {}) => {
    const given = { channel: 'webhook', address: 'https://a.test/' } as const;
    const [destination = ''] = await bed.ledger().putDestinations(ORG, [given], NOW);
    const waited = {
      recipient: 'ana',
      subject: SUBJECT,
      about: 'errors',
      at: NOW,
      bps: 0,
      ...over,
    };
    const opened = await bed.ledger().openDelivery(
      {
        ...{ org: ORG, alertId: 'a0', deliveryId: 'a0/0', purpose: 'fire', channel: 'webhook' },
        ...{ destination, waited },
      },
      NOW + 60_000,
    );
    return opened.type === 'suppressed' ? opened.reason : opened.type;
  };

  describe('P4: superseded', () => {
    test('by a newer alert of the same rule to the same person on the same channel', async () => {
      expect(await verdict()).toBe('open');
      await raise('a1');
      expect(await verdict()).toBe('superseded');
      expect(await verdict({ about: 'slow' })).toBe('open');
      expect(await verdict({ recipient: 'ben' })).toBe('open');
      expect(await verdict({ subject: 'agent/acme/b2' })).toBe('open');
      expect(await verdict({ at: NOW + 1 })).toBe('open');
    });

    test('also by one that waits itself, or was spread over several; not by one that tells him not', async () => {
      await raise('a1', { what: 'digest' });
      await raise('a2', { what: 'suppress' });
      expect(await verdict()).toBe('open');
      await raise('a3', { what: 'hold' });
      expect(await verdict()).toBe('superseded');
      await bed.sql(`delete from routing where alert_id = 'a3'`);
      await raise('a4/part-12', { routed: 'a4' });
      expect(await verdict()).toBe('superseded');
    });

    test('of one moment the higher threshold is the newer', async () => {
      const crossing = { ...facts(), at: NOW, kind: undefined, rule: undefined };
      const said = { ...crossing, dimension: 'cost', thresholdBps: 10_000 };
      await raise('a1', { over: said as unknown as Partial<RuleFacts> });
      expect(await verdict({ about: 'cost', bps: 8_000 })).toBe('superseded');
      expect(await verdict({ about: 'cost', bps: 10_000 })).toBe('open');
    });
  });
}
