/** The fake model provider: what it says it billed is what its callers are told. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { startLlm, type LlmOptions } from '../../fakes/llm.js';

async function start(options: LlmOptions = {}) {
  const llm = await startLlm(options);
  onTestFinished(() => llm.stop());
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(llm.url + path, { method: 'POST', body: JSON.stringify(body) });
    return { status: answer.status, text: await answer.text() };
  };
  return { llm, post };
}

const CHAT = { model: 'gpt-4o', messages: [{ role: 'user', content: 'x'.repeat(40) }] };

/** The JSON of each `data:` line but the last word. */
function eventsOf(text: string): Record<string, unknown>[] {
  const lines = Array.from(text.matchAll(/^data: (\{.+)$/gm), ([, json]) => json!);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the fake model provider', () => {
  test('bills by the request where nothing is scripted, the same each time', async () => {
    const { llm, post } = await start();
    const usage = { prompt_tokens: 10, completion_tokens: 16, total_tokens: 26 };
    for (let call = 0; call < 2; call += 1) {
      const { text } = await post('/v1/chat/completions', CHAT);
      expect(JSON.parse(text)).toMatchObject({ model: 'gpt-4o', usage });
    }
    await post('/v1/chat/completions', { ...CHAT, model: 'o3', max_completion_tokens: 5 });
    expect(llm.billed('gpt-4o')).toEqual({ calls: 2, inputTokens: 20, outputTokens: 32 });
    expect(llm.billed()).toEqual({ calls: 3, inputTokens: 30, outputTokens: 37 });
    expect(llm.billed('other')).toEqual({ calls: 0, inputTokens: 0, outputTokens: 0 });
  });

  test('a script is used up in order; what it refuses is not billed', async () => {
    const script = [{ status: 429 }, { inputTokens: 7, outputTokens: 3, text: 'Aye.' }];
    const { llm, post } = await start({ script });
    expect((await post('/v1/chat/completions', CHAT)).status).toBe(429);
    expect((await post('/v1/chat/completions', CHAT)).text).toContain('"content":"Aye."');
    expect(llm.billed()).toEqual({ calls: 1, inputTokens: 7, outputTokens: 3 });
    expect(llm.requests).toHaveLength(2);
    expect((await post('/v1/chat/completions', { model: 'gpt-4o' })).status).toBe(400);
    expect((await post('/v1/other', CHAT)).status).toBe(404);
    expect(llm.requests).toHaveLength(2);
  });

  test('an OpenAI stream tells its usage in its last chunk, to those who asked', async () => {
    const { llm, post } = await start({ script: () => ({ inputTokens: 7, outputTokens: 3 }) });
    const stream = { ...CHAT, stream: true };
    const asked = { ...stream, stream_options: { include_usage: true } };
    const { text } = await post('/v1/chat/completions', asked);
    const chunks = eventsOf(text);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 7 } });
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect((await post('/v1/chat/completions', stream)).text).not.toContain('usage');
    expect(llm.billed().calls).toBe(2);
  });

  test('Anthropic’s messages are spoken too, whole and streamed', async () => {
    const { llm, post } = await start();
    const ask = { ...CHAT, model: 'claude-sonnet-4-6', system: 'xxxx', max_tokens: 9 };
    const whole = JSON.parse((await post('/v1/messages', ask)).text) as { usage: object };
    expect(whole).toMatchObject({ type: 'message', content: [{ text: 'All is well.' }] });
    expect(whole.usage).toEqual({ input_tokens: 11, output_tokens: 9 });
    const events = eventsOf((await post('/v1/messages', { ...ask, stream: true })).text);
    expect(events[0]).toMatchObject({ message: { usage: { input_tokens: 11 } } });
    expect(events.at(-2)).toMatchObject({ type: 'message_delta', usage: { output_tokens: 9 } });
    expect(llm.billed()).toEqual({ calls: 2, inputTokens: 22, outputTokens: 18 });
  });
});
