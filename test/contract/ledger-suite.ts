/**
 * The ledger's contract (ledger/ledger.ts), the same for every database it runs on.
 * Tables are emptied before each test; connections a test opened are closed after it.
 */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '../../ledger/ledger.js';
import { openLedger, type LedgerOptions } from '../../ledger/open.js';
import { parseSealKeys } from '../../ledger/seal.js';
import type { Bed } from './ledger/bed.js';
import { callbacksContract } from './ledger/callbacks.js';
import { configuringContract } from './ledger/configuring.js';
import { countingContract } from './ledger/counting.js';
import { deliveringContract, SEAL_TEXT } from './ledger/delivering.js';
import { digestingContract } from './ledger/digesting.js';
import { erasingContract } from './ledger/erasing.js';
import { faringContract } from './ledger/faring.js';
import { incidentsContract } from './ledger/incidents.js';
import { keyingContract } from './ledger/keying.js';
import { leasingContract } from './ledger/leasing.js';
import { layeringContract } from './ledger/layering.js';
import { keepingContract } from './ledger/keeping.js';
import { noticingContract } from './ledger/noticing.js';
import { operatingContract } from './ledger/operating.js';
import { pacingContract } from './ledger/pacing.js';
import { peopleContract } from './ledger/people.js';
import { publishingContract } from './ledger/publishing.js';
import { pushingContract } from './ledger/pushing.js';
import { relayingContract } from './ledger/relaying.js';
import { routingContract } from './ledger/routing.js';
import { rulingContract } from './ledger/ruling.js';
import { runningContract } from './ledger/running.js';
import { schemaContract } from './ledger/schema.js';
import { silencingContract } from './ledger/silencing.js';
import { supersedingContract } from './ledger/superseding.js';
import { tellingContract } from './ledger/telling.js';

export interface StartedDatabase {
  readonly databaseUrl: string;
  readonly embedded: boolean;
  stop(): Promise<void>;
}

/** Patient: the machine that runs the tests may be busy. */
const TIMEOUT_MS = 20_000;

/** `more` are tests that only this database can pass or fail. */
export function ledgerContract(
  name: string,
  start: () => Promise<StartedDatabase>,
  more: (bed: Bed) => void = () => undefined,
): void {
  describe(`the ledger on ${name}`, () => {
    let database: StartedDatabase;
    let ledger: Ledger;
    let client: pg.Client;
    const opened: Ledger[] = [];

    const open = (options: Partial<LedgerOptions> = {}): Promise<Ledger> => {
      const { databaseUrl, embedded } = database;
      const seal = parseSealKeys(SEAL_TEXT);
      return openLedger({ databaseUrl, embedded, seal, timeoutMs: TIMEOUT_MS, ...options });
    };
    const bed: Bed = {
      ledger: () => ledger,
      databaseUrl: () => database.databaseUrl,
      sql: async (text) => (await client.query<Record<string, unknown>>(text)).rows,
      open: async (options) => {
        const another = await open({ poolSize: 1, ...options });
        opened.push(another);
        return another;
      },
    };

    beforeAll(async () => {
      database = await start();
      ledger = await open();
      client = new pg.Client({ connectionString: database.databaseUrl });
      await client.connect();
    });
    beforeEach(async () => {
      const tables = await bed.sql(
        `select table_name as name from information_schema.tables
         where table_schema = 'public' and table_name not in ('ledger_life', 'ledger_migration')`,
      );
      // Emptied row by row: truncating makes new files, which is slow for small tables.
      const statements = tables.map(({ name }) => `delete from ${String(name)};`);
      await bed.sql(statements.join(' ') + ' update ledger_life set reference_key = null');
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()));
    });
    afterAll(async () => {
      await client.end();
      await ledger.close();
      await database.stop();
    });

    test('it answers a ping, and an address where nobody listens is an error at once', async () => {
      await ledger.ping();
      const databaseUrl = 'postgres://nobody:hidden@127.0.0.1:1/none';
      const opening = open({ databaseUrl, timeoutMs: 1_000 });
      await expect(opening).rejects.toThrow(/does not open/);
      await expect(opening).rejects.not.toThrow(/hidden/);
    });
    schemaContract(bed);
    countingContract(bed);
    relayingContract(bed);
    publishingContract(bed);
    pushingContract(bed);
    runningContract(bed);
    configuringContract(bed);
    layeringContract(bed);
    deliveringContract(bed);
    faringContract(bed);
    pacingContract(bed);
    incidentsContract(bed);
    operatingContract(bed);
    tellingContract(bed);
    silencingContract(bed);
    noticingContract(bed);
    digestingContract(bed);
    supersedingContract(bed);
    keyingContract(bed);
    peopleContract(bed);
    routingContract(bed);
    callbacksContract(bed);
    keepingContract(bed);
    erasingContract(bed);
    rulingContract(bed);
    leasingContract(bed);
    more(bed);
  });
}
