/** P1, P2: recipients, how they are reached, and what they want. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_PREFERENCES, type Preferences } from '../../../domain/preferences.js';
import { reach } from '../../../ledger/inspect.js';
import { DAY, HOUR, NOW, ORG, type Bed } from './bed.js';
import { databaseOf } from './database.js';

const author = { by: 'jo', now: NOW };

/** Short words for people. */
export function peopleOf(bed: Bed) {
  const add = async (id: string, preferences?: Partial<Preferences>): Promise<void> => {
    await bed.ledger().putRecipient({ org: ORG, id }, author);
    if (preferences === undefined) return;
    await bed
      .ledger()
      .setPreferences({ org: ORG, id }, { ...DEFAULT_PREFERENCES, ...preferences }, author);
  };
  const code = (id: string, code: string, now = NOW) =>
    bed.ledger().newCode({ ...{ org: ORG, id, channel: 'email', code, now }, until: now + HOUR });
  const verify = (id: string, code: string, now = NOW) =>
    bed.ledger().verifyContact({ org: ORG, id, channel: 'email' }, code, { by: 'jo', now });
  const mail = (id: string, address: string) =>
    bed.ledger().putContact({ org: ORG, id, channel: 'email', address }, author);
  const seen = (id: string) => bed.ledger().recipient({ org: ORG, id });
  /** Answers the reference of its email address. */
  const verified = async (id: string, address: string): Promise<string> => {
    await add(id);
    await mail(id, address);
    await code(id, '123456');
    await verify(id, '123456');
    return (await seen(id))?.contacts[0]?.destination ?? '';
  };
  return { add, code, mail, seen, verify, verified };
}

export function peopleContract(bed: Bed): void {
  const { add, code, mail, seen, verify, verified } = peopleOf(bed);
  const audited = async () =>
    (await bed.ledger().audit({ org: ORG, limit: 99 })).map(({ what, subject }) =>
      [subject, what].join(' '),
    );

  describe('recipients', () => {
    test('are added once, renamed, and listed by id', async () => {
      await add('bo');
      expect(await bed.ledger().putRecipient({ org: ORG, id: 'ana', name: 'Ana' }, author)).toEqual(
        {
          changed: true,
        },
      );
      expect(await bed.ledger().putRecipient({ org: ORG, id: 'ana' }, author)).toEqual({
        changed: false,
      });
      await bed.ledger().putRecipient({ org: ORG, id: 'ana', name: 'Ana Lima' }, author);
      const list = await bed.ledger().recipients({ org: ORG, limit: 9 });
      expect(list).toEqual([
        {
          ...{ id: 'ana', name: 'Ana Lima', preferences: DEFAULT_PREFERENCES, contacts: [] },
          ...{ createdAt: NOW, changedAt: NOW },
        },
        expect.objectContaining({ id: 'bo' }),
      ]);
      expect(await bed.ledger().recipients({ org: ORG, limit: 9, after: 'ana' })).toHaveLength(1);
      expect(await bed.ledger().recipients({ org: 'other', limit: 9 })).toEqual([]);
      expect(await audited()).toEqual([
        'recipient:ana recipient_renamed',
        'recipient:ana recipient_added',
        'recipient:bo recipient_added',
      ]);
    });

    test('their preferences are kept whole, and the same again is no change', async () => {
      await add('ana');
      const next = {
        ...DEFAULT_PREFERENCES,
        agents: { 'batch-agent': { push: false } },
        quietHours: { from: '22:00', to: '07:00', passes: 'critical' },
        zone: 'Europe/Berlin',
      } as const;
      const set = (given: Preferences) =>
        bed.ledger().setPreferences({ org: ORG, id: 'ana' }, given, author);
      expect(await set(next)).toEqual({ changed: true });
      expect(await set(next)).toEqual({ changed: false });
      expect((await seen('ana'))?.preferences).toEqual(next);
      expect((await audited())[0]).toBe('recipient:ana preferences_set');
      const nobody = { org: ORG, id: 'nobody' };
      expect(await bed.ledger().setPreferences(nobody, next, author)).toBeUndefined();
    });

    test('whoever unsubscribed stays so until somebody says otherwise', async () => {
      await add('ana');
      const ana = { org: ORG, id: 'ana' };
      expect(await bed.ledger().unsubscribe(ana, author)).toEqual({ changed: true });
      expect(await bed.ledger().unsubscribe(ana, author)).toEqual({ changed: false });
      const { unsubscribed: _silent, ...document } = DEFAULT_PREFERENCES;
      await bed.ledger().setPreferences(ana, { ...document, zone: 'Asia/Tokyo' }, author);
      expect((await seen('ana'))?.preferences).toMatchObject({
        ...{ unsubscribed: true, zone: 'Asia/Tokyo' },
      });
      await bed.ledger().setPreferences(ana, DEFAULT_PREFERENCES, author);
      expect((await seen('ana'))?.preferences.unsubscribed).toBe(false);
    });

    test('one who is removed takes contacts and addresses along, but for those others use', async () => {
      await verified('ana', 'shared@example.com');
      await verified('bo', 'shared@example.com');
      await add('cy');
      await mail('cy', 'cy@example.com');
      const remove = (id: string) => bed.ledger().removeRecipient({ org: ORG, id }, author);
      const left = async () => (await bed.sql('select from destination')).length;
      expect(await remove('cy')).toEqual({ changed: true });
      expect(await left()).toBe(1);
      await remove('ana');
      expect(await left()).toBe(1);
      await remove('bo');
      expect(await left()).toBe(0);
      expect(await remove('bo')).toEqual({ changed: false });
      expect(await bed.sql('select from contact')).toEqual([]);
    });
  });

  describe('contacts', () => {
    test('count once their code was read there, and the address is never shown', async () => {
      await add('ana');
      expect(await mail('ana', 'ana@example.com')).toEqual({ changed: true });
      expect(await code('ana', '482913')).toEqual({
        ...{ type: 'send', destination: { address: 'ana@example.com' } },
      });
      const [contact] = (await seen('ana'))?.contacts ?? [];
      expect(contact).toMatchObject({ masked: 'a***@example.com', codeUntil: NOW + HOUR });
      expect(contact).not.toHaveProperty('verifiedAt');
      // It waits for its code, and for no operator's word (C3).
      expect(await reach(await databaseOf(bed))).toMatchObject({ unverified: 0 });
      expect(await verify('ana', '482913', NOW + 1)).toEqual({ type: 'verified', changed: true });
      expect(await verify('ana', '482913')).toEqual({ type: 'verified', changed: false });
      expect((await seen('ana'))?.contacts[0]).toMatchObject({ verifiedAt: NOW + 1, health: 'ok' });
      expect(await code('ana', '111111')).toEqual({ type: 'already_verified' });
      expect((await audited()).slice(0, 2)).toEqual([
        'recipient:ana contact_verified',
        'recipient:ana contact_set',
      ]);
    });

    test('a code is over after its time, after five wrong ones, and once there is a newer one', async () => {
      await add('ana');
      await mail('ana', 'ana@example.com');
      expect(await verify('ana', '111111')).toEqual({ type: 'no_code' });
      await code('ana', '111111');
      expect(await verify('ana', '111111', NOW + HOUR)).toEqual({ type: 'no_code' });
      await code('ana', '222222');
      for (const triesLeft of [4, 3, 2, 1, 0]) {
        expect(await verify('ana', '111111')).toEqual({ type: 'wrong', triesLeft });
      }
      expect(await verify('ana', '222222')).toEqual({ type: 'no_code' });
      await code('ana', '333333');
      expect(await verify('ana', '333333')).toEqual({ type: 'verified', changed: true });
    });

    test('five are sent in a day', async () => {
      await add('ana');
      await mail('ana', 'ana@example.com');
      for (let no = 0; no < 5; no += 1) expect((await code('ana', '1')).type).toBe('send');
      expect(await code('ana', '1')).toEqual({ type: 'too_many', nextAt: NOW + DAY / 2 });
      expect((await code('ana', '1', NOW + DAY / 2)).type).toBe('send');
    });

    test('CC-1: five in a day, whoever removes the contact or says the address is another’s', async () => {
      const again = async (id: string, address = 'ana@example.com') => {
        const ref = { ...{ org: ORG, id }, channel: 'email' } as const;
        await bed.ledger().removeContact(ref, author);
        await mail(id, address);
        return (await code(id, '1')).type;
      };
      await add('ana');
      for (let no = 0; no < 5; no += 1) expect(await again('ana')).toBe('send');
      expect(await again('ana')).toBe('too_many');
      // Nor for the contact at another address, nor for another at this one, however it is written.
      expect(await again('ana', 'else@example.com')).toBe('too_many');
      await bed.ledger().removeRecipient({ org: ORG, id: 'ana' }, author);
      await add('ana');
      expect(await again('ana', 'third@example.com')).toBe('too_many');
      await add('bo');
      expect(await again('bo', 'Ana@Example.com')).toBe('too_many');
      expect(await again('bo', 'bo@example.com')).toBe('send');
      expect((await code('ana', '1', NOW + DAY / 2)).type).toBe('send');
    });

    test('CC-1: of codes that are asked for at once five are sent', async () => {
      const ids = Array.from({ length: 8 }, (_, i) => `at-once-${String(i)}`);
      for (const id of ids) {
        await add(id);
        await mail(id, 'shared@example.com');
      }
      const types = await Promise.all(ids.map(async (id) => (await code(id, '1')).type));
      expect(types.filter((type) => type === 'send')).toHaveLength(5);
    });

    test('CC-2: counts hold no address and nobody’s name, and go with their day', async () => {
      await add('ana');
      await mail('ana', 'ana@example.com');
      await code('ana', '1');
      const counts = JSON.stringify(await bed.sql('select * from code_count'));
      expect(counts).not.toContain('ana');
      await code('ana', '1', NOW + DAY);
      const days = await bed.sql('select distinct day from code_count');
      expect(days.map(({ day }) => Number(day))).toEqual([NOW + DAY / 2]);
      await bed.ledger().prune('messages', { before: NOW + 3 * DAY, limit: 10 });
      expect(await bed.sql('select * from code_count')).toEqual([]);
    });

    test('a code opens no other contact, and stands nowhere as it is', async () => {
      for (const id of ['ana', 'bo']) {
        await add(id);
        await mail(id, `${id}@example.com`);
      }
      await code('ana', '482913');
      await code('bo', '111111');
      expect((await verify('bo', '482913')).type).toBe('wrong');
      const stored = JSON.stringify(await bed.sql('select * from contact'));
      expect(stored).not.toContain('482913');
      expect(await code('nobody', '1')).toEqual({ type: 'unknown' });
      expect(await verify('nobody', '1')).toEqual({ type: 'unknown' });
      expect(await mail('nobody', 'a@b.test')).toBeUndefined();
    });

    test('another address is verified anew; the same one stays as it was', async () => {
      await verified('ana', 'ana@example.com');
      expect(await mail('ana', 'ana@example.com')).toEqual({ changed: false });
      expect((await seen('ana'))?.contacts[0]).toHaveProperty('verifiedAt');
      expect(await mail('ana', 'new@example.com')).toEqual({ changed: true });
      expect((await seen('ana'))?.contacts).toEqual([
        expect.not.objectContaining({ verifiedAt: NOW }),
      ]);
      expect(await bed.sql('select from destination')).toHaveLength(1);
      const ref = { ...{ org: ORG, id: 'ana' }, channel: 'email' } as const;
      expect(await bed.ledger().removeContact(ref, author)).toEqual({ changed: true });
      expect(await bed.ledger().removeContact(ref, author)).toEqual({ changed: false });
      expect((await seen('ana'))?.contacts).toEqual([]);
    });

    test('what is known of an address that was there before stays with it', async () => {
      const [known] = await bed
        .ledger()
        .putDestinations(ORG, [
          { channel: 'email', address: 'ana@example.com', secrets: ['their own key'] },
        ]);
      await add('ana');
      await mail('ana', 'ana@example.com');
      expect((await seen('ana'))?.contacts[0]?.destination).toBe(known);
      expect(await code('ana', '1')).toMatchObject({ destination: { secrets: ['their own key'] } });
    });
  });
}
