/** Amounts and ratios as people type them: `5USD`, `200ktokens`, `500calls`, `90s`; `80%`. */
import { nearestWord } from '../domain/nearest.js';
import { CHANNELS, type Dimension } from '../domain/words.js';
import { isReference } from './way-text.js';

export interface TypedAmount {
  readonly dimension: Dimension;
  /** USD, tokens, calls or ms. Absent: only the dimension was named. */
  readonly amount?: number;
}

const WORDS: Readonly<Record<string, readonly [Dimension, number]>> = {
  usd: ['cost', 1],
  $: ['cost', 1],
  token: ['tokens_total', 1],
  tokens: ['tokens_total', 1],
  ktokens: ['tokens_total', 1_000],
  mtokens: ['tokens_total', 1_000_000],
  call: ['calls', 1],
  calls: ['calls', 1],
  kcalls: ['calls', 1_000],
  ms: ['duration', 1],
  s: ['duration', 1_000],
  m: ['duration', 60_000],
  h: ['duration', 3_600_000],
};
const DIMENSIONS: Readonly<Record<string, Dimension>> = {
  cost: 'cost',
  tokens: 'tokens_total',
  tokens_total: 'tokens_total',
  calls: 'calls',
  duration: 'duration',
};
export const AMOUNT_FORM = '5USD, 200ktokens, 500calls, or 90s (of a run)';

/** Why a text is no amount, and what to write. */
export function amountFault(text: string): string {
  const plain = text.trim().replace(/^\+/, '');
  if (/^[\d_,]+(?:\.\d+)?$/.test(plain) && Number(plain.replaceAll(/[_,]/g, '')) > 0) {
    return `${plain} of what? Write ${plain}USD, ${plain}tokens or ${plain}calls.`;
  }
  if (/^\$?0+(?:\.0+)?\s*[a-z]*$/i.test(plain)) {
    return `${plain} is nothing: an amount is above 0; \`kavach stop\` lets an agent do nothing.`;
  }
  return `Expected ${AMOUNT_FORM}.`;
}

/** Undefined: it is no amount. A leading `+` is allowed. */
export function parseAmount(text: string): TypedAmount | undefined {
  const plain = text.trim().toLowerCase().replace(/^\+/, '').replaceAll(/[_,]/g, '');
  const dimension = DIMENSIONS[plain];
  if (dimension !== undefined) return { dimension };
  const [, dollar, digits, word = ''] =
    /^(\$)?(\d{1,16}(?:\.\d{1,9})?)\s*([a-z$]*)$/.exec(plain) ?? [];
  const known = WORDS[dollar ?? word];
  if (digits === undefined || known === undefined || (dollar && word)) return undefined;
  const amount = Number(digits) * known[1];
  return amount > 0 ? { dimension: known[0], amount } : undefined;
}

/** Why a text is no alert, and what to write. */
export function alertFault(text: string): string {
  const [, digits = '', percent = '', channel = '', where = ''] = ALERT.exec(text.trim()) ?? [];
  const isBare = percent === '' && Number(digits) > 1;
  if (isBare) return `${digits} is no ratio: write ${digits}%:${channel}${where && `=${where}`}.`;
  if (channel === '' || CHANNELS.some((each) => each === channel)) {
    return 'Expected 80%:slack, or 90%:email=ops@acme.com.';
  }
  const meant = nearestWord(channel, CHANNELS, 2);
  const hint =
    meant === undefined ? `expected one of ${CHANNELS.join(', ')}` : `did you mean ${meant}?`;
  return `${JSON.stringify(channel)} is no channel: ${hint}`;
}

const ALERT = /^(\d{1,3}(?:\.\d{1,4})?)(%)?:([a-z]+)(?:=(.+))?$/;

export interface TypedAlert {
  readonly ratio: number;
  readonly channel: string;
  /** An address, or the reference of a destination. */
  readonly target?: string;
  readonly destination?: string;
}

/** `80%:slack`, `90%:email=ops@acme.com`, `1:slack=<reference>`; undefined for anything else. */
export function parseAlert(text: string): TypedAlert | undefined {
  const [, digits, percent, channel, where] = ALERT.exec(text.trim()) ?? [];
  const ratio = ratioOf(digits, percent);
  if (ratio === undefined || ratio > 1) return undefined;
  if (!CHANNELS.some((each) => each === channel) || channel === undefined) return undefined;
  if (where === undefined) return { ratio, channel };
  const target = isReference(channel, where) ? { destination: where } : { target: where };
  return { ratio, channel, ...target };
}

/** `80%` or `0.8`; undefined for anything else. */
export function parseRatioText(text: string): number | undefined {
  const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,4})?)(%)?$/.exec(text.trim()) ?? [];
  return ratioOf(digits, percent);
}

/** Through text, so that 12.3 % is 0.123 and not a neighbour of it. */
function ratioOf(digits: string | undefined, percent: string | undefined): number | undefined {
  if (digits === undefined) return undefined;
  return percent === undefined ? Number(digits) : Number(`${digits}e-2`);
}
