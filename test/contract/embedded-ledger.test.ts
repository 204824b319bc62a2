import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startLedgerServer } from '../../cli/embedded/ledger-server.js';
import { freePorts } from '../../cli/embedded/ports.js';
import { seedLedger } from '../support/ledger-folder.js';
import { processesOf } from '../support/processes.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A module that migrates with this statement; it makes the file `mark` first. */
function migration(folder: string, sql: string, mark = join(folder, 'mark')): string {
  const file = join(folder, 'migrate.mjs');
  const lines = [
    "import { writeFileSync } from 'node:fs';",
    'export function migratePglite(db) {',
    `  writeFileSync(${JSON.stringify(mark)}, '');`,
    `  return db.exec(${JSON.stringify(sql)});`,
    '}',
  ];
  writeFileSync(file, lines.join('\n'));
  return pathToFileURL(file).href;
}

async function seededFolder(): Promise<string> {
  const folder = temporaryFolder();
  await seedLedger(folder);
  return folder;
}

const TABLE = 'create table if not exists written (n integer primary key)';

async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A killed server ends its connections with an error, which is what some tests are about.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('the embedded ledger', () => {
  test('is migrated before it listens, and many connections use it at once', async () => {
    const dataDir = temporaryFolder();
    const ledger = await startLedgerServer({ dataDir, migrate: migration(dataDir, TABLE) });
    onTestFinished(() => ledger.stop());
    const pool = new pg.Pool({ connectionString: ledger.databaseUrl, max: 20 });
    onTestFinished(() => pool.end());
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    await Promise.all(numbers.map((n) => pool.query('insert into written values ($1)', [n])));
    const { rows } = await pool.query('select count(*)::int as n from written');
    expect(rows).toEqual([{ n: 200 }]);
  });

  test('kill -9 in the middle of writes loses nothing that was acknowledged', async () => {
    const dataDir = await seededFolder();
    const migrate = migration(dataDir, TABLE);
    const first = await startLedgerServer({ dataDir, migrate });
    const writer = await connect(first.databaseUrl);
    let acknowledged = 0;
    const written = (async () => {
      for (let n = 1; ; n += 1) {
        await writer.query('insert into written values ($1)', [n]);
        acknowledged = n;
        if (n === 300) process.kill(first.pid, 'SIGKILL');
      }
    })();
    await expect(written).rejects.toThrow();
    expect(await first.exited).toMatchObject({ code: 137 });
    expect(acknowledged).toBeGreaterThanOrEqual(300);

    const second = await startLedgerServer({ dataDir, migrate });
    onTestFinished(() => second.stop());
    const reader = await connect(second.databaseUrl);
    const { rows } = await reader.query<{ n: number }>('select n from written order by n');
    await reader.end();
    const numbers = rows.map((row) => row.n);
    expect(numbers.slice(0, acknowledged)).toEqual(
      Array.from({ length: acknowledged }, (_, index) => index + 1),
    );
    // The one in flight may be there or not.
    expect(numbers.length - acknowledged).toBeLessThanOrEqual(1);
  });

  test('a client killed inside a transaction holds nobody up', async () => {
    const dataDir = await seededFolder();
    const ledger = await startLedgerServer({ dataDir, migrate: migration(dataDir, TABLE) });
    onTestFinished(() => ledger.stop());
    const dying = new pg.Client({ connectionString: ledger.databaseUrl });
    dying.on('error', () => undefined);
    await dying.connect();
    await dying.query('begin');
    await dying.query('insert into written values (1)');
    (
      dying as unknown as { connection: { stream: { destroy(): void } } }
    ).connection.stream.destroy();
    const other = await connect(ledger.databaseUrl);
    const { rows } = await other.query('select count(*)::int as n from written');
    await other.end();
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('one folder has one ledger', async () => {
    const dataDir = await seededFolder();
    const migrate = migration(dataDir, TABLE);
    const first = await startLedgerServer({ dataDir, migrate });
    onTestFinished(() => first.stop());
    await expect(startLedgerServer({ dataDir, migrate })).rejects.toThrow(
      `in use by process ${String(first.pid)} (started by ${String(process.pid)})`,
    );
  });

  test('a taken port is said at once, with its setting', async () => {
    const [folder, other] = [await seededFolder(), temporaryFolder()];
    const [port = 0] = await freePorts(1);
    const migrate = migration(folder, TABLE);
    const first = await startLedgerServer({ dataDir: folder, port, migrate });
    onTestFinished(() => first.stop());
    expect(first.databaseUrl).toContain(`127.0.0.1:${String(port)}`);
    const second = startLedgerServer({ dataDir: other, port, migrate });
    await expect(second).rejects.toThrow(`Port ${String(port)} on 127.0.0.1 is already in use`);
    await expect(second).rejects.toThrow('KAVACH_LEDGER_PORT');
  });

  test('a migration that fails is told with its reason, and nothing keeps running', async () => {
    const dataDir = await seededFolder();
    const broken = migration(dataDir, 'create tabel written ()');
    const start = startLedgerServer({ dataDir, migrate: broken });
    await expect(start).rejects.toThrow('syntax error at or near "tabel"');
    expect(processesOf(dataDir)).toEqual([]);
    expect(readdirSync(dataDir)).not.toContain('ledger.lock');

    const again = await startLedgerServer({ dataDir, migrate: migration(dataDir, TABLE) });
    await again.stop();
  });

  test('a ledger stuck in an endless query is ended by force', async () => {
    const dataDir = await seededFolder();
    const stuck = migration(
      dataDir,
      'do $$ begin loop end loop; end $$',
      join(dataDir, 'migrating'),
    );
    const abort = new AbortController();
    const start = startLedgerServer({ dataDir, migrate: stuck, signal: abort.signal });
    const refused = expect(start).rejects.toThrow('enough');
    await expect.poll(() => readdirSync(dataDir), { timeout: 30_000 }).toContain('migrating');
    abort.abort(new Error('enough'));
    await refused;
    expect(processesOf(dataDir)).toEqual([]);
  });

  test('the schema of the ledger itself is there by default', async () => {
    const ledger = await startLedgerServer({ dataDir: await seededFolder() });
    onTestFinished(() => ledger.stop());
    const client = await connect(ledger.databaseUrl);
    const { rows } = await client.query('select name from ledger_migration');
    await client.end();
    expect(rows.length).toBeGreaterThan(0);
  });
});
