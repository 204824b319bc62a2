/**
 * The secrets a data folder keeps, each readable by its owner only: the sealing keys of the
 * embedded ledger, the first API key, and the key that signs links to alerts. A file appears whole,
 * and the first writer wins.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeApiKey } from '../gateway/first-key.js';
import { createSealKey } from '../ledger/seal.js';

export interface KeptKey {
  readonly value: string;
  readonly file: string;
  /** Made by this call. */
  readonly isNew: boolean;
}

/** Reads or makes the sealing keys. Losing the file loses every sealed address: it says so. */
export function keepSealKeys(dataDir: string): KeptKey {
  return keep(join(dataDir, 'seal-keys'), () => createSealKey());
}

/** Reads or makes the key of the first start. */
export function keepApiKey(dataDir: string): KeptKey {
  return keep(apiKeyFile(dataDir), () => makeApiKey());
}

/** Reads or makes the key of signed links (A9). Losing the file ends the links that were sent. */
export function keepLinkKey(dataDir: string): KeptKey {
  return keep(join(dataDir, 'link-key'), () => randomBytes(32).toString('hex'));
}

export function apiKeyFile(dataDir: string): string {
  return join(dataDir, 'api-key');
}

/** Undefined when there is no such file; throws when it may not be read. */
export function readKeyFile(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(
      `${file} cannot be read (${String(code)}): it belongs to whoever ran kavach up`,
      {
        cause: error,
      },
    );
  }
}

function keep(file: string, make: () => string): KeptKey {
  const kept = readKeyFile(file);
  if (kept !== undefined) return { value: kept, file, isNew: false };
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  // Containers that share the folder may all be process 1.
  const draft = `${file}.${randomUUID()}`;
  const made = make();
  writeFileSync(draft, `${made}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return { value: made, file, isNew: true };
  } catch (error) {
    const winner = readKeyFile(file);
    if (winner === undefined) throw error;
    return { value: winner, file, isNew: false };
  } finally {
    rmSync(draft, { force: true });
  }
}
