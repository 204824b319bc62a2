import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OUTCOMES } from '../../domain/alert/outcome.js';
import { alertMachine } from '../../domain/alert/reduce.js';
import type { Response } from '../../domain/alert/state.js';
import { hasEnded } from '../../domain/alert/result.js';
import { alertStatusOf } from '../../domain/alert/status.js';
import { CHANNELS, type ChannelName } from '../../domain/words.js';
import { driveAlert, HOUR, inputOf, outcome } from './alert-driver.js';

const MINUTE = 60_000;
const WARNING = 8_000;
const ERROR = 9_000;
const CRITICAL = 10_000;

const operators = (...channels: ChannelName[]): Response => ({
  operators: channels.map((channel) => ({ channel, destination: `ops-${channel}` })),
});

/** Levels after so many minutes, each to one destination of its own name. */
const escalating = (rounds: number, ...minutes: number[]): Response => ({
  operators: [],
  escalation: {
    rounds,
    levels: minutes.map((after, index) => ({
      afterMs: after * MINUTE,
      routes: [{ channel: 'email', destination: `level-${String(index + 1)}` }],
    })),
  },
});

const accepts = () => outcome('accepted');
const only =
  (...good: string[]) =>
  (_channel: string, _attempt: number, destination: string) =>
    outcome(good.includes(destination) ? 'accepted' : 'permanent_config');

describe('fallbacks (A5)', () => {
  test('a delivery that failed for good goes to the operators, once, on another channel', () => {
    const driver = driveAlert(
      inputOf(['slack'], WARNING, operators('slack', 'email')),
      only('ops-email'),
    );
    driver.pass(HOUR);
    expect(driver.sent.map(({ destination }) => destination)).toEqual(['d0', 'ops-email']);
    expect(alertStatusOf(driver.state)).toMatchObject({ result: 'delivered', exhausted: false });
    expect(driver.journal.map(({ what }) => what)).toContain('fallback');
  });

  test('only after the ladder of what may still pass', () => {
    const driver = driveAlert(inputOf(['webhook'], WARNING, operators('email')), (channel) =>
      outcome(channel === 'email' ? 'accepted' : 'transient'),
    );
    driver.pass(HOUR);
    expect(driver.sent.map(({ at }) => at)).toEqual([0, 30_000, 150_000, 750_000, 750_000]);
  });

  test('one hop: a fallback that fails has none, and the alert is exhausted once', () => {
    const driver = driveAlert(
      inputOf(['slack', 'webhook'], WARNING, operators('email', 'pagerduty', 'push')),
      () => outcome('permanent_recipient'),
    );
    driver.pass(HOUR);
    const tried = driver.sent.map(({ destination }) => destination);
    expect(tried.sort()).toEqual(['d0', 'd1', 'ops-email', 'ops-pagerduty', 'ops-push']);
    const causes = driver.state.deliveries.map(({ cause = 'route' }) => cause);
    // What is left of the operators is the alert's last resort, and nobody's second hop.
    expect(causes).toEqual(['route', 'route', 'fallback', 'fallback', 'last_resort']);
    expect(driver.journal.filter(({ what }) => what === 'exhausted')).toHaveLength(1);
  });

  test('never to a destination this alert has tried', () => {
    const response = { operators: [{ channel: 'slack', destination: 'd0' }] } as const;
    const driver = driveAlert(inputOf(['slack'], WARNING, response), () =>
      outcome('permanent_config'),
    );
    driver.pass(HOUR);
    expect(driver.sent).toHaveLength(1);
    expect(alertStatusOf(driver.state).result).toBe('exhausted');
  });

  test('where there is nobody to tell the operators are told; what was held on purpose is held', () => {
    const told = (reason: 'no_destination' | 'unverified' | 'storm' | 'superseded') => {
      const driver = driveAlert(inputOf(['push'], WARNING, operators('email')), (channel) =>
        channel === 'push' ? reason : outcome('accepted'),
      );
      driver.pass(HOUR);
      return driver.sent.length;
    };
    expect(told('no_destination')).toBe(2);
    expect(told('unverified')).toBe(2);
    expect(told('storm')).toBe(1);
    expect(told('superseded')).toBe(1);
  });
});

describe('the quorum of a critical alert (A6)', () => {
  const result = (
    channels: readonly ChannelName[],
    good: readonly string[],
    response?: Response,
  ) => {
    const driver = driveAlert(inputOf(channels, CRITICAL, response), only(...good));
    driver.pass(HOUR);
    return alertStatusOf(driver.state).result;
  };

  test('two channels make it delivered, one degraded, none exhausted', () => {
    expect(result(['slack', 'email'], ['d0', 'd1'])).toBe('delivered');
    expect(result(['slack', 'email'], ['d1'])).toBe('degraded');
    expect(result(['slack', 'email'], [])).toBe('exhausted');
  });

  test('two destinations of one channel share a provider and have one vote', () => {
    expect(result(['slack', 'slack'], ['d0', 'd1'])).toBe('degraded');
  });

  test('a fallback votes, and one configured channel is degraded', () => {
    expect(result(['slack', 'webhook'], ['d0', 'ops-email'], operators('email'))).toBe('delivered');
    expect(result(['slack'], ['d0'])).toBe('degraded');
  });

  test('a vote taken back re-opens the fallback, and is no vote any more', () => {
    const driver = driveAlert(inputOf(['slack', 'email'], CRITICAL, operators('webhook')), accepts);
    expect(alertStatusOf(driver.state).result).toBe('delivered');
    driver.pass(5 * MINUTE);
    const mail = driver.state.deliveries[1]?.id ?? '';
    driver.send({ type: 'revoked', delivery: mail, reason: 'bounced' });
    driver.send({ type: 'revoked', delivery: mail, reason: 'bounced again' });
    expect(driver.sent.map(({ destination }) => destination)).toEqual(['d0', 'd1', 'ops-webhook']);
    expect(alertStatusOf(driver.state).result).toBe('delivered');
    expect(driver.journal.filter(({ what }) => what === 'revoked')).toHaveLength(1);
  });

  test('below critical one accepted delivery is enough', () => {
    const driver = driveAlert(inputOf(['slack', 'email'], ERROR), only('d0'));
    driver.pass(HOUR);
    expect(alertStatusOf(driver.state).result).toBe('delivered');
  });
});

describe('the gate of text messages (A7)', () => {
  test('medium is not for SMS, and what is held by it has no fallback', () => {
    const driver = driveAlert(inputOf(['sms', 'slack'], WARNING, operators('email')), accepts);
    expect(driver.sent.map(({ channel }) => channel)).toEqual(['slack']);
    expect(driver.state.deliveries[0]).toMatchObject({
      status: 'suppressed',
      suppression: 'priority',
    });
  });

  test('high and critical pass, also as a fallback', () => {
    const driver = driveAlert(inputOf(['sms', 'slack'], ERROR, operators('sms')), (channel) =>
      outcome(channel === 'slack' ? 'permanent_config' : 'accepted'),
    );
    expect(driver.sent.map(({ destination }) => destination)).toEqual(['d0', 'd1', 'ops-sms']);
    const low = driveAlert(inputOf(['slack'], WARNING, operators('sms')), () =>
      outcome('permanent_config'),
    );
    expect(low.sent).toHaveLength(1);
  });
});

describe('escalation (A8)', () => {
  const times = (driver: ReturnType<typeof driveAlert>) =>
    driver.sent.map(({ destination, at }) => `${destination} ${String(at / MINUTE)}`);

  test('level by level, each after what came before was accepted, for all rounds', () => {
    const driver = driveAlert(inputOf(['slack'], ERROR, escalating(2, 15, 5)), accepts);
    driver.pass(3 * HOUR);
    expect(times(driver)).toEqual(['d0 0', 'level-1 15', 'level-2 20', 'level-1 35', 'level-2 40']);
  });

  test('where nothing is accepted the clock starts at the last failure', () => {
    const driver = driveAlert(
      inputOf(['webhook'], ERROR, escalating(1, 15)),
      (_channel, _attempt, destination) => outcome(destination === 'd0' ? 'transient' : 'accepted'),
    );
    driver.pass(HOUR);
    expect(times(driver).at(-1)).toBe('level-1 27.5');
  });

  test('a provider that asks to wait for hours holds its own delivery, and nobody else', () => {
    const driver = driveAlert(
      inputOf(['webhook'], ERROR, escalating(1, 15)),
      (_channel, _attempt, destination) =>
        destination === 'd0' ? outcome('throttled', 3_600_000) : outcome('accepted'),
    );
    driver.pass(3 * HOUR);
    const level = driver.sent.find(({ destination }) => destination === 'level-1');
    // The ladder's 12.5 min and what its attempts may take, and then the level's own 15.
    expect((level?.at ?? 0) / MINUTE).toBeCloseTo(12.5 + 20 / 60 + 15, 3);
    const own = driver.sent.filter(({ destination }) => destination === 'd0');
    expect(own.map(({ at }) => at / HOUR)).toEqual([0, 1, 2, 3]);
  });

  test('an acknowledgement, a resolution or the end of the period ends it', () => {
    for (const event of [
      { type: 'acknowledged', by: 'ana' },
      { type: 'resolved', by: 'ana' },
      { type: 'subjectEnded', at: 0 },
    ] as const) {
      const driver = driveAlert(inputOf(['slack'], ERROR, escalating(3, 15)), accepts);
      driver.pass(20 * MINUTE);
      driver.send(event);
      driver.pass(3 * HOUR);
      expect(driver.sent.filter(({ purpose }) => purpose === 'fire')).toHaveLength(2);
    }
  });

  test('a level held whole by quiet hours is passed over at once', () => {
    const driver = driveAlert(
      inputOf(['slack'], ERROR, escalating(1, 15, 15)),
      (_channel, _attempt, destination) =>
        destination === 'level-1' ? 'quiet_hours' : outcome('accepted'),
    );
    driver.pass(HOUR);
    expect(times(driver)).toEqual(['d0 0', 'level-1 15', 'level-2 15']);
  });

  test('an alert that only kills escalates from when it was raised; a late one never does', () => {
    const driver = driveAlert(inputOf([], CRITICAL, escalating(1, 15)), accepts);
    driver.pass(HOUR);
    expect(times(driver)).toEqual(['level-1 15']);
    const input = inputOf(['slack'], ERROR, escalating(1, 15));
    const late = driveAlert({ ...input, facts: { ...input.facts, late: true } }, accepts);
    late.pass(HOUR);
    expect(late.sent).toHaveLength(1);
  });
});

describe('PagerDuty is told what people do (T9)', () => {
  test('acknowledged and resolved, where it took the alert, each once', () => {
    const driver = driveAlert(inputOf(['pagerduty', 'slack'], CRITICAL), accepts);
    driver.send({ type: 'acknowledged', by: 'ana' });
    driver.send({ type: 'acknowledged', by: 'ben' });
    driver.send({ type: 'resolved', by: 'ana' });
    driver.pass(HOUR);
    const said = driver.sent.filter(({ channel }) => channel === 'pagerduty');
    expect(said.map(({ purpose }) => purpose)).toEqual(['fire', 'acknowledge', 'resolve']);
    expect(driver.sent.filter(({ purpose }) => purpose === 'acknowledge')).toHaveLength(1);
    expect(alertMachine.isSettled(driver.state)).toBe(true);
  });
});

describe('any alert, any answers', () => {
  const answer = fc.oneof(
    fc.constantFrom(...OUTCOMES).map((kind) => outcome(kind)),
    fc.constantFrom('no_destination', 'unverified', 'storm', 'unhealthy_destination'),
  );
  const channel = fc.constantFrom(...CHANNELS.filter((each) => each !== 'kill'));
  const world = fc.record({
    channels: fc.array(channel, { maxLength: 4 }),
    bps: fc.constantFrom(WARNING, ERROR, CRITICAL),
    ops: fc.array(channel, { maxLength: 3 }),
    levels: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 3 }),
    rounds: fc.integer({ min: 1, max: 3 }),
    answers: fc.array(answer, { minLength: 1, maxLength: 12 }),
    acksAt: fc.option(fc.integer({ min: 0, max: 3 * HOUR }), { nil: undefined }),
    rotate: fc.boolean(),
  });

  test('A10: ends delivered, degraded or exhausted, with a reason for every send and non-send', () => {
    fc.assert(
      fc.property(world, ({ channels, bps, ops, levels, rounds, answers, acksAt, rotate }) => {
        const response: Response = {
          ...operators(...ops),
          ...(levels.length === 0 ? {} : { escalation: escalating(rounds, ...levels).escalation! }),
        };
        let no = 0;
        const driver = driveAlert(
          inputOf(channels, bps, response),
          () => answers[(no += 1) % answers.length] ?? outcome('accepted'),
          rotate,
        );
        if (acksAt !== undefined) {
          driver.pass(acksAt);
          driver.send({ type: 'acknowledged', by: 'ana' });
          const before = driver.sent.filter(({ purpose }) => purpose === 'fire').length;
          driver.pass(9 * HOUR);
          expect(driver.sent.filter(({ purpose }) => purpose === 'fire')).toHaveLength(before);
        }
        driver.pass(9 * HOUR);
        driver.send({ type: 'subjectEnded', at: driver.now });
        driver.pass(9 * HOUR);
        const { deliveries, result } = alertStatusOf(driver.state);
        expect(alertMachine.isSettled(driver.state)).toBe(true);
        if (deliveries.length > 0) expect(result).not.toBe('pending');
        for (const each of deliveries) {
          expect(hasEnded(each)).toBe(true);
          const said = driver.journal.filter(({ delivery }) => delivery === each.id);
          expect(
            said.some(({ what }) => ['delivered', 'failed', 'suppressed'].includes(what)),
          ).toBe(true);
        }
        const ways = deliveries
          .filter(({ purpose, cause }) => purpose === 'fire' && cause === 'fallback')
          .map(({ route }) => `${route.channel} ${route.destination ?? ''}`);
        expect(new Set(ways).size).toBe(ways.length);
        const texts = driver.sent.filter(({ channel: by }) => by === 'sms');
        if (bps === WARNING) expect(texts).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
