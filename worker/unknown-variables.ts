/** Names that nobody reads are mostly mistyped: they are told at the start, never refused. */
import type { Environment } from './config.js';
import { VARIABLES } from './variables.js';

/** Read by commands, scripts and the embedded parts, not by the service. */
const READ_ELSEWHERE: readonly string[] = [
  'KAVACH_URL',
  'KAVACH_API_KEY',
  'KAVACH_CACHE_DIR',
  'KAVACH_LEDGER_PORT',
];
/** More changes than this is another word. */
const NEAR = 3;

/** `KAVACH_PROT is no setting: it has no effect. Did you mean KAVACH_PORT?`, one a name. */
export function unknownVariables(environment: Environment): readonly string[] {
  const known = [...Object.keys(VARIABLES.shape), ...READ_ELSEWHERE];
  return Object.keys(environment)
    .filter((name) => /^(?:AGENT)?KAVACH_/.test(name) && !known.includes(name))
    .filter((name) => !OF_THE_SDK.has(name))
    .sort()
    .map((name) => {
      const [nearest] = known
        .map((each) => ({ each, distance: distanceOf(name, each) }))
        .filter(({ distance }) => distance <= NEAR)
        .sort((a, b) => a.distance - b.distance);
      const hint =
        nearest === undefined
          ? 'docs/guides/run.md lists the settings'
          : `did you mean ${nearest.each}?`;
      return `${name} is no setting and has no effect: ${hint}`;
    });
}

/** Agents on this machine have these; the service does not. */
const OF_THE_SDK: ReadonlySet<string> = new Set(['AGENTKAVACH_BACKEND_URL', 'AGENTKAVACH_API_KEY']);

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
