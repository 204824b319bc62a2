/** How OpenAI's and Anthropic's chat APIs look from outside, as far as agents and SDKs read them. */

export type Dialect = 'openai' | 'anthropic';

/** What one call is answered with, and billed for. */
export interface LlmTurn {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly text: string;
  /** Parts of `inputTokens` that were read from a cache, or written to it. */
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  /** The answer asks for this tool. */
  readonly tool?: string;
}

export interface LlmRequest {
  readonly dialect: Dialect;
  readonly model: string;
  /** Text of all messages, the system prompt included, one after the other. */
  readonly prompt: string;
  /** As the caller bounds the answer. */
  readonly maxTokens?: number;
  readonly stream: boolean;
  /** OpenAI streams tell their usage only to those who ask for it. */
  readonly wantsUsage: boolean;
}

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  /** Sent one after the other. */
  readonly chunks: readonly string[];
}

/** Undefined: the body is no chat request. */
export function readRequest(dialect: Dialect, body: string): LlmRequest | undefined {
  const fields = parseObject(body);
  const { model, messages, system } = fields ?? {};
  if (fields === undefined || typeof model !== 'string' || !Array.isArray(messages)) {
    return undefined;
  }
  const maxTokens = fields['max_completion_tokens'] ?? fields['max_tokens'];
  const options = fields['stream_options'];
  return {
    dialect,
    model,
    prompt: [system, ...messages.map(contentOf)].map(textOf).join(''),
    stream: fields['stream'] === true,
    wantsUsage:
      typeof options === 'object' &&
      options !== null &&
      'include_usage' in options &&
      options.include_usage === true,
    ...(typeof maxTokens === 'number' ? { maxTokens } : {}),
  };
}

function contentOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'content' in message
    ? message.content
    : undefined;
}

/** A text, or the texts of a list of parts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) =>
      typeof part === 'object' && part !== null && 'text' in part ? textOf(part.text) : '',
    )
    .join('\n');
}

/** The answer in the dialect, whole or as a stream whose end tells the usage. */
export function replyOf(request: LlmRequest, turn: LlmTurn, no: number): Reply {
  const { dialect, stream } = request;
  if (dialect === 'openai') {
    return stream
      ? openaiStream(request, turn, no)
      : json(200, {
          ...openaiHead(request, no, 'chat.completion'),
          choices: [
            {
              index: 0,
              message: { role: 'assistant', content: turn.text, ...toolCalls(turn) },
              finish_reason: turn.tool === undefined ? 'stop' : 'tool_calls',
            },
          ],
          usage: openaiUsage(turn),
        });
  }
  return stream
    ? anthropicStream(request, turn, no)
    : json(200, anthropicMessage(request, turn, no));
}

/** An error in the dialect's own form. */
export function errorReply(dialect: Dialect, status: number, message: string): Reply {
  const error = { type: 'invalid_request_error', message };
  return json(status, dialect === 'openai' ? { error } : { type: 'error', error });
}

function openaiHead({ model }: LlmRequest, no: number, object: string) {
  return { id: `chatcmpl-fake-${no}`, object, created: 1_700_000_000, model };
}

function openaiUsage({ inputTokens, outputTokens, ...turn }: LlmTurn) {
  const { cacheReadTokens: cached_tokens } = turn;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cached_tokens === undefined ? {} : { prompt_tokens_details: { cached_tokens } }),
  };
}

function toolCalls({ tool: name }: LlmTurn) {
  if (name === undefined) return {};
  const call = { id: 'call_fake', type: 'function', function: { name, arguments: '{}' } };
  return { tool_calls: [call] };
}

/** Anthropic counts what its cache took apart from the rest. */
function anthropicUsage({ inputTokens, outputTokens, ...turn }: LlmTurn) {
  const { cacheReadTokens: read, cacheWriteTokens: written } = turn;
  return {
    input_tokens: inputTokens - (read ?? 0) - (written ?? 0),
    output_tokens: outputTokens,
    ...(read === undefined ? {} : { cache_read_input_tokens: read }),
    ...(written === undefined ? {} : { cache_creation_input_tokens: written }),
  };
}

function openaiStream(request: LlmRequest, turn: LlmTurn, no: number): Reply {
  const head = openaiHead(request, no, 'chat.completion.chunk');
  const choice = (delta: object, finish?: string) => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason: finish ?? null }],
    ...(request.wantsUsage ? { usage: null } : {}),
  });
  const chunks = [
    choice({ role: 'assistant', content: '' }),
    ...wordsOf(turn.text).map((content) => choice({ content })),
    choice({}, 'stop'),
    ...(request.wantsUsage ? [{ ...head, choices: [], usage: openaiUsage(turn) }] : []),
  ];
  return events([
    ...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`),
    'data: [DONE]\n\n',
  ]);
}

function anthropicMessage({ model }: LlmRequest, turn: LlmTurn, no: number) {
  return {
    id: `msg_fake_${no}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [
      { type: 'text', text: turn.text },
      ...(turn.tool === undefined
        ? []
        : [{ type: 'tool_use', id: 'toolu_fake', name: turn.tool, input: {} }]),
    ],
    stop_reason: turn.tool === undefined ? 'end_turn' : 'tool_use',
    stop_sequence: null,
    usage: anthropicUsage(turn),
  };
}

function anthropicStream(request: LlmRequest, turn: LlmTurn, no: number): Reply {
  const whole = anthropicMessage(request, turn, no);
  const begun = { ...whole, content: [], stop_reason: null };
  const chunks = [
    { type: 'message_start', message: { ...begun, usage: { ...whole.usage, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...wordsOf(turn.text).map((text) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text },
    })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: turn.outputTokens },
    },
    { type: 'message_stop' },
  ];
  return events(chunks.map((each) => `event: ${each.type}\ndata: ${JSON.stringify(each)}\n\n`));
}

/** `a b` -> `a`, ` b`: joined, they are the text again. */
function wordsOf(text: string): string[] {
  return text.match(/\s*\S+/g) ?? [];
}

function json(status: number, body: unknown): Reply {
  return { status, contentType: 'application/json', chunks: [JSON.stringify(body)] };
}

function events(chunks: readonly string[]): Reply {
  return { status: 200, contentType: 'text/event-stream', chunks };
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
