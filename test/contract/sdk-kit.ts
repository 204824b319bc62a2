/** A guard over the fake model provider and a book in memory, for the tests of the SDK's surface. */
import { onTestFinished } from 'vitest';
import { startLlm, type Llm, type LlmOptions } from '../../fakes/llm.js';
import { AgentKavach, Budget, type AgentKavachOptions, type Provider } from '../../sdk/index.js';
import type { Seam } from '../../sdk/core.js';
import { memoryAdmission, type MemoryAdmission } from '../support/memory-admission.js';

export interface Kit<P extends Provider> {
  readonly guard: AgentKavach<P>;
  readonly admission: MemoryAdmission;
  readonly llm: Llm;
  /** What was waited for between tries, ms. */
  readonly waits: readonly number[];
  /** Reasons that `onKill` was given. */
  readonly kills: readonly string[];
}

export interface KitOptions<P extends Provider> {
  readonly options?: Partial<AgentKavachOptions<P>>;
  readonly limits?: Parameters<typeof memoryAdmission>[0];
  readonly llm?: LlmOptions;
  readonly seam?: Seam;
}

export async function guardOf<P extends Provider>(
  provider: P,
  { options, limits, llm: llmOptions, seam }: KitOptions<P> = {},
): Promise<Kit<P>> {
  const llm = await startLlm(llmOptions);
  onTestFinished(() => llm.stop());
  const admission = memoryAdmission(limits);
  const waits: number[] = [];
  const kills: string[] = [];
  const guard = new AgentKavach<P>(
    {
      provider,
      apiKey: 'ak_test',
      llmKey: 'sk-test',
      agentName: 'research-bot',
      budget: Budget.daily(50),
      endpoint: 'http://127.0.0.1:1',
      llmBaseUrl: provider === 'openai' ? `${llm.url}/v1` : llm.url,
      onKill: (reason) => kills.push(reason),
      ...options,
    },
    {
      createAdmission: () => admission,
      environment: {},
      random: () => 0,
      sleep: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
      ...seam,
    },
  );
  return { guard, admission, llm, waits, kills };
}

export const CHAT = {
  model: 'gpt-4o',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'What is a lease?' }],
};

export const MESSAGE = { ...CHAT, model: 'claude-sonnet-4-6' };

/** Nano-USD a token of gpt-4o. */
export const GPT_4O = { input: 2_500, output: 10_000 };
