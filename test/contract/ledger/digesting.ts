/** P3: what waits for a digest is claimed for exactly one, and nobody who waits is forgotten. */
import { describe, expect, test } from 'vitest';
import { digestContent } from '../../../channels/digest-message.js';
import { DEFAULT_POLICY } from '../../../domain/alert/policy.js';
import type { DigestRef } from '../../../domain/digest/state.js';
import { addDigestItem } from '../../../ledger/digest-items.js';
import type { Ledger } from '../../../ledger/ledger.js';
import { DAY, HOUR, NOW, ORG, type Bed } from './bed.js';
import { databaseOf } from './database.js';

const ANA: DigestRef = { org: ORG, recipient: 'ana', cadence: 'hourly' };
const WATCH = 60_000;

export function digestingContract(bed: Bed): void {
  const add = async (count: number, ref = ANA, prefix = 'a', at = NOW) => {
    const db = await databaseOf(bed);
    const { org, recipient, cadence } = ref;
    for (let no = 0; no < count; no += 1) {
      const alertId = `${prefix}${String(no)}`;
      await db.transaction((run) =>
        addDigestItem(run, { org, recipient, alertId, cadence, at: at + no }),
      );
    }
  };
  const due = (now = NOW, ledger: Ledger = bed.ledger()) =>
    ledger.claimDigests({ now, limit: 10, leaseMs: 5_000 });
  const plan = (now = NOW, ref = ANA) =>
    bed.ledger().planDigest(ref, { now, nextAt: now + HOUR, watchMs: WATCH });
  const claim = (now = NOW, ledger = bed.ledger()) => ledger.claimDigest(ANA, now);
  const end = (id: string, result: 'sent' | 'failed' = 'sent', now = NOW) =>
    bed.ledger().endDigest(ANA, id, { result, reason: 'accepted: ok' }, now);

  describe('P3: whoever has something waiting', () => {
    test('is woken once for any number of items, and not again while they wait', async () => {
      await add(5);
      const [first, ...others] = await due();
      expect(others).toEqual([]);
      expect(first).toMatchObject(ANA);
      expect(await due()).toEqual([]);
      if (first === undefined) throw new Error('nobody is due');
      await bed.ledger().digestWoken(first, NOW, WATCH);
      expect(await plan()).toBe(NOW + HOUR);
      await add(5, ANA, 'b');
      expect(await due(NOW + HOUR)).toEqual([]);
    });

    test('is looked after when its hour has passed and nobody came: the workflow was lost', async () => {
      await add(1);
      const [first] = await due();
      await bed.ledger().digestWoken(first!, NOW, WATCH);
      await plan();
      expect(await due(NOW + HOUR + WATCH - 1)).toEqual([]);
      expect(await due(NOW + HOUR + WATCH)).toHaveLength(1);
    });

    test('one that could not be woken comes back after its wait, under a new fence', async () => {
      await add(1);
      const [first] = await due();
      const failure = { now: NOW, backoffMs: 7_000, reason: 'away' };
      await bed.ledger().digestNotWoken(first!, failure);
      expect(await due(NOW + 6_999)).toEqual([]);
      const [again] = await due(NOW + 7_000);
      expect(again).toMatchObject({ tries: 1 });
      await bed.ledger().digestWoken(first!, NOW + 7_000, WATCH);
      expect(await due(NOW + 12_001)).toHaveLength(1);
    });

    test('sleeps when nothing waits, and the next item wakes it', async () => {
      await add(1);
      const claimed = await claim();
      await end(claimed!.id);
      expect(await plan()).toBeUndefined();
      expect(await due(NOW + DAY)).toEqual([]);
      await add(1, ANA, 'b');
      expect(await due(NOW + DAY)).toHaveLength(1);
    });

    test('no item is forgotten by a workflow that ends at the same moment', async () => {
      for (let round = 0; round < 20; round += 1) {
        await Promise.all([plan(), add(1, ANA, `r${String(round)}-`)]);
        const [row] = await bed.sql(
          `select due_at is not null as awake from digest_schedule where recipient = 'ana'`,
        );
        expect(row).toEqual({ awake: true });
        const claimed = await claim();
        await end(claimed!.id);
        await plan();
      }
    });

    test('whose preferences change is planned anew', async () => {
      const author = { by: 'ana', now: NOW };
      await bed.ledger().putRecipient({ org: ORG, id: 'ana' }, author);
      await add(1);
      const [first] = await due();
      await bed.ledger().digestWoken(first!, NOW, WATCH);
      await plan();
      const { preferences } = (await bed.ledger().recipient({ org: ORG, id: 'ana' }))!;
      const moved = { ...preferences, zone: 'Asia/Kolkata' };
      await bed.ledger().setPreferences({ org: ORG, id: 'ana' }, moved, { by: 'ana', now: NOW });
      expect(await due(NOW + 1)).toHaveLength(1);
    });
  });

  describe('P3: a digest', () => {
    test('has each item once, whoever claims at the same moment', async () => {
      await add(30);
      const ledgers = [bed.ledger(), await bed.open(), await bed.open()];
      const claims = await Promise.all(ledgers.map((ledger) => claim(NOW, ledger)));
      expect(new Set(claims.map((each) => each?.id)).size).toBe(1);
      expect(claims[0]).toMatchObject({ total: 30 });
      const rows = await bed.sql('select count(*) as items from digest_item where digest is null');
      expect(rows.map(({ items }) => Number(items))).toEqual([0]);
    });

    test('that is being sent is answered again; what comes meanwhile is in the next', async () => {
      await add(2);
      const first = await claim();
      await add(3, ANA, 'late');
      expect(await claim(NOW + 1)).toEqual(first);
      expect(await plan(NOW + 1)).toBe(NOW + 1);
      await end(first!.id);
      const second = await claim(NOW + HOUR);
      expect(second).toMatchObject({ total: 3 });
      expect(second!.id).not.toBe(first!.id);
      const contents = await bed.ledger().digestContents(ORG, second!.id);
      expect(contents.items.map(({ alertId }) => alertId)).toEqual(['late2', 'late1', 'late0']);
    });

    test('is nothing where nothing waits', async () => {
      expect(await claim()).toBeUndefined();
      await add(1);
      await end((await claim())!.id);
      expect(await claim(NOW + HOUR)).toBeUndefined();
    });

    test('an alert is in one digest of a recipient for good', async () => {
      await add(2);
      await end((await claim())!.id);
      await add(2);
      expect(await claim(NOW + HOUR)).toBeUndefined();
    });

    test('shows what agents said, and an alert that has no row yet', async () => {
      const terms = { policy: DEFAULT_POLICY, windowMs: 1_000, now: NOW };
      const { alertId } = await bed.ledger().sendNotice(
        {
          ...{ org: ORG, id: 'n1', notificationId: 'n1', agent: 'bot', recipient: 'ana' },
          ...{ title: 'The job is done', body: '', priority: 'low', channels: ['email'] },
          createdAt: NOW,
        },
        terms,
      );
      const db = await databaseOf(bed);
      await db.transaction((run) => addDigestItem(run, { ...ANA, alertId, at: NOW }));
      expect(await bed.ledger().waitingContents(ANA)).toMatchObject({
        total: 1,
        items: [{ alertId, title: 'The job is done', facts: { agentName: 'bot' } }],
      });
    });

    test('that failed is told to the operators, once, and listed', async () => {
      await add(2);
      const { id } = (await claim())!;
      await end(id, 'failed');
      await end(id, 'failed');
      await end(id, 'sent');
      const notices = await bed.ledger().operatorNotices(ORG, 10);
      expect(notices).toMatchObject([{ kind: 'permanent_failure' }]);
      expect(notices[0]?.text).toContain('digest of ana with 2 alerts was not delivered');
      expect(await bed.ledger().digests(ORG, 'ana', 10)).toMatchObject([
        { id, total: 2, end: { result: 'failed', at: NOW } },
      ]);
    });

    test('of 100,000 items for one person is one mail of 200, with the total named', async () => {
      await add(1);
      await bed.sql(
        `insert into digest_item (org, recipient, alert_id, cadence, at)
         select '${ORG}', 'ana', 'bulk' || n, 'hourly', ${String(NOW)} + n
         from generate_series(1, 99999) as n`,
      );
      expect(await due()).toHaveLength(1);
      const claimed = await claim();
      expect(claimed).toMatchObject({ total: 100_000 });
      expect(await claim()).toEqual(claimed);
      const contents = await bed.ledger().digestContents(ORG, claimed!.id);
      expect(contents).toMatchObject({ total: 100_000 });
      expect(contents.items).toHaveLength(200);
      const mail = digestContent({
        ...{ ...contents, cadence: 'hourly', zone: 'UTC', at: NOW },
        ...{ alertUrl: (id) => `https://k.test/${id}`, unsubscribeUrl: 'https://k.test/u' },
      });
      expect(mail.subject).toBe('[DIGEST] 100000 alerts of low priority');
      expect(mail.text).toContain('the newest 200 of 100000');
      expect(mail.html.length).toBeLessThan(100_000);
      await end(claimed!.id);
      expect(await claim(NOW + HOUR)).toBeUndefined();
    });

    test('is kept as long as the journal', async () => {
      await add(2);
      await end((await claim())!.id);
      await bed.ledger().prune('journal', { before: NOW, limit: 10 });
      expect(await bed.ledger().digests(ORG, 'ana', 10)).toHaveLength(1);
      await bed.ledger().prune('journal', { before: NOW + 1, limit: 10 });
      expect(await bed.ledger().digests(ORG, 'ana', 10)).toEqual([]);
      expect(await bed.sql('select alert_id from digest_item')).toEqual([]);
    });
  });
}
