/** `guard.create` over the providers' real clients: leave, one try at a time, settlement (L1). */
import { describe, expect, test } from 'vitest';
import { APIError } from 'openai';
import { startLlm } from '../../fakes/llm.js';
import {
  AgentKavach,
  BudgetExceededError,
  ConfigurationError,
  UnboundedCallError,
} from '../../sdk/index.js';
import { CHAT, GPT_4O, guardOf, MESSAGE } from './sdk-kit.js';

describe('a call of a guard', () => {
  test('is answered as the OpenAI client answers, and settles to what was billed', async () => {
    const { guard, admission, llm } = await guardOf('openai', {
      llm: { script: [{ inputTokens: 12, outputTokens: 7 }] },
    });
    const answer = await guard.create(CHAT);
    expect(answer.choices[0]?.message.content).toBe('All is well.');
    const cost = 12 * GPT_4O.input + 7 * GPT_4O.output;
    expect(admission.settled).toHaveLength(1);
    expect(admission.settled[0]).toMatchObject({
      actual: { cost, tokens: 19, calls: 1 },
      report: {
        ...{ provider: 'openai', model: 'gpt-4o', inputTokens: 12, outputTokens: 7, cost },
        status: 'success',
      },
    });
    expect(admission.asked[0]?.cost).toBeGreaterThan(cost);
    expect(admission.reserved()).toEqual({ cost: 0, tokens: 0, calls: 0 });
    expect(llm.billed()).toEqual({ calls: 1, inputTokens: 12, outputTokens: 7 });
    expect(guard.spent).toBeCloseTo(cost / 1e9, 12);
    expect(guard.remaining).toBeCloseTo(50 - cost / 1e9, 9);
  });

  test('has the names that users of either client know', async () => {
    const openai = await guardOf('openai');
    expect((await openai.guard.chat.completions.create(CHAT)).object).toBe('chat.completion');
    const anthropic = await guardOf('anthropic');
    expect((await anthropic.guard.messages.create(MESSAGE)).type).toBe('message');
    expect(anthropic.admission.settled[0]?.report.provider).toBe('anthropic');
    const { response } = await openai.guard.create(CHAT).withResponse();
    expect(response.status).toBe(200);
    await expect(openai.guard.create(CHAT).asResponse()).rejects.toThrow(/withResponse/);
  });

  test('counts what a cache took at the cache’s price', async () => {
    const turn = { inputTokens: 1_000, outputTokens: 10, cacheReadTokens: 600 };
    const openai = await guardOf('openai', { llm: { script: [turn] } });
    await openai.guard.create(CHAT);
    expect(openai.admission.settled[0]?.actual).toEqual({
      cost: 400 * 2_500 + 600 * 1_250 + 10 * 10_000,
      tokens: 1_010,
      calls: 1,
    });
    const written = { ...turn, cacheWriteTokens: 300 };
    const anthropic = await guardOf('anthropic', { llm: { script: [written] } });
    await anthropic.guard.create(MESSAGE);
    expect(anthropic.admission.settled[0]?.actual).toEqual({
      cost: 100 * 3_000 + 600 * 300 + 300 * 3_750 + 10 * 15_000,
      tokens: 1_010,
      calls: 1,
    });
  });

  test('is refused before the provider hears of it, with what is known of the budget', async () => {
    const { guard, admission, llm, kills } = await guardOf('openai', { limits: { cost: 1_000 } });
    const error = await guard.create(CHAT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(error).toMatchObject({ spent: 0, limit: 0.000001, period: 'daily', reason: 'cost' });
    expect(String(error)).toContain('research-bot');
    expect(llm.requests).toHaveLength(0);
    expect(admission.settled).toHaveLength(0);
    await expect(guard.create(CHAT)).rejects.toThrow(BudgetExceededError);
    expect(kills).toEqual(['cost']);
  });

  test('B6. Without a bound it fits only where nothing blocks', async () => {
    const unknown = { ...CHAT, model: 'house-model' };
    const blocked = await guardOf('openai', { limits: { cost: 1e12 } });
    const error = await blocked.guard.create(unknown).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnboundedCallError);
    expect(String(error)).toMatch(/price of house-model.*prices.*callBound/s);
    expect(blocked.llm.requests).toHaveLength(0);

    const usedUp = await guardOf('openai', { limits: { calls: 0 } });
    const other = await usedUp.guard.create(unknown).catch((thrown: unknown) => thrown);
    expect(other).not.toBeInstanceOf(UnboundedCallError);
    expect(other).toMatchObject({ budgetType: 'calls', limit: 0 });

    const open = await guardOf('openai');
    await open.guard.create(unknown);
    expect(open.admission.settled[0]?.report).not.toHaveProperty('cost');
    expect(open.admission.settled[0]?.actual.cost).toBe(0);

    const named = await guardOf('openai', {
      limits: { cost: 1e12 },
      options: { callBound: { usd: 0.25 } },
    });
    await named.guard.create(unknown);
    expect(named.admission.settled[0]?.actual.cost).toBe(250_000_000);
    const priced = await guardOf('openai', {
      limits: { cost: 1e12 },
      options: { prices: { 'house-model': { input: 1, output: 2 } } },
      llm: { script: [{ inputTokens: 10, outputTokens: 5 }] },
    });
    await priced.guard.create(unknown);
    expect(priced.admission.settled[0]?.actual.cost).toBe(10 * 1_000 + 5 * 2_000);
  });

  test('sends a prompt only for who asked for it', async () => {
    const silent = await guardOf('openai');
    await silent.guard.create(CHAT);
    expect(silent.admission.settled[0]?.report).not.toHaveProperty('prompt');
    const saving = await guardOf('openai', { options: { savePrompts: true } });
    const content = `${'x'.repeat(2_047)}😀`;
    await saving.guard.create({ ...CHAT, messages: [{ role: 'user', content }] });
    const { prompt } = saving.admission.settled[0]!.report;
    expect(prompt).toHaveLength(2_048);
    expect(prompt?.isWellFormed()).toBe(true);
  });

  test('of a guard without a key for the provider says what it lacks', () => {
    const guard = new AgentKavach({
      ...{ apiKey: 'ak_test', agentName: 'x', endpoint: 'http://127.0.0.1:1' },
    });
    return expect(guard.create(CHAT)).rejects.toThrow(ConfigurationError);
  });
});

describe('a call that fails', () => {
  test.each([400, 401, 403, 404, 429])('gives back its reservation on %i', async (status) => {
    const { guard, admission } = await guardOf('openai', { llm: { script: () => ({ status }) } });
    await expect(guard.create(CHAT, { maxRetries: 0 })).rejects.toThrow(APIError);
    expect(admission).toMatchObject({ released: 1, settled: [] });
    expect(admission.reserved().calls).toBe(0);
  });

  test.each([408, 500, 502, 503])('settles at its reservation on %i', async (status) => {
    const { guard, admission } = await guardOf('openai', { llm: { script: () => ({ status }) } });
    await expect(guard.create(CHAT, { maxRetries: 0 })).rejects.toThrow(APIError);
    expect(admission.settled).toHaveLength(1);
    expect(admission.settled[0]?.actual).toEqual(admission.asked[0]);
    expect(admission.settled[0]?.report.status).toBe('error');
  });

  test('is tried again as the clients do, each try a reservation of its own', async () => {
    const script = [
      { status: 500 },
      { status: 429, headers: { 'retry-after': '7' } },
      { inputTokens: 5, outputTokens: 5 },
    ];
    const { guard, admission, llm, waits } = await guardOf('openai', { llm: { script } });
    await guard.create(CHAT);
    expect(llm.requests).toHaveLength(3);
    expect(waits).toEqual([500, 7_000]);
    expect(admission.asked).toHaveLength(3);
    expect(admission.released).toBe(1);
    expect(admission.settled.map(({ report }) => report.status)).toEqual(['error', 'success']);
  });

  test('gives up after two more tries, and at once where the provider says so', async () => {
    const always = await guardOf('anthropic', { llm: { script: () => ({ status: 529 }) } });
    await expect(always.guard.create(MESSAGE)).rejects.toThrow(/529|refused/);
    expect(always.waits).toEqual([500, 1_000]);
    expect(always.admission).toMatchObject({ released: 3, settled: [] });
    const headers = { 'x-should-retry': 'false' };
    const never = await guardOf('openai', { llm: { script: () => ({ status: 500, headers }) } });
    await expect(never.guard.create(CHAT)).rejects.toThrow(APIError);
    expect(never.waits).toEqual([]);
  });

  test('a refused connection spends nothing, one that breaks spends the reservation', async () => {
    const gone = await startLlm();
    await gone.stop();
    const away = await guardOf('openai', { options: { llmBaseUrl: `${gone.url}/v1` } });
    await expect(away.guard.create(CHAT)).rejects.toThrow(/[Cc]onnection/);
    expect(away.admission).toMatchObject({ released: 3, settled: [] });
    const broken = await guardOf('openai', {
      llm: { script: () => ({ after: 0, then: 'break' }) },
    });
    await expect(broken.guard.create(CHAT, { maxRetries: 0 })).rejects.toThrow();
    expect(broken.admission.settled[0]?.actual).toEqual(broken.admission.asked[0]);
  });

  test('time-outs and calls given up settle at the reservation', async () => {
    const { guard, admission, llm } = await guardOf('openai', {
      llm: { script: () => ({ after: 0, then: 'hold' }) },
    });
    const late = guard.create(CHAT, { maxRetries: 0, timeout: 150 });
    await expect(late).rejects.toThrow();
    expect(admission.settled).toHaveLength(1);
    const controller = new AbortController();
    const abandoned = guard.create(CHAT, { signal: controller.signal });
    const thrown = abandoned.catch((error: unknown) => error);
    await expect.poll(() => llm.requests.length).toBe(2);
    controller.abort();
    expect(await thrown).toBeInstanceOf(Error);
    expect(admission.settled.map(({ report }) => report.status)).toEqual(['error', 'error']);
  });

  test('one that was given up before it was sent is not made', async () => {
    const { guard, admission, llm } = await guardOf('openai');
    const signal = AbortSignal.abort();
    await expect(guard.create(CHAT, { signal })).rejects.toThrow();
    expect(admission.asked).toHaveLength(0);
    const controller = new AbortController();
    admission.before = () => {
      controller.abort();
      return Promise.resolve();
    };
    await expect(guard.create(CHAT, { signal: controller.signal })).rejects.toThrow();
    expect(admission.released).toBe(1);
    expect(llm.requests).toHaveLength(0);
  });

  test('one that its client refuses to send releases', async () => {
    const { guard, admission } = await guardOf('anthropic');
    // The client wants such long answers to be streamed, and throws before it asks.
    const long = { ...MESSAGE, model: 'claude-3-opus-20240229', max_tokens: 10_000_000 };
    await expect(guard.create(long)).rejects.toThrow();
    expect(admission).toMatchObject({ released: 1, settled: [] });
  });
});
