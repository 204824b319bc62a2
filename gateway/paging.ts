/**
 * Lists page by page: `?limit=&cursor=`. A cursor is opaque; in it is what the last entry was
 * ordered by, so that entries that come meanwhile neither hide nor repeat others.
 */
import type { z } from 'zod';
import { unprocessable } from './schemas.js';

export interface Page<Entry> {
  readonly entries: readonly Entry[];
  /** Absent: that was all. */
  readonly nextCursor?: string;
}

/** What a list is read with: one more than asked for tells whether there is a next page. */
export async function readPage<Entry>(
  limit: number,
  read: (limit: number) => Promise<readonly Entry[]>,
  placeOf: (entry: Entry) => unknown,
): Promise<Page<Entry>> {
  const found = await read(limit + 1);
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  if (found.length <= limit || last === undefined) return { entries };
  return { entries, nextCursor: writeCursor(placeOf(last)) };
}

export function writeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place), 'utf8').toString('base64url');
}

/** Throws a `Problem` (422) for one that this list did not give. */
export function readCursor<Schema extends z.ZodType>(
  schema: Schema,
  cursor: string | undefined,
): z.output<Schema> | undefined {
  if (cursor === undefined) return undefined;
  const parsed = schema.safeParse(decoded(cursor));
  if (parsed.success) return parsed.data;
  throw unprocessable('cursor', 'expected the `nextCursor` of the page before');
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
