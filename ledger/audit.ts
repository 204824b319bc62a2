/** Who changed what, when; written in the transaction of the change. */
import type { AuditQuery, AuditView } from './configuring.js';
import type { Database, Run } from './database.js';
import { jsonText } from './literals.js';

export interface AuditEntry {
  readonly org: string;
  /** A scope, `agent:<name>`, `destination:<reference>`, `key:<id>`, `recipient:<id>`, `rule:<id>` or `organisation`. */
  readonly subject: string;
  readonly at: number;
  readonly by: string;
  readonly what:
    | 'configured'
    | 'limits_set'
    | 'limits_removed'
    | 'limit_ended'
    | 'raised'
    | 'raise_ended'
    | 'reset'
    | 'stopped'
    | 'resumed'
    | 'lease_released'
    | 'default_destination_set'
    | 'destination_confirmed'
    | 'destination_restored'
    | 'destination_gone'
    | 'destination_failing'
    | 'email_domains_set'
    | 'escalation_set'
    | 'operators_set'
    | 'key_created'
    | 'key_rotated'
    | 'key_revoked'
    | 'recipient_added'
    | 'recipient_renamed'
    | 'recipient_removed'
    | 'contact_set'
    | 'contact_verified'
    | 'contact_removed'
    | 'preferences_set'
    | 'unsubscribed'
    | 'person_erased'
    | 'silenced'
    | 'silence_ended'
    | 'rule_set'
    | 'rule_removed';
  readonly before?: unknown;
  readonly after?: unknown;
}

export async function audit(run: Run, entry: AuditEntry): Promise<void> {
  const json = (value: unknown): string | undefined =>
    value === undefined ? undefined : jsonText(value);
  await run(
    `insert into audit (org, subject, at, by, what, before, after)
     values ($1, $2, $3::bigint, $4, $5, $6::jsonb, $7::jsonb)`,
    [
      entry.org,
      entry.subject,
      entry.at,
      entry.by,
      entry.what,
      json(entry.before),
      json(entry.after),
    ],
  );
}

/** The newest first. */
export async function listAudit(
  db: Database,
  { org, subject, before, limit }: AuditQuery,
): Promise<readonly AuditView[]> {
  const rows = await db.run(
    `select id, subject, at, by, what, before, after from audit
     where org = $1 and ($2::text is null or subject = $2)
       and ($3::bigint is null or id < $3::bigint)
     order by id desc limit $4::bigint`,
    [org, subject, before, limit],
  );
  return rows.map((row) => {
    const { before: was, after: is, ...entry } = row as unknown as AuditView;
    return {
      ...entry,
      ...((was ?? undefined) === undefined ? {} : { before: was }),
      ...((is ?? undefined) === undefined ? {} : { after: is }),
    };
  });
}
