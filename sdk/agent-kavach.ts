/**
 * What an agent's author holds: `new AgentKavach({…})`. It keeps no process alive, handles no
 * signals, and writes nothing but to the logger it is given.
 */
import type { Anthropic } from '@anthropic-ai/sdk';
import type { OpenAI } from 'openai';
import type { Amounts } from '../domain/lease/amounts.js';
import {
  createChannel,
  type ChannelConfig,
  type ChannelOptions,
  type ChannelType,
} from './channel.js';
import { closeGuard } from './close.js';
import { createCore, type Core, type Seam } from './core.js';
import { guardCreate, type GuardedCreate } from './guard-create.js';
import type { AgentKavachOptions, Provider } from './options.js';
import { anthropic } from './providers/anthropic.js';
import { openClient } from './providers/client.js';
import { openai } from './providers/openai.js';
import {
  callWithin,
  recordCall,
  type Bill,
  type BoundedCall,
  type RecordedCall,
} from './record.js';
import { usdOf } from './refusal-errors.js';
import { createIn, wrapClient, type SendOnce } from './wrap.js';

/** As the provider's own client takes it and answers it. */
export type CreateOf<P extends Provider> = P extends 'anthropic'
  ? Anthropic['messages']['create']
  : OpenAI['chat']['completions']['create'];

export interface GuardStatus {
  /** USD, of the tightest budget of cost where the service told it, else of this process. */
  readonly spent: number;
  /** USD; undefined where no budget of cost is known. */
  readonly remaining: number | undefined;
  /** Why calls are refused now, in the words of `onKill`. */
  readonly killed?: string;
  /** Of this run. */
  readonly tokens: number;
  readonly calls: number;
  readonly callsUnderWay: number;
  /** Events that are not stored yet. */
  readonly waiting: number;
  /** Granted ahead and not spent: nano-USD, tokens, calls. */
  readonly held?: Amounts;
  readonly connected: boolean;
  /** No service: budgets, the shared one too, are this process's alone, and end with it. */
  readonly standalone: boolean;
}

/** The Python SDK's usual time to flush, ms. */
const CLOSE_WITHIN_MS = 5_000;

export class AgentKavach<P extends Provider = 'openai'> {
  readonly #core: Core;
  #closing: Promise<void> | undefined;

  /** `create`, where users of OpenAI's client look for it. */
  readonly chat: { readonly completions: { readonly create: CreateOf<P> } };
  /** `create`, where users of Anthropic's client look for it. */
  readonly messages: { readonly create: CreateOf<P> };
  /**
   * One call to the provider, inside the budgets. Throws `BudgetExceededError` and its kin or a
   * `GuardrailError` when it may not be made, and what the provider's client throws.
   */
  readonly create: CreateOf<P>;

  /**
   * Throws a `ConfigurationError` that names every fault of the options.
   * @internal `seam` is for tests.
   */
  constructor(options: AgentKavachOptions<P>, seam: Seam = {}) {
    this.#core = createCore(options, seam);
    this.create = createOwn(this.#core) as unknown as CreateOf<P>;
    this.chat = { completions: { create: this.create } };
    this.messages = { create: this.create };
  }

  /** A place for alerts, and the ratio at which they go there. Throws a `ConfigurationError`. */
  static channel<Type extends ChannelType>(
    type: Type,
    options: ChannelOptions[Type],
  ): ChannelConfig {
    return createChannel(type, options);
  }

  /** The author's own client, with its calls inside the budgets. `provider` prices and reports. */
  wrap<Client extends object>(client: Client, { provider }: { provider?: string } = {}): Client {
    return wrapClient(client, (endpoint) =>
      guardCreate(this.#core, { provider: provider ?? endpoint.dialect.provider, ...endpoint }),
    );
  }

  /** A call that was made elsewhere: counted and reported, after the fact. */
  record(call: RecordedCall): void {
    recordCall(this.#core, call);
  }

  /** Any call, made inside a bound that its author names. */
  call<T>(bound: BoundedCall, make: (bill: Bill) => Promise<T> | T): Promise<T> {
    return callWithin(this.#core, bound, make);
  }

  get runId(): string {
    return this.#core.settings.runId;
  }

  /** USD. */
  get spent(): number {
    return this.status().spent;
  }

  /** USD; undefined where no budget of cost is known. */
  get remaining(): number | undefined {
    return this.status().remaining;
  }

  status(): GuardStatus {
    return statusOf(this.#core);
  }

  /** Tells what is not told yet and gives back what is not spent. Later calls are refused. */
  close({ timeoutMs = CLOSE_WITHIN_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= closeGuard(this.#core, timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The provider's clients try twice again where nobody says otherwise. */
const RETRIES = 2;

/** Of a client that is loaded when the first call needs it. */
function createOwn(core: Core): GuardedCreate {
  const { provider } = core.settings;
  let opening: Promise<object> | undefined;
  let create: SendOnce = () => {
    throw new Error('The client is not open yet.');
  };
  return guardCreate(core, {
    ...{ provider, dialect: provider === 'anthropic' ? anthropic : openai },
    retries: () => RETRIES,
    send: (request, options) => create(request, options),
    async ready() {
      opening ??= openClient(core.settings);
      try {
        create = createIn(await opening);
      } catch (error) {
        // The author may install it meanwhile.
        opening = undefined;
        throw error;
      }
    },
  });
}

function statusOf(core: Core): GuardStatus {
  const { admission, run, standing, settings, spent } = core;
  const known = admission.status();
  const limit = (settings.budget ?? settings.orgBudget)?.limit;
  const { tokens, calls, callsInFlight } = run.state();
  const killed = standing.held()?.reason ?? run.stop()?.type;
  const own = usdOf(spent);
  const remaining =
    known.remaining === undefined ? limit && Math.max(limit - own, 0) : usdOf(known.remaining);
  return {
    spent: known.spent === undefined ? own : usdOf(known.spent),
    remaining,
    ...(killed === undefined ? {} : { killed }),
    ...{ tokens, calls, callsUnderWay: callsInFlight },
    ...{ waiting: known.waiting, connected: known.connected },
    standalone: known.standalone ?? false,
    ...(known.held === undefined ? {} : { held: known.held }),
  };
}
