/**
 * What a recipient wants to be told, and how (P1, P2).
 * P1. Agent by agent and channel by channel: what is said for the agent, else the default, else on.
 * They govern people: channels of the organisation's own (Slack, PagerDuty, webhooks) have none.
 */
import { PRIORITIES, type ChannelName, type Priority } from './words.js';

/** Channels that reach a person, and not a room. */
export const PERSONAL_CHANNELS = ['push', 'email', 'sms'] as const satisfies readonly ChannelName[];
export type PersonalChannel = (typeof PERSONAL_CHANNELS)[number];

export const DIGEST_CADENCES = ['hourly', 'daily', 'off'] as const;
export type DigestCadence = (typeof DIGEST_CADENCES)[number];

/** What is not named is not decided here. */
export type ChannelSwitches = Readonly<Partial<Record<PersonalChannel, boolean>>>;

/** From one local time of day to another, over midnight where the end is the smaller one. */
export interface QuietHours {
  /** `22:00` */
  readonly from: string;
  /** `07:00`; never the same as `from`. */
  readonly to: string;
  /** The lowest priority that is told all the same. */
  readonly passes: Priority;
}

export interface DigestPreference {
  /** `off`: low priority is told at once. */
  readonly cadence: DigestCadence;
  /** Of `daily`: the local hour, 0 to 23. */
  readonly hour: number;
}

export interface Preferences {
  readonly default: ChannelSwitches;
  readonly agents: Readonly<Record<string, ChannelSwitches>>;
  /** Of a channel: what is below it is not told there. */
  readonly minimumPriority: Readonly<Partial<Record<PersonalChannel, Priority>>>;
  readonly digest: DigestPreference;
  readonly quietHours?: QuietHours;
  /** An IANA name. */
  readonly zone: string;
  /** Wants no digest: what would have been in one is not told at all. */
  readonly unsubscribed: boolean;
}

/** Of whoever has said nothing. */
export const DEFAULT_PREFERENCES: Preferences = {
  default: {},
  agents: {},
  minimumPriority: {},
  digest: { cadence: 'hourly', hour: 8 },
  zone: 'UTC',
  unsubscribed: false,
};

/** What decided an alert of one agent: the switches as they came out, and the rest as it was. */
export interface SeenPreferences extends Omit<Preferences, 'default' | 'agents'> {
  readonly channels: Readonly<Record<PersonalChannel, boolean>>;
}

export function isPersonal(channel: ChannelName): channel is PersonalChannel {
  return PERSONAL_CHANNELS.some((each) => each === channel);
}

/** P1. An agent may be called like a member of every object. */
export function isOn(
  { agents, default: general }: Preferences,
  agent: string,
  channel: PersonalChannel,
): boolean {
  const own = Object.hasOwn(agents, agent) ? agents[agent] : undefined;
  return own?.[channel] ?? general[channel] ?? true;
}

/** `high` is at least `medium`. */
export function isAtLeast(priority: Priority, least: Priority): boolean {
  return PRIORITIES.indexOf(priority) >= PRIORITIES.indexOf(least);
}

export function preferencesSeen(preferences: Preferences, agent: string): SeenPreferences {
  const { default: _general, agents: _agents, ...rest } = preferences;
  const on = (channel: PersonalChannel): boolean => isOn(preferences, agent, channel);
  return { ...rest, channels: { push: on('push'), email: on('email'), sms: on('sms') } };
}
