/** A period row as it is first written: what its limits mean for notify and block columns. */
import { initialNotify } from '../domain/budget/notify.js';
import { baseOf, type Limits } from '../domain/budget/limits.js';
import type { Notify } from '../domain/budget/state.js';
import { periodRowId } from '../domain/ids.js';
import { addSaturating } from '../domain/money.js';
import type { Dimension } from '../domain/words.js';
import type { PeriodSeed } from './ledger.js';

/** Names are the columns of `period`, so that JSON and record types meet without a mapping. */
export interface LimitColumns {
  readonly limits: Limits;
  readonly limits_rev: number;
  readonly notify_cost?: number;
  readonly notify_tokens?: number;
  readonly notify_calls?: number;
  readonly notify_duration?: number;
  readonly block_cost?: number;
  readonly block_tokens?: number;
  readonly block_calls?: number;
  readonly block_duration?: number;
}

/** B9 beside notify: the totals at which a `block` limit refuses. */
export function limitColumns(limits: Limits, notify: Notify = initialNotify(limits)): LimitColumns {
  const block = (dimension: Dimension): number | undefined => {
    const limit = limits.limits.find((each) => each.dimension === dimension);
    if (limit?.enforcement !== 'block') return undefined;
    return addSaturating(limit.amount, baseOf(limits, dimension)).value;
  };
  const columns = {
    limits,
    limits_rev: limits.rev,
    notify_cost: notify.cost,
    notify_tokens: notify.tokens,
    notify_calls: notify.calls,
    notify_duration: notify.duration,
    block_cost: block('cost'),
    block_tokens: block('tokens_total'),
    block_calls: block('calls'),
    block_duration: block('duration'),
  };
  return columns as LimitColumns;
}

/** Without the limits, which many seeds share. */
export function seedColumns(seed: PeriodSeed): Record<string, unknown> {
  const { key, window, name } = seed;
  return {
    id: periodRowId(key),
    ...key,
    name,
    starts_at: window.startsAt,
    ends_at: window.endsAt,
    zone: window.zone,
  };
}

/** For `jsonb_to_recordset`. */
export const SEED_RECORD = `id text, org text, scope text, cadence text, period text,
  generation bigint, name text, starts_at bigint, ends_at bigint, zone text`;

export const LIMIT_RECORD = `limits jsonb, limits_rev bigint, notify_cost bigint,
  notify_tokens bigint, notify_calls bigint, notify_duration bigint, block_cost bigint,
  block_tokens bigint, block_calls bigint, block_duration bigint`;

export const LIMIT_COLUMNS = `limits, limits_rev, notify_cost, notify_tokens, notify_calls,
  notify_duration, block_cost, block_tokens, block_calls, block_duration`;
