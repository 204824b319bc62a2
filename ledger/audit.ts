/** Who changed what, when; written in the transaction of the change. */
import type { Run } from './database.js';
import { jsonText } from './literals.js';

export interface AuditEntry {
  readonly org: string;
  /** A scope, `agent:<name>`, or `destination:<reference>`. */
  readonly subject: string;
  readonly at: number;
  readonly by: string;
  readonly what:
    | 'configured'
    | 'stopped'
    | 'resumed'
    | 'destination_confirmed'
    | 'destination_restored'
    | 'person_erased';
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
