/**
 * Statements whose parameters have names: `@org` in the text is `$1`, the next new name `$2`.
 * N-1. A text made of parts has no gap in its numbers, whichever parts it has: a parameter that
 *      nothing uses has no type, and such a statement cannot be prepared.
 */
import type { Value } from './literals.js';

export interface NamedStatement<Name extends string> {
  readonly text: string;
  /** In the order of their numbers. */
  readonly values: (given: Readonly<Record<Name, Value>>) => readonly Value[];
}

export function named<Name extends string>(text: string): NamedStatement<Name> {
  const names: Name[] = [];
  const numbered = text.replace(/@([a-z]+)/gi, (_, word: string) => {
    const name = word as Name;
    if (!names.includes(name)) names.push(name);
    return `$${String(names.indexOf(name) + 1)}`;
  });
  return { text: numbered, values: (given) => names.map((name) => given[name]) };
}
