import fc from 'fast-check';
import { expect, test } from 'vitest';
import { levelOf, priorityOf, severityOf } from '../../domain/severity.js';
import { SEVERITIES } from '../../domain/words.js';

test.each([
  [1, 'warning', 'medium', 'WARN'],
  [8_999, 'warning', 'medium', 'WARN'],
  [9_000, 'error', 'high', 'ALERT'],
  [9_999, 'error', 'high', 'ALERT'],
  [10_000, 'critical', 'critical', 'CRITICAL'],
] as const)('T6: a threshold of %d bps is %s, priority %s, level %s', (bps, ...words) => {
  const severity = severityOf(bps);
  expect([severity, priorityOf(severity), levelOf(severity)]).toEqual(words);
});

test('T6: a higher threshold is never less severe', () => {
  const bps = fc.integer({ min: 1, max: 10_000 });
  const rank = (threshold: number) => SEVERITIES.indexOf(severityOf(threshold));
  fc.assert(
    fc.property(bps, bps, (a, b) => {
      expect(rank(Math.max(a, b))).toBeGreaterThanOrEqual(rank(Math.min(a, b)));
    }),
  );
});
