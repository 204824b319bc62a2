/** Keeps addresses and secrets out of what people and logs read (C-4). */
import { onOneLine } from '../domain/plain-text.js';

const MARK = '[redacted]';

/**
 * One short line of a provider's words without URLs, email addresses, long tokens and the given
 * secrets. Providers do repeat what they were sent, so their text is never used as it comes.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // Longest first, so that a secret which contains another leaves nothing behind.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret !== '') clean = clean.replaceAll(secret, MARK);
  }
  const marked = clean
    .replace(/[a-z][a-z0-9+.-]*:\/\/\S+/gi, MARK)
    .replace(/[^\s<>"`(]+@[^\s<>"'`),;]+/g, MARK)
    .replace(/[A-Za-z0-9_+/=-]{24,}/g, MARK);
  return onOneLine(marked).slice(0, 160);
}
