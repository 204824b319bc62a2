/**
 * P4. When a recipient's quiet hours end, if they are now. Asks for time zones (period.ts), so no
 * workflow and no `reduce.ts` imports it: the answer enters an alert as data.
 * Each night is one stretch of time, from the instant of its beginning to that of its end: a
 *      time that the clock skips is as much later, of one that comes twice the first one counts.
 */
import { DAY_MS, floorMod } from './civil.js';
import { instantOf, isZone, localOf } from './period.js';
import type { QuietHours } from './preferences.js';

const MINUTE_MS = 60_000;

/** `07:30 -> 450`; undefined where it is no time of day. */
export function minuteOfDay(text: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  return Number(hours) * 60 + Number(minutes);
}

/** Epoch ms of their end; undefined: they are not now. A zone that is unknown here counts as UTC. */
export function quietUntil(
  { from, to }: Pick<QuietHours, 'from' | 'to'>,
  zone: string,
  now: number,
): number | undefined {
  const [begins, ends] = [minuteOfDay(from), minuteOfDay(to)];
  if (begins === undefined || ends === undefined || begins === ends) return undefined;
  const known = isZone(zone) ? zone : 'UTC';
  const local = localOf(known, now);
  const today = local - floorMod(local, DAY_MS);
  // Yesterday's night may reach into today; a clock that was put back may be in yesterday again.
  for (const day of [today - DAY_MS, today, today + DAY_MS]) {
    const startsAt = instantOf(known, day + begins * MINUTE_MS);
    const over = ends > begins ? day : day + DAY_MS;
    const endsAt = instantOf(known, over + ends * MINUTE_MS);
    if (startsAt <= now && now < endsAt) return endsAt;
  }
  return undefined;
}
