/**
 * One thing that is looked at, and what was found.
 * DR-1. A check that does not end in its time has failed: a hang is a finding.
 * DR-2. What a check throws is its finding. No finding holds a secret: checks name variables,
 *       hosts and ids of keys, never a value.
 */
export type State = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly name: string;
  readonly state: State;
  readonly seen: string;
  /** What to do about it; absent where nothing is to be done. */
  readonly next?: string;
}

export type Found = Omit<Finding, 'name'>;

export interface Check {
  readonly name: string;
  /** @default the doctor's own bound */
  readonly withinMs?: number;
  readonly look: () => Found | Promise<Found>;
  /** What to do where it throws or hangs. */
  readonly next: string;
}

export const ok = (seen: string): Found => ({ state: 'ok', seen });
export const warn = (seen: string, next: string): Found => ({ state: 'warn', seen, next });
export const fail = (seen: string, next: string): Found => ({ state: 'fail', seen, next });

/** Where what it needs is not there: the check of that says why. */
export const notLookedAt = (first: string): Found => warn(NOT_LOOKED_AT, `see \`${first}\` first`);
export const NOT_LOOKED_AT = 'not looked at';

/** Never rejects. */
export async function finding(check: Check, withinMs: number): Promise<Finding> {
  const bound = check.withinMs ?? withinMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Found>((resolve) => {
    timer = setTimeout(() => {
      resolve(fail(`no answer within ${String(bound / 1_000)} s`, check.next));
    }, bound);
  });
  const looked = (async () => check.look())().catch((error: unknown) =>
    fail(causeOf(error), check.next),
  );
  try {
    return { name: check.name, ...(await Promise.race([looked, late])) };
  } finally {
    clearTimeout(timer);
  }
}

/** The first line: what follows may quote what was asked. */
export function causeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').slice(0, 300);
}
