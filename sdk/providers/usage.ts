/** What an answer says it was billed for, in the words of the price library, which knows the fields. */
import { extractUsage, findProvider } from '@pydantic/genai-prices';
import type { BilledTokens } from '../price.js';
import { countOf, isFields } from './measure.js';

const FLAVOURS = { openai: 'chat', anthropic: 'default' } as const;

/** Undefined: no usage, or one that is no usage. `usage` is the provider's own object. */
export function readUsage(
  providerId: keyof typeof FLAVOURS,
  usage: unknown,
): BilledTokens | undefined {
  const provider = findProvider({ providerId });
  if (!isFields(usage) || provider === undefined) return undefined;
  // The library takes what is null for a fault; providers write it for what is not there.
  const said = withoutNulls(usage);
  try {
    const { usage: read } = extractUsage(
      provider,
      { model: 'any', usage: said },
      FLAVOURS[providerId],
    );
    const { input_tokens: input, output_tokens: output } = read;
    if (countOf(input) === undefined || countOf(output) === undefined) return undefined;
    const counts = Object.entries(read).filter(([, count]) => countOf(count) !== undefined);
    return Object.fromEntries(counts) as BilledTokens;
  } catch {
    return undefined;
  }
}

function withoutNulls(value: object): object {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== undefined)
      .map(([name, each]: [string, unknown]) => [name, isFields(each) ? withoutNulls(each) : each]),
  );
}
