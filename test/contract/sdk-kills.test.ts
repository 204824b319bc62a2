/** Kills, Stops and the limits of a run, as an author sees them (K1, K2, K4). */
import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../sdk/admission.js';
import {
  BudgetExceededError,
  CallLimitError,
  IngestRejectedError,
  LoopDetectedError,
  RuntimeLimitError,
  TokenLimitError,
} from '../../sdk/index.js';
import { CHAT, guardOf } from './sdk-kit.js';

const KILLED: Refusal = {
  ...{ why: 'killed', reason: 'cost', detail: 'the daily budget was killed.' },
  budget: { dimension: 'cost', cadence: 'daily', spent: 51e9, limit: 50e9, resetsAt: 86_400_000 },
};
const STOPPED: Refusal = { why: 'stopped', reason: 'tier_agent_limit', detail: 'By Ada: enough.' };

describe('a kill', () => {
  test('K1. runs onKill once and refuses every later call at once', async () => {
    const { guard, admission, llm, kills } = await guardOf('openai');
    admission.kill(KILLED);
    admission.kill(KILLED);
    const error = await guard.create(CHAT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(error).toMatchObject({ spent: 51, limit: 50, period: 'daily', budgetType: 'cost' });
    expect((error as BudgetExceededError).resetsAt?.toISOString()).toBe('1970-01-02T00:00:00.000Z');
    await expect(guard.call({ model: 'x', usd: 1 }, () => 1)).rejects.toThrow(BudgetExceededError);
    expect(kills).toEqual(['cost']);
    expect(admission.asked).toHaveLength(0);
    expect(llm.requests).toHaveLength(0);
    expect(guard.status().killed).toBe('cost');
  });

  test('K2. a Stop is an IngestRejectedError with its code', async () => {
    const { guard, admission, kills } = await guardOf('openai');
    admission.kill(STOPPED);
    const error = await guard.create(CHAT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IngestRejectedError);
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(error).toMatchObject({ reason: 'tier_agent_limit', spent: undefined });
    expect(String(error)).toContain('By Ada: enough.');
    expect(kills).toEqual(['tier_agent_limit']);
  });

  test('K4. once lifted, calls go on, and the next kill is told again', async () => {
    const { guard, admission, kills } = await guardOf('openai');
    admission.kill(KILLED);
    admission.lift();
    await guard.create(CHAT);
    admission.kill(KILLED);
    await expect(guard.create(CHAT)).rejects.toThrow(BudgetExceededError);
    expect(kills).toEqual(['cost', 'cost']);
  });

  test('that comes while leave is asked for keeps the call from the provider', async () => {
    const { guard, admission, llm } = await guardOf('openai');
    admission.before = () => {
      admission.kill(KILLED);
      return Promise.resolve();
    };
    await expect(guard.create(CHAT)).rejects.toThrow(BudgetExceededError);
    expect(admission.released).toBe(1);
    expect(llm.requests).toHaveLength(0);
  });

  test.each([
    ['throws', () => JSON.parse('{') as unknown],
    ['rejects', () => Promise.reject(new Error('late'))],
  ])('is not hidden by an onKill that %s', async (_, onKill) => {
    const errors: string[] = [];
    const logger = { error: (message: string) => errors.push(message) };
    const { guard, admission } = await guardOf('openai', { options: { onKill, logger } });
    admission.kill(KILLED);
    await expect(guard.create(CHAT)).rejects.toThrow(BudgetExceededError);
    expect(errors).toEqual(['onKill of agent research-bot failed.']);
  });
});

test('a logger that fails hides nothing', async () => {
  const logger = {
    warn: () => {
      throw new Error('disk full');
    },
  };
  const { admission, kills } = await guardOf('openai', { options: { logger } });
  admission.kill(KILLED);
  expect(kills).toEqual(['cost']);
});

describe('the limits of a run', () => {
  test('tokens: the call that passes it is answered, the next throws', async () => {
    const script = () => ({ inputTokens: 60, outputTokens: 50 });
    const options = { maxTokensPerRun: 100 };
    const { guard, kills } = await guardOf('openai', { llm: { script }, options });
    await guard.create(CHAT);
    expect(kills).toEqual(['tokens']);
    for (let again = 0; again < 2; again += 1) {
      const error = await guard.create(CHAT).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TokenLimitError);
      expect(error).toMatchObject({ spent: 110, limit: 100 });
    }
    expect(kills).toEqual(['tokens']);
  });

  test('calls: many at once start no more than fit', async () => {
    const { guard, llm, kills } = await guardOf('openai', { options: { maxCallsPerRun: 3 } });
    const calls = await Promise.allSettled(Array.from({ length: 8 }, () => guard.create(CHAT)));
    expect(calls.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(llm.requests).toHaveLength(3);
    const error = await guard.create(CHAT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CallLimitError);
    expect(error).toMatchObject({ callCount: 3, limit: 3 });
    expect(kills).toEqual(['calls']);
  });

  test('GR-3. calls: one that was refused, or never reached its provider, is none', async () => {
    const options = { maxCallsPerRun: 1 };
    const refused = await guardOf('openai', { options, limits: { cost: 1_000_000 } });
    await expect(refused.guard.create(CHAT)).rejects.toThrow(BudgetExceededError);
    await refused.guard.create({ ...CHAT, max_completion_tokens: 1 });
    const script = [{ status: 401 }, { text: 'Aye.' }];
    const failed = await guardOf('openai', { options, llm: { script } });
    await expect(failed.guard.create(CHAT)).rejects.toThrow(/401/);
    await failed.guard.create(CHAT);
    expect(failed.guard.status()).toMatchObject({ calls: 1, callsUnderWay: 0 });
  });

  test('runtime: counted from the first call', async () => {
    let now = 5_000;
    const options = { maxRuntimeSeconds: 1.5 };
    const { guard, kills } = await guardOf('openai', { options, seam: { elapsed: () => now } });
    await guard.create(CHAT);
    now += 1_499;
    await guard.create(CHAT);
    now += 1;
    const error = await guard.create(CHAT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RuntimeLimitError);
    expect(error).toMatchObject({ elapsed: 1.5, limit: 1.5 });
    expect(kills).toEqual(['duration']);
  });

  test('loops: the call that closes one throws', async () => {
    let call = 0;
    const script = () => ({ tool: ['search', 'open'][call++ % 2]! });
    const options = { detectLoops: true, loopThreshold: 2 };
    const { guard, kills } = await guardOf('openai', { llm: { script }, options });
    for (let fine = 0; fine < 3; fine += 1) await guard.create(CHAT);
    const error = await guard.create(CHAT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LoopDetectedError);
    expect(error).toMatchObject({
      count: 2,
      pattern: [
        ['gpt-4o', 'search'],
        ['gpt-4o', 'open'],
      ],
    });
    await expect(guard.create(CHAT)).rejects.toThrow(LoopDetectedError);
    expect(kills).toEqual(['loop']);
  });
});

describe('a guard that fails itself', () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const request = { ...CHAT, metadata: circular as Record<string, string> };

  test('lets the call go on, or kills the run where its author wants that', async () => {
    const errors: string[] = [];
    const logger = { error: (message: string) => errors.push(message) };
    const lenient = await guardOf('openai', { options: { logger } });
    await expect(lenient.guard.create(request)).rejects.toThrow(/circular/);
    expect(errors[0]).toContain('worst case');
    expect(lenient.kills).toEqual([]);
    const strict = await guardOf('openai', { options: { failOnError: true } });
    await expect(strict.guard.create(request)).rejects.toThrow(/circular/);
    expect(strict.kills).toEqual(['internal_error']);
  });
});

describe('the end of a guard', () => {
  test('waits for what is under way, and refuses what comes after', async () => {
    const patient = { sleep: () => new Promise<void>(() => undefined) };
    const { guard, admission } = await guardOf('openai', { seam: patient });
    const last = guard.create(CHAT);
    await expect.poll(() => admission.asked.length).toBe(1);
    await Promise.all([guard.close(), guard.close()]);
    expect((await last).choices).toHaveLength(1);
    expect(admission.settled[0]?.report.status).toBe('success');
    await expect(guard.create(CHAT)).rejects.toThrow(/closed/);
    expect(admission.closed).toBeGreaterThan(0);
  });

  test('comes by itself where it was taken with `await using`', async () => {
    const { guard, admission } = await guardOf('openai');
    await guard[Symbol.asyncDispose]();
    expect(admission.closed).toBe(5_000);
  });
});
