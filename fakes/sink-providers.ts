/**
 * What Slack, Resend and a well-made webhook receiver answer, as far as Kavach can see. PagerDuty
 * and Twilio remember more and have files of their own.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { resendBody, sendCallback, signedByResend, type ResendEvent } from './callbacks.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Received {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The query with its `?`, or nothing. */
  readonly search: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Provider {
  readonly channel: 'slack' | 'email' | 'webhook' | 'pagerduty' | 'sms';
  /** The idempotency key the request carries, if the provider knows such a thing. */
  keyOf(received: Received): string | undefined;
  /**
   * The answer, whether the message was dropped as one that had been taken before, and whether the
   * request only reads: then there is no message in it.
   */
  answer(received: Received): {
    readonly answer: Answer;
    readonly repeat: boolean;
    readonly reads?: true;
  };
  /** Remembers what was taken, so that its repeat is known. */
  take(received: Received): void;
}

export function createSlack(): Provider {
  return {
    channel: 'slack',
    keyOf: () => undefined,
    answer: ({ body }) => ({ answer: slackAnswer(body), repeat: false }),
    take: () => undefined,
  };
}

const text = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body,
});

/** Slack's published limits; the total is the one it does not publish. */
function slackAnswer(body: string): Answer {
  const message = parseObject(body);
  if (message === undefined) return text(400, 'invalid_payload');
  const { text: words, blocks } = message;
  if ((typeof words !== 'string' || words === '') && blocks === undefined) {
    return text(400, 'no_text');
  }
  if (blocks === undefined) return text(200, 'ok');
  if (!Array.isArray(blocks) || blocks.length > 50) return text(400, 'invalid_blocks');
  if (body.length > 9_597) return text(400, 'msg_blocks_too_long');
  return blocks.every(isBlock) ? text(200, 'ok') : text(400, 'invalid_blocks');
}

function isBlock(block: unknown): boolean {
  if (typeof block !== 'object' || block === null || !('type' in block)) return false;
  const words = 'text' in block ? textOf(block.text) : '';
  if (block.type === 'header') return words.length > 0 && words.length <= 150;
  const fields = 'fields' in block && Array.isArray(block.fields) ? block.fields : [];
  if (fields.length > 10 || fields.some((field) => textOf(field).length > 2_000)) return false;
  return words.length <= 3_000;
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('text' in value)) return '';
  return typeof value.text === 'string' ? value.text : '';
}

export interface ResendFake extends Provider {
  /** What became of the mail that was taken last; answers the status it was answered with. */
  readonly callBack: (
    webhook: { readonly url: string; readonly secret: string },
    event: Omit<ResendEvent, 'emailId'>,
  ) => Promise<number>;
}

/** Honours `Idempotency-Key` as Resend says it does: same bytes, same id; other bytes, 409. */
export function createResend(): ResendFake {
  const taken = new Map<string, { readonly body: string; readonly id: string }>();
  let count = 0;
  const keyOf = ({ headers }: Received): string | undefined =>
    headers['idempotency-key']?.toString();
  return {
    channel: 'email',
    keyOf,
    answer(received) {
      const refusal = resendRefusal(received);
      if (refusal !== undefined) return { answer: refusal, repeat: false };
      const before = taken.get(keyOf(received) ?? '');
      if (before === undefined)
        return { answer: json(200, { id: emailId(count + 1) }), repeat: false };
      if (before.body !== received.body) {
        return {
          answer: resendError(409, 'invalid_idempotent_request', 'Same key, different payload'),
          repeat: true,
        };
      }
      return { answer: json(200, { id: before.id }), repeat: true };
    },
    take(received) {
      count += 1;
      const key = keyOf(received);
      if (key !== undefined) taken.set(key, { body: received.body, id: emailId(count) });
    },
    callBack({ url, secret }, event) {
      const body = resendBody({ ...event, emailId: emailId(count) });
      return sendCallback(url, signedByResend(secret, body));
    },
  };
}

const emailId = (no: number): string => `re_fake_${String(no).padStart(8, '0')}`;

function resendRefusal({ headers, body }: Received): Answer | undefined {
  if (!/^Bearer \S+$/.test(headers.authorization ?? '')) {
    return resendError(401, 'missing_api_key', 'Missing API key in the authorization header');
  }
  const mail = parseObject(body);
  if (mail === undefined) return resendError(400, 'validation_error', 'The body is not JSON');
  for (const field of ['from', 'to', 'subject'] as const) {
    if (typeof mail[field] !== 'string') {
      return resendError(422, 'missing_required_field', `Missing \`${field}\` field`);
    }
  }
  if (!String(mail['to']).includes('@')) {
    return resendError(422, 'validation_error', 'Invalid `to` field');
  }
  return undefined;
}

/** An error in Resend's own form. */
export function resendError(statusCode: number, name: string, message: string): Answer {
  return json(statusCode, { statusCode, name, message });
}

/** Drops repeats of a `webhook-id`, as the guide tells receivers to. */
export function createReceiver(): Provider {
  const taken = new Set<string>();
  const keyOf = ({ headers }: Received): string | undefined => headers['webhook-id']?.toString();
  return {
    channel: 'webhook',
    keyOf,
    answer: (received) => ({
      answer: json(200, { received: true }),
      repeat: taken.has(keyOf(received) ?? ''),
    }),
    take(received) {
      const key = keyOf(received);
      if (key !== undefined) taken.add(key);
    },
  };
}

export function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
