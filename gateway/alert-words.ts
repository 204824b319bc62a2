/** An alert in sentences, for its page and for the terminal. Plain text: whoever shows it escapes. */
import { isWorded } from '../domain/alert/facts.js';
import type { JournalEntry, LastResortReason } from '../domain/alert/state.js';
import type { Suppression } from '../domain/alert/outcome.js';
import { formatAmount } from '../domain/amount.js';
import { formatUtcMinute } from '../domain/civil.js';
import { pctUsed } from '../domain/ratio.js';
import type { ToldReason } from '../domain/routing.js';
import type { AttemptView } from '../ledger/ledger.js';
import type { AlertStateView, DeliveryView, PersonsWord } from './alert-state.js';

/** Why something was not sent (A10). A reason that is missing here does not compile. */
const REASONS: Readonly<Record<Suppression, string>> = {
  cooldown: 'the same was told a moment ago, and its quiet time is not over',
  dedup: 'the same message went there a moment ago',
  preference: 'its recipient does not want this channel',
  priority: 'its priority is below what this recipient or channel takes',
  quiet_hours: 'its recipient has quiet hours',
  silenced: 'a silence is in force',
  superseded: 'another alert had told this crossing before',
  acknowledged: 'somebody had acknowledged the alert',
  resolved: 'the alert was over',
  unhealthy_destination: 'this destination had failed for good before',
  no_destination: 'there is no destination for this channel',
  unsupported_channel: 'this Kavach does not send on this channel',
  unverified: 'nobody has confirmed this address',
  storm: 'too many alerts went there within a minute; they are summed up',
  daily_cap: 'this number had had its text messages of the day',
  still_firing: 'another alert of the same incident was still firing',
  digest: "it is in the recipient's digest",
};

/** `no_destination -> the organisation has …`; a word nobody knows stays as it is. */
export function reasonInWords(reason: string): string {
  if (Object.hasOwn(LAST_RESORTS, reason)) return LAST_RESORTS[reason as LastResortReason];
  return Object.hasOwn(REASONS, reason) ? REASONS[reason as Suppression] : reason;
}

/** Why the operators are told where nobody else was. */
const LAST_RESORTS: Readonly<Record<LastResortReason, string>> = {
  nobody_reached: 'nobody else could be reached',
  nobody_willing: 'it is critical, and nobody it is for wants it',
};

/** Why a recipient is told (P1 to P4); what is not told has its reason above. */
const TOLD: Readonly<Record<ToldReason, string>> = {
  wanted: 'its recipient wants this channel',
  passes: "its priority passes its recipient's quiet hours",
  no_digest: 'its recipient has no digest that it could wait in',
  organisation: "this channel is the organisation's own",
  operators: 'nobody was named, so the operators are told',
};

export function routingInWords(reason: string): string {
  return Object.hasOwn(TOLD, reason) ? TOLD[reason as ToldReason] : reasonInWords(reason);
}

/** `helper passed 80% of its daily cost budget: $4.13 of $5.00 (82%) at 2026-11-21 12:00 UTC.` */
export function alertSentence({ facts }: Pick<AlertStateView, 'facts'>): string {
  if (isWorded(facts)) return `${facts.title}.`;
  const { agentName, thresholdBps, cadence, dimension, spent, limit } = facts;
  const budget = `${cadence === 'run' ? 'per-run' : cadence} ${BUDGETS[dimension]} budget`;
  const amounts = `${formatAmount(dimension, spent)} of ${formatAmount(dimension, limit)}`;
  const late = facts.late === true ? ', found after its period had ended' : '';
  return (
    `${agentName} passed ${String(thresholdBps / 100)}% of its ${budget}: ${amounts} ` +
    `(${String(pctUsed(spent, limit))}%) at ${formatUtcMinute(facts.at)}${late}.`
  );
}

const BUDGETS = { cost: 'cost', tokens_total: 'token', calls: 'call', duration: 'time' } as const;

/** `Acknowledged by ada at 2026-11-21 12:01 UTC: looking into it` */
export function phaseInWords(alert: AlertStateView): string {
  const { phase, acknowledged, resolved, raisedAt } = alert;
  const since = formatUtcMinute(raisedAt);
  if (phase === 'resolved') return byWhom('Over', resolved);
  return phase === 'acknowledged' ? byWhom('Acknowledged', acknowledged) : `Firing since ${since}`;
}

function byWhom(what: string, word: PersonsWord | undefined): string {
  if (word === undefined) return what;
  const note = word.note === undefined ? '' : `: ${word.note}`;
  return `${what} by ${word.by} at ${formatUtcMinute(word.at)}${note}`;
}

export function deliveryInWords({ status, reason }: DeliveryView): string {
  switch (status) {
    case 'under_way':
      return 'under way';
    case 'held':
      return `waits: ${reasonInWords(reason ?? 'for no reason that was recorded')}`;
    case 'accepted':
      return 'accepted';
    case 'failed':
      return `failed${reason === undefined ? '' : ` (${reason})`}`;
    case 'suppressed':
      return `not sent: ${reasonInWords(reason ?? 'for no reason that was recorded')}`;
  }
}

/** What the provider said later: `arrived at 2026-11-21 12:01 UTC`; nothing where it said nothing. */
export function receiptInWords({ receipt }: { receipt: AttemptView['receipt'] }): string {
  if (receipt === undefined) return '';
  const at = formatUtcMinute(receipt.at);
  if (receipt.what === 'delivered') return `arrived at ${at}`;
  return `did not arrive, said at ${at} (${receipt.reason ?? 'without a reason'})`;
}

/** A2. `Sent once more within its window, and not told again.` */
export function repeatsInWords(repeats: number): string {
  const often = repeats === 1 ? 'once' : `${String(repeats)} times`;
  return `Sent ${often} more within its window, and not told again.`;
}

/** One decision of the journal, as a sentence without its time. */
export function entryInWords(entry: JournalEntry): string {
  const { what, channel = 'delivery', attempt, reason, by } = entry;
  const because = reason === undefined ? '' : `: ${reason}`;
  switch (what) {
    case 'raised':
      return 'Raised';
    case 'attempt':
      return `${channel}, attempt ${String(attempt ?? 0)}${because}`;
    case 'held':
      return `${channel} waits: ${reasonInWords(reason ?? 'unknown')}`;
    case 'offered':
      return `${channel} handed over, to be confirmed`;
    case 'suppressed':
      return `${channel} not sent: ${reasonInWords(reason ?? 'unknown')}`;
    case 'delivered':
      return `${channel} delivered`;
    case 'failed':
      return `${channel} given up${because}`;
    case 'acknowledged':
      return `Acknowledged by ${by ?? 'nobody named'}${because}`;
    case 'resolved':
      return `Over by ${by ?? 'nobody named'}${because}`;
    case 'fallback':
      return `${channel} told instead, as another delivery failed`;
    case 'escalated':
      return `Escalated${because}`;
    case 'last_resort':
      return `${channel} of the operators told: ${reasonInWords(reason ?? 'unknown')}`;
    case 'revoked':
      return `${channel} was accepted and did not arrive${because}`;
    case 'degraded':
      return 'Fewer channels have accepted it than it should have';
    case 'exhausted':
      return 'Nobody was reached: every delivery failed or was held back';
  }
}
