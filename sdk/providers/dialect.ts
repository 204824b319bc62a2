/**
 * What a guard knows of a provider's chat API: how large a call can be, and how its answer says
 * what it came to. Pure.
 */
import type { RequestSize } from '../bound.js';
import type { BilledTokens } from '../price.js';
import type { Fields } from './measure.js';

/** Follows a stream's chunks. */
export interface StreamReader {
  /** False: the chunk is there for the guard alone, and its caller never sees it. */
  see(chunk: unknown): boolean;
  /** Once the stream has said what it was billed for. */
  tokens(): BilledTokens | undefined;
  /** As the provider names it. */
  model(): string | undefined;
  /** The first tool that the answer asks for. */
  tool(): string | undefined;
}

export interface Answer {
  /** Absent: the answer does not say, or not in numbers that can be. */
  readonly tokens?: BilledTokens;
  readonly model?: string;
  readonly tool?: string;
}

export interface Dialect {
  readonly provider: 'openai' | 'anthropic';
  size(request: Fields): RequestSize;
  /** The request as it is sent: a stream is made to tell its usage. */
  prepare(request: Fields): Fields;
  readAnswer(answer: unknown): Answer;
  /** Of the request as its author wrote it. */
  readStream(request: Fields): StreamReader;
}
