/**
 * The first API key of an installation: an admin's, shown once, kept in a file only its owner can
 * read, and known to the ledger by its hash alone.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KeyStore } from '../ledger/ledger.js';
import { hashApiKey, isApiKey, makeApiKey } from './api-key.js';

export { isApiKey, makeApiKey };

export interface FirstKeyOptions {
  readonly ledger: {
    /** Undefined: unknown. */
    apiKey(hash: string): Promise<unknown>;
    readonly putApiKey: KeyStore['putApiKey'];
  };
  readonly file: string;
  readonly org: string;
  /** Default: `admin`. */
  readonly name?: string;
  readonly random?: (bytes: number) => Buffer;
}

/**
 * Makes the key where the file is missing; answers it only then. Where the file is there, a
 * ledger that does not know its key (a new or restored one) learns it. Throws where the file
 * holds something else.
 */
export async function ensureFirstKey(
  options: FirstKeyOptions,
): Promise<{ readonly created: boolean; readonly key?: string }> {
  const { ledger, file, org, name = 'admin', random } = options;
  const kept = await readKept(file);
  if (kept !== undefined) {
    const hash = hashApiKey(kept);
    if ((await ledger.apiKey(hash)) === undefined) await ledger.putApiKey(hash, { org, name });
    return { created: false };
  }
  const key = makeApiKey(random);
  await mkdir(dirname(file), { recursive: true });
  // The file first: a key that only the ledger's hash knows would be nobody's.
  await writeFile(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
  await ledger.putApiKey(hashApiKey(key), { org, name });
  return { created: true, key };
}

async function readKept(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (isApiKey(text)) return text;
  throw new Error(
    `${file} should hold the first API key and does not: move it away, or restore it.`,
  );
}
