/** One alert as it stands, from the ledger's rows or from its workflow's own words. Pure. */
import type { AlertStatus } from '../domain/alert/view.js';
import type { JournalEntry } from '../domain/alert/state.js';
import { alertCode } from '../domain/ids.js';
import type { ChannelName } from '../domain/words.js';
import type { AlertView, AttemptView, SentNoticeView } from '../ledger/ledger.js';

/** Who said it, when (epoch ms), and their word with it. */
export interface PersonsWord {
  readonly by: string;
  readonly at: number;
  readonly note?: string;
}

export interface AlertStateView extends AlertView {
  /** Six letters and digits, for people: `K7Q2MD`. */
  readonly code: string;
  readonly acknowledged?: PersonsWord;
  readonly resolved?: PersonsWord;
}

/** One message to one destination, with all that was tried. */
export interface DeliveryView {
  readonly id: string;
  readonly channel: ChannelName;
  readonly status: 'under_way' | 'held' | 'accepted' | 'failed' | 'suppressed';
  /** Why it waits or was not sent (A10), or what the last attempt came to. */
  readonly reason?: string;
  readonly attempts: readonly Omit<AttemptView, 'deliveryId' | 'channel'>[];
}

/** GET /v1/alerts/{id}. */
export interface AlertDetailView {
  readonly alert: AlertStateView;
  readonly deliveries: readonly DeliveryView[];
  readonly journal: readonly JournalEntry[];
  readonly attempts: readonly AttemptView[];
  /** What it tells, where an agent asked for it. */
  readonly notice?: SentNoticeView;
}

interface FoundAlert {
  readonly alert: AlertView;
  readonly journal: readonly JournalEntry[];
  readonly attempts: readonly AttemptView[];
  readonly notice?: SentNoticeView;
}

export function alertDetailView(found: FoundAlert): AlertDetailView {
  return { ...found, alert: alertStateOf(found), deliveries: deliveriesOf(found) };
}

/** As the book has it: a moment behind the workflow. */
export function alertStateOf({ alert, journal }: FoundAlert): AlertStateView {
  return {
    ...alert,
    code: alertCode(alert.id),
    ...wordOf(journal, 'acknowledged'),
    ...wordOf(journal, 'resolved'),
  };
}

/** As the workflow has it. */
export function alertStateOfStatus(status: AlertStatus): AlertStateView {
  const { id, org, subject, phase, exhausted, raisedAt, facts, acknowledged, resolved } = status;
  return {
    ...{ id, org, subject, phase, exhausted, raisedAt, facts },
    code: alertCode(id),
    ...(acknowledged === undefined ? {} : { acknowledged }),
    ...(resolved === undefined ? {} : { resolved }),
  };
}

function wordOf(
  journal: readonly JournalEntry[],
  what: 'acknowledged' | 'resolved',
): Partial<Record<typeof what, PersonsWord>> {
  const entry = journal.find((each) => each.what === what);
  if (entry === undefined) return {};
  const { by = '', at, reason } = entry;
  return { [what]: { by, at, ...(reason === undefined ? {} : { note: reason }) } };
}

/** In the order in which they were first heard of. */
export function deliveriesOf({ journal, attempts }: FoundAlert): DeliveryView[] {
  const ids = new Map<string, ChannelName>();
  const heard = [
    ...journal.map(({ at, delivery, channel }) => ({ at, delivery, channel })),
    ...attempts.map(({ startedAt, deliveryId, channel }) => ({
      ...{ at: startedAt, delivery: deliveryId, channel },
    })),
  ].sort((a, b) => a.at - b.at);
  for (const { delivery, channel } of heard) {
    if (delivery !== undefined && channel !== undefined && !ids.has(delivery)) {
      ids.set(delivery, channel);
    }
  }
  return Array.from(ids, ([id, channel]) => {
    const own = attempts
      .filter(({ deliveryId }) => deliveryId === id)
      .map(({ deliveryId: _id, channel: _channel, ...attempt }) => attempt);
    return { id, channel, ...endOf(id, journal, own), attempts: own };
  });
}

/** The last word on it: an accepted delivery may be given up later, when its mail bounces. */
function endOf(
  id: string,
  journal: readonly JournalEntry[],
  attempts: DeliveryView['attempts'],
): Pick<DeliveryView, 'status' | 'reason'> {
  const end = journal.findLast(({ delivery, what }) => delivery === id && ENDS.has(what));
  const last = journal.findLast(({ delivery, what }) => delivery === id && MOVES.has(what));
  if (end === undefined && last?.what === 'held') {
    return { status: 'held', ...(last.reason === undefined ? {} : { reason: last.reason }) };
  }
  const status = end === undefined ? 'under_way' : (ENDS.get(end.what) ?? 'under_way');
  const outcome = attempts.at(-1)?.outcome;
  const reason = end?.reason ?? (outcome && `${outcome.kind}: ${outcome.reason}`);
  return { status, ...(reason === undefined ? {} : { reason }) };
}

/** What may come after a wait, and the wait itself. */
const MOVES: ReadonlySet<string> = new Set(['held', 'attempt', 'offered']);

const ENDS: ReadonlyMap<string, DeliveryView['status']> = new Map([
  ['delivered', 'accepted'],
  ['failed', 'failed'],
  ['revoked', 'failed'],
  ['suppressed', 'suppressed'],
]);
