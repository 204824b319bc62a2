/** `Retry-After` in both of its forms. It stretches the ladder, never shortens it (A3). */

/** Nobody may mute an alert for longer than this by a header. */
const LONGEST_MS = 3_600_000;
/** A wait beyond this is a broken server, and says nothing. */
const ABSURD_MS = 7 * 86_400_000;

/**
 * Milliseconds to wait, at most one hour; undefined where the header says nothing usable.
 * `'120' -> 120_000`, `'Wed, 21 Oct 2026 07:28:00 GMT' -> until then`, `'-5' -> undefined`.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const value = header?.trim() ?? '';
  let wait: number;
  if (/^\d+$/.test(value)) wait = Number(value) * 1_000;
  // Only dates that name GMT: anything else would be read in this machine's own zone.
  else if (/^[A-Za-z]{3,9}, .* GMT$/.test(value)) wait = Date.parse(value) - now;
  else return undefined;
  if (!Number.isFinite(wait) || wait < 0 || wait > ABSURD_MS) return undefined;
  return Math.min(wait, LONGEST_MS);
}
