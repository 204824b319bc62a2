/** What a guard leaves on disk, and what its successor makes of it (L4). */
import { appendFileSync, chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { openDisk } from '../../sdk/engine/disk.js';
import { lockFolder } from '../../sdk/engine/folder-lock.js';
import { openJournal } from '../../sdk/engine/journal.js';
import { openSpool } from '../../sdk/engine/spool.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import * as kit from './sdk-engine-kit.js';
import {
  call,
  DOLLAR,
  filesBelow,
  spooledBelow,
  startChild,
  startGuard,
} from './sdk-engine-kit.js';

const until = { timeout: 20_000, interval: 20 };
const disk = openDisk();
const events = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, n) =>
    JSON.stringify({ idempotency_key: `k${String(from + n)}` }),
  );

describe('a process that is killed', () => {
  test('SP-1. what it could not report is sent once by its successor, and its lease is ended at its mark', async () => {
    const journal = temporaryFolder();
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.always('/v1/ingest', { type: 'status', status: 503 });
    const child = startChild({ endpoint: gateway.url, journal, calls: 7, stay: true });
    expect(await child.said).toEqual(Array(7).fill('admitted'));
    await vi.waitFor(() => {
      expect(spooledBelow(journal)).toBe(7);
    }, until);
    child.process.kill('SIGKILL');
    expect(await child.ended).toBe('SIGKILL');
    expect(gateway.book.leased().cost_nano_usd).toBeGreaterThan(0);

    gateway.always('/v1/ingest', undefined);
    const guard = startGuard(gateway, { apiKey: 'kv_test', journal });
    await vi.waitFor(() => {
      expect(gateway.book.events).toHaveLength(7);
    }, until);
    expect(gateway.book.repeats()).toBe(0);
    expect(await call(guard)).toMatchObject({ type: 'admitted' });
    await guard.admission.close(3_000);
    const leases = [...gateway.book.leases.values()];
    expect(leases.map(({ state }) => state)).toEqual(['abandoned', 'closed']);
    expect(new Set(leases.map(({ holder }) => holder)).size).toBe(1);
    // Of the dead one's only what it had marked ahead stays counted.
    expect(gateway.book.leased().cost_nano_usd).toBeLessThan(0.2 * DOLLAR);
    expect(spooledBelow(journal)).toBe(0);
  });

  test('HO-2. slots that nobody takes up are cleared by the next guard', async () => {
    const journal = temporaryFolder();
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.always('/v1/ingest', { type: 'status', status: 503 });
    const one = startChild({ endpoint: gateway.url, journal, calls: 2, stay: true });
    await one.said;
    const two = startChild({ endpoint: gateway.url, journal, calls: 3, stay: true });
    expect(await two.said).toHaveLength(3);
    await vi.waitFor(() => {
      expect(spooledBelow(journal)).toBe(5);
    }, until);
    const holders = new Set([...gateway.book.leases.values()].map(({ holder }) => holder));
    expect(holders.size).toBe(2);
    one.process.kill('SIGKILL');
    two.process.kill('SIGKILL');
    await Promise.all([one.ended, two.ended]);

    gateway.always('/v1/ingest', undefined);
    startGuard(gateway, { apiKey: 'kv_test', journal });
    await vi.waitFor(() => {
      expect(gateway.book.events).toHaveLength(5);
      const states = [...gateway.book.leases.values()].map(({ state }) => state);
      expect(states).toEqual(['abandoned', 'abandoned']);
    }, until);
    expect(gateway.book.repeats()).toBe(0);
  });
});

describe('HO-1. one holder, one process', () => {
  test('guards that live at the same time have ids of their own; a closed one gives its id back', async () => {
    const journal = temporaryFolder();
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const holders = () => [...gateway.book.leases.values()].map(({ holder }) => holder);
    const first = startGuard(gateway, { journal });
    const second = startGuard(gateway, { journal });
    await Promise.all([call(first), call(second)]);
    expect(new Set(holders()).size).toBe(2);
    await first.admission.close(3_000);
    await call(startGuard(gateway, { journal }));
    expect(new Set(holders()).size).toBe(2);
  });

  test('FL-1. of many who want a folder one gets it, and after its release one again', async () => {
    const folder = temporaryFolder();
    for (let round = 0; round < 5; round += 1) {
      const tries = await Promise.all(Array.from({ length: 8 }, () => lockFolder(disk, folder)));
      const locks = tries.filter((lock) => lock !== undefined);
      expect(locks).toHaveLength(1);
      await locks[0]?.release();
    }
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('a process that is dead has nothing, also when its number lives again', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'lock-1'), `${String(process.pid)}:1:another-boot\n`);
    expect(await lockFolder(disk, folder)).toBeDefined();
    writeFileSync(join(temporaryFolder(), 'lock-1'), 'half');
    const unreadable = temporaryFolder();
    writeFileSync(join(unreadable, 'lock-1'), '');
    expect(await lockFolder(disk, unreadable)).toBeUndefined();
  });
});

describe('the journal', () => {
  const record = (n: number) => ({
    ...{ holder: 'h', agent: 'bot', n },
    leases: [{ id: 'h/1', mark: { cost: n, tokens: n, calls: n } }],
  });

  test('JO-1. the last whole record counts, wherever a crash cut the next one', async () => {
    const whole = `${JSON.stringify(record(2))}\n`;
    for (let length = 0; length <= whole.length; length += length < whole.length - 3 ? 7 : 1) {
      const path = join(temporaryFolder(), 'journal');
      writeFileSync(path, `${JSON.stringify(record(1))}\n${whole.slice(0, length)}`);
      const opened = await openJournal(disk, path);
      expect(opened.record?.n).toBe(length < whole.length - 1 ? 1 : 2);
      await opened.journal.write(record(3));
      await opened.journal.close();
      const again = await openJournal(disk, path);
      expect(again.record).toEqual(record(3));
      await again.journal.close();
    }
  });

  test('JO-2. it does not grow without bound', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'journal');
    const { journal } = await openJournal(disk, path);
    await Promise.all(Array.from({ length: 800 }, (_, n) => journal.write(record(n))));
    await journal.close();
    expect(filesBelow(folder)['journal']!.length).toBeLessThan(70_000);
    expect((await openJournal(disk, path)).record?.n).toBe(799);
  });

  test('a disk that cannot be written costs the journal, not the calls, and is told', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const guard = startGuard(gateway, { journal: join(folder, 'file', 'journal') });
    expect(await call(guard)).toMatchObject({ type: 'admitted' });
    expect(guard.log.join('\n')).toContain('the journal cannot be kept');
    expect(guard.log.join('\n')).not.toContain(folder);
  });
});

describe('the spool', () => {
  const open = (folder: string, maxBytes = 1_000_000) => {
    const damaged: number[] = [];
    const onDamage = (lines: number): void => void damaged.push(lines);
    return openSpool({ disk, folder, maxBytes, maxEvents: 4, onDamage }).then((spool) => ({
      ...{ spool, damaged },
    }));
  };

  test('SP-1. gives back all of it, in its order, after any restart', async () => {
    const folder = temporaryFolder();
    const { spool } = await open(folder);
    expect(await spool.put(events(6))).toBe(6);
    expect(await spool.put(events(3, 6))).toBe(3);
    await spool.close();
    const { spool: again } = await open(folder);
    expect(again.waiting()).toBe(9);
    await again.put(events(1, 9));
    const found: string[] = [];
    for (let batch = await again.first(); batch !== undefined; batch = await again.first()) {
      expect(batch.lines.length).toBeLessThanOrEqual(4);
      found.push(...batch.lines);
      await batch.remove();
    }
    expect(found).toEqual(events(10));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('SP-3. a damaged line costs that line', async () => {
    const folder = temporaryFolder();
    const { spool } = await open(folder);
    await spool.put(events(2));
    await spool.close();
    appendFileSync(join(folder, 'events-1.jsonl'), '{"idempotency_key":"cut o');
    const { spool: again, damaged } = await open(folder);
    await again.put(events(1, 2));
    expect((await again.first())?.lines).toEqual(events(2));
    expect(damaged).toEqual([1]);
    expect(again.waiting()).toBe(3);
  });

  test('SP-2. it takes no more than its bound', async () => {
    const folder = temporaryFolder();
    const { spool } = await open(folder, 300);
    expect(await spool.put(events(100))).toBeLessThan(20);
    const size = Object.values(filesBelow(folder)).join('').length;
    expect(size).toBeLessThanOrEqual(300);
  });

  test('prompts on disk are for their owner only', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const { spool } = await open(join(folder, 'spool'));
    await spool.put(events(1));
    const { statSync } = await import('node:fs');
    expect(statSync(join(folder, 'spool')).mode & 0o077).toBe(0);
    expect(statSync(join(folder, 'spool', 'events-1.jsonl')).mode & 0o077).toBe(0);
  });
});
