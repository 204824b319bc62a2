/** K1, B9. What a killed or blocked budget says of itself: how it stands, and what can be done. */
import { formatAmount } from '../domain/amount.js';
import type { Limit } from '../domain/budget/limits.js';
import type { Dimension } from '../domain/words.js';
import type { Hold } from './verdict.js';

const NOUNS: Readonly<Record<Dimension, string>> = {
  cost: 'cost',
  tokens_total: 'token',
  calls: 'call',
  duration: 'duration',
};

/** `bot may not go on: its daily budget was killed at 100 % of its cost limit: $5.20 of $5.00 …` */
export function holdWords(hold: Hold, agent: string): string {
  const { key, name } = hold;
  const whose =
    key.scope === 'org' ? `the ${key.cadence} budget of ${name}` : `its ${key.cadence} budget`;
  return `${agent} may not go on: ${whose} ${causeOf(hold)}. ${nextOf(hold)}`;
}

function causeOf({ killed, limits, spent }: Hold): string {
  if (killed !== undefined) {
    const { dimension, bps } = killed;
    const held = limits.limits.find((limit) => limit.dimension === dimension);
    const amounts = amountsOf(dimension, spent[dimension], held?.amount ?? killed.limit);
    return `was killed at ${String(bps / 100)} % of its ${NOUNS[dimension]} limit: ${amounts}`;
  }
  const reached = limits.limits.find((limit) => blocks(limit, spent[limit.dimension]));
  if (reached === undefined) return 'reached a limit that blocks';
  const { dimension, amount } = reached;
  return `reached its ${NOUNS[dimension]} limit, which blocks: ${amountsOf(dimension, spent[dimension], amount)}`;
}

const blocks = ({ enforcement, amount }: Limit, spent: number): boolean =>
  enforcement === 'block' && spent >= amount;

const amountsOf = (dimension: Dimension, spent: number, limit: number): string =>
  `${formatAmount(dimension, spent)} of ${formatAmount(dimension, limit)} are spent`;

/** Limits of a run are frozen at its first event (C3): only another run helps. */
function nextOf({ key, window, run }: Hold): string {
  if (run !== undefined || key.cadence === 'run') return 'Another run begins anew.';
  const end =
    window.endsAt === undefined
      ? ''
      : `; the period ends at ${new Date(window.endsAt).toISOString()}`;
  const whom = key.scope === 'org' ? '--org' : shellWord(key.scope.slice('agent:'.length));
  const which = `--cadence ${key.cadence}`;
  return (
    `\`kavach raise ${whom} +… ${which}\` allows more, ` +
    `\`kavach reset ${whom} ${which}\` counts from here${end}.`
  );
}

/** As it can be typed. */
function shellWord(name: string): string {
  return /^[\w.@:/-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}
