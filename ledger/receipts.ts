/**
 * What became of messages that their provider had taken.
 * RC-1. Only news count: a repeat does not, and after `undelivered` a late `delivered` does not.
 * RC-2. `gone` is the provider's word and lasts until a person restores the destination. Messages
 *       in a row that did not arrive are `failing`, as refused ones are; one that arrived ends it.
 *       An accepted one does not: each of them was accepted before.
 */
import type { ChannelName } from '../domain/words.js';
import { audit } from './audit.js';
import type { CallbackProvider, Receipt, ReceiptDelivery, ReceiptWord } from './callback.js';
import type { Database, Run } from './database.js';
import type { DeliveryPolicy } from './delivery-policy.js';
import type { Health } from './delivery.js';
import { jsonText } from './literals.js';

const CHANNELS: Readonly<Record<CallbackProvider, ChannelName>> = {
  resend: 'email',
  twilio: 'sms',
  pagerduty: 'pagerduty',
};

/** One message may have several attempts: a repeat is answered with the first one's id. */
const FOUND = `
select a.org, a.alert_id, a.delivery_id, a.attempt, a.destination, a.receipt->>'what' as said,
  exists (select from journal j where j.org = a.org and j.alert_id = a.alert_id
    and j.delivery = a.delivery_id and j.what = 'delivered') as has_vote
from attempt a
where a.outcome->>'providerId' = $1 and a.channel = $2
order by a.org, a.alert_id, a.delivery_id, a.attempt
for update`;

interface AttemptRow {
  readonly org: string;
  readonly alert_id: string;
  readonly delivery_id: string;
  readonly attempt: number;
  readonly destination: string | null;
  readonly said: Receipt['what'] | null;
  readonly has_vote: boolean;
}

export function noteReceipt(
  db: Database,
  policy: DeliveryPolicy,
  { provider, word, now }: { provider: CallbackProvider; word: ReceiptWord; now: number },
): Promise<readonly ReceiptDelivery[]> {
  return db.transaction(async (run) => {
    const channel = CHANNELS[provider];
    const rows = (await run(FOUND, [word.message, channel])) as unknown as readonly AttemptRow[];
    const news = rows.filter(({ said }) => isNews(said ?? undefined, word.what));
    for (const row of news) await note(run, row, word, now);
    const places = new Map(
      news.map(({ org, destination }) => [`${org} ${destination ?? ''}`, { org, destination }]),
    );
    for (const { org, destination } of places.values()) {
      if (destination !== null)
        await count(run, policy, { org, reference: destination, word, now });
    }
    return deliveriesOf(rows);
  });
}

/** RC-1. */
function isNews(said: Receipt['what'] | undefined, what: Receipt['what']): boolean {
  return said === undefined || (said === 'delivered' && what === 'undelivered');
}

async function note(run: Run, row: AttemptRow, word: ReceiptWord, now: number): Promise<void> {
  const reason = word.what === 'undelivered' ? { reason: word.reason } : {};
  const receipt: Receipt = { what: word.what, at: now, ...reason };
  await run(
    `update attempt set receipt = $5::jsonb
     where org = $1 and alert_id = $2 and delivery_id = $3 and attempt = $4::bigint`,
    [row.org, row.alert_id, row.delivery_id, row.attempt, jsonText(receipt)],
  );
}

function deliveriesOf(rows: readonly AttemptRow[]): readonly ReceiptDelivery[] {
  const deliveries = new Map<string, ReceiptDelivery>();
  for (const { org, alert_id: alertId, delivery_id: deliveryId, has_vote: hasVote } of rows) {
    deliveries.set(`${org} ${alertId} ${deliveryId}`, { org, alertId, deliveryId, hasVote });
  }
  return [...deliveries.values()];
}

interface Place {
  readonly org: string;
  readonly reference: string;
  readonly word: ReceiptWord;
  readonly now: number;
}

interface DestinationRow {
  readonly channel: ChannelName;
  readonly health: Health;
  readonly bounces: number;
  readonly bouncing_since: number | null;
}

/** RC-2. */
async function count(run: Run, policy: DeliveryPolicy, place: Place): Promise<void> {
  const { org, reference, word, now } = place;
  const [row] = (await run(
    `select channel, health, bounces, bouncing_since from destination
     where org = $1 and reference = $2 for update`,
    [org, reference],
  )) as unknown as readonly DestinationRow[];
  if (row === undefined) return;
  const isBounce = word.what === 'undelivered';
  if (!isBounce && row.bounces === 0) return;
  const bounces = isBounce ? row.bounces + 1 : 0;
  const since = isBounce ? (row.bouncing_since ?? now) : undefined;
  const isLong = bounces >= policy.failingAfter && now - (since ?? now) >= policy.failingSpanMs;
  const health = nextHealth(row.health, word, isLong);
  await run(
    'update destination set bounces = $3::bigint, bouncing_since = $4::bigint where org = $1 and reference = $2',
    [org, reference, bounces, since],
  );
  if (health === row.health) return;
  const reason = word.what === 'undelivered' && health !== 'ok' ? word.reason : undefined;
  await run(
    `update destination set health = $3, health_reason = $4, health_at = $5::bigint
     where org = $1 and reference = $2`,
    [org, reference, health, reason, now],
  );
  if (health === 'ok') return;
  await run('insert into operator_notice (org, at, kind, text) values ($1, $2::bigint, $3, $4)', [
    org,
    now,
    `destination_${health}`,
    noticeOf(row.channel, reference, health, bounces),
  ]);
  await audit(run, {
    ...{ org, subject: `destination:${reference}`, at: now, by: 'kavach' },
    ...{ what: `destination_${health}`, before: { health: row.health }, after: { health, reason } },
  });
}

function nextHealth(health: Health, word: ReceiptWord, isLong: boolean): Health {
  if (word.what === 'delivered') return health === 'failing' ? 'ok' : health;
  if (word.gone) return 'gone';
  return isLong && health === 'ok' ? 'failing' : health;
}

function noticeOf(
  channel: ChannelName,
  reference: string,
  health: Health,
  bounces: number,
): string {
  const subject = `${channel} destination ${reference}`;
  return health === 'gone'
    ? `The ${subject} is gone: nothing is sent to it until it is restored (kavach destinations restore).`
    : `The last ${String(bounces)} messages to the ${subject} did not arrive: it is still tried.`;
}
