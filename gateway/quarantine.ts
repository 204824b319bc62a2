/** A bad event as it is kept: readable, at most 4 KiB, without the prompt it may carry. */
import type { QuarantinedEvent } from '../ledger/ledger.js';

const MAX_RAW_BYTES = 4_096;

/** `fault.path` is the event's place in its batch. */
export function quarantinedEvent(
  org: string,
  at: number,
  fault: { readonly path: string; readonly message: string },
  raw: unknown,
  what: 'usage' | 'metrics' = 'usage',
): QuarantinedEvent {
  return { what, org, at, path: fault.path, problem: fault.message, raw: readableText(raw) };
}

/** JSON escapes NUL and lone surrogates, so what is left is text that any store can hold. */
function readableText(raw: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(raw, (key, value: unknown) => (key === 'prompt' ? undefined : value));
  } catch {
    // Nested so deeply that writing it out passes the stack.
    return '(nested too deeply to be kept)';
  }
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_RAW_BYTES) return text;
  // A character cut in two would read as U+FFFD, which is three bytes again.
  return (
    bytes
      .subarray(0, MAX_RAW_BYTES - 3)
      .toString('utf8')
      .replace(/\ufffd$/, '') + '…'
  );
}
