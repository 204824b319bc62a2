/** The word that somebody most likely meant. */

/**
 * Of `known` the one with the fewest changes, at most `most`; undefined where none is that near.
 * Of several that are as near, the first. Work grows with the words' lengths: callers bound them.
 */
export function nearestWord(
  word: string,
  known: readonly string[],
  most: number,
): string | undefined {
  const [nearest] = known
    .filter((each) => Math.abs(each.length - word.length) <= most)
    .map((each) => ({ each, distance: distanceOf(word, each) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return nearest?.each;
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
