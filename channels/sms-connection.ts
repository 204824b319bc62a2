/**
 * The connection lent to Twilio's package, which has none that is bounded in size, hides
 * `Retry-After`, and keeps the last answer for all calls together. This one serves one attempt:
 * C-3 holds for it, and what came of its last request is kept here and nowhere else.
 */
import type { ClientOpts } from 'twilio/lib/base/BaseTwilio.js';
import { ANSWER_LIMIT_BYTES, exchange, openConnection, type HttpResult } from './http.js';

type HttpClient = NonNullable<ClientOpts['httpClient']>;

/** What the package hands over, as far as it is used. */
interface PackageRequest {
  readonly method: string;
  readonly uri: string;
  readonly username?: string;
  readonly password?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the query. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Of the form. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface SmsConnection {
  readonly httpClient: HttpClient;
  /** What came of the last request; undefined where none was made. */
  last(): HttpResult | undefined;
}

/** Thrown through the package, and caught by the channel, which then asks `last`. */
class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** `baseUrl` replaces the package's host, so that all of an installation's requests go there. */
export function connectSms(baseUrl: string, leftMs: () => number): SmsConnection {
  let last: HttpResult | undefined;
  const request = async (options: PackageRequest) => {
    last = await send(options, baseUrl, leftMs());
    if (last.kind !== 'answer') throw new NoAnswerError(last.kind);
    return { statusCode: last.status, body: last.body, headers: last.headers };
  };
  // The package calls this one method of its client, and asks for nothing else.
  return { httpClient: { request } as unknown as HttpClient, last: () => last };
}

async function send(
  options: PackageRequest,
  baseUrl: string,
  timeoutMs: number,
): Promise<HttpResult> {
  const base = new URL(baseUrl);
  const { pathname } = new URL(options.uri);
  const prefix = base.pathname.replace(/\/$/, '');
  const query = options.params === undefined ? '' : `?${formOf(options.params)}`;
  const login = Buffer.from(`${options.username ?? ''}:${options.password ?? ''}`);
  const headers: Record<string, string> = {
    ...options.headers,
    authorization: `Basic ${login.toString('base64')}`,
  };
  return exchange(
    openConnection(timeoutMs, ANSWER_LIMIT_BYTES),
    {
      origin: base.origin,
      path: `${prefix}${pathname}${query}`,
      method: options.method === 'get' ? 'GET' : 'POST',
      headers,
      ...(options.data === undefined ? {} : { body: formOf(options.data) }),
    },
    (body) => body.text(),
  );
}

function formOf(fields: Readonly<Record<string, unknown>>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  return form.toString();
}
