/** API keys and their rights, and what writes were answered: each change with its audit entry. */
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, NOW, ORG, type Bed } from './bed.js';

const hash = (digit: string): string => digit.repeat(64);
const idOf = (digit: string): string => digit.repeat(16);

export function keyingContract(bed: Bed): void {
  const create = (digit: string, over: object = {}) =>
    bed.ledger().createKey({
      ...{ org: ORG, name: `key ${digit}`, hash: hash(digit), hint: `kv_${digit}…` },
      ...{ scopes: ['ingest', 'sync'] as const, by: 'ann', now: NOW },
      ...over,
    });
  const rotate = (digit: string, to: string, graceMs = HOUR, org = ORG) =>
    bed.ledger().rotateKey({
      ...{ org, id: idOf(digit), hash: hash(to), hint: `kv_${to}…` },
      ...{ graceMs, by: 'bob', now: NOW + 1 },
    });
  const audits = () => bed.sql('select subject, by, what from audit order by id');

  describe('API keys', () => {
    test('a key is found by its hash, with its rights, and listed without its hash', async () => {
      const created = await create('a', { agent: 'bot' });
      expect(await bed.ledger().apiKey(hash('a'))).toEqual({
        ...{ org: ORG, name: 'key a', id: idOf('a'), scopes: ['ingest', 'sync'], agent: 'bot' },
      });
      const keys = await bed.ledger().keys({ org: ORG, limit: 9 });
      expect(keys).toEqual([created]);
      expect(created).toMatchObject({ hint: 'kv_a…', createdBy: 'ann', createdAt: NOW });
      expect(JSON.stringify(keys)).not.toContain(hash('a'));
      expect(await bed.ledger().keys({ org: 'other', limit: 9 })).toEqual([]);
      expect(await audits()).toEqual([
        { subject: `key:${idOf('a')}`, by: 'ann', what: 'key_created' },
      ]);
    });

    test('a key made elsewhere has every scope unless told otherwise, and is audited', async () => {
      await bed.ledger().putApiKey(hash('a'), { org: ORG, name: 'first' }, NOW);
      await bed.ledger().putApiKey(hash('a'), { org: ORG, name: 'twice' }, NOW);
      await bed.ledger().putApiKey(hash('b'), { org: ORG, name: 'x', scopes: ['read'] }, NOW);
      expect((await bed.ledger().apiKey(hash('a')))?.scopes).toContain('admin');
      expect((await bed.ledger().apiKey(hash('b')))?.scopes).toEqual(['read']);
      expect(await audits()).toEqual(
        ['a', 'b'].map((each) => ({
          ...{ subject: `key:${idOf(each)}`, by: 'kavach', what: 'key_created' },
        })),
      );
    });

    test('that one which is over is used is told its operators once a day; of others, nobody', async () => {
      await create('a');
      await bed.ledger().revokeKey(ORG, idOf('a'), 'ann', NOW);
      for (const at of [NOW, NOW + 1, NOW + DAY]) await bed.ledger().keyRefused(hash('a'), at);
      await bed.ledger().keyRefused(hash('f'), NOW);
      const notices = await bed.ledger().operatorNotices(ORG, 9);
      expect(notices.map(({ kind, at }) => [kind, at])).toEqual([
        ['key_refused', NOW + DAY],
        ['key_refused', NOW],
      ]);
      expect(notices[0]?.text).toContain(`the API key "key a" (${idOf('a')}) are refused`);
      expect(await bed.sql('select count(*)::int as n from operator_notice')).toEqual([{ n: 2 }]);
    });

    test('a rotated key has a successor with its rights, and an end', async () => {
      await create('a', { agent: 'bot' });
      const rotated = await rotate('a', 'b');
      expect(rotated).toMatchObject({
        type: 'rotated',
        key: { id: idOf('b'), name: 'key a', scopes: ['ingest', 'sync'], agent: 'bot' },
        old: { id: idOf('a'), expiresAt: NOW + 1 + HOUR, replacedBy: idOf('b') },
      });
      expect(await bed.ledger().apiKey(hash('a'))).toMatchObject({ expiresAt: NOW + 1 + HOUR });
      expect(await bed.ledger().apiKey(hash('b'))).not.toHaveProperty('expiresAt');
      expect(await rotate('a', 'c')).toMatchObject({ type: 'ended' });
      expect(await rotate('b', 'c', 0, 'other')).toEqual({ type: 'unknown' });
      expect(await bed.ledger().apiKey(hash('c'))).toBeUndefined();
      expect((await audits()).map(({ what }) => what)).toEqual(['key_created', 'key_rotated']);
    });

    test('of rotations at the same moment one makes a key', async () => {
      await create('a');
      const answers = await Promise.all(['b', 'c', 'd'].map((to) => rotate('a', to)));
      expect(answers.map(({ type }) => type).sort()).toEqual(['ended', 'ended', 'rotated']);
      expect(await bed.ledger().keys({ org: ORG, limit: 9 })).toHaveLength(2);
    });

    test('a revoked key is unknown, for good', async () => {
      await create('a');
      const revoke = (org = ORG) => bed.ledger().revokeKey(org, idOf('a'), 'eve', NOW + 2);
      expect(await revoke('other')).toBeUndefined();
      expect(await revoke()).toMatchObject({ changed: true, key: { revokedAt: NOW + 2 } });
      expect(await revoke()).toMatchObject({ changed: false });
      expect(await bed.ledger().apiKey(hash('a'))).toBeUndefined();
      await bed.ledger().putApiKey(hash('a'), { org: ORG, name: 'again' });
      expect(await bed.ledger().apiKey(hash('a'))).toBeUndefined();
      expect(await rotate('a', 'b')).toMatchObject({ type: 'ended' });
      expect((await audits()).map(({ what }) => what)).toEqual(['key_created', 'key_revoked']);
    });

    test('pages follow each other, whatever is made meanwhile', async () => {
      for (const digit of ['a', 'b', 'c', 'd']) {
        await create(digit, { now: digit < 'c' ? NOW : NOW + 1 });
      }
      const page = async (after?: { createdAt: number; id: string }) =>
        bed.ledger().keys({ org: ORG, limit: 2, ...(after === undefined ? {} : { after }) });
      const first = await page();
      expect(first.map(({ id }) => id)).toEqual([idOf('c'), idOf('d')]);
      await create('e', { now: NOW + 2 });
      const second = await page({ createdAt: NOW + 1, id: idOf('d') });
      expect(second.map(({ id }) => id)).toEqual([idOf('a'), idOf('b')]);
    });
  });

  describe('answered writes', () => {
    const ref = { org: ORG, keyId: 'k', idempotencyKey: 'i' };
    const claim = (holder: string, over: object = {}) =>
      bed.ledger().claimWrite({ ...ref, request: 'r', holder, now: NOW, claimMs: 1_000, ...over });
    const stored = { status: 201, answer: '{"a":"\\"\\u0000é"}' };

    test('one is carried out, the others wait for its answer and get it', async () => {
      const types = await Promise.all(['1', '2', '3'].map((holder) => claim(holder)));
      expect(types.map(({ type }) => type).sort()).toEqual(['claimed', 'under_way', 'under_way']);
      const holder = String(1 + types.findIndex(({ type }) => type === 'claimed'));
      await bed.ledger().finishWrite(ref, holder, stored, NOW + HOUR);
      expect(await claim('4', { now: NOW + HOUR - 1 })).toEqual({ type: 'answered', stored });
      expect(await claim('4', { request: 'x' })).toEqual({ type: 'other_request' });
      expect(await claim('4', { keyId: 'other' })).toEqual({ type: 'claimed' });
      expect(await claim('5', { now: NOW + HOUR })).toEqual({ type: 'claimed' });
    });

    test('a lost one is overtaken, and stores nothing any more', async () => {
      await claim('1');
      expect(await claim('2', { now: NOW + 999 })).toEqual({ type: 'under_way' });
      expect(await claim('2', { now: NOW + 1_000 })).toEqual({ type: 'claimed' });
      await bed.ledger().finishWrite(ref, '1', stored, NOW + HOUR);
      await bed.ledger().releaseWrite(ref, '1');
      expect(await claim('3', { now: NOW + 1_001 })).toEqual({ type: 'under_way' });
    });

    test('a refused one frees its key', async () => {
      await claim('1');
      await bed.ledger().releaseWrite(ref, '1');
      expect(await claim('2', { request: 'x' })).toEqual({ type: 'claimed' });
    });

    test('what is past its time is swept', async () => {
      await claim('1');
      await claim('2', { idempotencyKey: 'j', now: NOW + HOUR });
      expect(await bed.sql('select idempotency_key as key from idempotent_answer')).toEqual([
        { key: 'j' },
      ]);
    });
  });
}
