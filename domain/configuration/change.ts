/**
 * What an operator may do to their layer (C1). A change that changes nothing answers the same
 * layer; one that makes no sense is refused, and nothing of it is applied.
 */
import type { Budget } from '../configuration.js';
import { refuse, type Refusal } from '../refusal.js';
import { assertNever } from '../step.js';
import type { Cadence, Dimension } from '../words.js';
import {
  concerns,
  withoutEnded,
  type OperatorLayer,
  type OperatorLimit,
  type Raise,
} from './layers.js';

/** A raise before it is known which budget it is of: needed only where there are several. */
export type RaiseRequest = Omit<Raise, 'cadence'> & { readonly cadence?: Cadence };

export type LayerChange =
  /** Each replaces the entry of its cadence, dimension and kind of end: with one, or without. */
  | { readonly type: 'setLimits'; readonly limits: readonly OperatorLimit[] }
  /** With their raises; of one cadence or dimension only where one is named. */
  | {
      readonly type: 'removeLimits';
      readonly cadence?: Cadence;
      readonly dimension?: Dimension;
    }
  | { readonly type: 'raise'; readonly raise: RaiseRequest }
  | { readonly type: 'endRaise'; readonly id: string };

/** More than any operator keeps open at once. */
const MAX_RAISES = 50;

/** `held` are the budgets that hold at `now`. What has ended is gone from the answer. */
export function applyChange(
  layer: OperatorLayer,
  change: LayerChange,
  held: readonly Budget[],
  now: number,
): OperatorLayer | Refusal {
  const current = withoutEnded(layer, now);
  switch (change.type) {
    case 'setLimits':
      return change.limits.reduce(setLimit, current);
    case 'removeLimits':
      return removeLimits(current, change);
    case 'raise':
      return addRaise(current, change.raise, held);
    case 'endRaise': {
      const raises = current.raises.filter(({ id }) => id !== change.id);
      return raises.length === current.raises.length ? current : { ...current, raises };
    }
    default:
      return assertNever(change);
  }
}

/** The same content by somebody else, at another time, is no change. */
function setLimit(layer: OperatorLayer, limit: OperatorLimit): OperatorLayer {
  const isOfSameKind = (each: OperatorLimit): boolean =>
    concerns(each, limit.cadence, limit.dimension) &&
    (each.until === undefined) === (limit.until === undefined);
  const known = layer.limits.find(isOfSameKind);
  if (known !== undefined && contentOf(known) === contentOf(limit)) return layer;
  return { ...layer, limits: [...layer.limits.filter((each) => each !== known), limit] };
}

/** Built field by field: through the ledger's JSON the order of keys may change. */
function contentOf(limit: OperatorLimit): string {
  const { kind, cadence, dimension, enforcement, thresholds, until } = limit;
  const routes = thresholds.map(({ bps, routes }) => [
    bps,
    ...routes.map(({ channel, destination }) => [channel, destination]),
  ]);
  const amount = limit.kind === 'thresholds' ? undefined : limit.amount;
  return JSON.stringify([kind, cadence, dimension, enforcement, routes, until, amount]);
}

function removeLimits(
  layer: OperatorLayer,
  { cadence, dimension }: { readonly cadence?: Cadence; readonly dimension?: Dimension },
): OperatorLayer {
  const stays = (each: { readonly cadence: Cadence; readonly dimension: Dimension }): boolean =>
    (cadence !== undefined && each.cadence !== cadence) ||
    (dimension !== undefined && each.dimension !== dimension);
  const limits = layer.limits.filter(stays);
  const raises = layer.raises.filter(stays);
  const removed = layer.limits.length + layer.raises.length - limits.length - raises.length;
  return removed === 0 ? layer : { limits, raises };
}

/** The same id is the same raise, so that a repeated request adds nothing. */
function addRaise(
  layer: OperatorLayer,
  { cadence, ...raise }: RaiseRequest,
  held: readonly Budget[],
): OperatorLayer | Refusal {
  if (layer.raises.some(({ id }) => id === raise.id)) return layer;
  if (layer.raises.length >= MAX_RAISES) {
    return refuse(
      'too_many_raises',
      `there are ${String(MAX_RAISES)} raises already: end some, or set the limit itself`,
    );
  }
  const found = cadenceOf(raise.dimension, cadence, held);
  return typeof found === 'string'
    ? { ...layer, raises: [...layer.raises, { ...raise, cadence: found }] }
    : found;
}

/**
 * The budget that is meant: the one that is named, or the only one (of the dimension). Limits of a
 * run are frozen at its first event (C3), so there is nothing to raise or reset.
 */
export function cadenceOf(
  dimension: Dimension | undefined,
  cadence: Cadence | undefined,
  held: readonly Budget[],
): Cadence | Refusal {
  if (cadence === 'run' || dimension === 'duration') {
    return refuse(
      'frozen',
      'the limits of a run are frozen at its first event: set another limit for runs to come',
      'cadence',
    );
  }
  const among = held
    .filter((each) => each.cadence !== 'run')
    .filter(({ limits }) =>
      limits.some((limit) => dimension === undefined || limit.dimension === dimension),
    )
    .map((each) => each.cadence);
  const [only] = among;
  if (only === undefined || (cadence !== undefined && !among.includes(cadence))) {
    const what = [cadence, dimension].filter((word) => word !== undefined).join(' ');
    return refuse(
      'no_limit',
      `there is no limit${what === '' ? '' : ` of ${what}`}: set one first`,
      'cadence',
    );
  }
  if (cadence !== undefined) return cadence;
  if (among.length === 1) return only;
  return refuse('several_limits', `name one of ${among.join(', ')}`, 'cadence');
}
