/**
 * `kavach restore <file>`: a copy into an empty place. The embedded ledger is filled beside its
 * place and put there when it is whole; on a Postgres it is one transaction.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBackup, type BackupHeader } from '../ledger/backup-format.js';
import { openDatabase } from '../ledger/database.js';
import { restore, type Restored } from '../ledger/restore.js';
import { parseSealKeys, type SealKeys } from '../ledger/seal.js';
import { groupDigits } from '../domain/money.js';
import { keysFileOf, packedLines, readKeysFile, type KeptKeys } from './backup-file.js';
import { prepareDataFolder } from './data-folder.js';
import { CliError } from './errors.js';
import { readKeyFile } from './key-files.js';
import { dataDirOf, type Environment } from './ledger-access.js';
import type { Output } from './output.js';

export interface RestoreFlags {
  /** A file that `kavach backup` wrote; default: beside the backup. */
  readonly keys?: string;
  readonly withoutKeys?: boolean;
}

/** Of one statement. */
const STATEMENT_MS = 600_000;

export async function restoreBackup(
  output: Output,
  env: Environment,
  file: string,
  flags: RestoreFlags,
): Promise<void> {
  const dataDir = dataDirOf(env);
  const databaseUrl = env['DATABASE_URL'] || undefined;
  if (databaseUrl === undefined && existsSync(join(dataDir, 'ledger'))) {
    throw new CliError(
      `${dataDir} holds a ledger already: a backup is restored into an empty place only. ` +
        'Name another folder with KAVACH_DATA_DIR',
    );
  }
  const header = await checkBackup(packedLines(file)).catch(asCliError);
  const keptKeys = readKeys(file, flags);
  const keys = flags.withoutKeys === true ? undefined : ringOf(env, dataDir, keptKeys);
  if (keys === undefined && flags.withoutKeys !== true) refuseKeyless(header, file);
  prepareDataFolder(dataDir);
  const into = (url: string, embedded: boolean): Promise<Restored> =>
    fill(url, embedded, { header, file, keys });
  const restored = await (
    databaseUrl === undefined ? intoFolder(dataDir, into) : into(databaseUrl, false)
  ).catch(asCliError);
  const written = writeKeys(env, dataDir, keptKeys);
  const { rows, tables, migrated } = restored;
  const place = databaseUrl === undefined ? dataDir : 'the database of DATABASE_URL';
  const next = databaseUrl === undefined ? [] : exportsOf(env, dataDir);
  output.json({ file, rows, tables, migrated, keys: written, next });
  output.line(`${groupDigits(String(rows))} rows are in ${place}, as of ${moment(header)}`);
  if (written.length > 0) output.line(`${written.join(', ')} are in ${dataDir}`);
  output.line('Usage after that is not in it: senders that still have it may send it again.');
  if (next.length > 0) {
    output.line('Every process on this database needs the keys that are there, so set first:');
    for (const line of next) output.line(`  ${line}`);
  }
  output.line('Start it with `kavach up`; what `kavach doctor` finds missing it says.');
}

/** With a database of its own, a service reads its keys from the environment alone. */
function exportsOf(env: Environment, dataDir: string): string[] {
  const variables = { 'seal-keys': 'KAVACH_SEAL_KEYS', 'link-key': 'KAVACH_LINK_KEY' } as const;
  return Object.entries(variables)
    .map(([name, variable]) => ({ variable, file: join(dataDir, name) }))
    .filter(({ variable, file }) => !env[variable] && readKeyFile(file) !== undefined)
    .map(({ variable, file }) => `export ${variable}="$(cat ${file})"`);
}

const moment = ({ at }: BackupHeader): string => new Date(at).toISOString();

function asCliError(error: unknown): never {
  if (error instanceof CliError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  throw new CliError(`${message}${/[.?!]$/.test(message) ? '' : '.'} Nothing was restored.`);
}

async function fill(
  databaseUrl: string,
  embedded: boolean,
  source: { header: BackupHeader; file: string; keys: SealKeys | undefined },
): Promise<Restored> {
  const db = openDatabase({
    ...{ databaseUrl, embedded, poolSize: 1, connectMs: 5_000, statementMs: STATEMENT_MS },
  });
  try {
    const { header, file, keys } = source;
    await db.run('select 1').catch((error: unknown) => refuseUnreachable(databaseUrl, error));
    return await restore(db, { header, keys, lines: packedLines(file), now: Date.now() });
  } finally {
    await db.close();
  }
}

/** Names the database, never its password. */
function refuseUnreachable(databaseUrl: string, error: unknown): never {
  const { host, pathname } = new URL(databaseUrl);
  const name = decodeURIComponent(pathname.slice(1));
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  if (code === '3D000' || cause?.code === '3D000') {
    throw new Error(
      `There is no database ${name} at ${host}: make it empty (\`createdb ${name}\`) and restore again.`,
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  throw new Error(
    `The database ${name} at ${host} cannot be reached (${reason}): is Postgres running there, and is DATABASE_URL right?`,
    { cause: error },
  );
}

async function intoFolder(
  dataDir: string,
  into: (url: string, embedded: boolean) => Promise<Restored>,
): Promise<Restored> {
  const { startLedgerServer } = await import('./embedded/ledger-server.js');
  const draft = join(dataDir, `restore-${String(process.pid)}`);
  const kind = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const migrate = new URL(`./restore-unmigrated${kind}`, import.meta.url).href;
  try {
    const server = await startLedgerServer({ dataDir: draft, migrate });
    let restored: Restored;
    try {
      restored = await into(server.databaseUrl, true);
    } finally {
      await server.stop();
    }
    renameSync(join(draft, 'ledger'), join(dataDir, 'ledger'));
    return restored;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function readKeys(file: string, { keys, withoutKeys }: RestoreFlags): KeptKeys {
  if (keys === undefined) return withoutKeys === true ? {} : (readKeysFile(keysFileOf(file)) ?? {});
  const read = readKeysFile(keys);
  if (read === undefined) throw new CliError(`There is no file ${keys}`);
  return read;
}

/** What the service will have: KAVACH_SEAL_KEYS, else the data folder's, which then are the backup's. */
function ringOf(env: Environment, dataDir: string, kept: KeptKeys): SealKeys | undefined {
  const text =
    env['KAVACH_SEAL_KEYS'] || readKeyFile(join(dataDir, 'seal-keys')) || kept['seal-keys'];
  return text === undefined ? undefined : parseSealKeys(text);
}

function refuseKeyless({ sealKeys }: BackupHeader, file: string): void {
  const ids = Object.keys(sealKeys);
  if (ids.length === 0) return;
  throw new CliError(
    `The backup needs the sealing keys ${ids.join(', ')}: there is no ${keysFileOf(file)}; name ` +
      'another with --keys, set KAVACH_SEAL_KEYS, or give its addresses up with --without-keys',
  );
}

/** What is there already stays: a key that was in use may be needed. */
function writeKeys(env: Environment, dataDir: string, kept: KeptKeys): string[] {
  const written: string[] = [];
  for (const [name, value] of Object.entries(kept)) {
    if (name === 'seal-keys' && env['KAVACH_SEAL_KEYS']) continue;
    const file = join(dataDir, name);
    if (readKeyFile(file) !== undefined) continue;
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${value}\n`, { mode: 0o600, flag: 'wx' });
    written.push(name);
  }
  return written;
}
