/** Texts that people type into forms. */

/** Without what no store can hold, and on one line. */
export function cleaned(text: string | null, limit: number): string {
  return (text ?? '')
    .toWellFormed()
    .replace(/[\s\p{Cc}\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .trim()
    .slice(0, limit)
    .toWellFormed();
}
