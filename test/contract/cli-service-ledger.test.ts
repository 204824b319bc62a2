/** The service's ledger on a Postgres of its own: migrated by whoever comes first. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepFirstKey } from '../../cli/first-settings.js';
import { openServiceLedger } from '../../cli/service-ledger.js';
import { createSealKey } from '../../ledger/seal.js';
import { loadConfig } from '../../worker/config.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const sealKeys = createSealKey();
const runIdleMs = 86_400_000;
let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

test('two processes that start at once on an empty database both get a ledger', async () => {
  const databaseUrl = await postgres.createDatabase();
  const ledgers = await Promise.all(
    [1, 2].map(() => openServiceLedger({ databaseUrl, sealKeys, runIdleMs })),
  );
  for (const ledger of ledgers) await ledger.ping();
  expect(await ledgers[0]?.stopped('default')).toEqual([]);
  for (const ledger of ledgers) await ledger.close();
});

test('a process with other sealing keys than the ledger does not begin, and hears which it needs', async () => {
  const databaseUrl = await postgres.createDatabase();
  const first = await openServiceLedger({ databaseUrl, sealKeys: createSealKey('k1'), runIdleMs });
  // A gateway's start seals; before it nothing is, and any key is right.
  await first.putDestinations('default', []);
  await first.close();
  const opening = openServiceLedger({ databaseUrl, sealKeys: createSealKey('k2'), runIdleMs });
  await expect(opening).rejects.toThrow(
    'Seal key k1 is needed to open ledger_life.reference_key; add it to KAVACH_SEAL_KEYS.',
  );
});

test('a gateway with an empty folder makes no key where the shared ledger has an admin’s', async () => {
  const databaseUrl = await postgres.createDatabase();
  const ledger = await openServiceLedger({ databaseUrl, sealKeys, runIdleMs });
  const start = (dataDir: string) =>
    keepFirstKey(
      ledger,
      loadConfig({
        DATABASE_URL: databaseUrl,
        KAVACH_SEAL_KEYS: sealKeys,
        KAVACH_DATA_DIR: dataDir,
      }),
    );
  const admins = async () => (await ledger.keys({ org: 'default', limit: 9 })).length;
  const [first, second] = [temporaryFolder(), temporaryFolder()];
  expect((await start(first))?.isNew).toBe(true);
  expect(await start(second)).toBeUndefined();
  expect(readdirSync(second)).toEqual([]);
  expect((await start(first))?.isNew).toBe(false);
  expect(await admins()).toBe(1);
  // Nobody could make a key any more: it makes one again.
  const [key] = await ledger.keys({ org: 'default', limit: 9 });
  await ledger.revokeKey('default', key?.id ?? '', 'ann', Date.now());
  expect((await start(second))?.isNew).toBe(true);
  await ledger.close();
});

test('a database that is not there is named without its password', async () => {
  const databaseUrl = 'postgres://kavach:not-to-be-seen@127.0.0.1:9/kavach';
  const opening = openServiceLedger({ databaseUrl, sealKeys, runIdleMs });
  await expect(opening).rejects.toThrow(/127\.0\.0\.1:9\/kavach cannot be reached.*DATABASE_URL/);
  await expect(opening).rejects.not.toThrow(/not-to-be-seen/);
});
