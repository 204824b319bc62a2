/** Anthropic's messages. */
import type { RequestSize } from '../bound.js';
import type { Dialect, StreamReader } from './dialect.js';
import { countOf, isFields, measureRequest, type Fields } from './measure.js';
import { readUsage } from './usage.js';

/** The most one image is, and what a tool of Anthropic's own making says about itself. */
const IMAGE_TOKENS = 5_000;
const TYPED_TOOL_TOKENS = 3_000;

export const anthropic: Dialect = {
  provider: 'anthropic',

  size(request): RequestSize {
    const { inputTokens, audio } = measureRequest(request, IMAGE_TOKENS);
    const types = toolTypes(request['tools']);
    const maximum = countOf(request['max_tokens']);
    const fast = request['speed'] === 'fast';
    return {
      ...(inputTokens === undefined
        ? {}
        : { inputTokens: inputTokens + types.length * TYPED_TOOL_TOKENS }),
      ...(maximum === undefined ? {} : { outputTokens: maximum }),
      runsTools: types.some(runsAtProvider) || isFilled(request['mcp_servers']),
      ...{ answers: 1, extraOutput: 0, audio },
      ...(fast ? { unpriced: 'the fast mode' } : {}),
    };
  },

  prepare: (request) => request,

  readAnswer(answer) {
    if (!isFields(answer)) return {};
    const tokens = readUsage('anthropic', answer['usage']);
    const { model, content } = answer;
    const tool = Array.isArray(content) ? content.map(toolName).find(Boolean) : undefined;
    return {
      ...(tokens === undefined ? {} : { tokens }),
      ...(typeof model === 'string' ? { model } : {}),
      ...(tool === undefined ? {} : { tool }),
    };
  },

  readStream(): StreamReader {
    let usage: Fields = {};
    let isWhole = false;
    let model: string | undefined;
    let tool: string | undefined;
    return {
      see(chunk) {
        if (!isFields(chunk)) return true;
        const { type, message } = chunk;
        if (type === 'message_start' && isFields(message)) {
          usage = isFields(message['usage']) ? message['usage'] : {};
          if (typeof message['model'] === 'string') model = message['model'];
        }
        if (type === 'content_block_start') tool ??= toolName(chunk['content_block']);
        // Its counts are totals; the last one comes with the reason why the answer ended.
        if (type === 'message_delta' && isFields(chunk['usage'])) {
          usage = { ...usage, ...filled(chunk['usage']) };
          isWhole = true;
        }
        return true;
      },
      tokens: () => (isWhole ? readUsage('anthropic', usage) : undefined),
      model: () => model,
      tool: () => tool,
    };
  },
};

/** Of the tools that Anthropic made; an author's own has no type, or `custom`. */
function toolTypes(tools: unknown): readonly string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => {
    const type = isFields(tool) ? tool['type'] : undefined;
    return typeof type === 'string' && type !== 'custom' ? [type] : [];
  });
}

/** What the author's own process runs is billed by the next call's bytes; all else while it runs. */
function runsAtProvider(type: string): boolean {
  return !/^(bash|text_editor|computer|memory)_/.test(type);
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

function filled(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function toolName(block: unknown): string | undefined {
  if (!isFields(block) || block['type'] !== 'tool_use') return undefined;
  return typeof block['name'] === 'string' ? block['name'] : undefined;
}
