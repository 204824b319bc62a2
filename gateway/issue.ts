/** What is wrong with an input, in our words: `expected a number, got a string`. */
import type { z } from 'zod';

/** `input` is the whole of what was parsed: the fault's place in it says what was there. */
export function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  const given = kindOf(valueAt(input, issue.path));
  if (issue.code === 'invalid_type') {
    const wanted = withArticle(issue.expected);
    return given === 'nothing'
      ? `is missing: expected ${wanted}`
      : `expected ${wanted}, got ${given}`;
  }
  if (issue.code === 'invalid_value') {
    return `expected ${oneOf(issue.values.map((value) => JSON.stringify(value)))}, got ${given}`;
  }
  if (issue.code === 'too_big') {
    return `expected ${bound(issue.origin, `at most ${String(issue.maximum)}`)}`;
  }
  if (issue.code === 'too_small') {
    const least = issue.inclusive === false ? 'more than' : 'at least';
    return `expected ${bound(issue.origin, `${least} ${String(issue.minimum)}`)}`;
  }
  // It may name what was sent: members that are not known.
  return cut(issue.message, 200);
}

/** Well-formed, and no longer than `limit` characters. */
export function cut(text: string, limit: number): string {
  return text.length <= limit ? text.toWellFormed() : `${text.slice(0, limit - 1)}…`.toWellFormed();
}

function bound(origin: string, words: string): string {
  if (origin === 'string') return `${words} characters`;
  return origin === 'array' ? `${words} entries` : `a number of ${words}`;
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? (words[0] ?? '') : `one of ${words.join(', ')}`;
}

/** `object -> an object`. */
function withArticle(noun: string): string {
  const word = noun === 'int' ? 'whole number' : noun;
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null
        ? (value as Readonly<Record<PropertyKey, unknown>>)[part]
        : undefined,
    input,
  );
}

/** What JSON calls it; the value itself is not repeated: it may be a secret. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  // Python writes them bare; body.ts has made strings of them.
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value;
  if (Array.isArray(value)) return 'an array';
  return withArticle(typeof value);
}
