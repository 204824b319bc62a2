/**
 * A model provider that costs nothing: OpenAI's `POST /v1/chat/completions` and Anthropic's
 * `POST /v1/messages`, whole or streamed. It counts what it would have billed, so that a test can
 * hold the ledger against it.
 *
 * LM-1. A call is billed before it is answered: what the caller saw was billed, like in life.
 * LM-2. Token counts come from the script, else from the request alone: same request, same bill.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  errorReply,
  readRequest,
  replyOf,
  type Dialect,
  type LlmRequest,
  type LlmTurn,
  type Reply,
} from './llm-wire.js';

export type { LlmRequest, LlmTurn } from './llm-wire.js';

/** How an answer ends that does not reach its caller; what it was billed for stays billed. */
export interface BrokenTurn extends Partial<LlmTurn> {
  /** After so many chunks the connection breaks (`break`) or falls silent (`hold`). */
  readonly after: number;
  readonly then: 'break' | 'hold';
}

/** One scripted call: its counts and text, or a refusal with that status, which bills nothing. */
export type ScriptedTurn =
  | Partial<LlmTurn>
  | BrokenTurn
  | {
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface LlmOptions {
  /** @default a free one */
  readonly port?: number;
  /** Turns used up in order, or one rule for every call. What it leaves out comes from the request. */
  readonly script?: readonly ScriptedTurn[] | ((request: LlmRequest) => ScriptedTurn);
}

export interface Billed {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Llm {
  /** `http://127.0.0.1:PORT`; OpenAI's clients want `/v1` behind it, Anthropic's do not. */
  readonly url: string;
  readonly port: number;
  /** Requests that were understood, refused ones included, in the order they came. */
  readonly requests: readonly LlmRequest[];
  /** Over all models, or of one. */
  billed(model?: string): Billed;
  stop(): Promise<void>;
}

interface ScriptedReply extends Reply {
  readonly headers?: Readonly<Record<string, string>>;
  readonly then?: BrokenTurn['then'];
}

const PATHS: Readonly<Record<string, Dialect>> = {
  '/v1/chat/completions': 'openai',
  '/v1/messages': 'anthropic',
};

export async function startLlm(options: LlmOptions = {}): Promise<Llm> {
  const { script = [] } = options;
  const turns = typeof script === 'function' ? [] : [...script];
  const requests: LlmRequest[] = [];
  const bills = new Map<string, Billed>();

  function answer(dialect: Dialect, body: string): ScriptedReply {
    const request = readRequest(dialect, body);
    if (request === undefined) return errorReply(dialect, 400, 'expected `model` and `messages`');
    requests.push(request);
    const scripted = typeof script === 'function' ? script(request) : (turns.shift() ?? {});
    if ('status' in scripted) {
      const { status, message = 'refused by the script', headers = {} } = scripted;
      return { ...errorReply(dialect, status, message), headers };
    }
    const turn = { ...countsOf(request), ...scripted };
    const before = bills.get(request.model) ?? NOTHING;
    bills.set(request.model, addBills(before, { ...turn, calls: 1 }));
    const reply = replyOf(request, turn, requests.length);
    if (!('after' in scripted)) return reply;
    return { ...reply, chunks: reply.chunks.slice(0, scripted.after), then: scripted.then };
  }

  const server = createServer((incoming, response) => {
    const dialect = PATHS[(incoming.url ?? '/').split('?')[0] ?? '/'];
    if (dialect === undefined || incoming.method !== 'POST') {
      send(response, errorReply('openai', 404, 'no such path'));
      return;
    }
    readBody(incoming)
      .then((body) => {
        send(response, answer(dialect, body));
      })
      // A caller that gave up is no fault of the provider's.
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    billed: (model) =>
      model === undefined
        ? [...bills.values()].reduce(addBills, NOTHING)
        : (bills.get(model) ?? NOTHING),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

const NOTHING: Billed = { calls: 0, inputTokens: 0, outputTokens: 0 };

function addBills(a: Billed, b: Billed): Billed {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
  };
}

/** LM-2. About four bytes a token, as the real ones have it; an answer of 16 tokens at most. */
function countsOf({ prompt, maxTokens = 16 }: LlmRequest): LlmTurn {
  return {
    inputTokens: Math.ceil(Buffer.byteLength(prompt) / 4),
    outputTokens: Math.min(16, maxTokens),
    text: 'All is well.',
  };
}

function send(response: ServerResponse, reply: ScriptedReply): void {
  const { status, contentType, chunks, headers, then } = reply;
  if (then === 'hold' && chunks.length === 0) return;
  response.writeHead(status, { 'content-type': contentType, ...headers });
  for (const chunk of chunks) response.write(chunk);
  if (then === undefined) response.end();
  // What was written is on its way before the connection breaks.
  else if (then === 'break') response.write('', () => response.destroy());
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
