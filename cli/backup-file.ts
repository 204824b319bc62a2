/** A backup as a file: packed lines, and beside it the keys of the data folder, apart from it. */
import { closeSync, createReadStream, createWriteStream, openSync } from 'node:fs';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { CliError } from './errors.js';

/** What a data folder keeps secret, by the name of its file. */
export const KEY_FILES = ['seal-keys', 'link-key', 'api-key'] as const;
export type KeptKeys = Partial<Record<(typeof KEY_FILES)[number], string>>;

/** Where the keys of a backup are kept unless it is said otherwise. */
export function keysFileOf(backup: string): string {
  return `${backup}.keys`;
}

/** A file for its owner only, which appears when `work` has written all of it. */
export async function writePacked<T>(
  file: string,
  work: (write: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const draft = `${file}.part-${String(process.pid)}`;
  refuseUnwritable(file, draft);
  const pack = createGzip({ level: 6 });
  const out = pack.pipe(createWriteStream(draft, { flags: 'r+' }));
  try {
    const result = await work(async (text) => {
      if (!pack.write(text)) await drained(pack);
    });
    pack.end();
    await finished(out);
    renameSync(draft, file);
    return result;
  } catch (error) {
    out.destroy();
    rmSync(draft, { force: true });
    throw error;
  }
}

function refuseUnwritable(file: string, draft: string): void {
  try {
    closeSync(openSync(draft, 'wx', 0o600));
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new CliError(`${file} cannot be written (${code}): name another place`);
  }
}

function drained(pack: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      pack.off('drain', onDrain);
      pack.off('error', onError);
    };
    const onDrain = (): void => {
      end();
      resolve();
    };
    const onError = (error: Error): void => {
      end();
      reject(error);
    };
    pack.once('drain', onDrain);
    pack.once('error', onError);
  });
}

/**
 * The lines of a backup, each time from the first on. Throws where the file cannot be read. Only
 * `\n` ends a line: names may hold what other readers take for an end.
 */
export async function* packedLines(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const unpacked = createGunzip();
  // A pipe does not pass failures on.
  source.on('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked).setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of unpacked as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(
      code === 'ENOENT'
        ? `There is no file ${file}.`
        : `${file} cannot be read as a backup (${message}): it was cut off, or is none.`,
    );
  } finally {
    source.destroy();
  }
}

/** For its owner only; one that is there is replaced, as its backup is. */
export function writeKeysFile(file: string, keys: KeptKeys): void {
  const draft = `${file}.part-${String(process.pid)}`;
  const content = { format: 'kavach-keys', version: 1, keys };
  writeFileSync(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
}

/** Undefined where there is none. */
export function readKeysFile(file: string): KeptKeys | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new CliError(`${file} cannot be read (${code})`);
  }
  const { format, keys } = parse(text);
  if (format !== 'kavach-keys' || keys === undefined) {
    throw new CliError(`${file} is no file of keys that \`kavach backup\` wrote`);
  }
  return keys;
}

function parse(text: string): { format?: unknown; keys?: KeptKeys } {
  try {
    return JSON.parse(text) as { format?: unknown; keys?: KeptKeys };
  } catch {
    return {};
  }
}
