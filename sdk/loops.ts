/** An agent that repeats itself: a pattern of 2 to 5 calls, again and again. Pure. */

/** What one call was: its model and the first tool that its answer asked for. */
export type CallPattern = readonly [model: string, tool: string | undefined];

const SHORTEST = 2;
const LONGEST = 5;

/** What must be remembered to see the longest pattern `threshold` times. */
export function remembered(
  recent: readonly CallPattern[],
  call: CallPattern,
  threshold: number,
): readonly CallPattern[] {
  return [...recent, call].slice(-LONGEST * threshold);
}

/** The shortest pattern that the calls end with `threshold` times in a row. */
export function repeatedPattern(
  recent: readonly CallPattern[],
  threshold: number,
): readonly CallPattern[] | undefined {
  for (let length = SHORTEST; length <= LONGEST; length += 1) {
    const tail = recent.slice(-length * threshold);
    if (tail.length < length * threshold) return undefined;
    const pattern = tail.slice(0, length);
    if (tail.every((call, index) => isSame(call, pattern[index % length]))) return pattern;
  }
  return undefined;
}

function isSame(a: CallPattern, b: CallPattern | undefined): boolean {
  return b !== undefined && a[0] === b[0] && a[1] === b[1];
}
