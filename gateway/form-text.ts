/** Texts that people type into forms. */
import { onOneLine } from '../domain/plain-text.js';

/** Without what no store can hold, and on one line. */
export function cleaned(text: string | null, limit: number): string {
  return onOneLine(text ?? '')
    .slice(0, limit)
    .toWellFormed();
}
