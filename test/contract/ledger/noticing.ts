/** A2: notices of agents, and how their copies are told from them. */
import { describe, expect, test } from 'vitest';
import type { AgentNotice } from '../../../domain/alert/agent-notice.js';
import { DEFAULT_POLICY } from '../../../domain/alert/policy.js';
import { erase } from '../../../ledger/erase.js';
import type { TakenNotice } from '../../../ledger/ledger.js';
import { parseSealKeys } from '../../../ledger/seal.js';
import { DAY, NOW, ORG, type Bed } from './bed.js';
import { databaseOf } from './database.js';
import { SEAL_TEXT } from './delivering.js';
import { raisingOf } from './raising.js';

const WINDOW = 300_000;

let made = 0;
function notice(over: Partial<AgentNotice> = {}): AgentNotice {
  made += 1;
  return {
    ...{ org: ORG, id: `n${String(made)}`, notificationId: 'n-1', agent: 'bot', recipient: 'ana' },
    ...{ title: 'The job is done', body: 'Line one\nline two', priority: 'high' },
    ...{ channels: ['push', 'email'], createdAt: NOW - 5, ...over },
  };
}

export function noticingContract(bed: Bed): void {
  const { claimed } = raisingOf(bed);
  const send = (over: Partial<AgentNotice> = {}, now = NOW, ledger = bed.ledger()) =>
    ledger.sendNotice(notice(over), { policy: DEFAULT_POLICY, windowMs: WINDOW, now });
  const kinds = (answers: readonly TakenNotice[]) => answers.map(({ type }) => type);

  describe('A2: a notice', () => {
    test('becomes an alert for its recipient, which says nothing of its words', async () => {
      const { alertId, type } = await send({ metadata: { run: 7 } });
      expect(type).toBe('raised');
      const [alert, ...others] = await claimed(NOW);
      expect(others).toEqual([]);
      expect(alert).toMatchObject({
        ...{ id: alertId, kind: 'notice', subject: 'notice/bot', routes: [] },
        audience: { recipients: ['ana'], channels: ['push', 'email'] },
        facts: { topic: 'agent', notice: alertId, severity: 'error', priority: 'high' },
      });
      expect(JSON.stringify(alert)).not.toMatch(/job is done|line two/);
      expect(await bed.ledger().noticeWords(ORG, alertId)).toEqual({
        ...{ title: 'The job is done', body: 'Line one\nline two', metadata: { run: 7 } },
      });
    });

    test('of 100 copies from 10 senders at once one is raised and 99 are counted, 50 times over', async () => {
      const ledgers = [bed.ledger(), ...(await Promise.all([1, 2, 3].map(() => bed.open())))];
      const round = async (no: number) => {
        const copy = { recipient: `person-${String(no)}` };
        const sender = async (each: number): Promise<TakenNotice[]> => {
          const ledger = ledgers[each % ledgers.length];
          const answers: TakenNotice[] = [];
          for (let i = 0; i < 10; i += 1) answers.push(await send(copy, NOW, ledger));
          return answers;
        };
        const answers = (await Promise.all(Array.from({ length: 10 }, (_, i) => sender(i)))).flat();
        expect(answers.filter(({ type }) => type === 'raised')).toHaveLength(1);
        expect(new Set(answers.map(({ alertId }) => alertId)).size).toBe(1);
        expect(answers.map(({ repeats }) => repeats).sort((a, b) => a - b)).toEqual(
          Array.from({ length: 100 }, (_, i) => i),
        );
      };
      for (let no = 0; no < 50; no += 5) {
        await Promise.all([0, 1, 2, 3, 4].map((each) => round(no + each)));
      }
      expect(await claimed(NOW)).toHaveLength(50);
      const rows = await bed.sql('select distinct repeats from sent_notice');
      expect(rows.map(({ repeats }) => Number(repeats))).toEqual([99]);
    });

    test('with the same key for another person still reaches that person', async () => {
      const given = { dedupKey: 'incident-7' };
      const answers = [
        await send(given),
        await send({ ...given, recipient: 'ben' }),
        await send({ ...given, org: 'other' }),
        await send({ ...given, agent: 'another', title: 'In other words' }),
      ];
      expect(kinds(answers)).toEqual(['raised', 'raised', 'raised', 'repeated']);
    });

    test('is known by its key, else by agent, title and person; a key is no title', async () => {
      const answers = [
        await send(),
        await send({ body: 'other words', priority: 'low', notificationId: 'n-2' }),
        await send({ title: 'Another job is done' }),
        await send({ agent: 'another' }),
        await send({ dedupKey: 'The job is done' }),
        await send({ dedupKey: 'k', title: 'first' }),
        await send({ dedupKey: 'k', title: 'second' }),
      ];
      expect(kinds(answers)).toEqual([
        ...['raised', 'repeated', 'raised', 'raised', 'raised', 'raised', 'repeated'],
      ]);
    });

    test('after the window is another one, however often the first was repeated inside it', async () => {
      const first = await send();
      for (const ms of [1, WINDOW / 2, WINDOW - 1]) {
        expect(await send({}, NOW + ms)).toMatchObject({ type: 'repeated' });
      }
      // The first one's alert is still being tried: it was claimed, and never started.
      await claimed(NOW);
      const second = await send({}, NOW + WINDOW);
      expect(second.type).toBe('raised');
      expect(second.alertId).not.toBe(first.alertId);
      expect((await claimed(NOW + WINDOW)).map(({ id }) => id)).toEqual([second.alertId]);
      const third = await send({}, NOW + WINDOW + 1);
      expect(third).toMatchObject({ type: 'repeated', alertId: second.alertId, repeats: 1 });
    });

    test('is told with its alert: words, and how often it came', async () => {
      const { alertId } = await send();
      await send({}, NOW + 7);
      const [alert] = await claimed(NOW);
      if (alert === undefined) throw new Error('nothing was raised');
      const { id, org, subject, facts } = alert;
      const view = { ...{ id, org, subject, facts }, phase: 'firing', raisedAt: NOW } as const;
      const entry = { no: 1, at: NOW, what: 'raised' } as const;
      await bed.ledger().appendJournal({ ...view, exhausted: false }, [entry]);
      expect(await bed.ledger().alert(ORG, alertId)).toMatchObject({
        notice: { recipient: 'ana', title: 'The job is done', repeats: 1, repeatedAt: NOW + 7 },
      });
    });

    test('that cannot be written whole is not written at all', async () => {
      const { id } = notice();
      await send({ id });
      await expect(send({ id, recipient: 'ben' })).rejects.toThrow();
      expect(await bed.sql('select recipient from notice_window')).toEqual([{ recipient: 'ana' }]);
    });

    test('windows that are over are swept by those that come', async () => {
      for (let no = 0; no < 20; no += 1) await send({ title: `old ${String(no)}` });
      for (let no = 0; no < 10; no += 1) await send({ title: `new ${String(no)}` }, NOW + DAY);
      const rows = await bed.sql('select until from notice_window');
      expect(rows).toHaveLength(10);
    });
  });

  describe('what is kept of a notice', () => {
    const resolved = async (alertId: string) => {
      const alerts = await claimed(NOW);
      const alert = alerts.find(({ id }) => id === alertId);
      if (alert === undefined) throw new Error('nothing was raised');
      const { id, org, subject, facts } = alert;
      const view = { ...{ id, org, subject, facts }, phase: 'resolved', raisedAt: NOW } as const;
      const entry = { no: 1, at: NOW, what: 'resolved' } as const;
      await bed.ledger().appendJournal({ ...view, exhausted: false }, [entry]);
    };

    test('its words go with the messages, the rest of it with the journal', async () => {
      const { alertId } = await send();
      await resolved(alertId);
      const listed = () => bed.ledger().alerts({ org: ORG, limit: 10 });
      expect(await listed()).toMatchObject([{ noticeTitle: 'The job is done' }]);
      const request = { before: NOW + DAY, limit: 10 };
      await bed.ledger().prune('messages', request);
      expect((await listed())[0]).not.toHaveProperty('noticeTitle');
      expect(await bed.ledger().noticeWords(ORG, alertId)).toBeUndefined();
      const kept = await bed.ledger().alert(ORG, alertId);
      expect(kept?.notice).toMatchObject({ recipient: 'ana', repeats: 0 });
      expect(kept?.notice).not.toHaveProperty('title');
      await bed.ledger().prune('journal', request);
      expect(await bed.sql('select * from sent_notice')).toEqual([]);
    });

    test('a person who is erased takes theirs along', async () => {
      const { alertId } = await send({ body: 'for ana only' });
      await send({ recipient: 'ben', body: 'for ben' });
      const db = await databaseOf(bed);
      const person = { kind: 'user', value: 'ana' } as const;
      const erased = await erase(db, parseSealKeys(SEAL_TEXT), person, { by: 'dpo', now: NOW });
      expect(erased.messages).toBe(1);
      expect(await bed.ledger().noticeWords(ORG, alertId)).toBeUndefined();
      const rows = await bed.sql('select recipient from sent_notice');
      expect(rows).toEqual([{ recipient: 'ben' }]);
      expect(await send()).toMatchObject({ type: 'raised' });
    });
  });
}
