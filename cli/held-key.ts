/** The key that this machine's commands use, when it is the one that was rotated. */
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { hashApiKey } from '../gateway/api-key.js';
import { apiKeyFile, readKeyFile } from './key-files.js';
import { dataDirOf, type Environment } from './ledger-access.js';

/** The ledger names a key by the beginning of its hash. */
const ID_DIGITS = 16;

/**
 * Puts the new key where the file held the old one, whole or not at all. Answers what was done, and
 * what only a person can do, in sentences; none where this machine does not use the key.
 */
export function renewHeldKey(
  env: Environment,
  { id, key }: { readonly id: string; readonly key: string },
): readonly string[] {
  const isIt = (held: string | undefined): boolean =>
    held !== undefined && hashApiKey(held).slice(0, ID_DIGITS) === id;
  const lines: string[] = [];
  if (isIt(env['KAVACH_API_KEY'])) {
    lines.push('KAVACH_API_KEY here holds the old key: set it to the new one.');
  }
  const file = apiKeyFile(dataDirOf(env));
  try {
    if (!isIt(readKeyFile(file))) return lines;
    replace(file, key);
    lines.push(`${file} held the old key, and holds the new one now.`);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    lines.push(
      `${file} may hold the old key and cannot be renewed (${code}): write the new one there.`,
    );
  }
  return lines;
}

function replace(file: string, key: string): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${key}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
