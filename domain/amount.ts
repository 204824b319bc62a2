/** An amount of a dimension for people: each dimension has its own unit (B1, spec §4 Formats). */
import { formatDuration } from './duration.js';
import { formatMoney, groupDigits, plainMoney } from './money.js';
import { assertNever } from './step.js';
import type { Dimension } from './words.js';

/** With its unit: `$4.13`, `12,345 tokens`, `1 call`, `2m 5s`. */
export function formatAmount(dimension: Dimension, amount: number): string {
  switch (dimension) {
    case 'cost':
      return formatMoney(amount);
    case 'tokens_total':
      return counted(amount, 'token');
    case 'calls':
      return counted(amount, 'call');
    case 'duration':
      return formatDuration(amount);
    default:
      return assertNever(dimension);
  }
}

/** The same as Markdown's code: in Temporal's UI two plain `$` in a line are read as mathematics. */
export function codeAmount(dimension: Dimension, amount: number): string {
  return `\`${formatAmount(dimension, amount)}\``;
}

/** The bare number, in `unitOf` the dimension: `4.13` (USD), `12345`, `90000` (ms). */
export function plainAmount(dimension: Dimension, amount: number): string {
  return dimension === 'cost' ? plainMoney(amount) : String(amount);
}

const UNITS = {
  cost: 'USD',
  tokens_total: 'tokens',
  calls: 'calls',
  duration: 'ms',
} as const satisfies Record<Dimension, string>;

/** The unit of `plainAmount`. */
export function unitOf(dimension: Dimension): string {
  return UNITS[dimension];
}

function counted(amount: number, noun: string): string {
  return `${groupDigits(String(amount))} ${noun}${amount === 1 ? '' : 's'}`;
}
