/** Where an alert goes and at which ratio of a budget: `AgentKavach.channel(ChannelType.SLACK, …)`. */
import { parseRatio } from '../domain/ratio.js';
import { isRefusal } from '../domain/refusal.js';
import { DIMENSIONS, type Dimension } from '../domain/words.js';
import { ConfigurationError } from './errors.js';
import {
  fault,
  inside,
  kindOf,
  placeOf,
  readFields,
  readHttpUrl,
  readOneOf,
  readSecret,
  refuseUnknown,
  seen,
  type Place,
} from './faults.js';

export const ChannelType = {
  EMAIL: 'email',
  SLACK: 'slack',
  PAGERDUTY: 'pagerduty',
  WEBHOOK: 'webhook',
  KILL: 'kill',
} as const;
export type ChannelType = (typeof ChannelType)[keyof typeof ChannelType];

export interface ThresholdOptions {
  /** A ratio of the limit in (0, 1], at most four decimals (T1). */
  readonly threshold: number;
  /** Which dimension of a budget it watches. @default cost */
  readonly budgetType?: Dimension;
}

/** What may come from the environment may be undefined for the compiler; it is refused when it is. */
type FromEnvironment = string | undefined;

/** Replaces the message: `{agent_name} at {pct}%`. */
export interface MessageTemplate {
  readonly text: string;
  readonly blocks?: readonly unknown[];
}

export interface ChannelOptions {
  readonly email: ThresholdOptions & {
    readonly to: FromEnvironment;
    /** A Resend key: without it the service sends with its own. */
    readonly apiKey?: FromEnvironment;
  };
  readonly slack: ThresholdOptions & {
    readonly webhookUrl: FromEnvironment;
    readonly template?: MessageTemplate;
  };
  readonly pagerduty: ThresholdOptions & { readonly routingKey: FromEnvironment };
  readonly webhook: ThresholdOptions & {
    readonly url: FromEnvironment;
    /** Signs the body: `X-AgentKavach-Signature`. */
    readonly secret?: FromEnvironment;
  };
  readonly kill: ThresholdOptions;
}

interface Target {
  readonly threshold: number;
  readonly budgetType: Dimension;
}

/** A checked channel. Holds secrets: never logged. */
export type ChannelConfig = Target &
  (
    | { readonly type: 'email'; readonly to: string; readonly apiKey?: string }
    | { readonly type: 'slack'; readonly webhookUrl: string; readonly template?: MessageTemplate }
    | { readonly type: 'pagerduty'; readonly routingKey: string }
    | { readonly type: 'webhook'; readonly url: string; readonly secret?: string }
    | { readonly type: 'kill' }
  );

const TYPES = Object.values(ChannelType);
const OWN_OPTIONS: Readonly<Record<ChannelType, readonly string[]>> = {
  email: ['to', 'apiKey'],
  slack: ['webhookUrl', 'template'],
  pagerduty: ['routingKey'],
  webhook: ['url', 'secret'],
  kill: [],
};

/** Throws a `ConfigurationError` that names every fault. */
export function createChannel<Type extends ChannelType>(
  type: Type,
  options: ChannelOptions[Type],
): ChannelConfig {
  const place = placeOf('');
  const fields = readFields(options, inside(place, 'options'));
  const channel = fields && readChannel({ ...fields, type }, place);
  if (channel !== undefined) return channel;
  throw new ConfigurationError(`AgentKavach.channel(${seen(type)})`, place.faults);
}

/** A channel as it was given; undefined where it has faults, which go to `place`. */
export function readChannel(value: unknown, place: Place): ChannelConfig | undefined {
  const fields = readFields(value, place);
  if (fields === undefined) return undefined;
  const type = readOneOf(fields['type'], TYPES, inside(place, 'type'));
  if (type === undefined) return undefined;
  const before = place.faults.length;
  refuseUnknown(fields, ['type', 'threshold', 'budgetType', ...OWN_OPTIONS[type]], place);
  const channel = {
    type,
    threshold: readThreshold(fields['threshold'], inside(place, 'threshold')),
    budgetType: readOneOf(fields['budgetType'] ?? 'cost', DIMENSIONS, inside(place, 'budgetType')),
    ...readTarget(type, fields, place),
  };
  return place.faults.length > before ? undefined : Object.freeze(channel as ChannelConfig);
}

function readThreshold(value: unknown, place: Place): number | undefined {
  const bps = parseRatio(value);
  if (!isRefusal(bps)) return bps / 10_000;
  fault(place, 'a ratio above 0 and at most 1 with at most four decimals', seen(value));
  return undefined;
}

function readTarget(
  type: ChannelType,
  fields: Readonly<Record<string, unknown>>,
  place: Place,
): object {
  const at = (name: string): [value: unknown, place: Place] => [fields[name], inside(place, name)];
  switch (type) {
    case 'email':
      return { to: readEmail(...at('to')), ...optional('apiKey', fields, place) };
    case 'slack':
      return { webhookUrl: readHttpUrl(...at('webhookUrl')), ...readTemplate(...at('template')) };
    case 'pagerduty':
      return { routingKey: readSecret(...at('routingKey')) };
    case 'webhook':
      return { url: readHttpUrl(...at('url')), ...optional('secret', fields, place) };
    case 'kill':
      return {};
  }
}

/** Absent is fine; given and empty is a variable that somebody forgot to set. */
function optional(name: string, fields: Readonly<Record<string, unknown>>, place: Place): object {
  return name in fields ? { [name]: readSecret(fields[name], inside(place, name)) } : {};
}

function readEmail(value: unknown, place: Place): string | undefined {
  if (typeof value === 'string' && /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(value)) return value;
  fault(place, 'one email address', kindOf(value));
  return undefined;
}

function readTemplate(value: unknown, place: Place): object {
  if (value === undefined) return {};
  const fields = readFields(value, place);
  if (fields === undefined) return {};
  const { text, blocks } = fields;
  refuseUnknown(fields, ['text', 'blocks'], place);
  if (typeof text !== 'string' || text === '') {
    fault(inside(place, 'text'), 'the text of the message', kindOf(text));
  }
  if (blocks !== undefined && !Array.isArray(blocks)) {
    fault(inside(place, 'blocks'), 'an array of Block Kit blocks', kindOf(blocks));
  }
  return { template: value };
}
