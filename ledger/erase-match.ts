/** How a person is recognised in what the ledger holds: an address in any text, a name alone. */

export type Person =
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'phone'; readonly value: string }
  | { readonly kind: 'user'; readonly value: string };

/** What stands in its place. */
export const ERASED = 'erased';

/** Characters that mean something in a regular expression, of JavaScript and of Postgres alike. */
export const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&');

/** Whole addresses only: `na@example.com` is not found in `ana@example.com`, nor `.com` in `.com.au`. */
function emailPattern(email: string): string {
  const written = literally(email).replace('@', '(?:@|%40)');
  return `(?<![A-Za-z0-9._%+-])${written}(?![A-Za-z0-9-])(?!\\.[A-Za-z0-9])`;
}

/** With its `+`, whatever people put between the digits. */
function phonePattern(phone: string): string {
  const digits = phone.replace(/\D/g, '').split('').join('[ ().-]*');
  return `(?:\\+|%2B)[ ]*${digits}(?![0-9])`;
}

/** For text, in the syntax that JavaScript and Postgres share; undefined: only whole names count. */
export function patternOf({ kind, value }: Person): string | undefined {
  switch (kind) {
    case 'email':
      return emailPattern(value);
    case 'phone':
      return phonePattern(value);
    case 'user':
      return undefined;
  }
}

/** What `by` may say of the person; somebody who came by a link is marked so. */
export function namesOf({ value }: Person): readonly string[] {
  return [value, `${value} (link)`];
}

/** A fault of what was given, or undefined. */
export function refusePerson({ kind, value }: Person): string | undefined {
  switch (kind) {
    case 'email':
      return /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(value) ? undefined : 'expected one email address';
    case 'phone':
      return /^\+[1-9]\d{6,14}$/.test(value.replace(/[ ().-]/g, ''))
        ? undefined
        : 'expected a number with its country, as +15551234567';
    case 'user':
      return value.trim() === '' ? 'expected a name' : undefined;
  }
}
