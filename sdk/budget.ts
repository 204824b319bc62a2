/** A limit of money over a cadence, as a value. */
import { usdToNanos } from '../domain/money.js';
import { isRefusal } from '../domain/refusal.js';
import { ConfigurationError } from './errors.js';
import { fault, inside, placeOf, readFields, readOneOf, seen, type Place } from './faults.js';

export const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'total'] as const;
export type Period = (typeof PERIODS)[number];

export interface Budget {
  /** USD. */
  readonly limit: number;
  readonly period: Period;
  /** True: all agents of the organisation pool it. */
  readonly shared: boolean;
}

/** A budget's limits are in USD; each throws a `ConfigurationError` for what is no limit. */
export const Budget = {
  hourly: (limit: number): Budget => make('Budget.hourly', limit, 'hourly', false),
  daily: (limit: number): Budget => make('Budget.daily', limit, 'daily', false),
  weekly: (limit: number): Budget => make('Budget.weekly', limit, 'weekly', false),
  monthly: (limit: number): Budget => make('Budget.monthly', limit, 'monthly', false),
  /** Never resets. */
  total: (limit: number): Budget => make('Budget.total', limit, 'total', false),
  /** One limit that the spend of every agent counts against. @default period daily */
  orgBudget: (limit: number, { period = 'daily' }: { readonly period?: Period } = {}): Budget =>
    make('Budget.orgBudget', limit, period, true),
} as const;

function make(subject: string, limit: unknown, period: unknown, shared: boolean): Budget {
  const place = placeOf('');
  const budget = readBudget({ limit, period, shared }, place);
  if (budget === undefined) throw new ConfigurationError(subject, place.faults);
  return budget;
}

/** A budget as it was given; its faults go to `place`. */
export function readBudget(value: unknown, place: Place): Budget | undefined {
  const fields = readFields(value, place);
  if (fields === undefined) return undefined;
  const limit = readLimit(fields['limit'], inside(place, 'limit'));
  const period = readOneOf(fields['period'], PERIODS, inside(place, 'period'));
  if (limit === undefined || period === undefined) return undefined;
  return Object.freeze({ limit, period, shared: fields['shared'] === true });
}

function readLimit(value: unknown, place: Place): number | undefined {
  const nanos = usdToNanos(value);
  if (!isRefusal(nanos) && nanos > 0) return value as number;
  fault(place, 'an amount in USD above 0 and at most 9,007,199', seen(value));
  return undefined;
}
