/** What is wrong with one field of an event, in words. */

/** `path` is relative to the event: `cost`. */
export interface EventFault {
  readonly type: 'fault';
  readonly path: string;
  readonly problem: string;
}

export function fault(path: string, problem: string): EventFault {
  return { type: 'fault', path, problem };
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** They come as strings (body.ts). */
export function isNotFinite(value: unknown): value is string {
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity';
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (isNotFinite(value)) return value;
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Array.isArray(value) ? 'an array' : 'an object';
}
