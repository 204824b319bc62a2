/**
 * Reading a request's body: packed and unpacked size are capped, so that neither a large body
 * nor a gzip bomb costs more memory than the cap (spec §8).
 */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Problem } from './problem.js';

const unpack = promisify(gunzip);

/**
 * The parsed JSON of a body of at most `limit` bytes, packed and unpacked alike; undefined for an
 * empty one. Throws a `Problem`: 400 for broken gzip or JSON, 413 above the limit, 415 for another encoding.
 */
export async function readJson(incoming: IncomingMessage, limit: number): Promise<unknown> {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const isPacked = encoding === 'gzip' || encoding === 'x-gzip';
  if (!isPacked && encoding !== 'identity' && encoding !== '') {
    throw new Problem({
      status: 415,
      title: 'Unsupported content encoding',
      detail: `Content-Encoding ${JSON.stringify(encoding.slice(0, 40))} is not read here: send gzip or none.`,
    });
  }
  const bytes = await readBytes(incoming, limit);
  return parseJson(isPacked ? await unpackBytes(bytes, limit) : bytes);
}

async function readBytes(incoming: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(incoming.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming) {
      const bytes = chunk as Buffer;
      size += bytes.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw badBody('The body ended before it was complete: send it again.', error);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size);
}

async function unpackBytes(bytes: Buffer, limit: number): Promise<Buffer> {
  try {
    return await unpack(bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit);
    throw badBody('The body is not readable gzip: pack it again, or send it unpacked.', error);
  }
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    try {
      return JSON.parse(quoteNonNumbers(text));
    } catch {
      throw badBody('The body is not valid JSON: expected one object.', error);
    }
  }
}

/**
 * Python writes NaN and Infinity bare, which is no JSON. As strings they cost only the event
 * they are in, not the good ones of its batch. Text inside strings is left alone.
 */
function quoteNonNumbers(text: string): string {
  return text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}

function badBody(detail: string, cause: unknown): Problem {
  return new Problem({ status: 400, title: 'Unreadable body', detail, path: '' }, { cause });
}

function tooLarge(limit: number): Problem {
  return new Problem({
    status: 413,
    title: 'Body too large',
    detail: `A body may have at most ${String(limit)} bytes, unpacked: send smaller batches.`,
    headers: { connection: 'close' },
  });
}
