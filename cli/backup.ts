/** `kavach backup <file>`: the ledger in one file, and the data folder's keys in another one. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { backup } from '../ledger/backup.js';
import { groupDigits } from '../domain/money.js';
import { KEY_FILES, keysFileOf, writeKeysFile, writePacked, type KeptKeys } from './backup-file.js';
import { CliError } from './errors.js';
import { readKeyFile } from './key-files.js';
import { dataDirOf, openOperatedLedger, type Environment } from './ledger-access.js';
import type { Output } from './output.js';

export interface BackupFlags {
  /** False: `--no-keys`. */
  readonly keys: boolean;
  readonly force?: boolean;
}

export async function backUp(
  output: Output,
  env: Environment,
  file: string,
  flags: BackupFlags,
): Promise<void> {
  if (flags.force !== true) refuseTaken([file, ...(flags.keys ? [keysFileOf(file)] : [])]);
  const ledger = await openOperatedLedger(env);
  try {
    if (ledger.embedded) {
      output.line('The embedded ledger serves nobody else until it is copied; senders try again.');
    }
    const copied = await writePacked(file, (write) => backup(ledger.db, write, Date.now()));
    const keys = flags.keys ? keysOf(env) : {};
    const kept = Object.keys(keys);
    const keysFile = kept.length === 0 ? undefined : keysFileOf(file);
    if (keysFile !== undefined) writeKeysFile(keysFile, keys);
    const bytes = statSync(file).size;
    output.json({ file, bytes, ...copied, ...(keysFile === undefined ? {} : { keysFile, kept }) });
    output.line(`${groupDigits(String(copied.rows))} rows in ${file} (${String(bytes)} bytes)`);
    sayKeys(output, Object.keys(copied.sealKeys), keysFile, kept);
  } finally {
    await ledger.close();
  }
}

/** An older copy may be the only good one, and its keys the only ones that open it. */
function refuseTaken(files: readonly string[]): void {
  const taken = files.filter((file) => existsSync(file));
  if (taken.length === 0) return;
  throw new CliError(
    `${taken.join(' and ')} ${taken.length === 1 ? 'is' : 'are'} there already, and nothing was written: ` +
      'name another file, or replace with --force',
  );
}

/** What the environment gives its holder keeps; only what is in the data folder is copied. */
function keysOf(env: Environment): KeptKeys {
  const given = { 'seal-keys': env['KAVACH_SEAL_KEYS'], 'link-key': env['KAVACH_LINK_KEY'] };
  const keys: KeptKeys = {};
  for (const name of KEY_FILES) {
    if (name !== 'api-key' && given[name]) continue;
    const value = readKeyFile(join(dataDirOf(env), name));
    if (value !== undefined) keys[name] = value;
  }
  return keys;
}

function sayKeys(
  output: Output,
  needed: readonly string[],
  keysFile: string | undefined,
  kept: readonly string[],
): void {
  if (keysFile !== undefined) {
    output.line(
      `${kept.join(', ')} of the data folder in ${keysFile}: keep it apart from the copy,`,
    );
    output.line('as both together open every address.');
  }
  if (needed.length > 0 && !kept.includes('seal-keys')) {
    output.line(`The copy needs the sealing keys ${needed.join(', ')}; it holds none of them.`);
  }
}
