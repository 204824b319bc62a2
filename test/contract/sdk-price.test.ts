/** B6: prices and bounds of calls, in nano-USD. */
import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPricer as createGatewayPricer } from '../../gateway/price.js';
import { boundCall, UNBOUNDED, type RequestSize } from '../../sdk/bound.js';
import { createPricer } from '../../sdk/price.js';
import { anthropic } from '../../sdk/providers/anthropic.js';
import { openai } from '../../sdk/providers/openai.js';
import { readUsage } from '../../sdk/providers/usage.js';

const at = Date.UTC(2026, 10, 22);
const MODELS = [
  ...['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'gpt-5.4', 'gpt-5.6-luna', 'o3', 'gpt-4.1-nano'],
  ...['claude-sonnet-4-5', 'claude-sonnet-4-6', 'claude-opus-4-6', 'claude-haiku-4-5'],
];
const providerOf = (model: string) => (model.startsWith('claude') ? 'anthropic' : 'openai');

describe('a price', () => {
  test('is the gateway’s, to the nano', () => {
    const [sdk, gateway] = [createPricer(), createGatewayPricer()];
    const tokens = integer({ min: 0, max: 1_000_000 });
    assert(
      property(constantFrom(...MODELS), tokens, tokens, (model, inputTokens, outputTokens) => {
        if (inputTokens + outputTokens === 0) return;
        const named = { provider: providerOf(model), model, at };
        const price = gateway.price({ ...named, inputTokens, outputTokens, costReported: 0 });
        const billed = { input_tokens: inputTokens, output_tokens: outputTokens };
        expect(sdk.cost(named, billed)).toBe(price.costUsed);
      }),
    );
  });

  test('is the author’s where he names one, and nobody’s where nobody knows', () => {
    const rates = { input: 1.5, output: 6, cacheRead: 0.15 };
    const pricer = createPricer({ 'gpt-4o': rates, own: { input: 0.0000004, output: 0 } });
    const billed = { input_tokens: 100, output_tokens: 10, cache_read_tokens: 40 };
    const named = { provider: 'openai', model: 'gpt-4o', at };
    expect(pricer.cost(named, billed)).toBe(60 * 1_500 + 40 * 150 + 10 * 6_000);
    // Rates below a millionth of a millionth are rounded up: a price is never too low.
    expect(pricer.cost({ ...named, model: 'own' }, { ...billed, input_tokens: 10_000 })).toBe(10);
    expect(pricer.cost({ ...named, model: 'nobody-knows' }, billed)).toBeUndefined();
  });

  test('BD-1. is never more than its worst, whatever kinds the tokens were of', () => {
    const pricer = createPricer();
    const tokens = integer({ min: 0, max: 400_000 });
    assert(
      property(
        ...([constantFrom(...MODELS), tokens, tokens, tokens, tokens] as const),
        (model, input, output, read, written) => {
          const named = { provider: providerOf(model), model, at };
          const cacheRead = Math.min(read, input);
          const cost = pricer.cost(named, {
            ...{ input_tokens: input, output_tokens: output, cache_read_tokens: cacheRead },
            cache_write_tokens: Math.min(written, input - cacheRead),
          });
          const worst = pricer.worstCost(named, { input, output, audio: false });
          expect(cost).toBeLessThanOrEqual(worst!);
        },
      ),
    );
  });
});

describe('the size of a request', () => {
  const messages = [{ role: 'user', content: 'ü'.repeat(100) }];

  test('is bounded by its bytes, and by what may be answered', () => {
    const size = openai.size({ model: 'gpt-4o', messages, max_tokens: 50, n: 3 });
    expect(size.inputTokens).toBeGreaterThan(200);
    expect(size.inputTokens).toBeLessThan(400);
    expect(size).toMatchObject({ outputTokens: 50, answers: 3, runsTools: false, audio: false });
    const tools = [{ type: 'function', function: { name: 'f'.repeat(500) } }];
    const withTools = openai.size({ model: 'gpt-4o', messages, tools });
    expect(withTools.inputTokens).toBeGreaterThan(size.inputTokens! + 1_500);
  });

  test('counts an image by the most it can be, not by its bytes', () => {
    const url = `data:image/png;base64,${'A'.repeat(3_000_000)}`;
    const image = { type: 'image_url', image_url: { url } };
    const size = openai.size({ model: 'gpt-4o', messages: [{ role: 'user', content: [image] }] });
    expect(size.inputTokens).toBeGreaterThan(25_000);
    expect(size.inputTokens).toBeLessThan(26_000);
    const source = { type: 'base64', media_type: 'image/png', data: 'A'.repeat(10) };
    const result = { type: 'tool_result', tool_use_id: 'x', content: [{ type: 'image', source }] };
    const nested = anthropic.size({ model: 'c', messages: [{ role: 'user', content: [result] }] });
    expect(nested.inputTokens).toBeGreaterThan(5_000);
    // What only looks like an image is text.
    const spoof = {
      type: 'tool_use',
      id: 'x',
      name: 'y',
      input: { type: 'image', data: 'A'.repeat(9_000) },
    };
    const text = anthropic.size({ model: 'c', messages: [{ role: 'user', content: [spoof] }] });
    expect(text.inputTokens).toBeGreaterThan(9_000);
  });

  test.each([
    [
      'a file',
      openai.size({ messages: [{ content: [{ type: 'file', file: { file_id: 'x' } }] }] }),
    ],
    [
      'a document',
      anthropic.size({ messages: [{ content: [{ type: 'document', source: { type: 'url' } }] }] }),
    ],
  ])('has no bytes for %s', (_, size) => {
    expect(size.inputTokens).toBeUndefined();
  });

  test('has no bound where the provider’s own tools run', () => {
    const search = { type: 'web_search_20250305', name: 'web_search' };
    expect(anthropic.size({ messages, tools: [search] }).runsTools).toBe(true);
    expect(anthropic.size({ messages, tools: [{ name: 'mine' }] }).runsTools).toBe(false);
    expect(
      anthropic.size({ messages, tools: [{ type: 'bash_20250124', name: 'bash' }] }).runsTools,
    ).toBe(false);
    expect(openai.size({ messages, web_search_options: {} }).runsTools).toBe(true);
  });
});

describe('the worst case', () => {
  const pricer = createPricer();
  const size: RequestSize = {
    ...{ inputTokens: 1_000, runsTools: false, answers: 2, extraOutput: 10, audio: false },
  };
  const gpt4o = { provider: 'openai', model: 'gpt-4o', at };

  test('takes the model’s own maximum where none is set, for each answer', () => {
    const bound = boundCall(gpt4o, size, pricer, {});
    expect(bound).toEqual({
      worst: { cost: 1_000 * 2_500 + 32_778 * 10_000, tokens: 33_778, calls: 1 },
      ...{ inputTokens: 1_000, outputTokens: 32_778 },
    });
    expect(boundCall(gpt4o, { ...size, outputTokens: 0 }, pricer, {}).outputTokens).toBe(10);
  });

  test('takes the context window where no bytes bound the input', () => {
    const { inputTokens: _, ...opaque } = size;
    const bound = boundCall(gpt4o, opaque, pricer, {});
    expect(bound.inputTokens).toBe(128_000);
    expect(bound.unbounded).toBeUndefined();
  });

  test.each([
    ['an unknown model', { ...gpt4o, model: 'x' }, size, /set max_tokens/],
    ['an unknown price', { ...gpt4o, model: 'x' }, { ...size, outputTokens: 5 }, /price of x/],
    ['tools of the provider', gpt4o, { ...size, runsTools: true }, /own tools/],
    ['a tier', gpt4o, { ...size, unpriced: 'the tier' }, /price of the tier/],
  ])('of %s has no bound but the author’s', (_, model, given, why) => {
    const bound = boundCall(model, given, pricer, {});
    expect(bound.worst.cost).toBe(UNBOUNDED);
    expect(bound.unbounded).toMatch(why);
    const named = boundCall(model, given, pricer, { usd: 0.5, tokens: 60_000 });
    expect(named.worst.cost).toBe(500_000_000);
    expect(named.unbounded).toBeUndefined();
    expect(named.inputTokens + named.outputTokens).toBe(named.worst.tokens);
  });
});

describe('what an answer says of itself', () => {
  test.each([
    ['nothing', undefined],
    ['half', { prompt_tokens: 5 }],
    ['a text', { prompt_tokens: '5', completion_tokens: 5 }],
    ['a negative', { prompt_tokens: -5, completion_tokens: 5 }],
    ['a fraction', { prompt_tokens: 5.5, completion_tokens: 5 }],
  ])('counts not at all: %s', (_, usage) => {
    expect(readUsage('openai', usage)).toBeUndefined();
  });

  test('counts without what is null', () => {
    const details = { cached_tokens: null };
    const usage = { prompt_tokens: 5, completion_tokens: 6, prompt_tokens_details: details };
    expect(readUsage('openai', usage)).toEqual({ input_tokens: 5, output_tokens: 6 });
  });
});
