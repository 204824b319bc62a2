/** Push: what is offered counts once somebody has confirmed it; A5: the ways of a recipient. */
import { describe, expect, test } from 'vitest';
import type { Suppression } from '../../domain/alert/outcome.js';
import { alertMachine } from '../../domain/alert/reduce.js';
import type { AlertRoute, AlertWay } from '../../domain/alert/state.js';
import { alertStatusOf } from '../../domain/alert/status.js';
import { driveAlert, HOUR, outcome, ruleInputOf } from './alert-driver.js';
import { T0 } from './budget-driver.js';

const mail: AlertWay = { channel: 'email', destination: 'mail-of-ana', recipient: 'ana' };
const push: AlertRoute = { channel: 'push', recipient: 'ana', fallback: [mail] };
const offered = { type: 'offered', confirmWithinMs: 5_000 } as const;
const accepts = () => outcome('accepted');
const offers = (channel: string) => (channel === 'push' ? offered : outcome('accepted'));
const ways = (driver: ReturnType<typeof driveAlert>): string[] =>
  driver.sent.map(({ channel, destination }) => `${channel} ${destination}`.trim());

describe('an offered delivery', () => {
  test('is accepted by its confirmation, and then nobody else is told', () => {
    const driver = driveAlert(ruleInputOf([push]), offers);
    driver.pass(4_999);
    driver.send({ type: 'confirmed', delivery: driver.state.deliveries[0]?.id ?? '' });
    driver.pass(HOUR);
    expect(ways(driver)).toEqual(['push']);
    expect(alertStatusOf(driver.state).result).toBe('delivered');
    expect(driver.journal.map(({ what }) => what)).toEqual([
      ...['raised', 'offered', 'attempt', 'delivered'],
    ]);
  });

  test('O-1: nobody confirms in time, and the fallback follows at once', () => {
    const driver = driveAlert(ruleInputOf([push]), offers);
    driver.pass(HOUR);
    expect(driver.sent.map(({ channel, at }) => [channel, at])).toEqual([
      ['push', 0],
      ['email', 5_000],
    ]);
    expect(driver.state.deliveries[0]?.attempts).toMatchObject([
      { no: 1, outcome: 'permanent_recipient' },
    ]);
  });

  test('a confirmation after that changes nothing', () => {
    const driver = driveAlert(ruleInputOf([push]), offers);
    driver.pass(6_000);
    const before = driver.state.deliveries;
    driver.send({ type: 'confirmed', delivery: before[0]?.id ?? '' });
    driver.send({ type: 'confirmed', delivery: 'nobody knows it' });
    expect(driver.state.deliveries).toEqual(before);
  });

  test('O-2: a confirmation that comes before the answer counts, whatever the answer is', () => {
    const answers = [
      { type: 'attempted', answer: offered },
      { type: 'attempted', answer: { type: 'sent', outcome: outcome('permanent_recipient') } },
      { type: 'attemptLost' },
      { type: 'attemptNotMade', reason: 'the ledger is away' },
    ] as const;
    for (const answer of answers) {
      const driver = driveAlert(ruleInputOf([push]), () => 'hang', true);
      const delivery = driver.state.deliveries[0]?.id ?? '';
      driver.send({ type: 'confirmed', delivery });
      expect(driver.state.deliveries[0]?.status).toBe('accepted');
      driver.send({ ...answer, delivery, attempt: 1 });
      driver.pass(HOUR);
      expect(ways(driver), answer.type).toEqual(['push']);
      expect(alertStatusOf(driver.state).result, answer.type).toBe('delivered');
    }
  });

  test('O-2: a confirmation counts while the next attempt is waited for, and not before the first', () => {
    const driver = driveAlert(ruleInputOf([push]), () => outcome('transient'));
    driver.send({ type: 'confirmed', delivery: driver.state.deliveries[0]?.id ?? '' });
    driver.pass(HOUR);
    expect(driver.sent).toHaveLength(1);
    expect(driver.state.deliveries[0]?.status).toBe('accepted');
    const waiting = driveAlert(ruleInputOf([{ ...push, notBefore: T0 + HOUR }]), offers);
    waiting.send({ type: 'confirmed', delivery: waiting.state.deliveries[0]?.id ?? '' });
    expect(waiting.state.deliveries[0]?.status).toBe('due');
  });

  test('an acknowledgement ends the alert, and its fallback is not opened', () => {
    const driver = driveAlert(ruleInputOf([push]), offers);
    driver.pass(1_000);
    driver.send({ type: 'acknowledged', by: 'ana' });
    driver.pass(HOUR);
    expect(ways(driver)).toEqual(['push']);
    driver.send({ type: 'subjectEnded', at: driver.now });
    driver.pass(HOUR);
    expect(alertMachine.isSettled(driver.state)).toBe(true);
  });
});

describe('the fallbacks of a recipient (A5)', () => {
  const operators = { operators: [{ channel: 'slack', destination: 'ops' }] } as const;
  const only = (good: string) => (channel: string) =>
    outcome(channel === good ? 'accepted' : 'permanent_recipient');

  test('are his own ways in their order, and not the operators', () => {
    const sms: AlertWay = { channel: 'sms', destination: 'phone-of-ana', recipient: 'ana' };
    const routes = [{ ...push, fallback: [sms, mail] }];
    const driver = driveAlert(ruleInputOf(routes, 'high', operators), only('sms'));
    expect(ways(driver)).toEqual(['push', 'sms phone-of-ana']);
    const none = driveAlert(ruleInputOf([{ ...push, fallback: [] }], 'high', operators), accepts);
    expect(ways(none)).toEqual(['push']);
    const nobody = driveAlert(ruleInputOf([{ ...push, fallback: [] }], 'high', operators), () =>
      outcome('permanent_recipient'),
    );
    nobody.pass(HOUR);
    expect(alertStatusOf(nobody.state).result).toBe('exhausted');
  });

  test('not one that the alert uses already', () => {
    const driver = driveAlert(ruleInputOf([push, mail]), only('email'));
    driver.pass(HOUR);
    expect(ways(driver)).toEqual(['push', 'email mail-of-ana']);
  });

  test('two people’s sockets are two ways, one mailbox of both is one', () => {
    const ben: AlertRoute = { ...push, recipient: 'ben' };
    const driver = driveAlert(ruleInputOf([push, ben]), only('email'));
    driver.pass(HOUR);
    expect(ways(driver).sort()).toEqual(['email mail-of-ana', 'push', 'push']);
  });

  test('what was decided against when it was routed ends at once with its reason', () => {
    const reasons: Suppression[] = ['preference', 'priority', 'digest', 'no_destination'];
    const routes = reasons.map((suppressed): AlertRoute => ({ ...push, suppressed }));
    const driver = driveAlert(ruleInputOf(routes), accepts);
    // Of these only the one that means nobody has a fallback, and it is sent in the same step.
    expect(ways(driver)).toEqual(['email mail-of-ana']);
    expect(driver.state.deliveries.map(({ suppression }) => suppression)).toEqual([
      ...reasons,
      undefined,
    ]);
    expect(driver.journal.filter(({ what }) => what === 'suppressed')).toHaveLength(4);
  });

  test('a way that was only decided against has not been tried', () => {
    const off: AlertRoute = { ...mail, suppressed: 'digest' };
    const driver = driveAlert(ruleInputOf([push, off]), only('email'));
    driver.pass(HOUR);
    expect(ways(driver)).toEqual(['push', 'email mail-of-ana']);
  });
});

describe('the alert of a rule (R3)', () => {
  const resolvedBy = (event: Parameters<ReturnType<typeof driveAlert>['send']>[0]) => {
    const driver = driveAlert(ruleInputOf([{ channel: 'slack', destination: 'd0' }]), accepts);
    driver.send(event);
    driver.pass(HOUR);
    expect(alertMachine.isSettled(driver.state)).toBe(true);
    return { by: driver.state.resolved?.by, purposes: driver.sent.map(({ purpose }) => purpose) };
  };

  test('ends with its condition, and whoever was told hears it', () => {
    expect(resolvedBy({ type: 'subjectEnded', at: T0 })).toEqual({
      by: 'condition over',
      purposes: ['fire', 'resolve'],
    });
    expect(resolvedBy({ type: 'resolved', by: 'ana' }).by).toBe('ana');
  });

  test('A-2: the end of a condition silences nothing that nobody got yet', () => {
    const driver = driveAlert(ruleInputOf([{ channel: 'webhook' }]), (_channel, attempt) =>
      outcome(attempt === 1 ? 'transient' : 'accepted'),
    );
    driver.send({ type: 'subjectEnded', at: T0 });
    driver.pass(HOUR);
    const purposes = driver.sent.map(({ purpose }) => purpose);
    expect(purposes).toEqual(['fire', 'fire', 'resolve', 'resolve']);
    expect(alertStatusOf(driver.state)).toMatchObject({ phase: 'resolved', exhausted: false });
  });

  test('escalates while its condition holds, and not after', () => {
    const level = { channel: 'pagerduty', destination: 'ops' } as const;
    const response = {
      operators: [],
      escalation: { rounds: 3, levels: [{ afterMs: 60_000, routes: [level] }] },
    };
    const driver = driveAlert(ruleInputOf([{ channel: 'slack' }], 'high', response), accepts);
    driver.pass(90_000);
    driver.send({ type: 'subjectEnded', at: driver.now });
    driver.pass(HOUR);
    expect(driver.sent.filter(({ purpose }) => purpose === 'fire')).toHaveLength(2);
  });
});
