/** An author's own client inside the budgets, and calls that the guard does not make itself. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { BudgetExceededError, ConfigurationError } from '../../sdk/index.js';
import { CHAT, GPT_4O, guardOf, MESSAGE } from './sdk-kit.js';

describe('a wrapped client', () => {
  test('of OpenAI asks first, with whatever of it leads to a chat', async () => {
    const { guard, admission, llm } = await guardOf('openai');
    const own = new OpenAI({ apiKey: 'sk-own', baseURL: `${llm.url}/v1` });
    const client = guard.wrap(own);
    expectTypeOf(client).toEqualTypeOf<OpenAI>();
    expect(client).toBeInstanceOf(OpenAI);
    await client.chat.completions.create(CHAT);
    await client.chat.completions.parse(CHAT);
    const stream = client.chat.completions.stream(CHAT);
    expect(await stream.finalContent()).toBe('All is well.');
    await client.withOptions({ timeout: 5_000 }).chat.completions.create(CHAT);
    expect(llm.requests).toHaveLength(4);
    expect(admission.settled.map(({ report }) => report.status)).toEqual(
      Array.from({ length: 4 }, () => 'success'),
    );
  });

  test('of Anthropic asks first, with whatever of it leads to a message', async () => {
    const { guard, admission, llm } = await guardOf('anthropic');
    const client = guard.wrap(new Anthropic({ apiKey: 'sk-own', baseURL: llm.url }));
    expectTypeOf(client).toEqualTypeOf<Anthropic>();
    const message = await client.messages.create(MESSAGE);
    expect(message.content[0]).toMatchObject({ text: 'All is well.' });
    const streamed = await client.messages.stream(MESSAGE).finalMessage();
    expect(streamed.usage.output_tokens).toBe(16);
    expect(admission.settled.map(({ report }) => report.status)).toEqual(['success', 'success']);
  });

  test('is refused where the budget ends, and does not try again', async () => {
    const { guard, llm, waits } = await guardOf('openai', { limits: { calls: 0 } });
    const client = guard.wrap(new OpenAI({ apiKey: 'sk-own', baseURL: `${llm.url}/v1` }));
    await expect(client.chat.completions.create(CHAT)).rejects.toThrow(BudgetExceededError);
    expect({ requests: llm.requests, waits }).toEqual({ requests: [], waits: [] });
  });

  test('keeps its own number of retries', async () => {
    const script = () => ({ status: 500 });
    const { guard, llm } = await guardOf('openai', { llm: { script } });
    const own = new OpenAI({ apiKey: 'sk-own', baseURL: `${llm.url}/v1`, maxRetries: 4 });
    await expect(guard.wrap(own).chat.completions.create(CHAT)).rejects.toThrow(OpenAI.APIError);
    expect(llm.requests).toHaveLength(5);
  });

  test('refuses what bills past the guard, and lets the rest be', async () => {
    const { guard, llm } = await guardOf('openai');
    const client = guard.wrap(new OpenAI({ apiKey: 'sk-own', baseURL: `${llm.url}/v1` }));
    const embed = () => client.embeddings.create({ model: 'x', input: 'y' });
    expect(embed).toThrow(ConfigurationError);
    expect(embed).toThrow(/embeddings\.create.*guard\.call/s);
    expect(() => client.responses.create({ model: 'x', input: 'y' })).toThrow(ConfigurationError);
    await expect(client.models.list()).rejects.toThrow(/404/);
    expect(() => guard.wrap({ ask: () => 1 })).toThrow(ConfigurationError);
  });

  test('of another provider that speaks like OpenAI is priced as it is named', async () => {
    const { guard, admission, llm } = await guardOf('openai', {
      options: { prices: { own: { input: 3, output: 4 } } },
    });
    const create = (request: { model: string; messages: unknown[]; max_tokens: number }) =>
      fetch(`${llm.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify(request),
      }).then((answer) => answer.json() as Promise<{ choices: unknown[] }>);
    const client = guard.wrap({ chat: { completions: { create } } }, { provider: 'house' });
    const answer = await client.chat.completions.create({ ...CHAT, model: 'own' });
    expect(answer.choices).toHaveLength(1);
    expect(admission.settled[0]?.report).toMatchObject({
      provider: 'house',
      cost: 4 * 3_000 + 16 * 4_000,
    });
  });
});

describe('calls that the guard does not make', () => {
  test('are recorded with their usage, priced where nobody says', async () => {
    const { guard, admission } = await guardOf('openai');
    guard.record({ model: 'gpt-4o', inputTokens: 10, outputTokens: 2 });
    guard.record({ model: 'x', provider: 'y', inputTokens: 1, outputTokens: 1, usd: 0.5 });
    guard.record({ model: 'x', inputTokens: 1, outputTokens: 1 });
    expect(admission.reported.map(({ actual }) => actual.cost)).toEqual([
      10 * GPT_4O.input + 2 * GPT_4O.output,
      500_000_000,
      0,
    ]);
    expect(admission.reported[2]?.report).not.toHaveProperty('cost');
    expect(guard.status()).toMatchObject({ calls: 3, tokens: 16 });
    const wrong = { model: '', inputTokens: -1, outputTokens: 0.5, usd: NaN, tokens: 3 };
    expect(() => {
      guard.record(wrong);
    }).toThrow(/tokens.*model.*inputTokens.*outputTokens.*usd/s);
  });

  test('are made inside a bound, and settle to their bill, or at the bound', async () => {
    const { guard, admission } = await guardOf('openai', { limits: { cost: 1e9 } });
    const bound = { model: 'sonar', usd: 0.4, tokens: 1_000 };
    const answer = await guard.call(bound, (bill) => {
      bill({ inputTokens: 3, outputTokens: 4, usd: 0.1 });
      bill({ inputTokens: 9, outputTokens: 9, usd: 0.9 });
      return 'fine';
    });
    expect(answer).toBe('fine');
    await guard.call(bound, () => Promise.resolve());
    expect(admission.settled.map(({ actual }) => actual)).toEqual([
      { cost: 100_000_000, tokens: 7, calls: 1 },
      { cost: 400_000_000, tokens: 1_000, calls: 1 },
    ]);
    await expect(guard.call({ ...bound, usd: 0.9 }, () => 1)).rejects.toThrow(BudgetExceededError);
    await expect(guard.call(bound, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(admission.settled.at(-1)?.report.status).toBe('error');
  });
});
