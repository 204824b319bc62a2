/** What the compiler takes of a guard, and what it refuses: read by `npm run types`, hardly run. */
import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import type { Stream } from 'openai/streaming';
import { describe, expectTypeOf, test } from 'vitest';
import { AgentKavach, Budget, ChannelType, type AgentKavachOptions } from '../../sdk/index.js';

declare const openai: AgentKavach;
declare const anthropic: AgentKavach<'anthropic'>;

const CHAT = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'x' }] };
const BASE = { apiKey: 'a', agentName: 'b' };

/** Never called: what stands here has to compile, or must not. */
function checked(): void {
  const whole = openai.create(CHAT);
  expectTypeOf(whole).resolves.toEqualTypeOf<
    OpenAI.Chat.Completions.ChatCompletion & { _request_id?: string | null }
  >();
  const stream = openai.chat.completions.create({ ...CHAT, stream: true });
  expectTypeOf(stream).resolves.toExtend<Stream<OpenAI.Chat.Completions.ChatCompletionChunk>>();
  const message = anthropic.messages.create({ ...CHAT, max_tokens: 5 });
  expectTypeOf(message).resolves.toExtend<Anthropic.Message>();
  // @ts-expect-error Anthropic wants max_tokens.
  void anthropic.create(CHAT);
  // @ts-expect-error No such role.
  void openai.create({ ...CHAT, messages: [{ role: 'robot', content: 'x' }] });

  expectTypeOf(new AgentKavach(BASE)).toEqualTypeOf<AgentKavach>();
  const other = new AgentKavach({ ...BASE, provider: 'anthropic' });
  expectTypeOf(other).toEqualTypeOf<AgentKavach<'anthropic'>>();
  // @ts-expect-error No such provider.
  new AgentKavach({ ...BASE, provider: 'opnai' });
  // @ts-expect-error No such option.
  new AgentKavach({ ...BASE, maxTokenPerRun: 5 });
  // @ts-expect-error The agent has no name.
  new AgentKavach({ apiKey: 'a' });
  // @ts-expect-error A budget is no number.
  new AgentKavach({ ...BASE, budget: 50 });
  // @ts-expect-error Periods are written in lower case, and of those there are.
  Budget.orgBudget(50, { period: 'Daily' });

  // @ts-expect-error Slack has a URL, not an address.
  AgentKavach.channel(ChannelType.SLACK, { threshold: 0.5, to: 'a@b.example' });
  // @ts-expect-error A target is missing.
  AgentKavach.channel(ChannelType.EMAIL, { threshold: 0.5 });
  // @ts-expect-error A template is Slack's.
  AgentKavach.channel(ChannelType.KILL, { threshold: 1, template: { text: 'x' } });
  // @ts-expect-error No such dimension.
  AgentKavach.channel('kill', { threshold: 1, budgetType: 'tokens' });
  // @ts-expect-error No such channel.
  AgentKavach.channel('pager', { threshold: 1 });
  // @ts-expect-error What is billed names its tokens.
  openai.record({ model: 'x', usd: 1 });
  expectTypeOf(openai.call({ model: 'x', usd: 1 }, () => 5)).resolves.toBeNumber();
}

describe('the types of a guard', () => {
  test('onKill is told why, and may ignore it', () => {
    expectTypeOf<() => void>().toExtend<NonNullable<AgentKavachOptions['onKill']>>();
    expectTypeOf(checked).returns.toBeVoid();
  });
});
