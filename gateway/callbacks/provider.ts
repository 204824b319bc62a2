/** A provider whose callbacks are taken: is it really its word, and what does it say. */
import type { CallbackProvider, CallbackWord } from '../../ledger/ledger.js';
import type { ReceivedCallback } from './signature.js';

/** What a callback says, in our words. */
export type Reading =
  | { readonly type: 'word'; readonly eventId: string; readonly word: CallbackWord }
  /** Understood, and nothing to us. */
  | { readonly type: 'ignored'; readonly why: string }
  /** Signed, and yet not what its provider sends. */
  | { readonly type: 'unreadable' };

export interface CallbackReader {
  readonly provider: CallbackProvider;
  /** Over the bytes as they came. Nothing else is done with a body before this says yes. */
  isSigned(received: ReceivedCallback): boolean;
  read(received: ReceivedCallback): Reading;
}

export const unreadable: Reading = { type: 'unreadable' };

export function ignored(why: string): Reading {
  return { type: 'ignored', why: why.replace(/[^\w .:-]/g, '').slice(0, 80) };
}

/** Undefined for what is no JSON object. */
export function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** A name of at most `limit` characters, of those that ids and keys are made of. */
export function asId(value: unknown, limit: number): string | undefined {
  if (typeof value !== 'string' || value.length > limit) return undefined;
  return /^[\w.:/~%-]+$/.test(value) ? value : undefined;
}
