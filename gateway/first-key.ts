/**
 * The first API key of an installation: shown once, kept in a file only its owner can read, and
 * known to the ledger by its hash alone. `kv_`, 256 random bits, and a checksum by which secret
 * scanners can tell a key from a look-alike.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Ledger } from '../ledger/ledger.js';
import { hashApiKey } from './auth.js';

const CHECKSUM_DIGITS = 8;

/** `kv_` + 64 hex digits + 8 of their checksum. */
export function makeApiKey(random: (bytes: number) => Buffer = randomBytes): string {
  const secret = random(32).toString('hex');
  return `kv_${secret}${checksumOf(secret)}`;
}

/** True for what `makeApiKey` makes, whether or not anybody knows it. */
export function isApiKey(text: string): boolean {
  const [, secret, checksum] = /^kv_([0-9a-f]{64})([0-9a-f]{8})$/.exec(text) ?? [];
  return secret !== undefined && checksum === checksumOf(secret);
}

export interface FirstKeyOptions {
  readonly ledger: Pick<Ledger, 'apiKey' | 'putApiKey'>;
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

function checksumOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, CHECKSUM_DIGITS);
}
