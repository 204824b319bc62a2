/** B1. Amounts as people and SDKs write them -> integers in the dimension's unit. */
import { usdToNanos } from '../domain/money.js';
import { isRefusal } from '../domain/refusal.js';
import type { Dimension } from '../domain/words.js';
import { unprocessable } from './schemas.js';

/** USD for cost; throws a `Problem` (422) at `path`. */
export function readAmount(dimension: Dimension, value: number, path: string): number {
  if (dimension === 'cost') {
    const nanos = usdToNanos(value);
    if (isRefusal(nanos)) throw unprocessable(path, nanos.message);
    if (nanos === 0) throw unprocessable(path, 'is below a billionth of a dollar');
    return nanos;
  }
  // The Python SDK multiplies seconds by 1000.0, which need not come out whole.
  const amount = dimension === 'duration' ? Math.max(1, Math.floor(value + 0.5)) : value;
  if (Number.isSafeInteger(amount)) return amount;
  throw unprocessable(path, `must be an integer from 1 to 2^53 - 1, not ${String(value)}`);
}
