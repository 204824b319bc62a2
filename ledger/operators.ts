/** Who runs the service: where they are reached, and when an alert becomes theirs. */
import { eq } from 'drizzle-orm';
import type { AlertRoute, Escalation, OwnWay, Response } from '../domain/alert/state.js';
import { isUrgent } from '../domain/severity.js';
import type { ChannelName } from '../domain/words.js';
import { audit } from './audit.js';
import { canonicalJson } from './canonical.js';
import type { Author, OrganisationSettings } from './configuring.js';
import type { Database } from './database.js';
import type { DeliveryPolicy } from './delivery-policy.js';
import type { Responding } from './ledger.js';
import { jsonText } from './literals.js';
import { organisations, typed } from './schema.js';

/**
 * A5. In the order they are tried. Without an author it is the environment's word, which changes
 * nothing that a person has set.
 */
export async function setOperators(
  db: Database,
  org: string,
  operators: readonly OwnWay[],
  author?: Author,
): Promise<void> {
  await change(db, org, { what: 'operators_set', column: 'operators', value: operators, author });
}

/** A8. Undefined: the default again. */
export async function setEscalation(
  db: Database,
  org: string,
  escalation: Escalation | undefined,
  author?: Author,
): Promise<void> {
  const value = escalation ?? null;
  await change(db, org, { what: 'escalation_set', column: 'escalation', value, author });
}

/** C3. Domains are compared in lower case. Without an author as `setOperators`. */
export async function setAllowedEmailDomains(
  db: Database,
  org: string,
  domains: readonly string[],
  author?: Author,
): Promise<void> {
  const value = [...new Set(domains.map((domain) => domain.trim().toLowerCase()))].sort();
  await change(db, org, { what: 'email_domains_set', column: 'email_domains', value, author });
}

export async function allowedEmailDomains(db: Database, org: string): Promise<readonly string[]> {
  const [row] = await typed(db.run)
    .select({ emailDomains: organisations.emailDomains })
    .from(organisations)
    .where(eq(organisations.org, org));
  return row?.emailDomains ?? [];
}

/** Which column says who set it; null for what the environment never sets. */
const SET_BY = { operators: 'operators_by', email_domains: 'email_domains_by', escalation: null };

/** The same again is no change, and leaves no entry. */
function change(
  db: Database,
  org: string,
  setting: {
    readonly what: 'operators_set' | 'escalation_set' | 'email_domains_set';
    readonly column: keyof typeof SET_BY;
    readonly value: unknown;
    readonly author: Author | undefined;
  },
): Promise<void> {
  const { what, column, value, author } = setting;
  const setBy = SET_BY[column];
  return db.transaction(async (run) => {
    await run('insert into organisation (org) values ($1) on conflict do nothing', [org]);
    const [row] = await run('select * from organisation where org = $1 for update', [org]);
    const before = row?.[column];
    const isOthers = setBy !== null && row?.[setBy] !== 'environment';
    if (author === undefined && isOthers) return;
    const by = setBy === null ? '' : `, ${setBy} = $3`;
    const values = [org, value === null ? undefined : jsonText(value)];
    const setter = author?.by ?? 'environment';
    await run(
      `update organisation set ${column} = $2::jsonb${by} where org = $1`,
      setBy === null ? values : [...values, setter],
    );
    if (author === undefined || canonicalJson(before) === canonicalJson(value)) return;
    const entry = { org, subject: 'organisation', at: author.now, by: author.by, what };
    await audit(run, { ...entry, before: before ?? undefined, after: value ?? undefined });
  });
}

/** What is set for the whole organisation. */
export async function organisationSettings(
  db: Database,
  org: string,
): Promise<OrganisationSettings> {
  const [row] = await typed(db.run).select().from(organisations).where(eq(organisations.org, org));
  const defaults = await db.run(
    'select channel, reference from default_destination where org = $1 order by channel',
    [org],
  );
  return {
    emailDomains: row?.emailDomains ?? [],
    operators: row?.operators ?? [],
    ...(row?.escalation == null ? {} : { escalation: row.escalation }),
    defaults: (defaults as readonly { channel: ChannelName; reference: string }[]).map(
      ({ channel, reference }) => ({ channel, destination: reference }),
    ),
  };
}

const RESPONSE = 'select operators, escalation from organisation where org = $1';

interface ResponseRow {
  readonly operators: readonly AlertRoute[];
  readonly escalation: Escalation | null;
}

/** A5, A8. Read once for each alert, and frozen into it. */
export async function response(
  db: Database,
  policy: DeliveryPolicy,
  org: string,
  alert: Responding,
): Promise<Response> {
  const [row] = await db.run(RESPONSE, [org], { hot: true });
  const { operators, escalation: given } = (row as ResponseRow | undefined) ?? {
    operators: [],
    escalation: null,
  };
  const escalation = escalates(alert) ? (given ?? defaultEscalation(policy, operators)) : undefined;
  return { operators, ...(escalation === undefined ? {} : { escalation }) };
}

function escalates({ priority, kind }: Responding): boolean {
  return kind !== 'notice' && isUrgent(priority);
}

function defaultEscalation(
  { escalateAfterMs }: DeliveryPolicy,
  operators: readonly AlertRoute[],
): Escalation | undefined {
  if (operators.length === 0) return undefined;
  return { levels: [{ afterMs: escalateAfterMs, routes: operators }], rounds: 1 };
}
