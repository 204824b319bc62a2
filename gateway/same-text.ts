/** Comparing what somebody gave with what only we can make. */
import { timingSafeEqual } from 'node:crypto';

/** Takes the same time wherever they differ. */
export function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
