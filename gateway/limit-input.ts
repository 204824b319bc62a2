/** POST /v1/limits -> entries of the operator's layer. */
import type { Threshold } from '../domain/budget/limits.js';
import type { Authored, OperatorLimit } from '../domain/configuration/layers.js';
import { mergeThresholds, sortThresholds } from '../domain/configuration/thresholds.js';
import { parseRatio } from '../domain/ratio.js';
import { isRefusal } from '../domain/refusal.js';
import { readAmount } from './amount.js';
import type { LimitBody } from './layer-schemas.js';
import type { Gateway } from './options.js';
import { unprocessable } from './schemas.js';
import { storeWays } from './ways-out.js';

/** Throws a `Problem` (422) with the path of the first fault; then nothing is stored. */
export async function readLimits(
  gateway: Pick<Gateway, 'ledger' | 'refuseTarget'>,
  { org, isOrganisation }: { readonly org: string; readonly isOrganisation: boolean },
  bodies: readonly LimitBody[],
  authored: Authored,
): Promise<readonly OperatorLimit[]> {
  const seen = new Set<string>();
  const read = bodies.map((body, index) => {
    const path = `limits[${String(index)}]`;
    const { cadence, dimension } = body;
    const what = `${cadence} ${dimension}`;
    if (seen.has(what)) throw unprocessable(path, `is a second limit of ${what}`);
    seen.add(what);
    if (dimension === 'duration' && cadence !== 'run') {
      throw unprocessable(`${path}.cadence`, 'must be run: only runs have a duration (B7)');
    }
    if (isOrganisation && cadence === 'run') {
      throw unprocessable(`${path}.cadence`, 'must not be run: runs belong to one agent');
    }
    return { body, path, amount: amountOf(body, path), ratios: ratiosOf(body, path) };
  });
  const asked = read.flatMap(({ body, path }) =>
    body.thresholds.map(({ ratio: _ratio, ...way }, index) => ({
      way,
      path: `${path}.thresholds[${String(index)}]`,
    })),
  );
  const ways = [...(await storeWays(gateway, org, asked))];
  return read.map(({ body, amount, ratios }): OperatorLimit => {
    const { cadence, dimension, enforcement, kind } = body;
    const routes = ways.splice(0, ratios.length);
    const thresholds = sortThresholds(
      ratios.reduce<Threshold[]>((merged, bps, index) => {
        const route = routes[index];
        return route === undefined ? merged : mergeThresholds(merged, [{ bps, routes: [route] }]);
      }, []),
    );
    const entry = { cadence, dimension, enforcement, thresholds, ...authored };
    return kind === 'thresholds' || amount === undefined
      ? { ...entry, kind: 'thresholds' }
      : { ...entry, kind, amount };
  });
}

function amountOf({ kind, amount, dimension }: LimitBody, path: string): number | undefined {
  if (kind === 'thresholds') {
    if (amount === undefined) return undefined;
    throw unprocessable(`${path}.amount`, 'thresholds have none: they join the synced limit');
  }
  if (amount === undefined) throw unprocessable(`${path}.amount`, 'is missing: expected a number');
  return readAmount(dimension, amount, `${path}.amount`);
}

function ratiosOf({ thresholds }: LimitBody, path: string): readonly number[] {
  return thresholds.map(({ ratio }, index) => {
    const bps = parseRatio(ratio);
    if (!isRefusal(bps)) return bps;
    throw unprocessable(`${path}.thresholds[${String(index)}].ratio`, bps.message);
  });
}
