import { describe, expect, test } from 'vitest';
import { isPerson } from '../../domain/alert/ending.js';
import { hasEnded, resultOf } from '../../domain/alert/result.js';
import type { AlertState } from '../../domain/alert/state.js';
import { isUrgent } from '../../domain/severity.js';
import { playAlertWorld } from './alert-world.js';

const WORLDS = 10_000;

/** The operators' ways that a delivery that failed leaves to be told; none where it has none. */
function lastWays({ input, deliveries, acknowledged, resolved }: AlertState): readonly string[] {
  const { facts, response } = input;
  const isLate = facts.kind !== 'notice' && facts.kind !== 'rule' && facts.late === true;
  if (facts.priority === 'low' || isLate) return [];
  if (acknowledged !== undefined || (resolved !== undefined && isPerson(resolved.by))) return [];
  const isFailed = deliveries.some(
    ({ purpose, status, suppression = '' }) =>
      purpose === 'fire' && (status === 'failed' || UNREACHED.has(suppression)),
  );
  if (!isFailed) return [];
  return (response?.operators ?? [])
    .filter(({ channel }) => channel !== 'sms' || isUrgent(facts.priority))
    .map(({ destination = '' }) => destination);
}

const UNREACHED = new Set([
  ...['no_destination', 'unsupported_channel', 'unverified', 'unhealthy_destination'],
]);

describe('ten thousand worlds of failing providers', () => {
  test('A1, A10, A13, P4: every alert ends delivered, degraded or exhausted, none waits for ever', () => {
    const results = new Map<string, number>();
    let sends = 0;
    let offers = 0;
    let held = 0;
    let saved = 0;
    for (let seed = 1; seed <= WORLDS; seed += 1) {
      const end = playAlertWorld(seed);
      const { deliveries, unwritten } = end.state;
      const what = `seed ${String(seed)}`;
      expect(end.isOver, what).toBe(true);
      expect(end.sentAfterWord, what).toBe(0);
      expect(end.sentInQuiet, what).toBe(0);
      expect(end.waitedOn, what).toBe(0);
      expect(unwritten, what).toEqual([]);
      for (const delivery of deliveries) {
        expect(hasEnded(delivery), what).toBe(true);
        const { status, suppression, attempts } = delivery;
        if (status === 'suppressed') expect(suppression, what).toBeDefined();
        else expect(attempts.length, what).toBeGreaterThan(0);
        for (const attempt of attempts) expect(attempt.reason, what).not.toBe('');
      }
      const result = resultOf(end.state);
      const fires = deliveries.filter(({ purpose }) => purpose === 'fire');
      // P3: one that waits in a digest is told later.
      const isInDigest = fires.some(({ suppression }) => suppression === 'digest');
      if (fires.length > 0 && !isInDigest) expect(result, what).not.toBe('pending');
      // A5. None is given up before all of the operators were tried; one that takes it saves it.
      if (result === 'exhausted') {
        for (const way of lastWays(end.state)) {
          const tried = fires.filter(({ route }) => route.destination === way);
          expect(tried.length, what).toBeGreaterThan(0);
          // A silence that outlived the alert held it, or it came and its word was taken back.
          const isExcused = tried.some(
            ({ status, suppression = '' }) =>
              status === 'failed' || ['silenced', 'resolved'].includes(suppression),
          );
          if (end.isReachable) expect(isExcused, what).toBe(true);
        }
      }
      const last = fires.filter(({ cause }) => cause === 'last_resort');
      if (last.some(({ status }) => status === 'accepted')) saved += 1;
      results.set(result, (results.get(result) ?? 0) + 1);
      sends += end.sends;
      offers += end.offers;
      held += deliveries.filter(({ silencedAt }) => silencedAt !== undefined).length;
    }
    // The worlds are not all alike: each end is seen often.
    for (const result of ['delivered', 'degraded', 'exhausted']) {
      expect(results.get(result), result).toBeGreaterThan(WORLDS / 50);
    }
    expect(saved).toBeGreaterThan(WORLDS / 100);
    expect(sends).toBeGreaterThan(WORLDS);
    expect(offers).toBeGreaterThan(WORLDS / 10);
    expect(held).toBeGreaterThan(WORLDS / 10);
  });
});
