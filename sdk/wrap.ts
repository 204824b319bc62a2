/**
 * An author's own client, guarded: the same object to him, its `create` asks first.
 * WR-1. What the client builds on `create` (`parse`, `stream`, `runTools`) goes through the
 *       guarded one.
 * WR-2. What bills without passing it is refused, so that no call slips by the budget; the
 *       unwrapped client and `guard.call` remain for it.
 */
import { ConfigurationError } from './errors.js';
import type { GuardedCreate, GuardedEndpoint } from './guard-create.js';
import { anthropic } from './providers/anthropic.js';
import { openai } from './providers/openai.js';

export type GuardEndpoint = (endpoint: Omit<GuardedEndpoint, 'provider'>) => GuardedCreate;

/** A client's own `create`. */
export type SendOnce = (request: unknown, options: unknown) => unknown;

interface Completions {
  readonly create: SendOnce;
}
interface OpenAiLike {
  readonly chat: { readonly completions: Completions };
}
interface AnthropicLike {
  readonly messages: Completions & { readonly batches?: object };
}

/** A client's retries where it has none of its own to name. */
const USUAL_RETRIES = 2;

const OPENAI_BILLS = [
  ...['responses', 'completions', 'embeddings', 'images', 'audio', 'videos', 'batches', 'beta'],
  ...['realtime', 'fineTuning', 'evals', 'containers', 'conversations'],
];
const ANTHROPIC_BILLS = ['completions', 'beta'];

/** Throws a `ConfigurationError` for what is no client of a provider that is spoken. */
export function wrapClient<Client extends object>(client: Client, guard: GuardEndpoint): Client {
  if (isOpenAiLike(client)) return wrapOpenAi(client, guard);
  if (isAnthropicLike(client)) return wrapAnthropic(client, guard);
  throw notSpoken();
}

/** What a client asks with. */
export function createIn(client: object): SendOnce {
  if (isOpenAiLike(client)) {
    const { completions } = client.chat;
    return (request, options) => completions.create(request, options);
  }
  if (isAnthropicLike(client)) {
    const { messages } = client;
    return (request, options) => messages.create(request, options);
  }
  throw notSpoken();
}

function notSpoken(): ConfigurationError {
  return new ConfigurationError('guard.wrap', [
    {
      path: 'client',
      expected: 'a client with chat.completions.create or messages.create',
      given: 'an object without either',
    },
  ]);
}

function wrapOpenAi<Client extends OpenAiLike>(client: Client, guard: GuardEndpoint): Client {
  const { completions } = client.chat;
  const create = guard({
    dialect: openai,
    send: createIn(client),
    retries: () => retriesOf(client),
  });
  return wrapOutside(client, guard, OPENAI_BILLS, (wrapped) => {
    const own = overlay(completions, { create, _client: wrapped }, false);
    return { chat: overlay(client.chat, { completions: own, _client: wrapped }, false) };
  });
}

function wrapAnthropic<Client extends AnthropicLike>(client: Client, guard: GuardEndpoint): Client {
  const { messages } = client;
  const create = guard({
    dialect: anthropic,
    send: createIn(client),
    retries: () => retriesOf(client),
  });
  return wrapOutside(client, guard, ANTHROPIC_BILLS, (wrapped) => ({
    messages: overlay(
      messages,
      { create, _client: wrapped, batches: refusing('messages.batches') },
      false,
    ),
  }));
}

/** The client itself; `inside` gives what of it is guarded, and may hold the wrapped client. */
function wrapOutside<Client extends object>(
  client: Client,
  guard: GuardEndpoint,
  bills: readonly string[],
  inside: (wrapped: Client) => object,
): Client {
  const own: Record<string, unknown> = {};
  const wrapped = overlay(client, own, true);
  const present = bills.filter((name) => name in client);
  Object.assign(own, Object.fromEntries(present.map((name) => [name, refusing(name)])));
  Object.assign(own, inside(wrapped));
  if ('withOptions' in client && typeof client.withOptions === 'function') {
    const outer = client as { withOptions(options: unknown): object };
    own['withOptions'] = (options: unknown) => wrapClient(outer.withOptions(options), guard);
  }
  return wrapped;
}

/**
 * `target` with some of its properties replaced. `bound`: its methods keep the target as `this`,
 * as those of a class with private fields must.
 */
function overlay<Target extends object>(
  target: Target,
  own: Readonly<Record<string, unknown>>,
  bound: boolean,
): Target {
  return new Proxy(target, {
    get(_, name, receiver) {
      if (typeof name === 'string' && Object.hasOwn(own, name)) return own[name];
      const value: unknown = Reflect.get(target, name, bound ? target : receiver);
      return bound && typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Looking at it is free; calling any of it is refused. */
function refusing(path: string): unknown {
  const refuse = (): never => {
    throw new ConfigurationError(`${path} of a guarded client`, [
      {
        path,
        expected: 'a call that the guard can bound (chat.completions.create, messages.create)',
        given: 'one it cannot; make it with guard.call(bound, …) around the unwrapped client',
      },
    ]);
  };
  return new Proxy(refuse, {
    get: (_, name) => (typeof name === 'symbol' ? undefined : refusing(`${path}.${name}`)),
  });
}

function retriesOf(client: object): number {
  const retries = 'maxRetries' in client ? client.maxRetries : undefined;
  return typeof retries === 'number' ? retries : USUAL_RETRIES;
}

function isOpenAiLike(client: object): client is OpenAiLike {
  const chat = 'chat' in client ? client.chat : undefined;
  const completions =
    typeof chat === 'object' && chat !== null && 'completions' in chat ? chat.completions : {};
  return isCompletions(completions);
}

function isAnthropicLike(client: object): client is AnthropicLike {
  return 'messages' in client && isCompletions(client.messages);
}

function isCompletions(value: unknown): value is Completions {
  return (
    typeof value === 'object' &&
    value !== null &&
    'create' in value &&
    typeof value.create === 'function'
  );
}
