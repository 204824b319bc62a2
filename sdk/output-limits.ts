/**
 * The most tokens a model answers with where its caller sets no maximum, as its provider documents
 * it. First match counts. Models that are not here are bounded by their context window.
 */
const OUTPUT_LIMITS: readonly (readonly [models: RegExp, tokens: number])[] = [
  [/^(chat)?gpt-4o/, 16_384],
  [/^gpt-4\.1/, 32_768],
  [/^gpt-4\.5/, 16_384],
  [/^gpt-4-(turbo|1106|0125|vision)/, 4_096],
  [/^gpt-4-32k/, 32_768],
  [/^gpt-4(-0\d{3})?$/, 8_192],
  [/^gpt-3\.5-turbo/, 16_385],
  [/^gpt-5/, 128_000],
  [/^o1-mini/, 65_536],
  [/^o[134](-mini|-pro|-preview)?(-\d|$)/, 100_000],
];

export function outputLimit(model: string): number | undefined {
  return OUTPUT_LIMITS.find(([models]) => models.test(model))?.[1];
}
