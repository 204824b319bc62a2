/** What Temporal's own UI says of a workflow from its start on; the rest is its current details. */
import { isWorded } from '../domain/alert/facts.js';
import { agentSummary } from '../domain/agent/details.js';
import { alertSummary } from '../domain/alert/details.js';
import type { AlertInput } from '../domain/alert/state.js';
import { codeAmount } from '../domain/amount.js';
import { budgetSummary } from '../domain/budget/details.js';
import type { PeriodOpening } from '../domain/budget/input.js';
import { formatUtcMinute } from '../domain/civil.js';

export interface StartTexts {
  readonly staticSummary: string;
  /** Markdown. */
  readonly staticDetails: string;
}

/** Who and when, and the limits it began with. */
export function periodTexts(period: PeriodOpening): StartTexts {
  const { key, window, limits } = period;
  const ends = window.endsAt === undefined ? 'no end known ahead' : formatUtcMinute(window.endsAt);
  const began = limits.limits.map((limit) => {
    const at = limit.thresholds.map(({ bps }) => `${String(bps / 100)}%`).join(', ');
    const tells = at === '' ? 'no thresholds' : `tells at ${at}`;
    return `- ${limit.dimension}: ${codeAmount(limit.dimension, limit.amount)}, ${tells}`;
  });
  return {
    staticSummary: budgetSummary(period),
    staticDetails: [
      `The ${key.cadence} period of \`${key.scope}\` in \`${key.org}\``,
      '',
      `From ${formatUtcMinute(window.startsAt)} to ${ends} (zone ${window.zone}). It began with:`,
      '',
      ...(began.length === 0 ? ['- no limits'] : began),
    ].join('\n'),
  };
}

/** Whose rules are watched. */
export function agentTexts({
  org,
  agent,
}: {
  readonly org: string;
  readonly agent: string;
}): StartTexts {
  return {
    staticSummary: agentSummary({ agent }),
    staticDetails: `The rules on the metrics of \`${agent}\` in \`${org}\`: cooldowns and open alerts.`,
  };
}

/** What was crossed, and the channels it goes to; never an address. */
export function alertTexts(input: AlertInput): StartTexts {
  const { facts } = input;
  const channels = input.routes.map((route) => route.channel).join(', ');
  return {
    staticSummary: alertSummary(input),
    staticDetails: [
      isWorded(facts)
        ? `Told at ${formatUtcMinute(facts.at)}`
        : `${codeAmount(facts.dimension, facts.spent)} of ${codeAmount(facts.dimension, facts.limit)} at ${formatUtcMinute(facts.at)}`,
      '',
      `Goes to: ${channels === '' ? 'nobody' : channels}. Raised by \`${input.subject}\`.`,
    ].join('\n'),
  };
}
