/** Calls that the guard does not make itself: told afterwards, or made inside a bound. */
import { boundByAuthor } from './bound.js';
import type { Core } from './core.js';
import { ConfigurationError } from './errors.js';
import {
  fault,
  inside,
  placeOf,
  readFields,
  readInteger,
  readOneOf,
  readText,
  refuseUnknown,
  seen,
  type Fault,
  type Place,
} from './faults.js';
import { takeLeave, type Billed } from './leave.js';
import type { CallBound } from './options.js';
import { errorOfStop } from './refusal-errors.js';
import { readCallBound } from './read-prices.js';
import { usdToNanos } from '../domain/money.js';
import { isRefusal } from '../domain/refusal.js';

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** USD. @default as the prices say */
  readonly usd?: number;
}

export interface RecordedCall extends Usage {
  readonly model: string;
  /** @default the guard's */
  readonly provider?: string;
  /** @default 0 */
  readonly durationMs?: number;
  /** @default success */
  readonly status?: 'success' | 'error' | 'partial';
  /** Name of the tool it asked for: for the detection of loops. */
  readonly tool?: string;
}

export interface BoundedCall extends CallBound {
  readonly model: string;
  /** @default the guard's */
  readonly provider?: string;
}

const USAGE = ['inputTokens', 'outputTokens', 'usd'];

/**
 * A call that was made without asking: it is reported, and counts in the run's guardrails. Throws
 * a `ConfigurationError` for what is no usage, and `LoopDetectedError` where it closes a loop.
 */
export function recordCall(core: Core, given: RecordedCall): void {
  const place = placeOf('');
  const fields = readFields(given, place) ?? {};
  refuseUnknown(fields, [...USAGE, 'model', 'provider', 'durationMs', 'status', 'tool'], place);
  readText(fields['model'], inside(place, 'model'));
  if (fields['provider'] !== undefined) readText(fields['provider'], inside(place, 'provider'));
  if (fields['durationMs'] !== undefined) {
    readInteger(fields['durationMs'], inside(place, 'durationMs'), 0);
  }
  if (fields['status'] !== undefined) {
    readOneOf(fields['status'], ['success', 'error', 'partial'], inside(place, 'status'));
  }
  const billed = readUsed(fields, place);
  refuseFaults('guard.record', place.faults);

  const { model, provider = core.settings.provider, durationMs = 0, status = 'success' } = given;
  const priced = core.pricer.cost({ provider, model, at: core.now() }, billed.tokens);
  const cost = billed.cost ?? priced;
  const { inputTokens, outputTokens } = given;
  const tokens = inputTokens + outputTokens;
  core.spent += cost ?? 0;
  core.admission.report(
    { cost: cost ?? 0, tokens, calls: 1 },
    {
      ...{ provider, model, inputTokens, outputTokens, durationMs, status },
      ...(cost === undefined ? {} : { cost }),
    },
  );
  const wasStopped = core.run.stop() !== undefined;
  core.run.count({ tokens, pattern: [model, given.tool] });
  const stop = core.run.stop();
  if (!wasStopped && stop?.type === 'loop') throw errorOfStop(core.settings.agentName, stop);
}

/** Says what a call was billed; the first word counts. */
export type Bill = (usage: Usage) => void;

/**
 * Makes any call inside a bound: leave is taken for it, and what `make` bills settles it. Without a
 * bill it settles at the bound, also when `make` throws. Throws as `create` does.
 */
export async function callWithin<T>(
  core: Core,
  bounded: BoundedCall,
  make: (bill: Bill) => Promise<T> | T,
): Promise<T> {
  const place = placeOf('');
  const { model, provider = core.settings.provider, ...bound } = bounded;
  readText(model, inside(place, 'model'));
  readText(provider, inside(place, 'provider'));
  readCallBound(bound, place);
  refuseFaults('guard.call', place.faults);

  const call = { model, provider, bound: boundByAuthor(bound), unpriced: false };
  const leave = await takeLeave(core, call);
  const bill: Bill = (usage) => {
    const at = placeOf('usage');
    const fields = readFields(usage, at) ?? {};
    refuseUnknown(fields, USAGE, at);
    const billed = readUsed(fields, at);
    refuseFaults('A bill', at.faults);
    leave.settle(billed, 'success');
  };
  try {
    return await make(bill);
  } catch (error) {
    leave.settle(undefined, 'error');
    throw error;
  } finally {
    leave.settle(undefined, 'partial');
  }
}

function readUsed(fields: Readonly<Record<string, unknown>>, place: Place): Billed {
  const input = readInteger(fields['inputTokens'], inside(place, 'inputTokens'), 0) ?? 0;
  const output = readInteger(fields['outputTokens'], inside(place, 'outputTokens'), 0) ?? 0;
  const cost = fields['usd'] === undefined ? undefined : usdToNanos(fields['usd']);
  if (isRefusal(cost)) {
    fault(inside(place, 'usd'), 'an amount in USD from 0 to 9,007,199', seen(fields['usd']));
  }
  return {
    tokens: { input_tokens: input, output_tokens: output },
    ...(typeof cost === 'number' ? { cost } : {}),
  };
}

function refuseFaults(subject: string, faults: readonly Fault[]): void {
  if (faults.length > 0) throw new ConfigurationError(subject, faults);
}
