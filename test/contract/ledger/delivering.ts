/** L-5, A11, C3, T7: destinations, deliveries, the journal; and keys. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../domain/alert/outcome.js';
import type { AlertView, DeliveryRef } from '../../../ledger/ledger.js';
import { createSealKey, parseSealKeys } from '../../../ledger/seal.js';
import { NOW, ORG, USD } from './bed.js';
import type { Bed } from './bed.js';
import { FIRING } from './sending.js';

export const SEAL_TEXT = createSealKey('k1');

export function deliveringContract(bed: Bed): void {
  const CANARY = 'canary-7f3a';
  const hook = {
    channel: 'webhook',
    address: `https://example.test/${CANARY}`,
    secrets: [`whsec_${CANARY}`],
  } as const;
  const message = { body: '{"a":1}', contentType: 'application/json' };
  const ref = (over: Partial<DeliveryRef> = {}): DeliveryRef => ({
    ...{ org: ORG, alertId: 'alert/1', deliveryId: 'alert/1/0', purpose: 'fire' },
    channel: 'webhook',
    firing: FIRING,
    ...over,
  });
  const put = async (over = {}) => {
    const [reference = ''] = await bed.ledger().putDestinations(ORG, [{ ...hook, ...over }], NOW);
    return reference;
  };

  describe('L-5: destinations', () => {
    test('an address and its secrets come back only through the opened delivery', async () => {
      const template = { text: `{agent_name} ${CANARY}` };
      const destination = await put({ template });
      expect(await bed.ledger().openDelivery(ref({ destination }), NOW)).toEqual({
        type: 'open',
        destination: { address: hook.address, secrets: hook.secrets, template },
      });
    });

    test('no table holds a word of it in the clear', async () => {
      const destination = await put({ template: { text: CANARY } });
      await bed.ledger().setDefaultDestination(ORG, 'webhook', destination);
      await bed.ledger().openDelivery(ref(), NOW);
      await bed.ledger().beginAttempt(ref(), 1, message, NOW);
      const tables = await bed.sql(
        `select table_name from information_schema.tables where table_schema = 'public'`,
      );
      expect(tables.length).toBeGreaterThan(15);
      let all = '';
      for (const { table_name: name } of tables) {
        const rows = await bed.sql(
          `select coalesce(string_agg(t::text, ' '), '') as text from ${String(name)} t`,
        );
        all += String(rows[0]?.['text']);
      }
      expect(all).toContain(destination);
      expect(all).not.toContain(CANARY);
      expect(all).not.toContain(Buffer.from(hook.address).toString('base64').slice(0, 20));
    });

    test('the same target is the same reference, with the credentials stored last', async () => {
      const first = await put();
      expect(await put({ secrets: ['new'] })).toBe(first);
      const opened = await bed.ledger().openDelivery(ref({ destination: first }), NOW);
      expect(opened).toMatchObject({ destination: { secrets: ['new', ...hook.secrets] } });
      const others = [
        await put({ channel: 'slack' }),
        await put({ address: `${hook.address}/b` }),
        await put({ template: { text: 'x' } }),
      ];
      expect(new Set([first, ...others]).size).toBe(4);
    });

    test('references outlive a rotation of the keys, and the old key still opens', async () => {
      const destination = await put();
      const rotated = await bed.open({
        seal: parseSealKeys(`${createSealKey('k2')},${SEAL_TEXT}`),
      });
      const references = await rotated.putDestinations(ORG, [hook]);
      expect(references).toEqual([destination]);
      expect(await rotated.openDelivery(ref({ destination }), NOW)).toMatchObject({ type: 'open' });
      await expect(bed.ledger().openDelivery(ref({ destination }), NOW)).rejects.toThrow(
        /Seal key k2/,
      );
    });

    test('a sealed value that was moved to another row does not open', async () => {
      const [a, b] = [await put(), await put({ address: 'https://b.test/' })];
      await bed.sql(
        `update destination set sealed = (select sealed from destination where reference = '${a}') where reference = '${b}'`,
      );
      await expect(bed.ledger().openDelivery(ref({ destination: b }), NOW)).rejects.toThrow(
        /was changed/,
      );
    });
  });

  describe('what is not sent', () => {
    test('C3: without a target the default goes, and without a default nobody', async () => {
      expect(await bed.ledger().openDelivery(ref(), NOW)).toEqual({
        type: 'suppressed',
        reason: 'no_destination',
      });
      await bed.ledger().setDefaultDestination(ORG, 'webhook', await put());
      expect(await bed.ledger().openDelivery(ref(), NOW)).toMatchObject({ type: 'open' });
      const slack = await bed.ledger().openDelivery(ref({ channel: 'slack' }), NOW);
      expect(slack).toMatchObject({ reason: 'no_destination' });
      const foreign = await bed
        .ledger()
        .openDelivery(ref({ org: 'other', destination: await put() }), NOW);
      expect(foreign).toMatchObject({ reason: 'no_destination' });
    });

    test('T2: another alert for the same firing is superseded, the same one is not', async () => {
      const destination = await put();
      const open = (over: Partial<DeliveryRef>) =>
        bed.ledger().openDelivery(ref({ destination, ...over }), NOW);
      expect(await open({})).toMatchObject({ type: 'open' });
      expect(await open({ deliveryId: 'alert/1/1' })).toMatchObject({ type: 'open' });
      const other = { alertId: 'alert/2', deliveryId: 'alert/2/0' };
      expect(await open(other)).toEqual({ type: 'suppressed', reason: 'superseded' });
      for (const change of [
        { bps: 10_000 },
        { limitsRev: 2 },
        { dimension: 'calls' as const },
        { periodId: 'q' },
      ]) {
        expect(await open({ ...other, firing: { ...FIRING, ...change } })).toMatchObject({
          type: 'open',
        });
      }
    });

    test('A11: what was accepted is told instead of opened; what failed is opened again', async () => {
      const destination = await put();
      const message = { body: '{}', contentType: 'application/json' };
      const open = (over: Partial<DeliveryRef> = {}) =>
        bed.ledger().openDelivery(ref({ destination, ...over }), NOW);
      const attempt = async (no: number, outcome: Outcome): Promise<void> => {
        const opened = ref({ destination });
        await bed.ledger().beginAttempt(opened, no, message, NOW);
        await bed.ledger().finishAttempt(opened, no, outcome, NOW);
      };
      await open();
      await attempt(1, { kind: 'transient', reason: 'HTTP 503' });
      expect(await open()).toMatchObject({ type: 'open' });
      const accepted = { kind: 'accepted', reason: 'HTTP 200', providerId: 'p1' } as const;
      await attempt(2, accepted);
      expect(await open()).toEqual({ type: 'delivered', outcome: accepted });
      expect(await open({ deliveryId: 'alert/1/1' })).toMatchObject({ type: 'open' });
    });

    test('T7: a resolution goes to webhooks, and to others where it is wanted', async () => {
      const told = async (over: object) => {
        const destination = await put(over);
        const opened = await bed
          .ledger()
          .openDelivery(ref({ purpose: 'resolve', destination }), NOW);
        return opened.type === 'suppressed' ? opened.reason : opened.type;
      };
      expect(await told({})).toBe('open');
      expect(await told({ channel: 'pagerduty' })).toBe('open');
      expect(await told({ channel: 'slack' })).toBe('resolved');
      expect(await told({ channel: 'email' })).toBe('resolved');
      expect(await told({ channel: 'slack', sendResolved: true })).toBe('open');
      expect(await told({ sendResolved: false })).toBe('resolved');
    });
  });

  describe('A11: attempts', () => {
    test('the first message wins, and a repeat knows when the delivery was first begun', async () => {
      const destination = await put();
      const begin = (attempt: number, body: string, at = NOW) =>
        bed.ledger().beginAttempt(ref({ destination }), attempt, { ...message, body }, at);
      const first = { ...message, body: 'first' };
      expect(await begin(1, 'first')).toEqual({ message: first });
      expect(await begin(1, 'second', NOW + 1)).toEqual({ message: first, repeatsSince: NOW });
      const outcome = { kind: 'transient', reason: 'HTTP 503', status: 503 } as const;
      await bed.ledger().finishAttempt(ref(), 1, outcome, NOW + 1);
      await bed.ledger().finishAttempt(ref(), 1, { kind: 'accepted', reason: 'no' }, NOW + 9);
      expect(await begin(2, 'x')).toEqual({ message: first, repeatsSince: NOW });
      const opened = await bed.ledger().openDelivery(ref({ destination }), NOW);
      expect(opened).toMatchObject({ message: { body: 'first' } });
      await bed.ledger().appendJournal(alert, []);
      expect((await bed.ledger().alert(ORG, 'alert/1'))?.attempts).toEqual([
        {
          deliveryId: 'alert/1/0',
          channel: 'webhook',
          attempt: 1,
          startedAt: NOW,
          endedAt: NOW + 1,
          outcome,
        },
        { deliveryId: 'alert/1/0', channel: 'webhook', attempt: 2, startedAt: NOW },
      ]);
    });
  });

  const alert: AlertView = {
    ...{ id: 'alert/1', org: ORG, subject: 'budget/acme/agent:bot/daily/d', phase: 'firing' },
    ...{ exhausted: false, raisedAt: NOW },
    facts: {
      ...{ org: ORG, agentName: 'bot', dimension: 'cost', cadence: 'daily', thresholdBps: 8_000 },
      ...{ spent: 8 * USD, limit: 10 * USD, severity: 'warning', priority: 'medium' },
      ...{ zone: 'UTC', at: NOW },
    },
  };

  describe('A10: the journal', () => {
    const raised = { no: 0, at: NOW, what: 'raised' } as const;
    const attempt = {
      no: 1,
      at: NOW + 1,
      what: 'attempt',
      delivery: 'd',
      channel: 'slack',
      attempt: 1,
      reason: 'HTTP 200',
    } as const;
    const resolved = { no: 2, at: NOW + 2, what: 'resolved', by: 'ann' } as const;

    test('appending twice writes once, and a late append does not take the alert back', async () => {
      await bed.ledger().appendJournal(alert, [raised]);
      await bed.ledger().appendJournal({ ...alert, phase: 'resolved' }, [attempt, resolved]);
      await bed.ledger().appendJournal(alert, [raised, attempt]);
      expect(await bed.ledger().alert(ORG, 'alert/1')).toEqual({
        alert: { ...alert, phase: 'resolved' },
        journal: [raised, attempt, resolved],
        attempts: [],
      });
      expect(await bed.ledger().alert('other', 'alert/1')).toBeUndefined();
    });

    test('alerts are listed the newest first, by agent and by subject', async () => {
      await bed.ledger().appendJournal(alert, [raised]);
      const newer = {
        ...alert,
        id: 'alert/2',
        raisedAt: NOW + 1,
        facts: { ...alert.facts, agentName: 'b2' },
      };
      await bed.ledger().appendJournal(newer, [raised]);
      const ids = async (over: object) =>
        (await bed.ledger().alerts({ org: ORG, limit: 9, ...over })).map((each) => each.id);
      expect(await ids({})).toEqual(['alert/2', 'alert/1']);
      expect(await ids({ limit: 1 })).toEqual(['alert/2']);
      expect(await ids({ agent: 'bot' })).toEqual(['alert/1']);
      expect(await ids({ subject: 'none' })).toEqual([]);
      expect(await ids({ org: 'other' })).toEqual([]);
    });
  });

  test('an API key is known by its hash until it is revoked', async () => {
    expect(await bed.ledger().apiKey('abc')).toBeUndefined();
    await bed.ledger().putApiKey('abc', { org: ORG, name: 'admin' });
    expect(await bed.ledger().apiKey('abc')).toEqual({
      ...{ org: ORG, name: 'admin', id: 'abc' },
      scopes: ['ingest', 'sync', 'read', 'operate', 'admin'],
    });
    await bed.sql('update api_key set revoked_at = 1');
    await bed.ledger().putApiKey('abc', { org: 'thief', name: 'x' });
    expect(await bed.ledger().apiKey('abc')).toBeUndefined();
  });
}
