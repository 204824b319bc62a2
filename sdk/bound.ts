/**
 * B6, L1. The worst case of a call, before it is made.
 * BD-1. What a truthful provider bills is never more: input is bounded by the UTF-8 bytes sent
 *       (a token is at least one byte), or by the context window; output by the caller's maximum,
 *       the model's, or the window.
 * BD-2. What nobody can bound is `UNBOUNDED`: it fits where no `block` budget holds, and nowhere
 *       else.
 */
import type { Amounts } from '../domain/lease/amounts.js';
import { usdToNanos } from '../domain/money.js';
import { isRefusal } from '../domain/refusal.js';
import type { CallBound } from './options.js';
import { outputLimit } from './output-limits.js';
import type { PricedModel, Pricer } from './price.js';

/** Stands in an `Amounts` for what has no bound. */
export const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** What a request can come to, as far as it shows. */
export interface RequestSize {
  /** Absent: its bytes do not bound it (a file, a URL). */
  readonly inputTokens?: number;
  /** The provider's own tools run, and each of their rounds is billed: no window bounds that. */
  readonly runsTools: boolean;
  /** What the caller allows one answer; absent: the model's own maximum holds. */
  readonly outputTokens?: number;
  /** Answers that are asked for. */
  readonly answers: number;
  /** Billed as output though it is none of the answers (a prediction that was not met). */
  readonly extraOutput: number;
  readonly audio: boolean;
  /** A tier or mode at prices nobody here knows. */
  readonly unpriced?: string;
}

export interface Bound {
  readonly worst: Amounts;
  /** Parts of `worst.tokens`, where it has a bound. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Why there is no bound, and what to do; for people. */
  readonly unbounded?: string;
}

export function boundCall(
  model: PricedModel,
  size: RequestSize,
  pricer: Pricer,
  callBound: CallBound,
): Bound {
  const input = inputBound(model, size, pricer);
  const output = outputBound(model, size, pricer);
  const known = input !== undefined && output !== undefined;
  const tokens = known ? Math.min(input + output, UNBOUNDED) : (callBound.tokens ?? UNBOUNDED);
  const cost = costBound(model, size, pricer, callBound, { input, output, tokens });
  const unbounded = whyUnbounded(model, size, { input, output, tokens, cost });
  // Of a bound in tokens alone the larger part is put down as what is dearer.
  const inputTokens = Math.min(input ?? 0, tokens);
  return {
    worst: { cost, tokens, calls: 1 },
    inputTokens,
    outputTokens: tokens === UNBOUNDED ? (output ?? 0) : tokens - inputTokens,
    ...(unbounded === undefined ? {} : { unbounded }),
  };
}

/** A bound that its author names: of a call nobody can look into. */
export function boundByAuthor({ usd, tokens }: CallBound): Bound {
  const cost = usdBound(usd) ?? UNBOUNDED;
  return {
    worst: { cost, tokens: tokens ?? UNBOUNDED, calls: 1 },
    inputTokens: 0,
    outputTokens: tokens ?? 0,
    ...(usd === undefined || tokens === undefined
      ? { unbounded: 'its bound does not name both usd and tokens' }
      : {}),
  };
}

function inputBound(model: PricedModel, size: RequestSize, pricer: Pricer): number | undefined {
  if (size.runsTools) return undefined;
  return size.inputTokens ?? pricer.contextWindow(model);
}

function outputBound(model: PricedModel, size: RequestSize, pricer: Pricer): number | undefined {
  if (size.runsTools && size.outputTokens === undefined) return undefined;
  const one = size.outputTokens ?? outputLimit(model.model) ?? pricer.contextWindow(model);
  return one === undefined ? undefined : one * size.answers + size.extraOutput;
}

interface Tokens {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly tokens: number;
}

function costBound(
  model: PricedModel,
  { audio, unpriced }: RequestSize,
  pricer: Pricer,
  callBound: CallBound,
  { input, output, tokens }: Tokens,
): number {
  const own = usdBound(callBound.usd) ?? UNBOUNDED;
  if (unpriced !== undefined) return own;
  if (input !== undefined && output !== undefined) {
    return pricer.worstCost(model, { input, output, audio }) ?? own;
  }
  if (tokens === UNBOUNDED || callBound.usd !== undefined) return own;
  // How they divide is not known: both parts may be all of them.
  return pricer.worstCost(model, { input: tokens, output: tokens, audio }) ?? own;
}

/** Nano-USD. */
function usdBound(usd: number | undefined): number | undefined {
  const nanos = usd === undefined ? undefined : usdToNanos(usd);
  return nanos === undefined || isRefusal(nanos) ? undefined : nanos;
}

function whyUnbounded(
  { model }: PricedModel,
  { runsTools, unpriced }: RequestSize,
  { input, output, tokens, cost }: Tokens & { readonly cost: number },
): string | undefined {
  if (tokens !== UNBOUNDED && cost !== UNBOUNDED) return undefined;
  if (runsTools) return "the provider's own tools bill as much input as they find";
  if (tokens === UNBOUNDED && output === undefined)
    return `nobody knows the longest answer of ${model}: set max_tokens`;
  if (tokens === UNBOUNDED && input === undefined)
    return `its files have no size, and ${model} no known context window`;
  if (unpriced !== undefined) return `nobody here knows the price of ${unpriced}`;
  return `nobody knows the price of ${model}: name it in the option prices`;
}
