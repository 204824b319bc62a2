/** Streams through a guard: the caller's object is the client's, and every end settles. */
import { describe, expect, test } from 'vitest';
import { Stream } from 'openai/streaming';
import { CHAT, GPT_4O, guardOf, MESSAGE } from './sdk-kit.js';

const STREAM = { ...CHAT, stream: true as const };
const MESSAGE_STREAM = { ...MESSAGE, stream: true as const };

async function textOf(
  stream: AsyncIterable<{ choices: { delta: { content?: string | null } }[] }>,
) {
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  return text;
}

describe('a stream of OpenAI’s', () => {
  test('settles to the usage of its last chunk, which is not for who did not ask', async () => {
    const script = [{ inputTokens: 9, outputTokens: 4 }];
    const { guard, admission, llm } = await guardOf('openai', { llm: { script } });
    const stream = await guard.create(STREAM);
    expect(stream).toBeInstanceOf(Stream);
    expect(admission.settled).toHaveLength(0);
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      'All is well.',
    );
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true);
    expect(llm.requests[0]?.wantsUsage).toBe(true);
    expect(admission.settled[0]?.actual.cost).toBe(9 * GPT_4O.input + 4 * GPT_4O.output);
    expect(admission.settled[0]?.report.status).toBe('success');
  });

  test('leaves the usage to who asked for it', async () => {
    const { guard } = await guardOf('openai');
    const asked = await guard.create({ ...STREAM, stream_options: { include_usage: true } });
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(16);
  });

  test('can be read in two, as the client’s own', async () => {
    const { guard, admission } = await guardOf('openai');
    const [left, right] = (await guard.create(STREAM)).tee();
    expect(await Promise.all([textOf(left), textOf(right)])).toEqual([
      'All is well.',
      'All is well.',
    ]);
    expect(admission.settled).toHaveLength(1);
  });

  test('left in the middle it settles at its reservation', async () => {
    const { guard, admission } = await guardOf('openai');
    const stream = await guard.create(STREAM);
    for await (const _chunk of stream) break;
    expect(stream.controller.signal.aborted).toBe(true);
    expect(admission.settled[0]?.actual).toEqual(admission.asked[0]);
    expect(admission.settled[0]?.report.status).toBe('partial');
  });

  test('aborted, read or not, it settles at its reservation', async () => {
    const script = (): { after: number; then: 'hold' } => ({ after: 2, then: 'hold' });
    const { guard, admission } = await guardOf('openai', { llm: { script } });
    const unread = await guard.create(STREAM);
    unread.controller.abort();
    expect(admission.settled).toHaveLength(1);
    const read = await guard.create(STREAM);
    for await (const chunk of read) if (chunk.choices.length > 0) read.controller.abort();
    expect(admission.settled.map(({ report }) => report.status)).toEqual(['partial', 'partial']);
    expect(admission.reserved().calls).toBe(0);
  });

  test('broken off it throws as the client does, and settles at its reservation', async () => {
    const script = [{ after: 2, then: 'break' as const }];
    const { guard, admission } = await guardOf('openai', { llm: { script } });
    const stream = await guard.create(STREAM);
    await expect(textOf(stream)).rejects.toThrow();
    expect(admission.settled[0]?.actual).toEqual(admission.asked[0]);
    expect(admission.settled[0]?.report.status).toBe('partial');
  });

  test('still open when the guard closes, it settles at its reservation', async () => {
    const { guard, admission } = await guardOf('openai');
    await guard.create(STREAM);
    await guard.close();
    expect(admission.settled[0]?.report.status).toBe('partial');
    expect(admission.closed).toBeGreaterThan(0);
  });
});

describe('a stream of Anthropic’s', () => {
  test('settles to the counts of its start and its end', async () => {
    const script = [{ inputTokens: 900, outputTokens: 40, cacheReadTokens: 500 }];
    const { guard, admission } = await guardOf('anthropic', { llm: { script } });
    const types = new Set<string>();
    for await (const event of await guard.create(MESSAGE_STREAM)) types.add(event.type);
    expect([...types]).toContain('message_stop');
    expect(admission.settled[0]).toMatchObject({
      actual: { cost: 400 * 3_000 + 500 * 300 + 40 * 15_000, tokens: 940, calls: 1 },
      report: { status: 'success', inputTokens: 900, outputTokens: 40 },
    });
  });

  test('broken off before its end tells its usage it settles at its reservation', async () => {
    const script = [{ after: 3, then: 'break' as const }];
    const { guard, admission } = await guardOf('anthropic', { llm: { script } });
    const stream = await guard.create(MESSAGE_STREAM);
    const read = async () => {
      for await (const _event of stream);
    };
    await expect(read()).rejects.toThrow();
    expect(admission.settled[0]?.actual).toEqual(admission.asked[0]);
  });
});
