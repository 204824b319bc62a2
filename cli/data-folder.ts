/** The data folder as a start needs it, and the address it leaves there for commands. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CliError } from './errors.js';

/** Makes the folder, for its owner only. Throws a CliError that says why it cannot be one. */
export function prepareDataFolder(dataDir: string): void {
  try {
    makeFolder(resolve(dataDir));
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const cause = CAUSES[code] ?? `it cannot be made (${code})`;
    throw new CliError(
      `KAVACH_DATA_DIR is ${JSON.stringify(dataDir)}: expected a folder, but ${cause}; ` +
        'name another one',
    );
  }
}

/**
 * Part by part: where a folder cannot hold others (as in /proc), `recursive` tries for ever.
 */
function makeFolder(folder: string): void {
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) throw error;
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  EEXIST: 'there is a file of that name',
  ENOTDIR: 'a part of its path is a file',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'nothing can be written there',
  ENOENT: 'nothing can be made there',
};

/** Leaves the gateway's address, so that commands of this machine find a port that was free. */
export function keepUrl(dataDir: string, url: string): void {
  const file = urlFile(dataDir);
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, `${reachable(url)}\n`);
  renameSync(draft, file);
}

/** Undefined where no service has run on this data folder. */
export function keptUrl(dataDir: string): string | undefined {
  try {
    const text = readFileSync(urlFile(dataDir), 'utf8').trim();
    return URL.canParse(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** What the embedded parts of a data folder listen on, while they run. */
export type PartFile = 'ledger-address' | 'temporal-address';

/** For commands of this machine, which find an embedded part's port by it; its owner's only. */
export function keepAddress(dataDir: string, part: PartFile, address: string): void {
  const file = join(dataDir, part);
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, `${address}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** Undefined where the part was never started, or ended in order; after a kill it may be stale. */
export function keptAddress(dataDir: string, part: PartFile): string | undefined {
  try {
    return readFileSync(join(dataDir, part), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The part has ended; one that another start has written meanwhile stays. */
export function forgetAddress(dataDir: string, part: PartFile, address: string): void {
  if (keptAddress(dataDir, part) === address) rmSync(join(dataDir, part), { force: true });
}

function urlFile(dataDir: string): string {
  return join(dataDir, 'url');
}

/** Whoever listens everywhere is reached here, too: `http://0.0.0.0:1` -> `http://127.0.0.1:1`. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
