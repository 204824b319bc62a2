/**
 * B6. What a call costs, nano-USD: by the author's prices, else by the price library, exactly as
 * the gateway rounds it. What neither knows has no price; it is never silently 0.
 * PR-1. The same function prices the worst case and what came of it, so the bound cannot be
 *       missed by rounding.
 */
import { calcPrice, type PriceCalculation } from '@pydantic/genai-prices';
import { usdToNanos } from '../domain/money.js';
import { isRefusal } from '../domain/refusal.js';

/** USD a million tokens. */
export interface ModelRates {
  readonly input: number;
  readonly output: number;
  /** @default as input */
  readonly cacheRead?: number;
  /** @default as input */
  readonly cacheWrite?: number;
}

/** In the words of the price library; cached, audio and reasoning tokens are parts of the two. */
export interface BilledTokens extends Readonly<Record<string, number>> {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

export interface PricedModel {
  readonly provider: string;
  readonly model: string;
  /** Epoch ms: some prices depend on it. */
  readonly at: number;
}

export interface Pricer {
  /** Nano-USD; undefined: nobody knows. */
  cost(model: PricedModel, tokens: BilledTokens): number | undefined;
  /** The most that so many tokens cost, whatever their kind. */
  worstCost(model: PricedModel, tokens: WorstTokens): number | undefined;
  /** Tokens; an answer and its question are never more. */
  contextWindow(model: PricedModel): number | undefined;
}

export interface WorstTokens {
  readonly input: number;
  readonly output: number;
  /** Sound goes in or comes out. */
  readonly audio: boolean;
}

/** Pico-USD a token. */
interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

export function createPricer(overrides: Readonly<Record<string, ModelRates>> = {}): Pricer {
  const own = new Map(
    Object.entries(overrides).map(([model, rates]) => [model, ratesOf(rates)] as const),
  );

  function cost(model: PricedModel, tokens: BilledTokens): number | undefined {
    const rates = own.get(model.model);
    if (rates !== undefined) return flatCost(rates, tokens);
    const found = lookUp(model, tokens);
    if (found === undefined) return undefined;
    const flat = flatRates(found, tokens);
    if (flat !== undefined) return flatCost(flat, tokens);
    const nanos = usdToNanos(found.total_price);
    return isRefusal(nanos) ? undefined : nanos;
  }

  function worstCost(model: PricedModel, worst: WorstTokens): number | undefined {
    const { input, output, audio } = worst;
    const plain = { input_tokens: input, output_tokens: output };
    const kinds: BilledTokens[] = [
      plain,
      // What is kept for an hour is the dearest; where that has no price of its own, as any.
      { ...plain, cache_write_tokens: input, cache_write_1h_tokens: input },
      ...(audio
        ? [
            { ...plain, input_audio_tokens: input },
            { ...plain, output_audio_tokens: output },
            { ...plain, input_audio_tokens: input, output_audio_tokens: output },
          ]
        : []),
    ];
    const costs = kinds.flatMap((tokens) => cost(model, tokens) ?? []);
    return costs.length === 0 ? undefined : Math.max(...costs);
  }

  function contextWindow(model: PricedModel): number | undefined {
    const found = lookUp(model, { input_tokens: 1, output_tokens: 1 });
    return found?.model.context_window;
  }
  return { cost, worstCost, contextWindow };
}

function ratesOf({ input, output, cacheRead = input, cacheWrite = input }: ModelRates): Rates {
  return {
    input: picosPerToken(input),
    output: picosPerToken(output),
    cacheRead: picosPerToken(cacheRead),
    cacheWrite: picosPerToken(cacheWrite),
  };
}

/** USD a million tokens is millionths of a dollar a token; finer ones are rounded up. */
function picosPerToken(usdPerMillion: number): number {
  const picos = Math.round(usdPerMillion * 1e6);
  return picos / 1e6 === usdPerMillion ? picos : Math.ceil(usdPerMillion * 1e6);
}

/** Rounded half up to the nano, once a call. */
function flatCost(rates: Rates, tokens: BilledTokens): number | undefined {
  const cacheRead = tokens['cache_read_tokens'] ?? 0;
  const cacheWrite = tokens['cache_write_tokens'] ?? 0;
  const plain = Math.max(tokens.input_tokens - cacheRead - cacheWrite, 0);
  const picos =
    BigInt(plain) * BigInt(rates.input) +
    BigInt(cacheRead) * BigInt(rates.cacheRead) +
    BigInt(cacheWrite) * BigInt(rates.cacheWrite) +
    BigInt(tokens.output_tokens) * BigInt(rates.output);
  const nanos = Number((picos + 500n) / 1_000n);
  return Number.isSafeInteger(nanos) ? nanos : undefined;
}

/** Kinds of tokens that `Rates` says all about. */
const PLAIN_KINDS = [
  ...['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens'],
  ...['cache_write_5m_tokens', 'output_reasoning_tokens'],
];

/** Where the library's prices are plain numbers; undefined: its own sum is taken. */
function flatRates(
  { model, model_price }: PriceCalculation,
  tokens: BilledTokens,
): Rates | undefined {
  if (Array.isArray(model.prices) || model_price['requests_kcount'] !== undefined) return undefined;
  if (Object.entries(tokens).some(([kind, n]) => n > 0 && !PLAIN_KINDS.includes(kind))) {
    return undefined;
  }
  const { input_mtok: input, output_mtok: output } = model_price;
  const { cache_read_mtok: cacheRead = input, cache_write_mtok: cacheWrite = input } = model_price;
  const rates = [input, output, cacheRead, cacheWrite];
  if (!rates.every((rate) => typeof rate === 'number')) return undefined;
  const [inPicos = 0, outPicos = 0, readPicos = 0, writePicos = 0] = rates.map(picosPerToken);
  return { input: inPicos, output: outPicos, cacheRead: readPicos, cacheWrite: writePicos };
}

/** By the provider that is named, else by the model's name alone (proxies have names of their own). */
function lookUp(model: PricedModel, tokens: BilledTokens): PriceCalculation | undefined {
  const timestamp = new Date(model.at);
  const { provider: providerId } = model;
  try {
    const named = calcPrice(tokens, model.model, { providerId, timestamp });
    return named ?? calcPrice(tokens, model.model, { timestamp }) ?? undefined;
  } catch {
    // The library throws on usage it has no price for: to us that is a model without a price.
    return undefined;
  }
}
