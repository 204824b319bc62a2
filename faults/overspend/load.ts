/**
 * What the calls look like: the provider bills whole nano-USD a token, and an answer of any length
 * up to its maximum.
 */
import { createRandom } from '../../cli/demo/random.js';
import type { LlmRequest, ScriptedTurn } from '../../fakes/llm.js';

export const MODEL = 'overspend-model';
export const MAX_TOKENS = 200;
/** USD a million tokens. */
export const RATES = { input: 1, output: 10 } as const;
/** Nano-USD a token. */
const NANOS = { input: 1_000, output: 10_000 } as const;
const PROMPT_BYTES = 400;

export function promptOf(seed: number, no: number): string {
  return `${String(seed)} ${String(no)} `.padEnd(PROMPT_BYTES, 'x');
}

/** What a call costs at most, nano-USD: the prompt by its bytes, the answer at its maximum. */
export const WORST_NANOS = PROMPT_BYTES * NANOS.input + MAX_TOKENS * NANOS.output;

export function nanosOf(billed: { inputTokens: number; outputTokens: number }): number {
  return billed.inputTokens * NANOS.input + billed.outputTokens * NANOS.output;
}

/** A provider whose answers have any length, by the dice. */
export function seededTurns(seed: number): (request: LlmRequest) => ScriptedTurn {
  const random = createRandom(seed);
  return ({ prompt, maxTokens = MAX_TOKENS }) => ({
    inputTokens: Math.ceil(Buffer.byteLength(prompt) / 4),
    outputTokens: 1 + Math.floor(random() * maxTokens),
  });
}
