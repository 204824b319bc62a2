/** Whatever people want and whatever becomes of it: one decision each, with a reason, to the end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OUTCOMES, SUPPRESSIONS } from '../../domain/alert/outcome.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { hasEnded, resultOf } from '../../domain/alert/result.js';
import type { NoticeAlert } from '../../domain/alert/state.js';
import { deliveryId } from '../../domain/ids.js';
import {
  DIGEST_CADENCES,
  isPersonal,
  PERSONAL_CHANNELS,
  type ChannelSwitches,
  type Preferences,
} from '../../domain/preferences.js';
import { routeAudience, type Recipient, type RoutingRequest } from '../../domain/routing.js';
import { CHANNELS, PRIORITIES } from '../../domain/words.js';
import { driveAlert, HOUR, outcome } from './alert-driver.js';
import { T0 } from './budget-driver.js';

const priority = fc.constantFrom(...PRIORITIES, 'low');
const UNREACHED = new Set(['no_destination', 'unverified', 'unsupported_channel']);
const some = <Value>(value: fc.Arbitrary<Value>) =>
  fc.record(
    Object.fromEntries(PERSONAL_CHANNELS.map((channel) => [channel, value])) as {
      push: typeof value;
      email: typeof value;
      sms: typeof value;
    },
    { requiredKeys: [] },
  );
const switches: fc.Arbitrary<ChannelSwitches> = some(fc.boolean());
const time = fc.constantFrom('00:00', '06:30', '12:00', '22:00');
const quietHours = fc.record({ from: time, to: time, passes: priority });

const preferences: fc.Arbitrary<Preferences> = fc
  .record({
    ...{ default: switches, agents: fc.dictionary(fc.constantFrom('bot', 'other'), switches) },
    minimumPriority: some(priority),
    digest: fc.record({ cadence: fc.constantFrom(...DIGEST_CADENCES), hour: fc.nat(23) }),
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'nowhere'),
    ...{ unsubscribed: fc.boolean(), quiet: fc.option(quietHours, { nil: undefined }) },
  })
  .map(({ quiet, ...rest }) => ({
    ...rest,
    ...(quiet === undefined ? {} : { quietHours: quiet }),
  }));

/** `p0`, `p1`, …; one mailbox in three is shared. */
const recipients: fc.Arbitrary<readonly Recipient[]> = fc
  .array(
    fc.record({
      preferences,
      contacts: fc.uniqueArray(
        fc.record({
          channel: fc.constantFrom('email', 'sms'),
          destination: fc.constantFrom('a', 'b', 'c'),
          // Mostly, so that what is told is not mostly nothing.
          verified: fc.constantFrom(true, true, true, false),
        }),
        { selector: ({ channel }) => channel },
      ),
    }),
    { maxLength: 4 },
  )
  .map((list) => list.map((each, no) => ({ id: `p${String(no)}`, ...each })));

const request: fc.Arbitrary<RoutingRequest> = fc
  .record({
    ...{ recipients, priority, channels: fc.subarray([...CHANNELS]) },
    strangers: fc.subarray(['x', 'y']),
    operators: fc.constantFrom(
      [],
      [{ channel: 'slack', destination: 'room' } as const],
      [
        { channel: 'email', destination: 'a' } as const,
        { channel: 'email', destination: 'ops' } as const,
      ],
    ),
  })
  .map(({ channels, strangers, ...rest }) => ({
    ...rest,
    ...{ agent: 'bot', now: T0 },
    audience: { channels, recipients: [...rest.recipients.map(({ id }) => id), ...strangers] },
  }));

test('RO-1, RO-2: any preferences, priorities and quiet hours: each (recipient, channel) has one decision with a reason, and one route', () => {
  fc.assert(
    fc.property(request, (asked) => {
      const { decisions, routes, digests } = routeAudience(asked);
      const { audience } = asked;
      const places = decisions.map(({ recipient, channel }) => `${recipient ?? '-'} ${channel}`);
      const isForPeople = audience.recipients.length > 0;
      if (isForPeople) {
        const personal = audience.channels.filter(isPersonal);
        const wanted = [
          ...audience.channels.filter((each) => !isPersonal(each)).map((each) => `- ${each}`),
          ...audience.recipients.flatMap((id) => personal.map((channel) => `${id} ${channel}`)),
        ];
        expect(places).toEqual(wanted);
      } else expect(places.every((place) => place.startsWith('- '))).toBe(true);
      expect(routes).toHaveLength(decisions.length);
      for (const [no, decision] of decisions.entries()) {
        const route = routes[no];
        expect(decision.reason).not.toBe('');
        expect(route?.suppressed !== undefined).toBe(
          decision.what === 'digest' || decision.what === 'suppress',
        );
        expect(route?.notBefore !== undefined).toBe(decision.what === 'hold');
        if (decision.what === 'hold') expect(decision.until).toBeGreaterThan(asked.now);
      }
      // P3. One item each, and only for whoever has a decision that says so.
      expect(new Set(digests.map(({ recipient }) => recipient)).size).toBe(digests.length);
      const inDigest = decisions.filter(({ what }) => what === 'digest');
      expect(new Set(inDigest.map(({ recipient }) => recipient))).toEqual(
        new Set(digests.map(({ recipient }) => recipient)),
      );
      if (asked.priority !== 'low') expect(digests).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('A10, A13: whatever becomes of them then, silences too, each ends once in the journal, with its reason where it was not sent', () => {
  const answer = fc.constantFrom(...OUTCOMES, 'silenced', 'superseded');
  /** Hours from the alert to the end of a silence that was there, or begins, when a send is tried. */
  const silence = fc.record({ from: fc.constantFrom(0, 0, 1), hours: fc.nat(20) });
  /** Whether the operators' destinations take whatever comes. */
  const reachable = fc.boolean();
  let saved = 0;
  const given = [request, fc.array(answer, { minLength: 1 }), silence, reachable] as const;
  fc.assert(
    fc.property(...given, (asked, answers, quiet, isReachable) => {
      const { routes, decisions } = routeAudience(asked);
      const own = new Set(asked.operators.map(({ destination }) => destination));
      const input: NoticeAlert = {
        ...{ id: 'alert/1', org: 'acme', kind: 'notice', subject: 'notice/bot', routes },
        facts: {
          ...{ kind: 'notice', org: 'acme', topic: 'agent', agentName: 'bot', title: 'News' },
          ...{ lines: [], severity: 'error', priority: asked.priority, at: T0 },
        },
        ...{ policy: DEFAULT_POLICY, response: { operators: asked.operators } },
      };
      let no = 0;
      let now = T0;
      const until = T0 + quiet.hours * HOUR;
      const driver = driveAlert(input, (_channel, _attempt, destination) => {
        if (now >= T0 + quiet.from * HOUR && now < until) {
          return { type: 'held', reason: 'silenced', until };
        }
        if (isReachable && own.has(destination)) return outcome('accepted');
        const next = answers[no % answers.length] ?? 'accepted';
        no += 1;
        return next === 'silenced' || next === 'superseded' ? next : outcome(next);
      });
      for (; now < T0 + 60 * HOUR; now += HOUR / 4) driver.pass(HOUR / 4);
      expect(driver.state.deliveries.every(hasEnded)).toBe(true);
      const waited = driver.journal.filter(({ what }) => what === 'held');
      for (const { reason } of waited) expect(reason).toMatch(/^(silenced|quiet_hours)$/);
      const ends = driver.journal.filter(({ what }) =>
        ['delivered', 'failed', 'suppressed'].includes(what),
      );
      for (const [index, decision] of decisions.entries()) {
        const own = ends.filter(({ delivery }) => delivery === deliveryId(input.id, index));
        expect(own).toHaveLength(1);
        const [end] = own;
        if (end?.what === 'suppressed') expect(SUPPRESSIONS).toContain(end.reason);
        if (decision.what === 'digest' || decision.what === 'suppress') {
          expect(end).toMatchObject({ what: 'suppressed', reason: decision.reason });
        }
      }
      // P3. What waits in a digest has not failed.
      const isInDigest = decisions.some(({ what }) => what === 'digest');
      if (isInDigest) expect(driver.journal.map(({ what }) => what)).not.toContain('exhausted');
      // A5, A1. Where the operators can be reached nothing that failed ends with nobody.
      const { deliveries } = driver.state;
      const last = deliveries.filter(({ cause }) => cause === 'last_resort');
      if (asked.priority === 'low') expect(last).toEqual([]);
      else if (isReachable && own.size > 0) {
        const isFailed = deliveries.some(
          ({ status, suppression = '' }) => status === 'failed' || UNREACHED.has(suppression),
        );
        if (isFailed) expect(resultOf(driver.state)).toMatch(/^(delivered|degraded)$/);
      }
      if (last.some(({ status }) => status === 'accepted')) saved += 1;
      const tried = deliveries
        .filter(({ route }) => route.suppressed === undefined)
        .map(({ route: { channel, destination, recipient = '' } }) =>
          [channel, destination ?? recipient].join(' '),
        );
      for (const { route } of last) {
        const way = `${route.channel} ${route.destination ?? ''}`;
        expect(tried.filter((each) => each === way)).toHaveLength(1);
      }
      // A7. No text message of less than high priority, by whatever way.
      const texted = driver.sent.filter(({ channel }) => channel === 'sms');
      if (asked.priority === 'low' || asked.priority === 'medium') expect(texted).toEqual([]);
    }),
    { numRuns: 300 },
  );
  expect(saved).toBeGreaterThan(0);
});
