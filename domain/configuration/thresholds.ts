/** Uniting thresholds without doubles (C2): each ratio once, each way out of it once. */
import type { Limit, Route, Threshold } from '../budget/limits.js';

/** `more` into `into`; a way out that both have is one, kills hold for the agents of either. */
export function mergeThresholds(
  into: readonly Threshold[],
  more: readonly Threshold[],
): Threshold[] {
  const merged = new Map(into.map((threshold) => [threshold.bps, threshold]));
  for (const threshold of more) {
    const known = merged.get(threshold.bps);
    merged.set(
      threshold.bps,
      known === undefined
        ? threshold
        : { bps: threshold.bps, routes: threshold.routes.reduce(withRoute, known.routes) },
    );
  }
  return [...merged.values()];
}

/** Ascending, as `Limit.thresholds` wants them; routes in a fixed order, so equal is equal. */
export function sortThresholds(thresholds: readonly Threshold[]): readonly Threshold[] {
  return thresholds
    .map(({ bps, routes }) => ({ bps, routes: [...routes].sort(byWay) }))
    .sort((a, b) => a.bps - b.bps);
}

/** B9. Budgets synced from an SDK are `block` exactly when they have a kill. */
export function enforcementOf(thresholds: readonly Threshold[]): Limit['enforcement'] {
  const kills = thresholds.some(({ routes }) => routes.some(({ channel }) => channel === 'kill'));
  return kills ? 'block' : 'alert';
}

function withRoute(routes: readonly Route[], route: Route): readonly Route[] {
  const known = routes.find((each) => wayOf(each) === wayOf(route));
  if (known === undefined) return [...routes, route];
  if (known.agents === undefined) return routes;
  const { agents: _narrow, ...wide } = known;
  const united: Route =
    route.agents === undefined
      ? wide
      : { ...wide, agents: [...new Set([...known.agents, ...route.agents])].sort() };
  return routes.map((each) => (each === known ? united : each));
}

function byWay(a: Route, b: Route): number {
  return wayOf(a) < wayOf(b) ? -1 : 1;
}

function wayOf({ channel, destination }: Route): string {
  return `${channel} ${destination ?? ''}`;
}
