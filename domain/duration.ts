/** Durations for people. */

/**
 * Integer milliseconds, rounded down to what is shown: `850ms`, `12.3s`, `2m 5s`, `1h 5m`, `30m`.
 * Hours are the largest unit: limits on runs are thought of in hours.
 */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${String(ms)}ms`;
  if (ms < 60_000) return `${String(Math.floor(ms / 100) / 10)}s`;
  if (ms < 3_600_000) return pair(ms, 60_000, 'm', 1_000, 's');
  return pair(ms, 3_600_000, 'h', 60_000, 'm');
}

/** Two neighbouring units, the smaller one only where it is not 0. */
function pair(ms: number, large: number, largeName: string, small: number, smallName: string) {
  const rest = Math.floor((ms % large) / small);
  const whole = `${String(Math.floor(ms / large))}${largeName}`;
  return rest === 0 ? whole : `${whole} ${String(rest)}${smallName}`;
}
