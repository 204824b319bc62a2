/**
 * Reading a request's body: packed and unpacked size are capped, so that neither a large body
 * nor a gzip bomb costs more memory than the cap (spec §8).
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Problem } from './problem.js';

const unpack = promisify(gunzip);

/**
 * What is read, and dropped, of a body that is too large: a client that sends all of it before it
 * reads an answer (Python's http.client does) would get a broken pipe instead of the 413.
 */
const DRAIN_BYTES = 32 * 1024 * 1024;
const DRAIN_MS = 5_000;

/**
 * The parsed JSON of a body of at most `limit` bytes, packed and unpacked alike; undefined for an
 * empty one. Throws a `Problem`: 400 for broken gzip or JSON, 413 above the limit, 415 for another encoding.
 */
export async function readJson(incoming: IncomingMessage, limit: number): Promise<unknown> {
  return parseJson(await readUnpacked(incoming, limit));
}

async function readUnpacked(incoming: IncomingMessage, limit: number): Promise<Buffer> {
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
  return isPacked ? unpackBytes(bytes, limit) : bytes;
}

export interface ReadBody {
  /** Undefined: the body was empty. */
  readonly json: unknown;
  /** Unpacked, as it was sent. */
  readonly bytes: Buffer;
}

/** Deeper than any of ours by far; what walks a body must not run out of stack. */
const MAX_DEPTH = 64;

/**
 * As `readJson`, for what people and programs write on purpose: also refuses text that is no UTF-8
 * and what is nested too deep (400).
 */
export async function readBody(incoming: IncomingMessage, limit: number): Promise<ReadBody> {
  const bytes = await readUnpacked(incoming, limit);
  if (!isUtf8(bytes)) throw badBody('The body is not UTF-8: send it as JSON in UTF-8.', undefined);
  if (isDeep(bytes)) {
    throw badBody(
      `The body is nested deeper than ${String(MAX_DEPTH)}: send a flat one.`,
      undefined,
    );
  }
  return { json: parseJson(bytes), bytes };
}

/** Brackets inside strings are text. */
function isDeep(bytes: Buffer): boolean {
  let depth = 0;
  let isText = false;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i];
    if (isText) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] =
  Buffer.from('"\\[]{}');

/** A form as browsers send it. Throws a `Problem`: 400 cut off, 413 above the limit. */
export async function readForm(incoming: IncomingMessage, limit: number): Promise<URLSearchParams> {
  return new URLSearchParams((await readBytes(incoming, limit)).toString('utf8'));
}

/** The body as it came. Throws a `Problem`: 400 cut off, 413 above the limit. */
export async function readBytes(incoming: IncomingMessage, limit: number): Promise<Buffer> {
  const isTooLarge = Number(incoming.headers['content-length'] ?? 0) > limit;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    if (!isTooLarge) {
      for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
        const bytes = chunk as Buffer;
        size += bytes.length;
        if (size > limit) break;
        chunks.push(bytes);
      }
    }
  } catch (error) {
    throw badBody('The body ended before it was complete: send it again.', error);
  }
  if (isTooLarge || size > limit) {
    await drain(incoming);
    throw tooLarge(limit);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size);
}

/** Reads on and drops it, up to a bound of bytes and time. */
function drain(incoming: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let size = 0;
    const end = (): void => {
      clearTimeout(timer);
      incoming.off('data', count).off('end', end).off('error', end).off('close', end);
      resolve();
    };
    const count = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > DRAIN_BYTES) end();
    };
    const timer = setTimeout(end, DRAIN_MS);
    incoming.on('data', count).on('end', end).on('error', end).on('close', end).resume();
  });
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
