/**
 * B6. What a call cost. A cost counts as given only if it is above 0, or both token counts are 0;
 * otherwise the price library says, and what it cannot say is `unpriced`, never silently 0.
 * G-P1. Rounded half up to the nano once per event; flat prices are integers of pico-USD a token.
 * G-P2. Prices are those of the installed package: nothing is fetched.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { calcPrice, type PriceCalculationResult } from '@pydantic/genai-prices';
import { usdToNanos } from '../domain/money.js';
import { isRefusal } from '../domain/refusal.js';

export interface Call {
  readonly provider: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** As sent, nano-USD. */
  readonly costReported: number;
  /** Epoch ms: some prices depend on it. */
  readonly at: number;
}

export interface Price {
  /** Nano-USD. */
  readonly costUsed: number;
  /** Present when the library priced it: `genai-prices@0.1.8`. */
  readonly priceVersion?: string;
  readonly unpriced: boolean;
}

export interface Pricer {
  readonly version: string;
  price(call: Call): Price;
}

/** Pico-USD a token. */
interface FlatRate {
  readonly input: number;
  readonly output: number;
}
type Rate = FlatRate | 'by_call' | 'unknown';

/** Models are named by whoever sends: what is remembered of them is bounded. */
const REMEMBERED_MODELS = 5_000;

/** A pricer over the bundled price list; keep one, it remembers the rates it has looked up. */
export function createPricer(): Pricer {
  const version = `genai-prices@${installedVersion()}`;
  const rates = new Map<string, Rate>();

  function rateOf(call: Call): Rate {
    const name = `${call.provider}\n${call.model}`;
    let rate = rates.get(name);
    if (rate === undefined) {
      rate = lookUpRate(call);
      if (rates.size >= REMEMBERED_MODELS) rates.clear();
      rates.set(name, rate);
    }
    return rate;
  }

  function price(call: Call): Price {
    const { costReported, inputTokens, outputTokens } = call;
    if (costReported > 0 || (inputTokens === 0 && outputTokens === 0)) {
      return { costUsed: costReported, unpriced: false };
    }
    const rate = rateOf(call);
    const nanos =
      rate === 'unknown'
        ? undefined
        : rate === 'by_call'
          ? libraryCost(call)
          : flatCost(rate, inputTokens, outputTokens);
    return nanos === undefined
      ? { costUsed: 0, unpriced: true }
      : { costUsed: nanos, priceVersion: version, unpriced: false };
  }
  return { version, price };
}

function flatCost(rate: FlatRate, inputTokens: number, outputTokens: number): number | undefined {
  const picos = inputTokens * rate.input + outputTokens * rate.output;
  // Below 2^53 every product and the sum are exact.
  if (picos < Number.MAX_SAFE_INTEGER - 500) return Math.floor((picos + 500) / 1_000);
  const exact =
    BigInt(inputTokens) * BigInt(rate.input) + BigInt(outputTokens) * BigInt(rate.output);
  return withinBounds(Number((exact + 500n) / 1_000n));
}

function libraryCost(call: Call): number | undefined {
  const found = lookUp(call);
  if (found === null) return undefined;
  const nanos = usdToNanos(found.total_price);
  return isRefusal(nanos) ? undefined : nanos;
}

/** A price past what the ledger can hold is no price (B1). */
function withinBounds(nanos: number): number | undefined {
  return Number.isSafeInteger(nanos) ? nanos : undefined;
}

function lookUpRate(call: Call): Rate {
  const found = lookUp({ ...call, inputTokens: 1, outputTokens: 1 });
  if (found === null) return 'unknown';
  const { model, model_price: price } = found;
  // Prices by date or hour, by the size of the call, or by the request, are asked for every time.
  if (Array.isArray(model.prices) || price['requests_kcount'] !== undefined) return 'by_call';
  const input = picosPerToken(price['input_mtok']);
  const output = picosPerToken(price['output_mtok']);
  return input === undefined || output === undefined ? 'by_call' : { input, output };
}

/** USD a million tokens is millionths of a dollar a token; undefined where that is no integer. */
function picosPerToken(usdPerMillion: unknown): number | undefined {
  if (typeof usdPerMillion !== 'number') return undefined;
  const picos = Math.round(usdPerMillion * 1e6);
  return picos / 1e6 === usdPerMillion ? picos : undefined;
}

/** By the provider that was named, else by the model's name alone (proxies have names of their own). */
function lookUp({ provider, model, inputTokens, outputTokens, at }: Call): PriceCalculationResult {
  const usage = { input_tokens: inputTokens, output_tokens: outputTokens };
  const timestamp = new Date(at);
  try {
    const named = calcPrice(usage, model, { providerId: provider, timestamp });
    return named ?? calcPrice(usage, model, { timestamp });
  } catch {
    // The library throws on usage it has no price for: to us that is a model without a price.
    return null;
  }
}

/** The package does not export its package.json. */
function installedVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@pydantic/genai-prices');
  const text = readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
