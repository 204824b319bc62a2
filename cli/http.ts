/**
 * The gateway as commands see it. Every failure is a CliError that names subject, cause and next
 * step; the key is in no error.
 */
import { keptUrl } from './data-folder.js';
import { CliError } from './errors.js';
import { apiKeyFile, readKeyFile } from './key-files.js';

export { CliError } from './errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Gateway {
  readonly url: string;
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
  put(path: string, body: unknown): Promise<unknown>;
  remove(path: string, body: unknown): Promise<unknown>;
  /** What is too long to be held; throws while it is read where it breaks off. */
  stream(path: string): Promise<AsyncIterable<Uint8Array>>;
}

const TIMEOUT_MS = 10_000;
/** Of a long answer between two of its parts. */
const SILENCE_MS = 60_000;

/** Address from KAVACH_URL, key from KAVACH_API_KEY; on this machine both from the data folder. */
export function openGateway(env: Environment): Gateway {
  const { url, isOurs } = readUrl(env);
  const key = readKey(env, url, isOurs);
  const ask = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<unknown> => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(key.value === undefined ? {} : { authorization: `Bearer ${key.value}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (error) {
      throw unreachable(url, error);
    }
    if (response.ok) return readJson(text, url);
    throw refusal(response.status, text, { url, key });
  };
  const stream = async (path: string): Promise<AsyncIterable<Uint8Array>> => {
    const patience = createPatience();
    patience.wait(TIMEOUT_MS);
    const response = await fetch(`${url}${path}`, {
      signal: patience.signal,
      headers: key.value === undefined ? {} : { authorization: `Bearer ${key.value}` },
    }).catch((error: unknown) => {
      throw unreachable(url, error);
    });
    if (!response.ok) throw refusal(response.status, await response.text(), { url, key });
    return chunksOf(url, response, patience);
  };
  return {
    url,
    stream,
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    remove: (path, body) => ask('DELETE', path, body),
  };
}

interface Patience {
  readonly signal: AbortSignal;
  /** Aborts after so long, unless it is said again; 0: not at all. */
  wait(ms: number): void;
}

function createPatience(): Patience {
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: end.signal,
    wait: (ms) => {
      clearTimeout(timer);
      if (ms === 0) return;
      timer = setTimeout(() => {
        end.abort(new DOMException('no answer', 'TimeoutError'));
      }, ms);
      timer.unref();
    },
  };
}

async function* chunksOf(
  url: string,
  response: Response,
  patience: Patience,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    patience.wait(SILENCE_MS);
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      patience.wait(0);
      bytes += chunk.length;
      yield chunk;
      patience.wait(SILENCE_MS);
    }
  } catch (error) {
    throw new CliError(
      `The answer of Kavach at ${url} broke off after ${String(bytes)} bytes (${causeOf(error)}): ` +
        'ask again',
    );
  } finally {
    patience.wait(0);
  }
}

interface Key {
  readonly value: string | undefined;
  readonly from: string;
}

interface Address {
  readonly url: string;
  /** The data folder says so: its key belongs there. */
  readonly isOurs: boolean;
}

function readUrl(env: Environment): Address {
  const given = env['KAVACH_URL'];
  if (!given) {
    const port = env['KAVACH_PORT'];
    const kept = port && port !== '0' ? undefined : keptUrl(dataDirOf(env));
    if (kept !== undefined) return { url: kept, isOurs: true };
    return { url: `http://127.0.0.1:${port && port !== '0' ? port : '8787'}`, isOurs: false };
  }
  if (!/^https?:$/.test(URL.canParse(given) ? new URL(given).protocol : '')) {
    throw new CliError(`KAVACH_URL is ${JSON.stringify(given)}: expected http://host:port`);
  }
  return { url: given.replace(/\/+$/, ''), isOurs: false };
}

/** The file's key belongs to the Kavach of this machine and is sent to no other. */
function readKey(env: Environment, url: string, isOurs: boolean): Key {
  const given = env['KAVACH_API_KEY'];
  if (given) return { value: given, from: 'KAVACH_API_KEY' };
  const isLocal = isOurs || ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
  if (!isLocal) return { value: undefined, from: 'KAVACH_API_KEY, which is not set' };
  const file = apiKeyFile(dataDirOf(env));
  return { value: readKeyFile(file), from: file };
}

function dataDirOf(env: Environment): string {
  return env['KAVACH_DATA_DIR'] || '.kavach';
}

function unreachable(url: string, error: unknown): CliError {
  return new CliError(
    `Kavach at ${url} cannot be reached (${causeOf(error)}): start it with \`kavach up\`, ` +
      'or set KAVACH_URL to where it runs',
  );
}

function refusal(status: number, text: string, asked: { url: string; key: Key }): CliError {
  const detail = detailOf(text);
  if (status === 403) {
    const key = asked.key.from;
    return new CliError(
      `Kavach at ${asked.url} does not allow this to the key of ${key}${detail}`,
      status,
      detail.replace(/^: /, ''),
    );
  }
  if (status === 401) {
    const what = asked.key.value === undefined ? 'needs an API key' : 'refused the API key';
    return new CliError(
      `Kavach at ${asked.url} ${what} (looked in ${asked.key.from}): set KAVACH_API_KEY, or ` +
        `KAVACH_DATA_DIR to the data folder of that Kavach${detail}`,
      status,
    );
  }
  const message = `Kavach at ${asked.url} answered ${String(status)}${detail}`;
  return new CliError(message, status, detail.replace(/^: /, ''));
}

/** The words of a problem+json, if it is one. */
function detailOf(text: string): string {
  try {
    const { detail, title, path } = JSON.parse(text) as Record<string, unknown>;
    const words = typeof detail === 'string' ? detail : title;
    const isNamed = typeof words === 'string' && words.startsWith(`${String(path)}: `);
    const where = typeof path === 'string' && !isNamed ? ` (at ${path})` : '';
    return typeof words === 'string' ? `: ${words}${where}` : '';
  } catch {
    return '';
  }
}

function readJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(`${url} did not answer with JSON: is it a Kavach? Check KAVACH_URL`);
  }
}

/** `fetch failed` says nothing: its cause does, by a code (ECONNREFUSED) or in words. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer in ${String(TIMEOUT_MS / 1_000)} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : causeOf(cause);
}
