/** BD-1 over real sockets: whatever a truthful provider bills, no call comes to more than its worst case. */
import {
  asyncProperty,
  assert,
  constantFrom,
  integer,
  option,
  record,
  string,
  array,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LlmRequest } from '../../fakes/llm.js';
import { guardOf } from './sdk-kit.js';

/** A token a byte and four a message, all that may be answered, and caches at their dearest. */
function dearest({ prompt, maxTokens = 16 }: LlmRequest) {
  const inputTokens = Buffer.byteLength(prompt) + 8;
  return { inputTokens, outputTokens: maxTokens, cacheWriteTokens: inputTokens };
}

const text = string({ unit: 'binary', maxLength: 200 });
const calls = record({
  system: option(text, { nil: undefined }),
  contents: array(text, { minLength: 1, maxLength: 5 }),
  maxTokens: integer({ min: 1, max: 50_000 }),
  stream: constantFrom(true, false),
});

describe('BD-1. the worst case', () => {
  test('of OpenAI’s models', async () => {
    const { guard, admission } = await guardOf('openai', { llm: { script: dearest } });
    const model = constantFrom('gpt-4o', 'gpt-4o-mini', 'gpt-5', 'gpt-5.4', 'o3', 'gpt-4.1-nano');
    await assert(
      asyncProperty(calls, model, async ({ contents, maxTokens, stream }, name) => {
        const answer = await guard.create({
          ...{ model: name, max_completion_tokens: maxTokens, stream },
          messages: contents.map((content) => ({ role: 'user', content })),
        });
        if ('controller' in answer) for await (const _chunk of answer);
        expectWithin(admission);
      }),
      { numRuns: 60 },
    );
  });

  test('of Anthropic’s models', async () => {
    const { guard, admission } = await guardOf('anthropic', { llm: { script: dearest } });
    const model = constantFrom('claude-sonnet-4-6', 'claude-haiku-4-5', 'claude-opus-4-6');
    await assert(
      asyncProperty(calls, model, async ({ system, contents, maxTokens }, name) => {
        // Longer answers the client wants to be streamed.
        const stream = await guard.create({
          ...{ model: name, max_tokens: maxTokens, stream: true },
          ...(system === undefined ? {} : { system }),
          messages: contents.map((content) => ({ role: 'user', content })),
        });
        for await (const _event of stream);
        expectWithin(admission);
      }),
      { numRuns: 40 },
    );
  });
});

type Admission = Awaited<ReturnType<typeof guardOf>>['admission'];

function expectWithin({ asked, settled }: Admission): void {
  const [worst, actual] = [asked.at(-1)!, settled.at(-1)!];
  expect(actual.report.status).toBe('success');
  expect(actual.actual.cost).toBeGreaterThan(0);
  expect(actual.actual.cost).toBeLessThanOrEqual(worst.cost);
  expect(actual.actual.tokens).toBeLessThanOrEqual(worst.tokens);
  expect(asked).toHaveLength(settled.length);
}
