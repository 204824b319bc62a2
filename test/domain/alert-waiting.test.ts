/** P4, A13: deliveries that wait; A8: what a silence does to an escalation. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OUTCOMES } from '../../domain/alert/outcome.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { alertMachine } from '../../domain/alert/reduce.js';
import { hasEnded } from '../../domain/alert/result.js';
import type { AlertRoute, DeliverAnswer, Response } from '../../domain/alert/state.js';
import { alertStatusOf } from '../../domain/alert/status.js';
import { T0 } from './budget-driver.js';
import { driveAlert, HOUR, inputOf, outcome, ruleInputOf } from './alert-driver.js';

const MINUTE = 60_000;
const ERROR = 9_000;
const accepts = () => outcome('accepted');
const escalating = (minutes: number): Response => ({
  operators: [],
  escalation: {
    rounds: 1,
    levels: [
      { afterMs: minutes * MINUTE, routes: [{ channel: 'pagerduty', destination: 'level-1' }] },
    ],
  },
});
const quiet = (untilMinute: number, channel: AlertRoute['channel'] = 'email'): AlertRoute => ({
  ...{ channel, destination: `of-ana-${channel}`, recipient: 'ana' },
  notBefore: T0 + untilMinute * MINUTE,
});
/** `false` while a silence is in force, ms since the alert was raised. */
const silence = (from: number, until: number) => (at: number) => at < from || at >= until;

/** A ledger that holds what it is asked while a silence is in force. */
function driveSilenced(
  input: Parameters<typeof driveAlert>[0],
  isOpen: (at: number) => boolean,
  until: number,
  otherwise: Parameters<typeof driveAlert>[1] = accepts,
) {
  const held: DeliverAnswer = { type: 'held', reason: 'silenced', until: T0 + until };
  const asked: number[] = [];
  let clock: () => number = () => T0;
  const driver = driveAlert(input, (...given) => {
    const at = clock() - T0;
    asked.push(at);
    return isOpen(at) ? otherwise(...given) : held;
  });
  clock = () => driver.now;
  return { driver, asked };
}

describe('quiet hours (P4)', () => {
  test('a delivery that they hold is sent at their end, and the journal says why it waits', () => {
    const driver = driveAlert(ruleInputOf([quiet(30), { channel: 'slack' }]), accepts);
    expect(driver.sent.map(({ channel }) => channel)).toEqual(['slack']);
    const said = driver.journal.find(({ what }) => what === 'held');
    expect(said).toMatchObject({ channel: 'email', reason: 'quiet_hours' });
    driver.pass(HOUR);
    expect(driver.sent.map(({ channel, at }) => [channel, at])).toEqual([
      ['slack', 0],
      ['email', 30 * MINUTE],
    ]);
  });

  test('what is over meanwhile is not sent: acknowledged, resolved by a person, or by itself', () => {
    for (const [event, reason] of [
      [{ type: 'acknowledged', by: 'ana' }, 'acknowledged'],
      [{ type: 'resolved', by: 'ana' }, 'resolved'],
      [{ type: 'subjectEnded', at: T0 }, 'resolved'],
    ] as const) {
      const driver = driveAlert(ruleInputOf([quiet(30)]), accepts);
      driver.pass(MINUTE);
      driver.send(event);
      driver.pass(HOUR);
      expect(driver.sent).toEqual([]);
      expect(driver.state.deliveries[0]).toMatchObject({ suppression: reason });
    }
  });

  test('quiet hours that are over when the alert begins hold nothing, and nothing says so', () => {
    const driver = driveAlert(ruleInputOf([{ ...quiet(0), notBefore: T0 - 1 }]), accepts);
    expect(driver.sent).toHaveLength(1);
    expect(driver.journal.map(({ what }) => what)).not.toContain('held');
  });

  test('at their end the ledger may find it superseded or silenced', () => {
    const superseded = driveAlert(ruleInputOf([quiet(30)]), () => 'superseded');
    superseded.pass(HOUR);
    expect(superseded.state.deliveries[0]).toMatchObject({ suppression: 'superseded' });
    const { driver } = driveSilenced(
      ruleInputOf([quiet(30)]),
      silence(0, 40 * MINUTE),
      40 * MINUTE,
    );
    driver.pass(HOUR);
    expect(driver.state.deliveries[0]).toMatchObject({ status: 'accepted' });
    expect(driver.journal.flatMap(({ what, reason }) => (what === 'held' ? [reason] : []))).toEqual(
      ['quiet_hours', 'silenced'],
    );
  });

  test('A-4: they do not hurry the journal, which waits for the first answer', () => {
    const off: AlertRoute = { channel: 'sms', recipient: 'ben', suppressed: 'preference' };
    const driver = driveAlert(ruleInputOf([quiet(30), off, { channel: 'slack' }]), () => 'hang');
    expect(driver.state.writing).toBe(0);
    expect(driver.journal).toEqual([]);
    const id = driver.hanging[0]?.delivery.id ?? '';
    driver.send({ type: 'attemptLost', delivery: id, attempt: 1 });
    expect(driver.journal.map(({ what }) => what)).toEqual([
      'raised',
      'held',
      'suppressed',
      'attempt',
    ]);
  });

  test('A8: an alert that they hold whole goes to the next level at once, and is sent all the same', () => {
    const off: AlertRoute = { channel: 'sms', recipient: 'ana', suppressed: 'preference' };
    const driver = driveAlert(ruleInputOf([quiet(60), off], 'high', escalating(15)), accepts);
    expect(driver.sent.map(({ destination, at }) => [destination, at])).toEqual([['level-1', 0]]);
    driver.pass(2 * HOUR);
    expect(driver.sent.map(({ destination }) => destination)).toEqual(['level-1', 'of-ana-email']);
  });

  test('A8: where one of it is told the level has its delay', () => {
    const routes = [quiet(60), { channel: 'slack' } as const];
    const driver = driveAlert(ruleInputOf(routes, 'high', escalating(15)), accepts);
    driver.pass(HOUR / 2);
    expect(driver.sent.map(({ channel, at }) => [channel, at / MINUTE])).toEqual([
      ['slack', 0],
      ['pagerduty', 15],
    ]);
  });
});

describe('silences (A13)', () => {
  test('what a silence holds is sent at its end, costs no attempt, and is said once', () => {
    const { driver } = driveSilenced(inputOf(['slack']), silence(0, HOUR), HOUR);
    driver.pass(2 * HOUR);
    expect(driver.sent.map(({ attempt, at }) => [attempt, at])).toEqual([
      [1, 0],
      [1, HOUR],
    ]);
    expect(driver.state.deliveries[0]).toMatchObject({ status: 'accepted' });
    expect(driver.state.deliveries[0]?.attempts).toHaveLength(1);
    expect(driver.journal.filter(({ what }) => what === 'held')).toHaveLength(1);
  });

  test('one that is extended holds on, and asks no oftener than the ledger is retried', () => {
    const { driver, asked } = driveSilenced(inputOf(['slack']), silence(0, HOUR), 0);
    driver.pass(2 * HOUR);
    const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    expect(Math.min(...gaps)).toBe(DEFAULT_POLICY.retryMs);
    expect(driver.state.deliveries[0]).toMatchObject({ status: 'accepted' });
    expect(driver.journal.filter(({ what }) => what === 'held')).toHaveLength(1);
  });

  test('one that comes after an attempt is a decision of its own', () => {
    const { driver } = driveSilenced(
      inputOf(['webhook']),
      (at) => at === 10 * MINUTE || at === 10 * MINUTE + 30_000 || at >= HOUR,
      10 * MINUTE,
      (_channel, attempt) => outcome(attempt < 3 ? 'transient' : 'accepted'),
    );
    driver.pass(2 * HOUR);
    expect(driver.journal.filter(({ what }) => what === 'held')).toHaveLength(2);
  });

  test('the word that it has ended is followed at once', () => {
    let isSilenced = true;
    const held = { type: 'held', reason: 'silenced', until: T0 + 9 * HOUR } as const;
    const driver = driveAlert(inputOf(['slack', 'email']), () =>
      isSilenced ? held : outcome('accepted'),
    );
    driver.pass(MINUTE);
    isSilenced = false;
    driver.send({ type: 'silenceEnded' });
    expect(driver.state.deliveries.map(({ status }) => status)).toEqual(['accepted', 'accepted']);
  });

  test('H-3: also where the answer from before its end is still under way', () => {
    const held = { type: 'held', reason: 'silenced', until: T0 + 9 * HOUR } as const;
    let asked = 0;
    const driver = driveAlert(inputOf(['slack']), () =>
      (asked += 1) === 1 ? 'hang' : outcome('accepted'),
    );
    driver.send({ type: 'silenceEnded' });
    const delivery = driver.hanging[0]?.delivery.id ?? '';
    driver.send({ type: 'attempted', delivery, attempt: 1, answer: held });
    expect(driver.state.deliveries[0]).toMatchObject({ status: 'accepted' });
    expect(driver.sent.map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  test('what is over when it ends is not sent', () => {
    const { driver } = driveSilenced(inputOf(['slack']), silence(0, HOUR), HOUR);
    driver.pass(MINUTE);
    driver.send({ type: 'subjectEnded', at: driver.now });
    driver.pass(2 * HOUR);
    expect(driver.sent).toHaveLength(1);
    expect(driver.state.deliveries[0]).toMatchObject({ suppression: 'resolved' });
    expect(alertMachine.isSettled(driver.state)).toBe(true);
  });

  test('A8: no level begins while a silence holds all there is, and its clock starts after it', () => {
    const { driver } = driveSilenced(
      inputOf(['slack'], ERROR, escalating(15)),
      silence(0, 3 * HOUR),
      3 * HOUR,
    );
    driver.pass(5 * HOUR);
    expect(driver.sent.map(({ destination, at }) => [destination, at / MINUTE])).toEqual([
      ['d0', 0],
      ['d0', 180],
      ['level-1', 195],
    ]);
  });

  test('A8: a level that meets a silence is over, and with it the escalation', () => {
    const response = escalating(15);
    const twice = { ...response, escalation: { ...response.escalation!, rounds: 3 } };
    const { driver } = driveSilenced(inputOf(['slack'], ERROR, twice), silence(MINUTE, HOUR), HOUR);
    driver.pass(5 * HOUR);
    expect(driver.sent.map(({ destination }) => destination)).toEqual(['d0', 'level-1']);
    expect(driver.state.deliveries[1]).toMatchObject({ suppression: 'silenced' });
    expect(driver.journal.filter(({ what }) => what === 'escalated')).toHaveLength(1);
  });

  test('A8: after a silence the ladder of what fails then counts anew', () => {
    const { driver } = driveSilenced(
      inputOf(['webhook'], ERROR, escalating(15)),
      silence(0, 3 * HOUR),
      3 * HOUR,
      (channel) => outcome(channel === 'webhook' ? 'transient' : 'accepted'),
    );
    driver.pass(9 * HOUR);
    const level = driver.sent.find(({ destination }) => destination === 'level-1');
    expect((level?.at ?? 0) / MINUTE).toBe(180 + 12.5 + 15);
  });
});

describe('any quiet hours, silences, answers and people', () => {
  const minute = fc.integer({ min: 0, max: 300 });
  const world = fc.record({
    quietUntil: fc.array(fc.option(minute, { nil: undefined }), { minLength: 1, maxLength: 4 }),
    silences: fc.array(fc.tuple(minute, minute), { maxLength: 3 }),
    /** Of the silences, which one is removed early, and when. */
    removedAt: fc.option(minute, { nil: undefined }),
    priority: fc.constantFrom('medium', 'high', 'critical'),
    answers: fc.array(fc.constantFrom(...OUTCOMES), { minLength: 1, maxLength: 8 }),
    actsAt: fc.option(minute, { nil: undefined }),
    endsAt: minute,
    rotate: fc.boolean(),
  });

  test('P4, A13: nothing is sent in them, nothing waits for ever, every wait has its reason', () => {
    fc.assert(
      fc.property(world, (given) => {
        const silences = given.silences.map(([from, length]) => ({
          from: from * MINUTE,
          until: (from + length) * MINUTE,
        }));
        const activeUntil = (at: number): number | undefined => {
          const active = silences.filter(({ from, until }) => from <= at && at < until);
          return active.length === 0 ? undefined : Math.max(...active.map(({ until }) => until));
        };
        const routes = given.quietUntil.map((until, index): AlertRoute => ({
          ...{ channel: index % 2 === 0 ? 'email' : 'slack', destination: `d${String(index)}` },
          ...(until === undefined ? {} : { notBefore: T0 + until * MINUTE }),
        }));
        let no = 0;
        let clock: () => number = () => T0;
        const received: { at: number; destination: string }[] = [];
        const driver = driveAlert(
          ruleInputOf(routes, given.priority, escalating(15)),
          (_channel, _attempt, destination) => {
            const at = clock() - T0;
            const until = activeUntil(at);
            if (until !== undefined) return { type: 'held', reason: 'silenced', until: T0 + until };
            received.push({ at, destination });
            const kind = given.answers[(no += 1) % given.answers.length] ?? 'accepted';
            return outcome(kind);
          },
          given.rotate,
        );
        clock = () => driver.now;
        const steps: [number, () => void][] = [[given.endsAt, ended]];
        if (given.actsAt !== undefined) {
          steps.push([
            given.actsAt,
            () => {
              driver.send({ type: 'acknowledged', by: 'ana' });
            },
          ]);
        }
        if (given.removedAt !== undefined) {
          const at = given.removedAt;
          steps.push([
            at,
            () => {
              for (const each of silences) each.until = Math.min(each.until, at * MINUTE);
              driver.send({ type: 'silenceEnded' });
            },
          ]);
        }
        for (const [at, act] of steps.sort(([a], [b]) => a - b)) {
          driver.pass(at * MINUTE - (driver.now - T0));
          act();
        }
        driver.pass(24 * HOUR);
        expect(alertMachine.isSettled(driver.state)).toBe(true);
        expect(alertStatusOf(driver.state).result).not.toBe('pending');
        for (const { at, destination } of received) {
          const { notBefore = T0 } = routes.find((each) => each.destination === destination) ?? {};
          expect(at).toBeGreaterThanOrEqual(Math.min(notBefore - T0, 24 * HOUR));
        }
        for (const each of driver.state.deliveries) {
          expect(hasEnded(each)).toBe(true);
          if (each.status === 'suppressed') expect(each.suppression).toBeDefined();
        }
        function ended(): void {
          driver.send({ type: 'subjectEnded', at: driver.now });
        }
      }),
      { numRuns: 500 },
    );
  });
});
