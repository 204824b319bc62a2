import { describe, expect, test } from 'vitest';
import { DEFAULT_PREFERENCES, type Preferences } from '../../domain/preferences.js';
import { routeAudience, type Recipient, type RoutingRequest } from '../../domain/routing.js';
import type { ChannelName, Priority } from '../../domain/words.js';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const MIDNIGHT = Date.parse('2026-11-22T00:00:00Z');

function recipient(id: string, preferences: Partial<Preferences> = {}): Recipient {
  return {
    id,
    preferences: { ...DEFAULT_PREFERENCES, ...preferences },
    contacts: [
      { channel: 'email', destination: `mail of ${id}`, verified: true },
      { channel: 'sms', destination: `phone of ${id}`, verified: true },
    ],
  };
}

function route(
  recipients: readonly Recipient[],
  channels: readonly ChannelName[],
  more: Partial<RoutingRequest> & { priority?: Priority } = {},
) {
  return routeAudience({
    audience: { recipients: recipients.map(({ id }) => id), channels },
    ...{ agent: 'batch-agent', priority: 'high', recipients, operators: [], now: NOON },
    ...more,
  });
}

const said = ({ decisions }: ReturnType<typeof routeAudience>): string[] =>
  decisions.map(({ recipient: of = '-', channel, what, reason }) =>
    [of, channel, what, reason].join(' '),
  );

describe('whom an alert is told (P1 to P4)', () => {
  /** As the product document has it, to the letter. */
  const DOCUMENT = {
    default: { push: true, email: true, sms: false },
    agents: { 'batch-agent': { push: false, email: true } },
  };

  test('P1: an agent has its own word, and the default where it says nothing', () => {
    const ana = recipient('ana', DOCUMENT);
    const channels = ['push', 'email', 'sms'] as const;
    expect(said(route([ana], channels))).toEqual([
      'ana push suppress preference',
      'ana email send wanted',
      'ana sms suppress preference',
    ]);
    expect(said(route([ana], channels, { agent: 'support-agent' }))).toEqual([
      'ana push send wanted',
      'ana email send wanted',
      'ana sms suppress preference',
    ]);
  });

  test('P1: a channel that nobody names is on, also for an agent called as a member of objects', () => {
    const ana = recipient('ana', { default: { push: false } });
    expect(said(route([ana], ['sms', 'push'], { agent: 'constructor' }))).toEqual([
      'ana sms send wanted',
      'ana push suppress preference',
    ]);
  });

  test('P2: only critical on one channel', () => {
    const ana = recipient('ana', { minimumPriority: { push: 'critical' } });
    expect(said(route([ana], ['push', 'email']))[0]).toBe('ana push suppress priority');
    expect(said(route([ana], ['push'], { priority: 'critical' }))[0]).toBe('ana push send wanted');
  });

  test('A7: text messages are for high and critical, whatever is preferred', () => {
    const ana = recipient('ana', { minimumPriority: { sms: 'low' } });
    expect(said(route([ana], ['sms'], { priority: 'medium' }))).toEqual([
      'ana sms suppress priority',
    ]);
  });

  test('nothing is sent to an address that is missing or not verified; another way stands in', () => {
    const ana: Recipient = {
      ...recipient('ana'),
      contacts: [{ channel: 'email', destination: 'mail', verified: false }],
    };
    const { routes, ...rest } = route([ana], ['email', 'sms']);
    expect(said({ routes, ...rest })).toEqual([
      'ana email suppress unverified',
      'ana sms suppress no_destination',
    ]);
    expect(routes[0]).toEqual({
      ...{ channel: 'email', destination: 'mail', recipient: 'ana', suppressed: 'unverified' },
      fallback: [{ channel: 'push', recipient: 'ana' }],
    });
    // A text message is stood in for by an email, and there is none that may be sent.
    expect(routes[1]?.fallback).toEqual([]);
  });

  describe('digests (P3)', () => {
    test('low priority waits for the digest, once for each recipient', () => {
      const { digests, ...rest } = route([recipient('ana')], ['push', 'email'], {
        priority: 'low',
      });
      expect(said({ digests, ...rest })).toEqual([
        'ana push digest digest',
        'ana email digest digest',
      ]);
      expect(digests).toEqual([{ recipient: 'ana', cadence: 'hourly' }]);
      expect(rest.routes.map(({ suppressed }) => suppressed)).toEqual(['digest', 'digest']);
    });

    test('who wants none, and who has no email, is told at once on what there is', () => {
      const digest = { cadence: 'off', hour: 8 } as const;
      const low = { priority: 'low' } as const;
      expect(said(route([recipient('ana', { digest })], ['push'], low))).toEqual([
        'ana push send no_digest',
      ]);
      const bare = { ...recipient('bo'), contacts: [] };
      const { digests, ...rest } = route([bare], ['push', 'email'], low);
      expect(said({ digests, ...rest })).toEqual([
        'bo push send no_digest',
        'bo email suppress no_destination',
      ]);
      expect(digests).toEqual([]);
    });

    test('whoever unsubscribed gets neither a digest nor what would have been in one', () => {
      const ana = recipient('ana', { unsubscribed: true });
      const { digests, ...rest } = route([ana], ['push', 'email'], { priority: 'low' });
      expect(said({ digests, ...rest })).toEqual([
        'ana push suppress preference',
        'ana email suppress preference',
      ]);
      expect(digests).toEqual([]);
      expect(said(route([ana], ['email']))).toEqual(['ana email send wanted']);
    });

    test('what is switched off is in no digest', () => {
      const ana = recipient('ana', { default: { push: false } });
      const { digests, ...rest } = route([ana], ['push'], { priority: 'low' });
      expect(said({ digests, ...rest })).toEqual(['ana push suppress preference']);
      expect(digests).toEqual([]);
    });
  });

  describe('quiet hours (P4)', () => {
    const quietHours = { from: '22:00', to: '07:00', passes: 'critical' } as const;

    test('what they hold is told at their end, and what passes at once', () => {
      const ana = recipient('ana', { quietHours });
      const held = route([ana], ['push'], { now: MIDNIGHT });
      expect(held.decisions[0]).toMatchObject({ what: 'hold', reason: 'quiet_hours' });
      expect(held.routes[0]?.notBefore).toBe(Date.parse('2026-11-22T07:00:00Z'));
      const urgent = route([ana], ['push'], { now: MIDNIGHT, priority: 'critical' });
      expect(said(urgent)).toEqual(['ana push send passes']);
      expect(urgent.routes[0]?.notBefore).toBeUndefined();
    });

    test('a digest is no disturbance: it waits as always', () => {
      const ana = recipient('ana', { quietHours });
      expect(said(route([ana], ['push'], { now: MIDNIGHT, priority: 'low' }))).toEqual([
        'ana push digest digest',
      ]);
    });
  });

  describe('what stands in (A5)', () => {
    const fallbacks = (of: Recipient): unknown =>
      route([of], ['push', 'email', 'sms']).routes.map(({ fallback }) =>
        fallback?.map(({ channel }) => channel),
      );

    test('push by email, email by push, a text message by email', () => {
      expect(fallbacks(recipient('ana'))).toEqual([['email'], ['push'], ['email']]);
    });

    test('never on a channel that the same preferences refuse', () => {
      expect(fallbacks(recipient('ana', { default: { push: false } }))).toEqual([
        undefined,
        [],
        ['email'],
      ]);
    });
  });

  describe('whoever is no recipient', () => {
    const operators = [
      { channel: 'slack', destination: 'room' },
      { channel: 'sms', destination: 'phone' },
    ] as const;

    test('R2: an alert for nobody goes to the operators, and a text message only if it is urgent', () => {
      expect(said(route([], ['push'], { operators }))).toEqual([
        '- slack send operators',
        '- sms send operators',
      ]);
      const { routes, ...rest } = route([], ['push'], { operators, priority: 'medium' });
      expect(said({ routes, ...rest })).toEqual([
        '- slack send operators',
        '- sms suppress priority',
      ]);
      expect(routes[0]).toEqual({ channel: 'slack', destination: 'room' });
    });

    test('without operators the channels keep to the default destinations', () => {
      expect(said(route([], ['email', 'slack']))).toEqual([
        '- email send organisation',
        '- slack send organisation',
      ]);
    });

    test('a channel that belongs to no person is told once, for all of them', () => {
      const two = [recipient('ana'), recipient('bo')];
      expect(said(route(two, ['webhook', 'push']))).toEqual([
        '- webhook send organisation',
        'ana push send wanted',
        'bo push send wanted',
      ]);
    });

    test('somebody unknown is said to be, and the operators are told, once', () => {
      const audience = { recipients: ['nobody'], channels: ['push', 'email'] as const };
      const { routes, ...rest } = route([], [], { audience });
      expect(said({ routes, ...rest })).toEqual([
        'nobody push suppress no_destination',
        'nobody email suppress no_destination',
      ]);
      expect(routes.map(({ fallback }) => fallback)).toEqual([undefined, []]);
    });
  });

  test('A3: a mailbox that two people share is told once, at the earlier time', () => {
    const shared = [{ channel: 'email', destination: 'team', verified: true }] as const;
    const quietHours = { from: '22:00', to: '07:00', passes: 'critical' } as const;
    const ana = { ...recipient('ana', { quietHours }), contacts: shared };
    const bo = { ...recipient('bo'), contacts: shared };
    expect(said(route([ana, bo], ['email'], { now: MIDNIGHT }))).toEqual([
      'ana email suppress dedup',
      'bo email send wanted',
    ]);
  });
});
