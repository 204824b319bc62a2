/**
 * Mistakes in what an author gave: collected, so that one construction names all of them. A value
 * that may be a secret is never shown, only its kind.
 */
import { nearestWord } from '../domain/nearest.js';

export interface Fault {
  /** `channels[0].threshold`. */
  readonly path: string;
  /** What was given, for people; of a secret only the kind. */
  readonly given: string;
  readonly expected: string;
}

/** A place in the author's options, with the list that its faults go to. */
export interface Place {
  readonly path: string;
  readonly faults: Fault[];
}

export function placeOf(path: string, faults: Fault[] = []): Place {
  return { path, faults };
}

export function inside(place: Place, name: string): Place {
  return { path: place.path === '' ? name : `${place.path}.${name}`, faults: place.faults };
}

/** Notes a fault; whoever reads the value yields undefined then. */
export function fault(place: Place, expected: string, given: string): void {
  place.faults.push({ path: place.path, expected, given });
}

/** `-5`, `"dayly"`, `a function`: for values that are no secrets. */
export function seen(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'number' || typeof value === 'boolean') {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  return kindOf(value);
}

/** `a string of 12 characters`: for values that may be secrets. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') {
    return value === '' ? 'an empty string' : `a string of ${String(value.length)} characters`;
  }
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Any object of named values; everything else is a fault. */
export function readFields(
  value: unknown,
  place: Place,
): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  fault(place, 'an object with named options', kindOf(value));
  return undefined;
}

/** Names that nobody reads are mistakes too; the nearest known one is told. */
export function refuseUnknown(
  fields: Readonly<Record<string, unknown>>,
  known: readonly string[],
  place: Place,
): void {
  for (const name of Object.keys(fields)) {
    if (known.includes(name)) continue;
    const near = nearestWord(camelCase(name).slice(0, 60), known, 3);
    const expected = near === undefined ? `one of ${known.join(', ')}` : `${near}, perhaps`;
    fault(inside(place, name.slice(0, 60)), expected, 'an option of a name nobody knows');
  }
}

/** `on_kill` -> `onKill`: as the Python SDK names them. */
function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function readText(value: unknown, place: Place, most = 200): string | undefined {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= most) return value;
  fault(place, `a text of 1 to ${String(most)} characters`, kindOf(value));
  return undefined;
}

/** A key, a signing secret: printable, never shown. */
export function readSecret(value: unknown, place: Place): string | undefined {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value;
  fault(place, 'printable characters without spaces', kindOf(value));
  return undefined;
}

export function readHttpUrl(value: unknown, place: Place): string | undefined {
  if (typeof value === 'string' && isHttpUrl(value)) return value;
  fault(place, 'an http or https URL', kindOf(value));
  return undefined;
}

function isHttpUrl(text: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

export function readBoolean(value: unknown, place: Place): boolean | undefined {
  if (typeof value === 'boolean') return value;
  fault(place, 'true or false', seen(value));
  return undefined;
}

export function readInteger(value: unknown, place: Place, least = 1): number | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  fault(place, `an integer from ${String(least)} up`, seen(value));
  return undefined;
}

export function readOneOf<Word extends string>(
  value: unknown,
  words: readonly Word[],
  place: Place,
): Word | undefined {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  const near = typeof value === 'string' ? nearestWord(value.slice(0, 60), words, 2) : undefined;
  const hint = near === undefined ? '' : ` (${near}, perhaps)`;
  fault(place, `one of ${words.join(', ')}${hint}`, seen(value));
  return undefined;
}

export function readFunction(
  value: unknown,
  place: Place,
  expected: string,
): ((...given: never[]) => unknown) | undefined {
  if (typeof value === 'function') return value as (...given: never[]) => unknown;
  fault(place, expected, kindOf(value));
  return undefined;
}
