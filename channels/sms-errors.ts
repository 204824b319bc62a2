/** What Twilio's answers mean: of a request, and of a message it had taken. */
import type { Outcome, OutcomeKind } from '../domain/alert/outcome.js';
import { kindOfStatus, outcomeOf, outcomeOfFault, unsendable } from './errors.js';
import type { HttpResult } from './http.js';

export interface TwilioError {
  readonly kind: OutcomeKind;
  /** Our own words: Twilio's repeat the number (C-4). */
  readonly words: string;
}

const CALLBACK_REFUSED = 21609;

const CODES: Readonly<Record<number, TwilioError>> = {
  // About the number.
  21211: { kind: 'permanent_recipient', words: 'not a valid number' },
  21610: { kind: 'permanent_recipient', words: 'the number has opted out' },
  21612: { kind: 'permanent_recipient', words: 'no route to the number' },
  21614: { kind: 'permanent_recipient', words: 'not a mobile number' },
  21635: { kind: 'permanent_recipient', words: 'a landline' },
  30004: { kind: 'permanent_recipient', words: 'blocked by the number' },
  30005: { kind: 'permanent_recipient', words: 'unknown handset' },
  30006: { kind: 'permanent_recipient', words: 'a landline, or unreachable for good' },
  // About the account, the sender or the text.
  20003: { kind: 'permanent_config', words: 'authentication failed' },
  21212: { kind: 'permanent_config', words: 'not a valid sender' },
  21408: { kind: 'permanent_config', words: 'no permission for the region' },
  21606: { kind: 'permanent_config', words: 'a sender that cannot send to the number' },
  21608: { kind: 'permanent_config', words: 'a trial account, and a number it has not verified' },
  [CALLBACK_REFUSED]: { kind: 'permanent_config', words: 'a callback that is none' },
  30002: { kind: 'permanent_config', words: 'account suspended' },
  30007: { kind: 'permanent_config', words: 'filtered by the carrier' },
  // Not processed, or worth another try.
  14107: { kind: 'throttled', words: 'loop guard' },
  20429: { kind: 'throttled', words: 'too many requests' },
  21611: { kind: 'throttled', words: 'queue of the sender is full' },
  30001: { kind: 'throttled', words: 'queue overflow' },
  30003: { kind: 'transient', words: 'handset unreachable' },
  30008: { kind: 'transient', words: 'unknown error of the carrier' },
  30410: { kind: 'transient', words: 'the provider timed out' },
};

export function twilioError(code: number | undefined): TwilioError | undefined {
  return code !== undefined && Object.hasOwn(CODES, code) ? CODES[code] : undefined;
}

/** The `code` of an error's body; undefined where it has none, as of a proxy's page. */
export function codeOfBody(body: string): number | undefined {
  try {
    const error: unknown = JSON.parse(body);
    const code = typeof error === 'object' && error !== null && 'code' in error && error.code;
    return Number.isSafeInteger(code) ? (code as number) : undefined;
  } catch {
    return undefined;
  }
}

/** What is read of a message of Twilio's. */
export interface Message {
  readonly sid: unknown;
  readonly body: unknown;
  readonly status: unknown;
  readonly errorCode: unknown;
}

export function isSid(sid: unknown): sid is string {
  return typeof sid === 'string' && /^(?:SM|MM)[0-9A-Za-z]{1,64}$/.test(sid);
}

export function hasFailed({ status }: Message): boolean {
  return status === 'failed' || status === 'undelivered' || status === 'canceled';
}

/** Twilio took it and could not send it. */
export function failureOf({ errorCode }: Message): Outcome {
  const code = typeof errorCode === 'number' ? errorCode : undefined;
  const { kind, words } = twilioError(code) ?? { kind: 'transient', words: 'it failed' };
  return { kind, reason: `Twilio ${code === undefined ? '' : `${String(code)} `}${words}` };
}

/** What Twilio's word in a status callback says of the number. */
export function explainUndelivered(code: number | undefined): { reason: string; gone: boolean } {
  const { kind, reason } = failureOf({ sid: '', body: '', status: 'failed', errorCode: code });
  return { reason, gone: kind === 'permanent_recipient' };
}

/** The address for its callbacks, and nothing else, was refused. */
export function isCallbackRefused(result: HttpResult | undefined): boolean {
  return result?.kind === 'answer' && codeOfBody(result.body) === CALLBACK_REFUSED;
}

/** Of a request that the package threw at: its error says less than the answer itself. */
export function outcomeOfResult(result: HttpResult | undefined, now: number): Outcome {
  if (result === undefined) return unsendable('the request could not be built: check the account');
  if (result.kind !== 'answer') return outcomeOfFault(result);
  const { status, headers, body } = result;
  const byStatus = kindOfStatus(status);
  if (byStatus === 'accepted') {
    return outcomeOf({ kind: 'ambiguous', status, word: 'that cannot be read', now });
  }
  const code = codeOfBody(body);
  const error = twilioError(code);
  // A status that says it will pass is believed before any code.
  const passes = byStatus === 'throttled' || byStatus === 'transient';
  const kind = error === undefined || passes ? byStatus : error.kind;
  const word = [code === undefined ? '' : String(code), error?.words ?? ''].join(' ').trim();
  return outcomeOf({ kind, status, word, retryAfter: headers['retry-after'], now });
}
