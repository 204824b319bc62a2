/** Picks the zone in which the demo's day is: none whose midnight could fall into the play (B2). */
import { periodAt } from '../../domain/period.js';

/** Spread round the clock, so that at any moment most of them are far from midnight. */
const ZONES = ['UTC', 'America/Los_Angeles', 'Asia/Tokyo', 'America/New_York', 'Asia/Kolkata'];

/** The first zone whose local day goes on for `forMs` more; throws where a play is longer than that. */
export function chooseZone(now: number, forMs: number): string {
  const found = ZONES.find((zone) => periodAt('daily', zone, now).endsAt - now >= forMs);
  if (found !== undefined) return found;
  const hours = String(Math.ceil(forMs / 3_600_000));
  throw new Error(
    `The play would take ${hours} h, and no time zone is that far from midnight: raise --speed`,
  );
}
