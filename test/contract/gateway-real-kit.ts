/** A gateway on the real ledger (PGlite), with keys of several organisations and all it has in view. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { startLedgerServer, type LedgerServer } from '../../cli/embedded/ledger-server.js';
import { hashApiKey, makeApiKey } from '../../gateway/api-key.js';
import type { GatewayOptions } from '../../gateway/options.js';
import type { KeyScope } from '../../domain/words.js';
import type { Ledger } from '../../ledger/ledger.js';
import { openLedger } from '../../ledger/open.js';
import { createSealKey, parseSealKeys } from '../../ledger/seal.js';
import { seedLedger } from '../support/ledger-folder.js';
import { startTestGateway } from './gateway-kit.js';

export interface RealLedger {
  ledger(): Ledger;
  /** A key that is known from now on. */
  key(rights?: { org?: string; scopes?: readonly KeyScope[]; agent?: string }): Promise<string>;
  /** Every row of every table that is somebody's, as text by table; `where` is SQL. */
  dump(where?: string): Promise<Readonly<Record<string, string>>>;
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
  /** `GatewayOptions` beside the ledger; the clock is the machine's. */
  start(options?: Partial<GatewayOptions>): ReturnType<typeof startTestGateway>;
}

/** One database a file. */
export function realLedger(): RealLedger {
  let folder: string;
  let server: LedgerServer;
  let ledger: Ledger;
  let client: pg.Client;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kavach-gateway-'));
    await seedLedger(folder);
    server = await startLedgerServer({ dataDir: folder });
    const { databaseUrl } = server;
    const seal = parseSealKeys(createSealKey());
    ledger = await openLedger({ databaseUrl, seal, embedded: true, timeoutMs: 20_000 });
    client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await ledger.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const sql = async (text: string) => (await client.query<Record<string, unknown>>(text)).rows;
  return {
    ledger: () => ledger,
    key: async ({ org = 'default', ...rights } = {}) => {
      const key = makeApiKey();
      await ledger.putApiKey(hashApiKey(key), { org, name: `key of ${org}`, ...rights });
      return key;
    },
    dump: async (where = 'true') => {
      const tables = (
        await sql(
          `select table_name as name from information_schema.columns
           where table_schema = 'public' and column_name = 'org' order by 1`,
        )
      ).map(({ name }) => String(name));
      const each = tables.map(
        (name) =>
          `(select coalesce(string_agg(to_jsonb(t)::text, e'\\n' order by to_jsonb(t)::text), '')
            from ${name} t where ${where}) as ${name}`,
      );
      const [row] = await sql(`select ${each.join(', ')}`);
      return row as Readonly<Record<string, string>>;
    },
    sql,
    start: (options = {}) => startTestGateway({ ledger, ...options }),
  };
}

/** Headers of a request with that key. */
export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}
