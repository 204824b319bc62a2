/** What an entry of the audit did, as a sentence; `--json` has all of it, to the field. */
import { formatAmount } from '../domain/amount.js';
import type { OperatorLayer, OperatorLimit, Raise } from '../domain/configuration/layers.js';
import { NOTHING, type Amounts } from '../domain/lease/amounts.js';
import type { Dimension } from '../domain/words.js';
import type { AuditView, Stop } from '../ledger/ledger.js';
import { amountsText } from './lease-text.js';
import { thresholdsText } from './limits.js';
import { formatMoment } from './moment.js';

const SHOWN = 100;

type Change = Partial<OperatorLayer> & { readonly reason?: string };

/** Entries of other kinds are shown as they are kept, cut off where they are long. */
export function auditText(entry: AuditView): string {
  const before = (entry.before ?? {}) as Change;
  const after = (entry.after ?? {}) as Change;
  switch (entry.what) {
    case 'raised':
      return (after.raises ?? []).map((each) => `${raiseText(each)}: ${each.reason}`).join('; ');
    case 'raise_ended':
      return because(raisesOf(entry.before).map(raiseText).join('; '), after.reason);
    case 'limits_set':
      return joined([
        ...(after.limits ?? []).map((each) => because(limitText(each), each.reason)),
        ...replaced(before.limits, 'in the place of '),
      ]);
    case 'limits_removed':
      return because(
        joined([...(before.limits ?? []).map(limitText), ...(before.raises ?? []).map(raiseText)]),
        after.reason,
      );
    case 'limit_ended':
      return limitText(entry.before as OperatorLimit);
    case 'reset':
      return resetText(entry);
    case 'stopped':
      return after.reason ?? '';
    case 'lease_released':
      return because(releaseText(entry.before as ReleasedLease | undefined), after.reason);
    case 'resumed':
      return resumeText(entry.before as Partial<Stop> | undefined, after.reason);
    default:
      return short(entry.after ?? entry.before);
  }
}

/** Ended by a person it is a layer's difference, by its own end one raise. */
function raisesOf(before: unknown): readonly Raise[] {
  if (typeof before !== 'object' || before === null) return [];
  return 'raises' in before ? (before.raises as readonly Raise[]) : [before as Raise];
}

function raiseText({ cadence, dimension, amount, until }: Raise): string {
  return `${cadence} ${dimension} +${formatAmount(dimension, amount)} until ${formatMoment(until)}`;
}

function limitText(limit: OperatorLimit): string {
  const { kind, cadence, dimension, enforcement, thresholds, until } = limit;
  const amount = limit.kind === 'thresholds' ? [] : [formatAmount(dimension, limit.amount)];
  return [
    ...[cadence, dimension, kind],
    ...amount,
    ...(enforcement === 'block' ? ['block'] : []),
    ...(thresholds.length === 0 ? [] : [`at ${thresholdsText(thresholds)}`]),
    ...(until === undefined ? [] : [`until ${formatMoment(until)}`]),
  ].join(' ');
}

const replaced = (limits: readonly OperatorLimit[] = [], word = ''): string[] =>
  limits.length === 0 ? [] : [`${word}${limits.map(limitText).join(', ')}`];

function resetText({ before, after }: AuditView): string {
  const { period = '' } = (before ?? {}) as { period?: string };
  const { base = {}, reason } = (after ?? {}) as {
    base?: Partial<Record<Dimension, number>>;
    reason?: string;
  };
  const counted = (['cost', 'tokens_total', 'calls'] as const).flatMap((dimension) => {
    const amount = base[dimension];
    return amount === undefined ? [] : [formatAmount(dimension, amount)];
  });
  return because(`${period} counts from ${counted.join(', ')}`, reason);
}

interface ReleasedLease {
  readonly lease?: string;
  readonly remainder?: Amounts;
}

function releaseText({ lease = '', remainder = NOTHING }: ReleasedLease = {}): string {
  return `${lease} held ${amountsText(remainder)}`;
}

/** Without a reason of its own, what it ended. */
function resumeText({ by, reason }: Partial<Stop> = {}, why?: string): string {
  return why ?? (by === undefined ? '' : `it was stopped by ${by}: ${reason ?? ''}`);
}

const because = (text: string, reason: string | undefined): string =>
  reason === undefined ? text : `${text}: ${reason}`;

const joined = (parts: readonly string[]): string => parts.join('; ');

function short(value: unknown): string {
  const text = value === undefined ? '' : JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
