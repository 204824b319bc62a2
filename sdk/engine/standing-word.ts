/** The gateway's word about how an agent stands, of the live channel and of a sync's answer. */

export interface StandingWord {
  readonly stopped?: { readonly at: string; readonly by: string; readonly why: string };
  readonly killed?: {
    readonly periodId: string;
    readonly cadence: string;
    readonly dimension?: string;
    /** ISO 8601. */
    readonly at: string;
    readonly resetsAt?: string;
  };
}

/**
 * Reads `{stopped, killed}`; undefined: these are not the gateway's words. A budget that is only
 * used up (`killed` without a moment) is left to the leases: room may come back to it any time.
 */
export function readStanding(value: unknown): StandingWord | undefined {
  if (!isObject(value)) return undefined;
  const { stopped, killed } = value;
  const isKilled = isObject(killed) && isText(killed['at']);
  return {
    ...(isObject(stopped)
      ? {
          stopped: {
            at: textOf(stopped['at']),
            by: textOf(stopped['by']),
            why: textOf(stopped['why']),
          },
        }
      : {}),
    ...(isKilled ? { killed: readKilled(killed) } : {}),
  };
}

function readKilled(
  killed: Readonly<Record<string, unknown>>,
): NonNullable<StandingWord['killed']> {
  const { dimension, resets_at: resetsAt } = killed;
  return {
    periodId: textOf(killed['period_id']),
    cadence: textOf(killed['cadence']),
    at: textOf(killed['at']),
    ...(isText(dimension) ? { dimension } : {}),
    ...(isText(resetsAt) ? { resetsAt } : {}),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function textOf(value: unknown): string {
  return isText(value) ? value : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
