/**
 * The rules of a period's row that statements share, as SQL: when its own totals pass what the
 * workflow wants to know, whether it needs a workflow, and when it is due next.
 * Every fragment names columns of `period` by default and takes other expressions for values a
 * statement is about to write, because SET sees the old ones.
 */
import { ROW_COLUMNS } from './period-row.js';

/** 2^53 - 1: sums stay there (B1). */
export const MAX = '9007199254740991';

/** The row with the ledger's epoch and whether it is a crossing, as a claim is answered. */
export const CLAIM_COLUMNS = `${ROW_COLUMNS}, (select epoch from ledger_life) as epoch`;

interface OwnAmounts {
  readonly cost: string;
  readonly tokens: string;
  readonly calls: string;
  readonly duration: string;
}

export const OWN: OwnAmounts = {
  cost: 'period.own_cost',
  tokens: 'period.own_tokens',
  calls: 'period.own_calls',
  duration: 'period.own_last_at - least(period.own_first_at, period.run_started_at)',
};

export const NOTIFY: OwnAmounts = {
  cost: 'period.notify_cost',
  tokens: 'period.notify_tokens',
  calls: 'period.notify_calls',
  duration: 'period.notify_duration',
};

/** Own totals have reached an amount at which the period wants to hear at once. Never null. */
export function passes(own: OwnAmounts = OWN, notify: OwnAmounts = NOTIFY): string {
  return (['cost', 'tokens', 'calls', 'duration'] as const)
    .map((dimension) => `coalesce(${own[dimension]} >= ${notify[dimension]}, false)`)
    .join(' or ');
}

/** An open row that is past a notify amount. Only such a claim is told at once. */
export const CROSSING = `(period.state = 'open' and (${passes()}))`;

/**
 * Whether a mere change of totals is worth a signal: a workflow is there, or somebody waits for a
 * threshold. A run gets its workflow only at its lowest threshold, or for its timer (B7).
 */
export function wakes(
  runOpen = 'period.run_open',
  notify = NOTIFY,
  started = 'period.started',
): string {
  const waits = [notify.cost, notify.tokens, notify.calls, notify.duration].join(', ');
  return `(${started} or case when period.cadence = 'run'
      then ${runOpen} and ${notify.duration} is not null
      else coalesce(${waits}) is not null end)`;
}

interface Schedule {
  readonly now: string;
  readonly crossing: string;
  readonly state?: string;
  readonly reportedSeq?: string;
  readonly nextAt?: string;
  readonly notify?: OwnAmounts;
  readonly started?: string;
}

/**
 * When the relay has to look again: at once for a crossing or a late change (B4), at the pace of
 * ordinary reports when something is untold or an end was told and not confirmed, else at the end.
 */
export function dueAt(schedule: Schedule): string {
  const { now, crossing } = schedule;
  const state = schedule.state ?? 'period.state';
  const nextAt = `greatest(${schedule.nextAt ?? 'period.next_at'}, ${now})`;
  const untold = `period.seq > ${schedule.reportedSeq ?? 'period.reported_seq'}`;
  return `case
    when ${state} = 'parked' then null
    when ${state} = 'closed' then case when ${untold} then ${now} end
    when ${crossing} then ${now}
    when ${untold} and ${wakes('period.run_open', schedule.notify, schedule.started)} then
      case when period.closes_at > ${now} then least(${nextAt}, period.closes_at) else ${nextAt} end
    when period.closes_at <= ${now} then ${nextAt}
    else period.closes_at end`;
}
