/** `kavach alerts` and `kavach alert <id>`: what was decided, who was told, and what came of it. */
import { isWorded } from '../domain/alert/facts.js';
import { formatAmount } from '../domain/amount.js';
import type { JournalEntry } from '../domain/alert/state.js';
import { onOneLine } from '../domain/plain-text.js';
import { alertCode } from '../domain/ids.js';
import {
  reasonInWords,
  receiptInWords,
  repeatsInWords,
  routingInWords,
} from '../gateway/alert-words.js';
import type { AlertView, AttemptView, RoutingView, SentNoticeView } from '../ledger/ledger.js';
import { alertPath, findAlertId, noSuchAlert } from './find-alert.js';
import { CliError, type Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

export interface AlertsQuery {
  readonly agent?: string;
  readonly limit: number;
}

interface AlertAnswer {
  readonly alert: AlertView;
  readonly journal: readonly JournalEntry[];
  readonly attempts: readonly AttemptView[];
  readonly notice?: SentNoticeView;
  readonly routing?: readonly RoutingView[];
}

export async function showAlerts(
  gateway: Gateway,
  output: Output,
  { agent, limit }: AlertsQuery,
): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit), ...(agent ? { agent } : {}) });
  const { alerts } = (await gateway.get(`/v1/alerts?${query.toString()}`)) as {
    alerts: readonly AlertView[];
  };
  output.json({ alerts });
  if (alerts.length === 0) {
    output.line('No alert was raised.');
    return;
  }
  output.table(
    [
      { head: 'RAISED' },
      { head: 'AGENT' },
      { head: 'WHAT' },
      { head: 'SEVERITY' },
      { head: 'STATE' },
      { head: 'CODE' },
      { head: 'ID' },
    ],
    alerts.map((alert) => [
      formatMoment(alert.raisedAt),
      alert.facts.agentName,
      alert.noticeTitle === undefined ? crossingOf(alert) : oneLine(alert.noticeTitle),
      paintSeverity(output, alert),
      phaseOf(output, alert),
      alertCode(alert.id),
      alert.id,
    ]),
  );
}

/** By its id, its code, or a unique end of its id. */
export async function showAlert(gateway: Gateway, output: Output, id: string): Promise<void> {
  const path = alertPath(await findAlertId(gateway, id));
  const answer = (await gateway.get(path).catch((error: unknown) => {
    throw error instanceof CliError && error.status === 404 ? noSuchAlert(id, 404) : error;
  })) as AlertAnswer;
  output.json(answer);
  const { alert, journal, attempts, notice } = answer;
  output.line(`${output.paint('strong', alert.facts.agentName)}: ${crossingOf(alert)}`);
  output.line(`${paintSeverity(output, alert)}, ${phaseOf(output, alert)}`);
  if (notice !== undefined) showNotice(output, notice);
  output.line(`Raised ${formatMoment(alert.raisedAt)} as ${alertCode(alert.id)}, ${alert.id}`);
  output.line();
  output.table(
    [{ head: 'AT' }, { head: 'DECISION' }, { head: 'CHANNEL' }, { head: 'REASON' }],
    journal.map((entry) => [
      formatMoment(entry.at),
      entry.attempt === undefined ? entry.what : `${entry.what} ${String(entry.attempt)}`,
      entry.channel ?? '',
      [reasonOf(entry), entry.by && `by ${entry.by}`].filter(Boolean).join(', '),
    ]),
  );
  showRouting(output, answer.routing ?? []);
  if (attempts.length === 0) return;
  output.line();
  output.table(
    [
      { head: 'STARTED' },
      { head: 'CHANNEL' },
      { head: 'ATTEMPT', right: true },
      { head: 'OUTCOME' },
    ],
    attempts.map(({ startedAt, channel, attempt, outcome, receipt }) => [
      formatMoment(startedAt),
      channel,
      String(attempt),
      outcome === undefined
        ? 'no word: it may have arrived'
        : [`${outcome.kind} (${outcome.reason})`, receiptInWords({ receipt })]
            .filter((part) => part !== '')
            .join('; '),
    ]),
  );
}

function showNotice(output: Output, { recipient, title, body, repeats }: SentNoticeView): void {
  output.line(`For ${recipient}: ${title ?? 'its words were kept long enough and are gone'}`);
  for (const line of (body ?? '').split('\n')) if (line !== '') output.line(`  ${line}`);
  if (repeats > 0) output.line(repeatsInWords(repeats));
}

/** P1 to P4. Whom it was told, and why. */
function showRouting(output: Output, routing: readonly RoutingView[]): void {
  if (routing.length === 0) return;
  output.line();
  output.table(
    [{ head: 'RECIPIENT' }, { head: 'CHANNEL' }, { head: 'ROUTED' }, { head: 'REASON' }],
    routing.map((decision) => [
      decision.recipient ?? '(organisation)',
      decision.channel,
      decision.what === 'hold' ? `hold until ${formatMoment(decision.until)}` : decision.what,
      `${decision.reason}: ${routingInWords(decision.reason)}`,
    ]),
  );
}

/** A decision not to send, and why the operators are told instead, in words (A10). */
function reasonOf({ what, reason }: JournalEntry): string | undefined {
  if (reason === undefined || (what !== 'suppressed' && what !== 'last_resort')) return reason;
  return `${reason}: ${reasonInWords(reason)}`;
}

const TITLE_LIMIT = 80;

function oneLine(title: string): string {
  const points = Array.from(onOneLine(title));
  return points.length <= TITLE_LIMIT
    ? points.join('')
    : `${points.slice(0, TITLE_LIMIT - 1).join('')}…`;
}

/** `80 % of the daily cost: $4.13 of $5.00` */
function crossingOf({ facts }: AlertView): string {
  if (isWorded(facts)) return facts.title;
  const { thresholdBps, cadence, dimension, spent, limit } = facts;
  const late = facts.late === true ? ', late' : '';
  const kill = facts.kills === true ? ', kill' : '';
  return (
    `${String(thresholdBps / 100)} % of ${dimension} (${cadence}): ` +
    `${formatAmount(dimension, spent)} of ${formatAmount(dimension, limit)}${late}${kill}`
  );
}

function paintSeverity(output: Output, { facts: { severity } }: AlertView): string {
  return output.paint(severity === 'warning' ? 'warning' : 'bad', severity);
}

function phaseOf(output: Output, { phase, exhausted }: AlertView): string {
  return exhausted ? output.paint('bad', `${phase}, nobody was reached`) : phase;
}
