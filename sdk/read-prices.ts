/** Prices and bounds as an author gives them: USD, checked. */
import {
  fault,
  inside,
  readFields,
  readInteger,
  refuseUnknown,
  seen,
  type Place,
} from './faults.js';
import type { CallBound } from './options.js';
import type { ModelRates } from './price.js';

const RATES: readonly (keyof ModelRates)[] = ['input', 'output', 'cacheRead', 'cacheWrite'];

/** The dearest a million tokens may be: with it 2^53 nano-USD still hold 9,000 million tokens. */
const MOST_USD = 1_000_000;

export function readPrices(
  value: unknown,
  place: Place,
): Readonly<Record<string, ModelRates>> | undefined {
  const models = readFields(value, place);
  if (models === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(models).map(([model, rates]) => {
      const at = inside(place, model.slice(0, 100));
      return [model, readRates(rates, at)];
    }),
  );
}

function readRates(value: unknown, place: Place): ModelRates {
  const rates = readFields(value, place) ?? {};
  refuseUnknown(rates, RATES, place);
  for (const name of RATES) {
    if (rates[name] === undefined && (name === 'cacheRead' || name === 'cacheWrite')) continue;
    const rate = rates[name];
    if (typeof rate === 'number' && rate >= 0 && rate <= MOST_USD) continue;
    fault(inside(place, name), 'USD a million tokens, from 0 to 1,000,000', seen(rate));
  }
  return rates as unknown as ModelRates;
}

export function readCallBound(value: unknown, place: Place): CallBound | undefined {
  const fields = readFields(value, place);
  if (fields === undefined) return undefined;
  refuseUnknown(fields, ['usd', 'tokens'], place);
  const { usd, tokens } = fields;
  if (usd !== undefined && !(typeof usd === 'number' && usd >= 0 && usd <= 9_007_199)) {
    fault(inside(place, 'usd'), 'an amount in USD from 0 to 9,007,199', seen(usd));
  }
  if (tokens !== undefined) readInteger(tokens, inside(place, 'tokens'), 0);
  return fields;
}
