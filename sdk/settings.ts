/** Options as they were given -> what a guard works with, or one error with every fault in them. */
import { DIMENSIONS, type Dimension } from '../domain/words.js';
import { Budget, readBudget } from './budget.js';
import { readChannel, type ChannelConfig } from './channel.js';
import { channelsFromEnvironment, type Environment } from './environment.js';
import { ConfigurationError } from './errors.js';
import {
  fault,
  inside,
  kindOf,
  placeOf,
  readBoolean,
  readFields,
  readFunction,
  readHttpUrl,
  readInteger,
  readOneOf,
  readSecret,
  readText,
  refuseUnknown,
  seen,
  type Place,
} from './faults.js';
import type { GuardrailLimits } from './guardrails.js';
import {
  PROVIDERS,
  type AgentKavachOptions,
  type CallBound,
  type Logger,
  type StandaloneOptions,
} from './options.js';
import type { ModelRates } from './price.js';
import { readCallBound, readPrices } from './read-prices.js';
import { readStandalone, refuseKeylessEmail } from './read-standalone.js';

/** Checked and complete. Holds secrets: never logged. */
export interface Settings {
  readonly provider: (typeof PROVIDERS)[number];
  readonly apiKey: string;
  readonly llmKey?: string;
  readonly agentName: string;
  readonly runId: string;
  readonly budget?: Budget;
  readonly orgBudget?: Budget;
  readonly channels: readonly ChannelConfig[];
  readonly guardrails: GuardrailLimits;
  readonly onKill?: (reason: string) => unknown;
  readonly savePrompts: boolean;
  readonly failOnError: boolean;
  /** Without a slash at its end; absent only where `standalone`. */
  readonly endpoint?: string;
  readonly llmBaseUrl?: string;
  readonly prices: Readonly<Record<string, ModelRates>>;
  readonly callBound: CallBound;
  readonly whenUnreachable: 'closed' | 'open';
  readonly logger: Logger;
  readonly standalone: StandaloneOptions | false;
  readonly fetch?: typeof globalThis.fetch;
  /** False: none; absent: where the user's state is kept. */
  readonly journalDir?: string | false;
}

/** One entry an option: the compiler holds it against `AgentKavachOptions`. */
const KNOWN: Record<keyof AgentKavachOptions, true> = {
  ...{ provider: true, apiKey: true, llmKey: true, agentName: true, budget: true },
  ...{ orgBudget: true, onKill: true, channels: true, maxTokensPerRun: true },
  ...{ maxCallsPerRun: true, maxRuntimeSeconds: true, detectLoops: true, loopThreshold: true },
  ...{ runId: true, savePrompts: true, failOnError: true, endpoint: true, llmBaseUrl: true },
  ...{ prices: true, callBound: true, whenUnreachable: true, logger: true, standalone: true },
  ...{ fetch: true, journalDir: true },
};

/** Throws a `ConfigurationError` that names every fault. `newId` makes the run's id. */
export function readSettings(options: unknown, env: Environment, newId: () => string): Settings {
  const root = placeOf('');
  const given = readFields(options, inside(root, 'options'));
  if (given === undefined) throw new ConfigurationError('AgentKavach', root.faults);
  refuseUnknown(given, Object.keys(KNOWN), root);

  /** An option that may be left out; what is given and undefined counts as left out. */
  const read = <T>(name: string, reader: (value: unknown, place: Place) => T): T | undefined =>
    given[name] === undefined ? undefined : reader(given[name], inside(root, name));
  const flag = (name: string): boolean => read(name, readBoolean) ?? false;

  const standalone = read('standalone', readStandalone) ?? false;
  const agentName = readText(given['agentName'], inside(root, 'agentName'));
  const isAlone = standalone !== false;
  const apiKey = isAlone
    ? (read('apiKey', readSecret) ?? '')
    : readSecret(given['apiKey'], inside(root, 'apiKey'));
  // Left out it is not needed; given and undefined, a variable is not set.
  const llmKey =
    'llmKey' in given ? readSecret(given['llmKey'], inside(root, 'llmKey')) : undefined;
  const budgets = readBudgets(read('budget', readBudget), read('orgBudget', readBudget), root);
  const guardrails = readGuardrails(read, flag);
  const channels =
    read('channels', readChannels)?.map((channel) => withResendKey(channel, env)) ??
    channelsFromEnvironment(env, root.faults);
  refuseIdleChannels(given, channels, guardrails, root);
  if (isAlone) refuseKeylessEmail(channels, root);
  const settings = {
    provider: read('provider', (value, place) => readOneOf(value, PROVIDERS, place)) ?? 'openai',
    ...{ apiKey, agentName, standalone, channels, guardrails, ...budgets },
    ...present({ llmKey }),
    runId: read('runId', readText) ?? newId(),
    ...{ savePrompts: flag('savePrompts'), failOnError: flag('failOnError') },
    ...present({
      onKill: read('onKill', (v, p) => readFunction(v, p, 'a function (reason) => …')),
    }),
    ...present({ endpoint: readEndpoint(given['endpoint'], env, isAlone, root) }),
    ...present({ llmBaseUrl: read('llmBaseUrl', readHttpUrl) }),
    prices: read('prices', readPrices) ?? {},
    callBound: read('callBound', readCallBound) ?? {},
    whenUnreachable:
      read('whenUnreachable', (v, p) => readOneOf(v, ['closed', 'open'], p)) ??
      (channels.some(({ type }) => type === 'kill') ? 'closed' : 'open'),
    logger: read('logger', readLogger) ?? {},
    ...present({ fetch: read('fetch', (v, p) => readFunction(v, p, 'a fetch function')) }),
    ...present({ journalDir: readJournalDir(given['journalDir'], env, root) }),
  };
  if (root.faults.length > 0) throw new ConfigurationError('AgentKavach', root.faults);
  return settings as Settings;
}

/** Only what is there: `exactOptionalPropertyTypes`. */
function present(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function readBudgets(
  budget: Budget | undefined,
  orgBudget: Budget | undefined,
  root: Place,
): Pick<Settings, 'budget' | 'orgBudget'> {
  if (orgBudget !== undefined && !orgBudget.shared) {
    const own = `Budget.${orgBudget.period}(…), a budget of the agent alone`;
    fault(inside(root, 'orgBudget'), 'Budget.orgBudget(…)', own);
  }
  if (budget?.shared === true) {
    if (orgBudget === undefined) return { orgBudget: budget };
    fault(inside(root, 'budget'), 'a budget of the agent, as orgBudget is given', 'a shared one');
  }
  if (budget === undefined && orgBudget === undefined) return { budget: Budget.daily(100) };
  return { ...(budget === undefined ? {} : { budget }), ...(orgBudget && { orgBudget }) };
}

function readGuardrails(
  read: <T>(name: string, reader: (value: unknown, place: Place) => T) => T | undefined,
  flag: (name: string) => boolean,
): GuardrailLimits {
  const maxTokens = read('maxTokensPerRun', readInteger);
  const maxCalls = read('maxCallsPerRun', readInteger);
  const maxRuntimeMs = read('maxRuntimeSeconds', readSeconds);
  const loopThreshold = read('loopThreshold', (v, p) => readInteger(v, p, 2)) ?? 3;
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(maxCalls === undefined ? {} : { maxCalls }),
    ...(maxRuntimeMs === undefined ? {} : { maxRuntimeMs }),
    ...(flag('detectLoops') ? { loopThreshold } : {}),
  };
}

function readSeconds(value: unknown, place: Place): number | undefined {
  const ms = typeof value === 'number' ? Math.ceil(value * 1_000) : NaN;
  if (ms > 0 && Number.isSafeInteger(ms)) return ms;
  fault(place, 'a number of seconds above 0', seen(value));
  return undefined;
}

function readChannels(value: unknown, place: Place): ChannelConfig[] | undefined {
  if (!Array.isArray(value)) {
    fault(place, 'an array of channels', kindOf(value));
    return undefined;
  }
  return value.flatMap((each, index) => {
    const at = { ...place, path: `${place.path}[${String(index)}]` };
    return readChannel(each, at) ?? [];
  });
}

/** Spec §7. The author's Resend key goes with his addresses, wherever he keeps it. */
function withResendKey(channel: ChannelConfig, env: Environment): ChannelConfig {
  const apiKey = env['RESEND_API_KEY']?.trim() ?? '';
  if (channel.type !== 'email' || channel.apiKey !== undefined || apiKey === '') return channel;
  return { ...channel, apiKey };
}

const GUARDRAILS: Readonly<Record<Dimension, keyof GuardrailLimits | undefined>> = {
  cost: undefined,
  tokens_total: 'maxTokens',
  calls: 'maxCalls',
  duration: 'maxRuntimeMs',
};
const OPTION_OF = {
  maxTokens: 'maxTokensPerRun',
  maxCalls: 'maxCallsPerRun',
  maxRuntimeMs: 'maxRuntimeSeconds',
  loopThreshold: 'loopThreshold',
} as const satisfies Record<keyof GuardrailLimits, keyof AgentKavachOptions>;

/** C1. A channel watches the budgets of its own document only: without one it never fires. */
function refuseIdleChannels(
  given: Readonly<Record<string, unknown>>,
  channels: readonly ChannelConfig[],
  limits: GuardrailLimits,
  root: Place,
): void {
  for (const dimension of DIMENSIONS) {
    const limit = GUARDRAILS[dimension];
    if (limit === undefined || given[OPTION_OF[limit]] !== undefined || limits[limit]) continue;
    channels.forEach(({ budgetType }, index) => {
      if (budgetType !== dimension) return;
      const at = { ...root, path: `channels[${String(index)}].budgetType` };
      const expected = `a dimension that has a limit here (give ${OPTION_OF[limit]})`;
      fault(at, expected, seen(dimension));
    });
  }
}

function readEndpoint(
  value: unknown,
  env: Environment,
  standalone: boolean,
  root: Place,
): string | undefined {
  const variable = env['AGENTKAVACH_BACKEND_URL']?.trim() ?? '';
  if (value === undefined && variable === '') {
    if (standalone) return undefined;
    const expected = 'the URL of the gateway, here or in AGENTKAVACH_BACKEND_URL';
    fault(inside(root, 'endpoint'), expected, 'nothing');
    return undefined;
  }
  const place = inside(root, value === undefined ? 'AGENTKAVACH_BACKEND_URL' : 'endpoint');
  return readHttpUrl(value ?? variable, place)?.replace(/\/+$/, '');
}

/** A variable that is set to nothing is unset. */
function readJournalDir(value: unknown, env: Environment, root: Place): string | false | undefined {
  if (value === false) return false;
  if (value !== undefined) return readText(value, inside(root, 'journalDir'), 4_096);
  const variable = env['AGENTKAVACH_JOURNAL_DIR']?.trim() ?? '';
  return variable === '' ? undefined : variable;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** As it was given, but that its own faults are nobody else's. */
function readLogger(value: unknown, place: Place): Logger {
  const given = readFields(value, place) ?? {};
  const methods = LEVELS.flatMap((level) => {
    if (given[level] === undefined) return [];
    readFunction(given[level], inside(place, level), 'a function (message) => …');
    const say = (message: string, fields?: object): void => {
      try {
        (given as Logger)[level]?.(message, fields);
      } catch {
        // There is nobody left to tell.
      }
    };
    return [[level, say]];
  });
  return Object.fromEntries(methods) as Logger;
}
