/**
 * A command or a value that was not taken, and why. A value, never thrown in domain/: the rim
 * turns it into an answer (HTTP problem, failed update, error at construction).
 */
export interface Refusal {
  /** Stable, for programs: `ratio_out_of_range`. */
  readonly code: string;
  /** For people: subject, cause and what was expected; never a secret. */
  readonly message: string;
  /** Where in the input the fault is: `channels[0].threshold`. */
  readonly path?: string;
}

/** Builds a refusal; `path` only where the caller knows it. */
export function refuse(code: string, message: string, path?: string): Refusal {
  return path === undefined ? { code, message } : { code, message, path };
}

/** Tells a refusal from the value that was asked for. */
export function isRefusal(value: unknown): value is Refusal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
