/** `kavach limits`, `raise`: what holds and from which layer, and an operator's part of it (C1). */
import { formatAmount } from '../domain/amount.js';
import type { LimitOrigin, Threshold } from '../domain/budget/limits.js';
import type { Dimension } from '../domain/words.js';
import type { ScopeLimitsView } from '../gateway/limit-views.js';
import { CliError, type Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';
import { sayWarnings } from './warnings.js';

/** `operator until 2026-11-22 00:00:00Z`, `synced, +$50.00 until …`. */
export function originText(dimension: Dimension, origin: LimitOrigin | undefined): string {
  const { layer = 'synced', raised, until, synced } = origin ?? {};
  const cut = synced === undefined ? '' : ` (synced ${formatAmount(dimension, synced)})`;
  const more = raised === undefined ? '' : `, +${formatAmount(dimension, raised)}`;
  return `${layer}${cut}${more}${until === undefined ? '' : ` until ${formatMoment(until)}`}`;
}

/** Of one agent, or of everybody. */
export async function showLimits(
  gateway: Gateway,
  output: Output,
  agent: string | undefined,
): Promise<void> {
  const query = new URLSearchParams({ limit: '1000', ...(agent ? { agent } : {}) });
  const { scopes } = (await gateway.get(`/v1/limits?${query.toString()}`)) as {
    scopes: readonly ScopeLimitsView[];
  };
  output.json({ scopes });
  if (scopes.every(({ limits }) => limits.length === 0)) {
    output.line('No limit holds: an SDK syncs one, or `kavach limits set` does.');
    return;
  }
  table(output, scopes);
}

type ChangedLimits = ScopeLimitsView & {
  readonly changed: boolean;
  readonly warnings?: readonly string[];
};

/** POST of a change, and what holds after it. */
export async function changeLimits(
  gateway: Gateway,
  output: Output,
  path: string,
  body: object,
): Promise<void> {
  show(output, (await gateway.post(path, body)) as ChangedLimits);
}

/** Throws where no such raise holds: one that is misnamed would go on. */
export async function endRaise(
  gateway: Gateway,
  output: Output,
  { id, whose, body }: { id: string; whose: string | undefined; body: object },
): Promise<void> {
  const path = `/v1/raises/${encodeURIComponent(id)}/end`;
  const answer = (await gateway.post(path, body)) as ChangedLimits;
  if (!answer.changed) {
    throw new CliError(
      `No raise ${JSON.stringify(id)} of ${whose ?? 'the organisation'} holds: it has ended, or is ` +
        `another's; \`kavach limits${whose === undefined ? '' : ` ${whose}`}\` lists those that hold`,
    );
  }
  show(output, answer);
}

function show(output: Output, answer: ChangedLimits): void {
  output.json(answer);
  const whose = answer.agent ?? 'The organisation';
  output.line(answer.changed ? `${whose} is held to:` : `Nothing changed. ${whose} is held to:`);
  output.line();
  if (answer.limits.length === 0) output.line('nothing');
  else table(output, [answer]);
  if (answer.warnings !== undefined) output.line();
  sayWarnings(output, answer.warnings);
}

export async function resetPeriod(
  gateway: Gateway,
  output: Output,
  whose: string,
  body: object,
): Promise<void> {
  const answer = (await gateway.post('/v1/resets', body)) as { changed: boolean; cadence: string };
  output.json(answer);
  output.line(
    answer.changed
      ? `The ${answer.cadence} limits of ${whose} count from here; what was spent stays in the book`
      : `Nothing to reset: nothing was counted against the ${answer.cadence} limits of ${whose}`,
  );
}

function table(output: Output, scopes: readonly ScopeLimitsView[]): void {
  output.table(
    [
      { head: 'AGENT' },
      { head: 'CADENCE' },
      { head: 'WHAT' },
      { head: 'LIMIT', right: true },
      { head: 'AT THE LIMIT' },
      { head: 'FROM' },
      { head: 'SET BY' },
      { head: 'THRESHOLDS' },
    ],
    scopes.flatMap(({ agent = '(organisation)', limits }) =>
      limits.map((limit) => [
        agent,
        limit.cadence,
        limit.dimension,
        formatAmount(limit.dimension, limit.amount),
        limit.enforcement,
        originText(limit.dimension, limit.origin),
        limit.set === undefined ? '' : [limit.set.by, limit.set.reason].filter(Boolean).join(': '),
        thresholdsText(limit.thresholds),
      ]),
    ),
  );
  const raises = scopes.flatMap(({ agent = '(organisation)', raises: each }) =>
    each.map((raise) => ({ agent, raise })),
  );
  if (raises.length === 0) return;
  output.line();
  output.table(
    [
      { head: 'RAISED' },
      { head: 'CADENCE' },
      { head: 'BY', right: true },
      { head: 'UNTIL' },
      { head: 'WHO' },
      { head: 'WHY' },
      { head: 'ID' },
    ],
    raises.map(({ agent, raise }) => [
      agent,
      raise.cadence,
      `+${formatAmount(raise.dimension, raise.amount)}`,
      formatMoment(raise.until),
      raise.by,
      raise.reason,
      raise.id,
    ]),
  );
}

/** `80 % slack, 100 % kill`. */
export function thresholdsText(thresholds: readonly Threshold[]): string {
  return thresholds
    .map(
      ({ bps, routes }) =>
        `${String(bps / 100)} % ${routes.map(({ channel }) => channel).join('+')}`,
    )
    .join(', ');
}
