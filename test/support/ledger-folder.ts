/**
 * Data folders in which the embedded ledger's database is made already: making one takes seconds,
 * copying it a moment. The original is kept per PGlite version in the temporary folder.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLedgerServer } from '../../cli/embedded/ledger-server.js';

const MANIFEST = new URL('../package.json', import.meta.resolve('@electric-sql/pglite'));

/** Puts an empty, never migrated `ledger` into the folder. */
export async function seedLedger(dataDir: string): Promise<void> {
  cpSync(await original(), join(dataDir, 'ledger'), { recursive: true });
}

async function original(): Promise<string> {
  const { version } = JSON.parse(readFileSync(fileURLToPath(MANIFEST), 'utf8')) as {
    version: string;
  };
  const kept = join(tmpdir(), `kavach-ledger-pglite-${version}`);
  if (existsSync(kept)) return kept;
  const folder = mkdtempSync(join(tmpdir(), 'kavach-ledger-'));
  const migrate = new URL('./no-migrations.ts', import.meta.url).href;
  await (await startLedgerServer({ dataDir: folder, migrate })).stop();
  try {
    renameSync(join(folder, 'ledger'), kept);
  } catch (error) {
    // Another test file was faster.
    if (!existsSync(kept)) throw error;
  }
  rmSync(folder, { recursive: true, force: true });
  return kept;
}
