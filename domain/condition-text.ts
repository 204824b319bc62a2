/**
 * R1. What a condition may be written with, before it is read: text on one line. Rules that were
 * made before hold as they are.
 */
import type { ConditionFault } from './rule.js';
import { refuse } from './refusal.js';

// Of a pair of surrogates neither half is found with `u`.
const NO_TEXT = /[\p{Surrogate}\u2028\u2029]|(?!\t)\p{Cc}/u;

/** The first character that is no text on one line; undefined where all are. */
export function conditionTextFault(text: string): ConditionFault | undefined {
  const at = text.search(NO_TEXT);
  if (at < 0) return undefined;
  const what = /[\n\r\u2028\u2029]/.test(text.charAt(at))
    ? 'a line break: a condition is one line'
    : 'is no text (a control character, or half a surrogate pair)';
  const position = at + 1;
  const message = `character ${String(position)}: ${what}`;
  return { ...refuse('bad_condition', message, 'condition'), position };
}
