/**
 * Whom an alert is told, on which channel, and when (P1 to P4, A7): decided once, when it starts.
 * RO-1. Every recipient has exactly one decision for every channel of the audience, and so has the
 *       organisation for each of the channels that are its own; each has a reason.
 * RO-2. Every decision is one route of the alert, in the same order: what is not sent is a route
 *       that ends at once, so that the alert's journal says it too.
 * RO-3. Nobody to tell is never silence: an alert without a recipient, and one for somebody who is
 *       unknown, goes to the operators (R2, A5).
 */
import type { AlertRoute, AlertWay, Audience, OwnWay } from './alert/state.js';
import type { Suppression } from './alert/outcome.js';
import {
  isAtLeast,
  isOn,
  isPersonal,
  type PersonalChannel,
  type Preferences,
} from './preferences.js';
import { quietUntil } from './quiet-hours.js';
import { isUrgent } from './severity.js';
import type { ChannelName, Priority } from './words.js';

export interface Contact {
  readonly channel: PersonalChannel;
  readonly destination: string;
  readonly verified: boolean;
}

/** Push needs no contact: whoever is connected is reached. */
export interface Recipient {
  readonly id: string;
  readonly preferences: Preferences;
  readonly contacts: readonly Contact[];
}

export interface RoutingRequest {
  readonly audience: Audience;
  readonly agent: string;
  readonly priority: Priority;
  /** Those of the audience that are known, in any order. */
  readonly recipients: readonly Recipient[];
  /** In the order they are tried (A5). */
  readonly operators: readonly OwnWay[];
  readonly now: number;
}

/**
 * Why it is told: `wanted`; `passes`: quiet hours do not hold this priority; `no_digest`: low, and
 * there is no digest to be in; `organisation`: a channel of its own; `operators`: nobody was named.
 */
export type ToldReason = 'wanted' | 'passes' | 'no_digest' | 'organisation' | 'operators';

export type RoutingDecision = {
  /** Absent: the organisation. */
  readonly recipient?: string;
  readonly channel: ChannelName;
  readonly destination?: string;
} & (
  | { readonly what: 'send'; readonly reason: ToldReason }
  | { readonly what: 'hold'; readonly reason: 'quiet_hours'; readonly until: number }
  | { readonly what: 'digest'; readonly reason: 'digest' }
  | { readonly what: 'suppress'; readonly reason: Suppression }
);

export interface DigestPlace {
  readonly recipient: string;
  readonly cadence: 'hourly' | 'daily';
}

export interface Routing {
  readonly decisions: readonly RoutingDecision[];
  readonly routes: readonly AlertRoute[];
  /** Whose digest it is in: each at most once (P3). */
  readonly digests: readonly DigestPlace[];
}

/** What is decided of one (recipient, channel), with what may stand in for it (A5). */
interface Decided {
  readonly decision: RoutingDecision;
  readonly fallback?: readonly AlertWay[];
}

export function routeAudience(request: RoutingRequest): Routing {
  const { audience, recipients } = request;
  const channels = [...new Set(audience.channels)];
  const named = [...new Set(audience.recipients)];
  if (named.length === 0) return routingOf(toOperators(request, channels), []);
  const known = new Map(recipients.map((each) => [each.id, each]));
  const digests: DigestPlace[] = [];
  const decided: Decided[] = channels
    .filter((channel) => !isPersonal(channel))
    .map((channel) => ({ decision: ofOrganisation(channel) }));
  for (const id of named) {
    const recipient = known.get(id);
    const wanted = channels.filter(isPersonal);
    if (recipient === undefined) {
      decided.push(...ofUnknown(id, wanted));
      continue;
    }
    const digest = digestOf(recipient, request);
    const own = wanted.map((channel) => ofRecipient(recipient, channel, digest, request));
    decided.push(...own);
    if (typeof digest === 'object' && own.some(({ decision }) => decision.what === 'digest')) {
      digests.push(digest);
    }
  }
  return routingOf(withoutDoubles(decided), digests);
}

/** RO-2. */
function routingOf(decided: readonly Decided[], digests: readonly DigestPlace[]): Routing {
  return {
    decisions: decided.map(({ decision }) => decision),
    routes: decided.map(routeOf),
    digests,
  };
}

function routeOf({ decision, fallback }: Decided): AlertRoute {
  const { recipient, channel, destination, what } = decision;
  return {
    channel,
    ...(destination === undefined ? {} : { destination }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(what === 'hold' ? { notBefore: decision.until } : {}),
    ...(what === 'digest' || what === 'suppress' ? { suppressed: decision.reason } : {}),
    ...(fallback === undefined ? {} : { fallback }),
  };
}

/** R2. Without operators the channels' own default destinations are all there is (C3). */
function toOperators(
  { operators, priority }: RoutingRequest,
  channels: readonly ChannelName[],
): readonly Decided[] {
  if (operators.length === 0) {
    return channels.map((channel) => ({ decision: ofOrganisation(channel) }));
  }
  return operators.map((way) => ({
    decision:
      way.channel === 'sms' && !isUrgent(priority)
        ? { ...way, what: 'suppress', reason: 'priority' }
        : { ...way, what: 'send', reason: 'operators' },
  }));
}

/** Told once, however many people are told beside it. */
function ofOrganisation(channel: ChannelName): RoutingDecision {
  if (channel === 'kill') return { channel, what: 'suppress', reason: 'unsupported_channel' };
  return { channel, what: 'send', reason: 'organisation' };
}

/** RO-3. The operators are told once, not once a channel. */
function ofUnknown(recipient: string, channels: readonly PersonalChannel[]): readonly Decided[] {
  return channels.map((channel, index) => ({
    decision: { recipient, channel, what: 'suppress', reason: 'no_destination' },
    ...(index === 0 ? {} : { fallback: [] }),
  }));
}

/**
 * P3. Where an alert of low priority waits; `refused`: whoever unsubscribed wants none of what would
 * wait there; undefined: there is no digest for it, so it is told at once.
 */
function digestOf(
  recipient: Recipient,
  request: RoutingRequest,
): DigestPlace | 'refused' | undefined {
  const { digest, unsubscribed } = recipient.preferences;
  if (request.priority !== 'low' || digest.cadence === 'off') return undefined;
  if (unsubscribed) return 'refused';
  if (reasonAgainst(recipient, 'email', request) !== undefined) return undefined;
  return { recipient: recipient.id, cadence: digest.cadence };
}

function ofRecipient(
  recipient: Recipient,
  channel: PersonalChannel,
  digest: DigestPlace | 'refused' | undefined,
  request: RoutingRequest,
): Decided {
  const contact = contactOf(recipient, channel);
  const way = {
    ...{ recipient: recipient.id, channel },
    ...(contact === undefined ? {} : { destination: contact.destination }),
  };
  const against = reasonAgainst(recipient, channel, request);
  const fallback = fallbackOf(recipient, channel, request);
  if (against === 'no_destination' || against === 'unverified') {
    return { decision: { ...way, what: 'suppress', reason: against }, fallback };
  }
  if (against !== undefined) return { decision: { ...way, what: 'suppress', reason: against } };
  if (digest === 'refused') return { decision: { ...way, what: 'suppress', reason: 'preference' } };
  if (digest !== undefined) return { decision: { ...way, what: 'digest', reason: 'digest' } };
  return { decision: { ...way, ...whenTold(recipient, request) }, fallback };
}

/** P4. Only what is told at all can be held. */
function whenTold(
  { preferences: { quietHours, zone } }: Recipient,
  { priority, now }: RoutingRequest,
):
  | { readonly what: 'send'; readonly reason: ToldReason }
  | { readonly what: 'hold'; readonly reason: 'quiet_hours'; readonly until: number } {
  const until = quietHours && quietUntil(quietHours, zone, now);
  if (quietHours === undefined || until === undefined) {
    return { what: 'send', reason: priority === 'low' ? 'no_digest' : 'wanted' };
  }
  if (isAtLeast(priority, quietHours.passes)) return { what: 'send', reason: 'passes' };
  return { what: 'hold', reason: 'quiet_hours', until };
}

/** What keeps an alert of this priority from a channel, the first in this order. */
function reasonAgainst(
  recipient: Recipient,
  channel: PersonalChannel,
  { agent, priority }: RoutingRequest,
): Extract<Suppression, 'preference' | 'priority' | 'no_destination' | 'unverified'> | undefined {
  const { preferences } = recipient;
  if (!isOn(preferences, agent, channel)) return 'preference';
  if (channel === 'email' && priority === 'low' && preferences.unsubscribed) return 'preference';
  const least = preferences.minimumPriority[channel];
  if (least !== undefined && !isAtLeast(priority, least)) return 'priority';
  if (channel === 'sms' && !isUrgent(priority)) return 'priority';
  if (channel === 'push') return undefined;
  const contact = contactOf(recipient, channel);
  if (contact === undefined) return 'no_destination';
  return contact.verified ? undefined : 'unverified';
}

function contactOf({ contacts }: Recipient, channel: PersonalChannel): Contact | undefined {
  return contacts.find((each) => each.channel === channel);
}

const STANDS_IN: Readonly<Record<PersonalChannel, PersonalChannel>> = {
  push: 'email',
  email: 'push',
  sms: 'email',
};

/** A5. The same preferences hold for what stands in; neither digest nor quiet hours hold it up. */
function fallbackOf(
  recipient: Recipient,
  failed: PersonalChannel,
  request: RoutingRequest,
): readonly AlertWay[] {
  const channel = STANDS_IN[failed];
  if (reasonAgainst(recipient, channel, request) !== undefined) return [];
  const contact = contactOf(recipient, channel);
  const destination = contact === undefined ? {} : { destination: contact.destination };
  return [{ channel, ...destination, recipient: recipient.id }];
}

/** A3. One mailbox is told once, whoever reads it: of those who share it the one told first. */
function withoutDoubles(decided: readonly Decided[]): readonly Decided[] {
  const first = new Map<string, Decided>();
  for (const each of decided) {
    const place = sharedPlace(each);
    if (place === undefined) continue;
    const best = first.get(place);
    if (best === undefined || toldAt(each) < toldAt(best)) first.set(place, each);
  }
  return decided.map((each): Decided => {
    const place = sharedPlace(each);
    if (place === undefined || first.get(place) === each) return each;
    const { recipient, channel, destination } = each.decision;
    return {
      decision: {
        ...{ channel, what: 'suppress', reason: 'dedup' },
        ...(recipient === undefined ? {} : { recipient }),
        ...(destination === undefined ? {} : { destination }),
      },
    };
  });
}

function sharedPlace({ decision }: Decided): string | undefined {
  const { what, channel, destination } = decision;
  if (destination === undefined || (what !== 'send' && what !== 'hold')) return undefined;
  return `${channel} ${destination}`;
}

function toldAt({ decision }: Decided): number {
  return decision.what === 'hold' ? decision.until : 0;
}
