import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPricer } from '../../gateway/price.js';
import { NOON } from './gateway-kit.js';

const pricer = createPricer();
const call = (over: Partial<Parameters<typeof pricer.price>[0]> = {}) => ({
  provider: 'openai',
  model: 'gpt-4o',
  inputTokens: 1_000,
  outputTokens: 100,
  costReported: 0,
  at: NOON,
  ...over,
});

describe('B6 what a call cost', () => {
  test('a cost above 0 counts as given', () => {
    expect(pricer.price(call({ costReported: 7 }))).toEqual({ costUsed: 7, unpriced: false });
    expect(pricer.price(call({ costReported: 7, model: 'nobody-knows' })).costUsed).toBe(7);
  });

  test('0 without tokens counts as given, for any model', () => {
    const nothing = { inputTokens: 0, outputTokens: 0, model: 'nobody-knows' };
    expect(pricer.price(call(nothing))).toEqual({ costUsed: 0, unpriced: false });
  });

  test('0 with tokens is priced by the library, with its version', () => {
    // gpt-4o: 2.50 and 10 USD a million tokens.
    const price = pricer.price(call());
    expect(price).toEqual({ costUsed: 3_500_000, priceVersion: pricer.version, unpriced: false });
    expect(pricer.version).toMatch(/^genai-prices@\d+\.\d+\.\d+$/);
  });

  test('a model nobody can price is flagged, never silently 0', () => {
    for (const model of ['nobody-knows', '', '__proto__', 'unknown']) {
      expect(pricer.price(call({ model }))).toEqual({ costUsed: 0, unpriced: true });
    }
  });

  test('a provider nobody knows: the model’s name decides', () => {
    expect(pricer.price(call({ provider: 'our-proxy' })).costUsed).toBe(3_500_000);
  });

  test('G-P1: half a nano is rounded up, once per event', () => {
    // 0.0375 USD a million is 37.5 nano-USD a token.
    const flash = call({ provider: 'cohere', model: 'command-r7b', outputTokens: 0 });
    expect(pricer.price({ ...flash, inputTokens: 1 }).costUsed).toBe(38);
    expect(pricer.price({ ...flash, inputTokens: 2 }).costUsed).toBe(75);
    expect(pricer.price({ ...flash, inputTokens: 3 }).costUsed).toBe(113);
  });

  test('prices by the size of a call are asked for every time', () => {
    const gemini = (inputTokens: number) =>
      pricer.price(
        call({ provider: 'google', model: 'gemini-2.5-pro', inputTokens, outputTokens: 0 }),
      );
    // 1.25 USD a million up to 200,000 tokens, more above.
    expect(gemini(200_000).costUsed).toBe(250_000_000);
    expect(gemini(400_000).costUsed).toBeGreaterThan(500_000_000);
  });

  test('prices by the request count the request', () => {
    const sonar = call({ provider: 'perplexity', model: 'sonar', inputTokens: 1, outputTokens: 0 });
    expect(pricer.price(sonar).costUsed).toBeGreaterThan(1_000_000);
  });

  test('a call too large for the ledger has no price', () => {
    const huge = call({ inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 0 });
    expect(pricer.price(huge)).toEqual({ costUsed: 0, unpriced: true });
  });

  test('G-P1: the remembered rates are the library’s own prices to the nano', () => {
    const models = fc.constantFrom(
      ['openai', 'gpt-4o'],
      ['openai', 'gpt-4o-mini'],
      ['mistral', 'mistral-large-latest'],
      ['anthropic', 'claude-3-5-haiku-latest'],
    );
    const tokens = fc.nat(5_000_000);
    fc.assert(
      fc.property(models, tokens, tokens, ([provider = '', model = ''], input, output) => {
        fc.pre(input + output > 0);
        const priced = pricer.price(
          call({ provider, model, inputTokens: input, outputTokens: output }),
        );
        const theirs = calcPrice({ input_tokens: input, output_tokens: output }, model, {
          providerId: provider,
        });
        expect(Math.abs(priced.costUsed - (theirs?.total_price ?? NaN) * 1e9)).toBeLessThan(0.6);
        expect(Number.isSafeInteger(priced.costUsed)).toBe(true);
      }),
    );
  });
});
