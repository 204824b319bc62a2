/**
 * The one rule from an HTTP answer or fault to an outcome (A4); channels add their exceptions.
 * Reasons are made of fixed words, numbers and redacted text only (C-4).
 */
import type { Outcome, OutcomeKind } from '../domain/alert/outcome.js';
import type { HttpAnswer, HttpFault } from './http.js';
import { retryAfterMs } from './retry-after.js';

/** 408, 425, 429 and 5xx pass; 410 is about this address; all else needs a person. */
export function kindOfStatus(status: number): OutcomeKind {
  if (status >= 200 && status < 300) return 'accepted';
  if (status === 410) return 'permanent_recipient';
  if (status === 429) return 'throttled';
  if (status === 408 || status === 425 || status >= 500) return 'transient';
  return 'permanent_config';
}

export interface AnswerOutcome {
  readonly kind: OutcomeKind;
  readonly status: number;
  /** A word of the provider's own, from a closed list or redacted. */
  readonly word?: string;
  readonly retryAfter?: string | undefined;
  readonly now: number;
}

/** `HTTP 429 rate_limited`, with the wait where one is asked for and can help. */
export function outcomeOf(answer: AnswerOutcome): Outcome {
  const { kind, status, word = '' } = answer;
  const reason = `HTTP ${String(status)} ${word}`.trimEnd();
  const isRetried = kind === 'throttled' || kind === 'transient';
  const wait = isRetried ? retryAfterMs(answer.retryAfter, answer.now) : undefined;
  return { kind, reason, status, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
}

/** The default rule for a whole answer. */
export function outcomeOfAnswer(answer: HttpAnswer, now: number): Outcome {
  const { status, headers } = answer;
  return outcomeOf({ kind: kindOfStatus(status), status, retryAfter: headers['retry-after'], now });
}

const FAULT_WORDS: Readonly<Record<HttpFault['kind'], string>> = {
  refused: 'connection refused',
  dns: 'host name not found',
  tls: 'TLS handshake failed',
  reset: 'connection closed before the whole answer came',
  timeout: 'timed out',
  denied:
    'the name leads to an address that is not on the public internet; ' +
    'an operator can allow in-house targets with KAVACH_ALLOW_TARGETS',
};

/**
 * What was never sent was certainly not processed: transient. What was sent and not answered is
 * ambiguous, unless the status line had already said no.
 */
export function outcomeOfFault(fault: HttpFault): Outcome {
  const { kind, sent, status } = fault;
  const words = FAULT_WORDS[kind];
  if (kind === 'denied') return unsendable(words);
  if (!sent) return { kind: 'transient', reason: `${words}, nothing was sent` };
  if (status === undefined) return { kind: 'ambiguous', reason: `${words} after sending` };
  const said = kindOfStatus(status);
  const reason = `HTTP ${String(status)}, then ${words}`;
  return { kind: said === 'accepted' ? 'ambiguous' : said, reason, status };
}

/** A destination or message that cannot be sent at all; nothing was tried. */
export function unsendable(reason: string): Outcome {
  return { kind: 'permanent_config', reason };
}
