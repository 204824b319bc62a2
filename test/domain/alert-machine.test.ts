import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { OUTCOMES } from '../../domain/alert/outcome.js';
import { alertMachine } from '../../domain/alert/reduce.js';
import { hasEnded } from '../../domain/alert/result.js';
import { alertStatusOf } from '../../domain/alert/status.js';
import { driveAlert, HOUR, inputOf, outcome } from './alert-driver.js';

describe('the ladder of a delivery', () => {
  test('A3: attempts at 0 s, then exactly 30 s, 2 min and 10 min after failures', () => {
    const driver = driveAlert(inputOf(['webhook']), () => outcome('transient'));
    driver.pass(HOUR);
    expect(driver.sent.map(({ at }) => at)).toEqual([0, 30_000, 150_000, 750_000]);
    expect(driver.state.deliveries[0]?.status).toBe('failed');
    expect(driver.journal.map(({ what }) => what)).toContain('exhausted');
  });

  test('A3: Retry-After stretches, never shortens', () => {
    const waits = [5_000, 300_000];
    const driver = driveAlert(inputOf(['email']), (_, attempt) =>
      outcome('throttled', waits[attempt - 1] ?? 0),
    );
    driver.pass(HOUR);
    expect(driver.sent.map(({ at }) => at)).toEqual([0, 30_000, 330_000, 930_000]);
  });

  test('A4: permanent outcomes are not retried; Slack’s ambiguity is repeated once', () => {
    const permanent = driveAlert(inputOf(['slack']), () => outcome('permanent_config'));
    const ambiguous = driveAlert(inputOf(['slack']), () => outcome('ambiguous'));
    const idempotent = driveAlert(inputOf(['webhook']), () => outcome('ambiguous'));
    for (const driver of [permanent, ambiguous, idempotent]) driver.pass(HOUR);
    expect([permanent, ambiguous, idempotent].map(({ sent }) => sent.length)).toEqual([1, 2, 4]);
    expect(ambiguous.journal.filter(({ reason }) => reason?.startsWith('ambiguous')).length).toBe(
      2,
    );
  });

  test('A3: a hanging destination delays no other', () => {
    const driver = driveAlert(inputOf(['slack', 'email', 'webhook']), (channel, attempt) =>
      channel === 'slack' ? 'hang' : outcome(attempt < 3 ? 'transient' : 'accepted'),
    );
    driver.pass(HOUR);
    expect(driver.sent.filter(({ channel }) => channel !== 'slack').map(({ at }) => at)).toEqual([
      0, 0, 30_000, 30_000, 150_000, 150_000,
    ]);
    const [hung] = driver.hanging;
    driver.send({ type: 'attemptLost', delivery: hung?.delivery.id ?? '', attempt: 1 });
    driver.pass(HOUR);
    expect(driver.sent.filter(({ channel }) => channel === 'slack')).toHaveLength(2);
  });

  test('A4: an attempt lost with its worker is repeated at once, and takes no rung of the ladder', () => {
    const driver = driveAlert(inputOf(['webhook']), (_channel, attempt) =>
      attempt === 1 ? 'hang' : outcome('transient'),
    );
    driver.pass(5_000);
    const id = driver.hanging[0]?.delivery.id ?? '';
    driver.send({ type: 'attemptLost', delivery: id, attempt: 1 });
    driver.pass(HOUR);
    expect(driver.sent.map(({ at }) => at)).toEqual([0, 5_000, 35_000, 155_000, 755_000]);
    expect(driver.journal.filter(({ reason }) => reason?.startsWith('ambiguous'))).toHaveLength(1);
  });

  test('an attempt that takes its worker along every time climbs the ladder, and Slack gives up', () => {
    const times = (channel: 'webhook' | 'slack'): number[] => {
      const driver = driveAlert(inputOf([channel]), () => 'hang');
      for (let attempt = 1; attempt <= 9; attempt += 1) {
        const id = driver.state.deliveries[0]?.id ?? '';
        driver.send({ type: 'attemptLost', delivery: id, attempt });
        driver.pass(HOUR);
      }
      expect(driver.state.deliveries[0]?.status).toBe('failed');
      return driver.sent.map(({ at }) => at);
    };
    const at = times('webhook');
    expect(at).toHaveLength(5);
    expect(at[1]).toBe(0);
    expect((at[2] ?? 0) - HOUR).toBe(30_000);
    expect(times('slack')).toHaveLength(2);
  });

  test('an attempt that could not begin costs none, and is made when the ledger is back', () => {
    let away = true;
    const driver = driveAlert(inputOf(['webhook']), () => (away ? 'hang' : outcome('accepted')));
    for (const effect of driver.hanging.splice(0)) {
      driver.send({
        type: 'attemptNotMade',
        delivery: effect.delivery.id,
        attempt: 1,
        reason: 'away',
      });
    }
    away = false;
    driver.pass(DEFAULT_POLICY.retryMs);
    expect(driver.sent.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(driver.state.deliveries[0]?.attempts).toHaveLength(1);
  });
});

describe('acknowledged, resolved, ended', () => {
  const answer = fc.constantFrom(...OUTCOMES).map((kind) => outcome(kind));
  const moment = fc.integer({ min: 0, max: 800_000 });

  test('A8: after an acknowledgement at any moment nothing is sent, and every delivery ends with a reason', () => {
    fc.assert(
      fc.property(
        moment,
        fc.array(answer, { minLength: 1 }),
        fc.boolean(),
        fc.boolean(),
        (at, answers, byResolve, rotate) => {
          const driver = driveAlert(
            inputOf(['slack', 'email', 'webhook']),
            (channel, attempt) =>
              answers[(attempt * 7 + channel.length) % answers.length] ?? outcome('transient'),
            rotate,
          );
          driver.pass(at);
          driver.send(
            byResolve ? { type: 'resolved', by: 'ana' } : { type: 'acknowledged', by: 'ana' },
          );
          const before = driver.sent.filter(({ purpose }) => purpose === 'fire').length;
          driver.pass(HOUR);
          expect(driver.sent.filter(({ purpose }) => purpose === 'fire')).toHaveLength(before);
          for (const delivery of driver.state.deliveries) {
            expect(hasEnded(delivery)).toBe(true);
            if (delivery.status === 'suppressed') expect(delivery.suppression).toBeDefined();
          }
          expect(alertMachine.isSettled(driver.state)).toBe(byResolve);
        },
      ),
    );
  });

  test('a person’s word ends at once what waits for its next attempt, and somebody was reached', () => {
    for (const type of ['acknowledged', 'resolved'] as const) {
      const driver = driveAlert(inputOf(['webhook']), () => outcome('transient'));
      driver.pass(1_000);
      driver.send({ type, by: 'ana' });
      expect(driver.state.deliveries[0]).toMatchObject({ status: 'suppressed', suppression: type });
      driver.pass(HOUR);
      expect(driver.journal.map(({ what }) => what)).not.toContain('exhausted');
      expect(alertStatusOf(driver.state).exhausted).toBe(false);
    }
  });

  test('A9: twice is once, and a resolved alert is not acknowledged any more', () => {
    const driver = driveAlert(inputOf(['slack']), () => outcome('accepted'));
    driver.send({ type: 'acknowledged', by: 'ana' });
    driver.send({ type: 'acknowledged', by: 'ben' });
    driver.send({ type: 'resolved', by: 'cy' });
    driver.send({ type: 'resolved', by: 'dan' });
    driver.send({ type: 'acknowledged', by: 'eve' });
    const { acknowledged, resolved, phase } = alertStatusOf(driver.state);
    expect([acknowledged?.by, resolved?.by, phase]).toEqual(['ana', 'cy', 'resolved']);
  });

  test('T7: who was told hears that it is over; a period’s end does not silence what nobody got yet', () => {
    const driver = driveAlert(inputOf(['webhook', 'email']), (channel, attempt) =>
      outcome(channel === 'email' && attempt === 1 ? 'transient' : 'accepted'),
    );
    driver.pass(1_000);
    driver.send({ type: 'subjectEnded', at: driver.now });
    driver.pass(HOUR);
    expect(driver.sent.map(({ channel, purpose }) => `${channel} ${purpose}`)).toEqual([
      'webhook fire',
      'email fire',
      'webhook resolve',
      'email fire',
      'email resolve',
      'email resolve',
    ]);
    expect(alertMachine.isSettled(driver.state)).toBe(true);
  });

  test('a late alert is over when its deliveries are', () => {
    const input = inputOf(['slack']);
    const driver = driveAlert({ ...input, facts: { ...input.facts, late: true } }, () =>
      outcome('accepted'),
    );
    expect(driver.state.phase).toBe('resolved');
    expect(driver.sent.map(({ purpose }) => purpose)).toEqual(['fire']);
    expect(alertMachine.isSettled(driver.state)).toBe(true);
  });
});

describe('the journal (A10)', () => {
  test('every entry is written once, in order, however long the ledger was away', () => {
    const driver = driveAlert(inputOf(['slack', 'webhook']), (_, attempt) =>
      outcome(attempt < 2 ? 'transient' : 'accepted'),
    );
    driver.ledgerAway = true;
    driver.pass(60_000);
    driver.send({ type: 'acknowledged', by: 'ana' });
    driver.ledgerAway = false;
    driver.pass(60_000);
    expect(driver.journal.map(({ no }) => no)).toEqual(driver.journal.map((_, index) => index + 1));
    expect(driver.journal.at(-1)?.what).toBe('acknowledged');
    expect(driver.state.unwritten).toEqual([]);
  });

  test('a late answer of an attempt that is over changes nothing', () => {
    const driver = driveAlert(inputOf(['webhook']), () => outcome('accepted'));
    const before = driver.state;
    const id = before.deliveries[0]?.id ?? '';
    driver.send({
      type: 'attempted',
      delivery: id,
      attempt: 1,
      answer: { type: 'sent', outcome: outcome('transient') },
    });
    driver.send({ type: 'attemptLost', delivery: id, attempt: 2 });
    expect(driver.state.deliveries).toEqual(before.deliveries);
  });
});
