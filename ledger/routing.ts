/**
 * Whom an alert is told, decided when it starts and kept (A1, A10): in one transaction the decision
 * of every (recipient, channel), what goes to a digest, and the routes that are frozen into it.
 * LR-1. The first transaction that routes an alert decides: any other answers what that one did.
 */
import type { AlertInput, AlertRoute, Audience, OwnWay } from '../domain/alert/state.js';
import {
  DEFAULT_PREFERENCES,
  preferencesSeen,
  type PersonalChannel,
  type Preferences,
  type SeenPreferences,
} from '../domain/preferences.js';
import {
  routeAudience,
  type Contact,
  type Recipient,
  type Routing,
  type RoutingDecision,
} from '../domain/routing.js';
import type { Database, Run } from './database.js';
import { addDigestItem } from './digest-items.js';
import { jsonText, textArray } from './literals.js';
import type { RoutingView } from './recipient.js';

export async function routeAlert(
  db: Database,
  input: AlertInput,
  now: number,
): Promise<readonly AlertRoute[]> {
  const { audience } = input;
  if (audience === undefined) return input.routes;
  const before = await routedBefore(db.run, input);
  return before ?? db.transaction((run) => decide(run, input, audience, now));
}

async function decide(
  run: Run,
  input: AlertInput,
  audience: Audience,
  now: number,
): Promise<readonly AlertRoute[]> {
  const { org, id, facts } = input;
  const recipients = await recipientsOf(run, org, audience.recipients);
  const operators = audience.recipients.length > 0 ? [] : await operatorsOf(run, org);
  const { agentName: agent, priority } = facts;
  const routing = routeAudience({ audience, agent, priority, recipients, operators, now });
  const routes = [...input.routes, ...routing.routes];
  const written = await run(
    `insert into routed_alert (org, alert_id, at, routes) values ($1, $2, $3::bigint, $4::jsonb)
     on conflict do nothing returning alert_id`,
    [org, id, now, jsonText(routes)],
  );
  // LR-1. Somebody else's was committed while this one waited for it.
  if (written.length === 0) return (await routedBefore(run, input)) ?? routes;
  const seen = new Map(
    recipients.map((each) => [each.id, preferencesSeen(each.preferences, agent)]),
  );
  await record(run, input, routing.decisions, seen);
  for (const { recipient, cadence } of routing.digests) {
    await addDigestItem(run, { org, recipient, alertId: id, cadence, at: now });
  }
  return routes;
}

async function routedBefore(
  run: Run,
  { org, id }: AlertInput,
): Promise<readonly AlertRoute[] | undefined> {
  const [row] = await run('select routes from routed_alert where org = $1 and alert_id = $2', [
    org,
    id,
  ]);
  return (row as { routes: readonly AlertRoute[] } | undefined)?.routes;
}

interface RecipientRow {
  readonly id: string;
  readonly preferences: Partial<Preferences>;
  readonly contacts: readonly Contact[] | null;
}

/** What a later version has added to preferences has its default. */
async function recipientsOf(
  run: Run,
  org: string,
  ids: Audience['recipients'],
): Promise<readonly Recipient[]> {
  if (ids.length === 0) return [];
  const rows = (await run(
    `select r.id, r.preferences, (select json_agg(json_build_object('channel', c.channel,
         'destination', c.reference, 'verified', c.verified_at is not null))
       from contact c where c.org = r.org and c.recipient = r.id) as contacts
     from recipient r where r.org = $1 and r.id = any($2::text[])`,
    [org, textArray(ids)],
  )) as unknown as readonly RecipientRow[];
  return rows.map(({ id, preferences, contacts }) => ({
    id,
    preferences: { ...DEFAULT_PREFERENCES, ...preferences },
    contacts: contacts ?? [],
  }));
}

async function operatorsOf(run: Run, org: string): Promise<readonly OwnWay[]> {
  const [row] = await run('select operators from organisation where org = $1', [org]);
  return (row as { operators: readonly OwnWay[] } | undefined)?.operators ?? [];
}

const RECORD = `
insert into routing (org, alert_id, no, recipient, channel, destination, what, reason, until,
  preferences)
select $1, $2, no, coalesce(recipient, ''), channel, destination, what, reason, until, preferences
from json_to_recordset($3::json) as decision (no bigint, recipient text, channel text,
  destination text, what text, reason text, until bigint, preferences jsonb)`;

async function record(
  run: Run,
  { org, id }: AlertInput,
  decisions: Routing['decisions'],
  seen: ReadonlyMap<string, SeenPreferences>,
): Promise<void> {
  const rows = decisions.map((decision, no) => ({
    ...{ ...decision, no },
    preferences: decision.recipient === undefined ? undefined : seen.get(decision.recipient),
  }));
  if (rows.length > 0) await run(RECORD, [org, id, jsonText(rows)]);
}

interface RoutingRow {
  readonly at: number;
  readonly recipient: string;
  readonly channel: PersonalChannel;
  readonly destination: string | null;
  readonly what: RoutingDecision['what'];
  readonly reason: RoutingDecision['reason'];
  readonly until: number | null;
  readonly preferences: SeenPreferences | null;
}

/** A14. What an alert was spread over was decided as one. */
export async function routingOf(
  db: Database,
  org: string,
  alertId: string,
): Promise<readonly RoutingView[]> {
  const rows = (await db.run(
    `select r.recipient, r.channel, r.destination, r.what, r.reason, r.until, r.preferences, a.at
     from routing r join routed_alert a using (org, alert_id)
     where r.org = $1 and r.alert_id = $2 order by r.no`,
    [org, alertId.replace(/\/part-\d+$/, '')],
  )) as unknown as readonly RoutingRow[];
  return rows.map(({ recipient, destination, until, preferences, ...row }) => {
    const view = {
      ...row,
      ...(recipient === '' ? {} : { recipient }),
      ...(destination === null ? {} : { destination }),
      ...(until === null ? {} : { until }),
      ...(preferences === null ? {} : { preferences }),
    };
    return view as RoutingView;
  });
}
