/** OpenAI's chat completions, and what speaks like them. */
import type { RequestSize } from '../bound.js';
import type { Dialect, StreamReader } from './dialect.js';
import { countOf, isFields, measureRequest, type Fields } from './measure.js';
import { readUsage } from './usage.js';

export const openai: Dialect = {
  provider: 'openai',

  size(request): RequestSize {
    const { inputTokens, audio } = measureRequest(request, imageTokens(request['model']));
    const maximum = countOf(request['max_completion_tokens']) ?? countOf(request['max_tokens']);
    const { prediction, web_search_options: searches, service_tier: tier } = request;
    return {
      ...(inputTokens === undefined ? {} : { inputTokens }),
      ...(maximum === undefined ? {} : { outputTokens: maximum }),
      runsTools: isFields(searches) || /-search-/.test(String(request['model'])),
      answers: Math.max(countOf(request['n']) ?? 1, 1),
      extraOutput: isFields(prediction) ? (inputTokens ?? 0) : 0,
      audio: audio || isFields(request['audio']),
      ...(tier === 'priority' ? { unpriced: 'the service tier priority' } : {}),
    };
  },

  prepare(request) {
    if (request['stream'] !== true || asksForUsage(request)) return request;
    const options = request['stream_options'];
    return {
      ...request,
      stream_options: { ...(isFields(options) ? options : {}), include_usage: true },
    };
  },

  readAnswer(answer) {
    if (!isFields(answer)) return {};
    const tokens = readUsage('openai', answer['usage']);
    const { model } = answer;
    const tool = toolIn(answer, 'message');
    return {
      ...(tokens === undefined ? {} : { tokens }),
      ...(typeof model === 'string' ? { model } : {}),
      ...(tool === undefined ? {} : { tool }),
    };
  },

  readStream(request): StreamReader {
    const asked = asksForUsage(request);
    let usage: unknown;
    let model: string | undefined;
    let tool: string | undefined;
    return {
      see(chunk) {
        if (!isFields(chunk)) return true;
        if (typeof chunk['model'] === 'string') model ??= chunk['model'];
        tool ??= toolIn(chunk, 'delta');
        if (!isFields(chunk['usage'])) return true;
        usage = chunk['usage'];
        const { choices } = chunk;
        return asked || !Array.isArray(choices) || choices.length > 0;
      },
      tokens: () => readUsage('openai', usage),
      model: () => model,
      tool: () => tool,
    };
  },
};

function asksForUsage({ stream_options: options }: Fields): boolean {
  return isFields(options) && options['include_usage'] === true;
}

/** The dearest image: eight tiles, or ten thousand patches. */
function imageTokens(model: unknown): number {
  return typeof model === 'string' && model.startsWith('gpt-4o-mini') ? 50_000 : 25_000;
}

function toolIn({ choices }: Fields, field: 'message' | 'delta'): string | undefined {
  const [choice] = Array.isArray(choices) ? (choices as readonly unknown[]) : [];
  const message = isFields(choice) ? choice[field] : undefined;
  const calls = isFields(message) ? message['tool_calls'] : undefined;
  const [call] = Array.isArray(calls) ? (calls as readonly unknown[]) : [];
  const named = isFields(call) ? (call['function'] ?? call['custom']) : undefined;
  return isFields(named) && typeof named['name'] === 'string' ? named['name'] : undefined;
}
