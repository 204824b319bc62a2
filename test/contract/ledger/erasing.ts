/** A person's erasure, and sealing anew: what is nowhere afterwards, and what goes on. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../domain/alert/policy.js';
import type { NoticeAlert } from '../../../domain/alert/state.js';
import { ledgerTables, quotedName } from '../../../ledger/catalog.js';
import type { Database } from '../../../ledger/database.js';
import { erase } from '../../../ledger/erase.js';
import { neededKeys, reseal } from '../../../ledger/reseal.js';
import type { DeliveryRef } from '../../../ledger/ledger.js';
import { createSealKey, parseSealKeys, unseal } from '../../../ledger/seal.js';
import { SEALED_COLUMNS } from '../../../ledger/sealed-columns.js';
import { batch, event, NOW, ORG, store, type Bed } from './bed.js';
import { databaseOf } from './database.js';
import { peopleOf } from './people.js';
import { SEAL_TEXT } from './delivering.js';

const EMAIL = 'Ana.Lima+oncall@example.com';
const keys = parseSealKeys(SEAL_TEXT);

/** Every text of every table, with what is sealed opened. */
async function wholeLedger(db: Database): Promise<string> {
  let all = '';
  for (const { name, columns, key } of await ledgerTables(db.run)) {
    for (const row of await db.run(
      `select ${columns.map((c) => quotedName(c.name)).join(', ')} from ${name}`,
    )) {
      all += `${name} ${JSON.stringify(row)}\n`;
      const place = SEALED_COLUMNS.find(({ table }) => table === name);
      const sealed = place && (row[place.column] as string | null);
      if (sealed)
        all += unseal(keys, sealed, place.belongsTo(key.map((each) => String(row[each]))));
    }
  }
  return all;
}

const ref = (deliveryId: string, destination?: string): DeliveryRef => ({
  ...{ org: ORG, alertId: 'alert/1', deliveryId, purpose: 'acknowledge', channel: 'email' },
  ...(destination === undefined ? {} : { destination }),
});

export function erasingContract(bed: Bed): void {
  describe('erasure of an address', () => {
    test('it is nowhere afterwards, and what is not about it stays', async () => {
      const ledger = bed.ledger();
      const db = await databaseOf(bed);
      const [own = '', upper = '', other = '', slack = ''] = await ledger.putDestinations(ORG, [
        { channel: 'email', address: EMAIL },
        { channel: 'email', address: EMAIL.toUpperCase(), template: { text: 'for you' } },
        { channel: 'email', address: `x${EMAIL}` },
        {
          channel: 'slack',
          address: 'https://hooks.slack.com/x',
          template: { text: `ask ${EMAIL}!` },
        },
      ]);
      await ledger.putDestinations('other', [{ channel: 'email', address: EMAIL }]);
      await ledger.setDefaultDestination(ORG, 'email', own);
      await ledger.setOperators(ORG, [
        { channel: 'email', destination: own },
        { channel: 'slack', destination: slack },
      ]);
      await ledger.setEscalation(ORG, {
        ...{
          rounds: 1,
          levels: [{ afterMs: 1, routes: [{ channel: 'email', destination: upper }] }],
        },
      });
      const message = { body: 'to you', contentType: 'text/plain' };
      for (const [id, to] of [
        ['1', own],
        ['2', undefined],
        ['3', other],
      ] as const) {
        await ledger.beginAttempt(ref(id, to), 1, message, NOW);
      }
      await ledger.quarantine([
        { org: ORG, at: NOW, path: 'x', problem: 'bad', raw: `{"mail":"${EMAIL}"}` },
      ]);
      const configured = {
        org: ORG,
        scope: 'agent:bot',
        name: 'bot',
        zone: 'UTC',
        budgets: [],
      } as const;
      await ledger.configure({
        ...{ ...configured, windows: [], by: EMAIL, now: NOW },
        shown: [{ alert: { channel: 'fax', target: EMAIL } }],
      });
      await ledger.stop(ORG, {
        agent: 'bot',
        at: NOW,
        by: EMAIL,
        reason: `ask ${EMAIL.toLowerCase()}.`,
      });
      await bed.sql(`insert into journal (org, alert_id, no, at, what, by, reason) values
        ('${ORG}', 'alert/1', 1, 1, 'acknowledged', '${EMAIL} (link)', 'write to mailto:${EMAIL}?x')`);
      await store(ledger, batch([event('e')], []));
      expect((await wholeLedger(db)).toLowerCase()).toContain(EMAIL.toLowerCase());

      const person = { kind: 'email', value: EMAIL } as const;
      const erased = await erase(db, keys, person, { by: EMAIL, now: NOW });
      expect(erased).toEqual({
        ...{
          recipients: 0,
          destinations: 3,
          messages: 2,
          routes: 2,
          unopened: 0,
          names: 4,
          texts: 6,
          kept: {},
        },
      });
      const all = (await wholeLedger(db)).replaceAll(`x${EMAIL}`, '');
      expect(all.toLowerCase()).not.toContain(EMAIL.toLowerCase());
      expect(all).toContain('ask erased!');
      expect(all).toContain('write to mailto:erased?x');

      expect(await ledger.openDelivery(ref('9', own), NOW)).toEqual({
        ...{ type: 'suppressed', reason: 'no_destination' },
      });
      expect(await ledger.openDelivery(ref('9', other), NOW)).toMatchObject({ type: 'open' });
      const urgent = { priority: 'critical', kind: 'threshold' } as const;
      expect(await ledger.response(ORG, urgent)).toEqual({
        operators: [{ channel: 'slack', destination: slack }],
        escalation: { rounds: 1, levels: [{ afterMs: 1, routes: [] }] },
      });
      const entries = await bed.sql(
        `select org, by, after from audit where what = 'person_erased' order by org`,
      );
      expect(entries.map(({ org, by }) => [org, by])).toEqual([
        [ORG, 'the person'],
        ['other', 'the person'],
      ]);
      // Twice is once.
      const again = await erase(db, keys, person, { by: 'ops', now: NOW });
      expect(again).toMatchObject({ destinations: 0, messages: 0, names: 0, texts: 0 });
    });

    test('a phone number is found however it is written', async () => {
      const ledger = bed.ledger();
      const db = await databaseOf(bed);
      const [number = '', longer = ''] = await ledger.putDestinations(ORG, [
        { channel: 'sms', address: '+15551234567' },
        { channel: 'sms', address: '+155512345678' },
      ]);
      await ledger.stop(ORG, {
        agent: 'a',
        at: NOW,
        by: 'ada',
        reason: 'call +1 (555) 123-4567 now',
      });
      const person = { kind: 'phone', value: '+1 555 1234567' } as const;
      const erased = await erase(db, keys, person, { by: 'ops', now: NOW });
      expect(erased).toMatchObject({ destinations: 1, texts: 2 });
      const left = await bed.sql('select reference from destination');
      expect(left).toEqual([{ reference: longer }]);
      expect(left).not.toContainEqual({ reference: number });
      expect((await ledger.stopped(ORG))[0]?.reason).toBe('call erased now');
    });

    test('a name goes from every `by`, also from inside a record, and from no other word', async () => {
      const ledger = bed.ledger();
      const db = await databaseOf(bed);
      await ledger.stop(ORG, { agent: 'ada', at: NOW, by: 'ada', reason: 'ada was here' });
      await bed.sql(`insert into audit (org, subject, at, by, what, after) values
        ('${ORG}', 's', 1, 'adam', 'stopped', '{"by": "ada", "note": "ada", "x": {"by": "adam"}}')`);
      const erased = await erase(db, keys, { kind: 'user', value: 'ada' }, { by: 'ops', now: NOW });
      expect(erased).toMatchObject({ destinations: 0, texts: 0 });
      expect(await ledger.stopped(ORG)).toEqual([
        { agent: 'ada', at: NOW, by: 'erased', reason: 'ada was here' },
      ]);
      const [entry] = await bed.sql(`select by, after from audit where by = 'adam'`);
      expect(entry?.['after']).toEqual({ by: 'erased', note: 'ada', x: { by: 'adam' } });
    });

    test('what hangs on a name that holds it stays and is told; nonsense is refused', async () => {
      const db = await databaseOf(bed);
      await store(bed.ledger(), batch([event('e', { run: `for-${EMAIL}`, agent: EMAIL })], []));
      const person = { kind: 'email', value: EMAIL } as const;
      const { kept } = await erase(db, keys, person, { by: 'ops', now: NOW });
      expect(kept).toEqual({ 'usage_event.agent': 1, 'usage_total.agent': 1 });
      const nobody = { kind: 'email', value: '%' } as const;
      await expect(erase(db, keys, nobody, { by: 'x', now: NOW })).rejects.toThrow(/one email/);
    });
  });

  describe('erasure of a recipient', () => {
    const audience = { recipients: [EMAIL, 'bo'], channels: ['push', 'email'] } as const;
    const alert: NoticeAlert = {
      ...{ id: 'alert/1', org: ORG, routes: [], audience, policy: DEFAULT_POLICY, kind: 'notice' },
      subject: 'notice/bot',
      facts: {
        ...{ kind: 'notice', org: ORG, topic: 'agent', agentName: 'bot', title: 'News', lines: [] },
        ...{ severity: 'warning', priority: 'low', at: NOW },
      },
    };

    test('one whose id or name it is goes with contacts and preferences; decisions stay, about nobody', async () => {
      const ledger = bed.ledger();
      const db = await databaseOf(bed);
      const { verified } = peopleOf(bed);
      await verified(EMAIL, 'private@example.com');
      await verified('bo', 'bo@example.com');
      await bed.sql(`insert into alert_outbox (id, org, input) values
        ('alert/1', '${ORG}', '${JSON.stringify(alert)}')`);
      await ledger.routeAlert(alert, NOW);
      for (const [recipients, name] of [
        [[EMAIL, 'bo'], 'two'] as const,
        [[EMAIL], 'one'] as const,
      ]) {
        const rule = { id: `rule-${name}`, name, agent: '*', condition: 'errors > 3', recipients };
        const more = { channels: ['email'], priority: 'high', cooldownMs: 0 } as const;
        await ledger.setRule({
          org: ORG,
          rule: { ...rule, ...more },
          isNew: true,
          by: 'ops',
          now: NOW,
        });
      }
      const { rev } = await ledger.rules(ORG);
      const person = { kind: 'email', value: EMAIL.toLowerCase() } as const;
      const erased = await erase(db, keys, person, { by: 'ops', now: NOW });
      expect(erased).toMatchObject({ recipients: 1, destinations: 1, kept: {} });
      expect(await bed.sql('select from code_count')).toEqual([]);
      const all = (await wholeLedger(db)).toLowerCase();
      expect(all).not.toContain(EMAIL.toLowerCase());
      expect(all).not.toContain('private@example.com');
      const decisions = await ledger.routing(ORG, 'alert/1');
      expect(decisions.map(({ recipient, reason }) => [recipient, reason])).toEqual([
        ['erased 0', 'digest'],
        ['erased 1', 'digest'],
        ['bo', 'digest'],
        ['bo', 'digest'],
      ]);
      const [row] = await bed.sql('select input from alert_outbox');
      expect((row?.['input'] as NoticeAlert).audience?.recipients).toEqual(['erased', 'bo']);
      expect(await ledger.recipients({ org: ORG, limit: 9 })).toMatchObject([{ id: 'bo' }]);
      const left = await ledger.rules(ORG);
      expect(left.rules.map(({ recipients }) => recipients)).toEqual([[], ['bo']]);
      expect(left.rev).toBeGreaterThan(rev);
      const again = await erase(db, keys, person, { by: 'ops', now: NOW });
      expect(again).toMatchObject({ recipients: 0, destinations: 0, texts: 0 });
    });

    test('an address goes from the contacts of whoever has it', async () => {
      const { verified, seen } = peopleOf(bed);
      await verified('ana', EMAIL);
      const person = { kind: 'email', value: EMAIL } as const;
      const db = await databaseOf(bed);
      const erased = await erase(db, keys, person, { by: 'ops', now: NOW });
      expect(erased).toMatchObject({ recipients: 0, destinations: 1 });
      expect((await seen('ana'))?.contacts).toEqual([]);
    });
  });

  describe('sealing anew', () => {
    test('everything opens with the new key alone, batch after batch, and goes on where it was broken off', async () => {
      const ledger = bed.ledger();
      const db = await databaseOf(bed);
      const many = Array.from({ length: 450 }, (_, i) => ({
        ...({ channel: 'email', address: `p${String(i)}@example.com` } as const),
      }));
      const references = await ledger.putDestinations(ORG, many);
      const fresh = createSealKey('k2');
      const ring = parseSealKeys(`${fresh},${SEAL_TEXT}`);
      let steps = 0;
      const brokenOff = reseal(db, ring, () => {
        steps += 1;
        if (steps === 2) throw new Error('killed');
      });
      await expect(brokenOff).rejects.toThrow('killed');
      expect(await neededKeys(db)).toEqual({ k1: 51, k2: 400 });
      expect(await reseal(db, ring)).toEqual({ resealed: 51, left: {}, unopened: [] });
      expect(await neededKeys(db)).toEqual({ k2: 451 });
      const next = await bed.open({ seal: parseSealKeys(fresh) });
      const opened = await next.openDelivery(ref('1', references[449]), NOW);
      expect(opened).toMatchObject({ destination: { address: 'p449@example.com' } });
      // The key of references is the same one: the same target is the same reference.
      expect(await next.putDestinations(ORG, many.slice(0, 1))).toEqual(references.slice(0, 1));
    });

    test('what no key opens is left, and named without its address', async () => {
      const db = await databaseOf(bed);
      const [reference = ''] = await bed
        .ledger()
        .putDestinations(ORG, [{ channel: 'email', address: EMAIL }]);
      const stranger = parseSealKeys(createSealKey('k9'));
      const answer = await reseal(db, stranger);
      expect(answer).toMatchObject({ resealed: 0, left: { k1: 2 } });
      expect(answer.unopened).toContain(`destination ${reference} of ${ORG}`);
    });
  });
}
