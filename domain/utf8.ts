/** UTF-8 without TextEncoder, which is no part of the language and not of every sandbox. */

/** What stands for a surrogate without its other half. */
const REPLACEMENT = 0xfffd;

/** The bytes of one code point, in the general form that has bytes for lone surrogates too. */
export function codePointBytes(codePoint: number): number[] {
  if (codePoint < 0x80) return [codePoint];
  const tail = 0x80 | (codePoint & 0x3f);
  if (codePoint < 0x800) return [0xc0 | (codePoint >> 6), tail];
  const middle = 0x80 | ((codePoint >> 6) & 0x3f);
  if (codePoint < 0x10000) return [0xe0 | (codePoint >> 12), middle, tail];
  return [0xf0 | (codePoint >> 18), 0x80 | ((codePoint >> 12) & 0x3f), middle, tail];
}

/** True for half a pair; iterating a string yields such a code point only where it is alone. */
export function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

/** The code points of a text; lone surrogates come through as they are. */
export function codePoints(text: string): number[] {
  return Array.from(text, (char) => char.codePointAt(0) ?? REPLACEMENT);
}

/** Valid UTF-8 of any text, lone surrogates as U+FFFD. */
export function utf8Bytes(text: string): number[] {
  return codePoints(text).flatMap((codePoint) =>
    codePointBytes(isSurrogate(codePoint) ? REPLACEMENT : codePoint),
  );
}
