/**
 * A copy of the ledger as lines of JSON, the same from either database and for either:
 *   {"format":"kavach-backup","version":1,"migrations":[…],…}          once, first
 *   {"table":"period","columns":[["id","text"],…],"numbered":{}}       once a table, then its rows:
 *   ["default/agent:a/daily/…","default",…]                            every value as Postgres writes it
 *   {"rows":123,"sha256":"…"}                                          once, last: of all lines before
 * BK-1. A copy that lost or changed a byte is refused before anything of it is restored.
 */
import { createHash } from 'node:crypto';
import type { NeededKeys } from './reseal.js';

export interface BackupHeader {
  readonly format: 'kavach-backup';
  readonly version: 1;
  /** Epoch ms. */
  readonly at: number;
  /** What had been applied, in order. */
  readonly migrations: readonly string[];
  /** Ids of the sealing keys it needs, with how many values need each: never the keys. */
  readonly sealKeys: NeededKeys;
}

export interface BackupTable {
  readonly table: string;
  /** Name and type. */
  readonly columns: readonly (readonly [string, string])[];
  /** The last number given, by column. */
  readonly numbered: Readonly<Record<string, number>>;
}

export type BackupRow = readonly (string | null)[];

interface BackupEnd {
  readonly rows: number;
  readonly sha256: string;
}

/** Lines with their ends, in order; counts and sums them up for the last. */
export function createBackupWriter(write: (text: string) => Promise<void>) {
  const hash = createHash('sha256');
  let rows = 0;
  const put = async (values: readonly unknown[]): Promise<void> => {
    const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
    hash.update(text);
    await write(text);
  };
  return {
    header: (header: BackupHeader) => put([header]),
    table: (table: BackupTable) => put([table]),
    rows: async (given: readonly BackupRow[]) => {
      rows += given.length;
      await put(given);
    },
    end: async (): Promise<number> => {
      const end: BackupEnd = { rows, sha256: hash.digest('hex') };
      await write(`${JSON.stringify(end)}\n`);
      return rows;
    },
  };
}

export type BackupLine =
  | { readonly type: 'table'; readonly table: BackupTable }
  | { readonly type: 'row'; readonly row: BackupRow };

const NO_BACKUP = 'This is no backup of a ledger';

/** BK-1. Reads all of it once; throws where it is not whole. Answers its header. */
export async function checkBackup(lines: AsyncIterable<string>): Promise<BackupHeader> {
  const hash = createHash('sha256');
  let header: BackupHeader | undefined;
  let last: string | undefined;
  let rows = 0;
  for await (const line of lines) {
    if (last !== undefined) hash.update(`${last}\n`);
    if (last?.startsWith('[') === true) rows += 1;
    header ??= readHeader(line);
    last = line;
  }
  if (header === undefined || last === undefined) throw new Error(`${NO_BACKUP}: it is empty.`);
  const end = parse(last) as Partial<BackupEnd>;
  if (end.sha256 === undefined) throw new Error('The backup has no end: it was cut off.');
  if (end.sha256 !== hash.digest('hex') || end.rows !== rows) {
    throw new Error('The backup was changed after it was written: its checksum does not fit.');
  }
  return header;
}

/** The lines between the first and the last. */
export async function* readBackup(lines: AsyncIterable<string>): AsyncGenerator<BackupLine> {
  let isFirst = true;
  for await (const line of lines) {
    if (isFirst) {
      isFirst = false;
      continue;
    }
    const value = parse(line);
    if (Array.isArray(value)) yield { type: 'row', row: value as BackupRow };
    else if (typeof value === 'object' && value !== null && 'table' in value) {
      yield { type: 'table', table: value as BackupTable };
    }
  }
}

function readHeader(line: string): BackupHeader {
  const header = parse(line) as Partial<BackupHeader> | undefined;
  if (header?.format !== 'kavach-backup') throw new Error(`${NO_BACKUP}: its first line is not.`);
  if ((header.version as number) !== 1) {
    throw new Error('The backup is of a later format: restore it with the version that made it.');
  }
  return header as BackupHeader;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`${NO_BACKUP}, or it was cut off: a line cannot be read.`);
  }
}
