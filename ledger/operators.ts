/** Who runs the service: where they are reached, and when an alert becomes theirs. */
import { eq } from 'drizzle-orm';
import type { AlertRoute, Escalation, Response } from '../domain/alert/state.js';
import { isUrgent } from '../domain/severity.js';
import type { Database } from './database.js';
import type { DeliveryPolicy } from './delivery-policy.js';
import type { Responding } from './ledger.js';
import { organisations, typed } from './schema.js';

/** A5. In the order they are tried. */
export async function setOperators(
  db: Database,
  org: string,
  operators: readonly Required<AlertRoute>[],
): Promise<void> {
  await set(db, org, { operators });
}

/** A8. Undefined: the default again. */
export async function setEscalation(
  db: Database,
  org: string,
  escalation: Escalation | undefined,
): Promise<void> {
  await set(db, org, { escalation: escalation ?? null });
}

/** C3. Domains are compared in lower case. */
export async function setAllowedEmailDomains(
  db: Database,
  org: string,
  domains: readonly string[],
): Promise<void> {
  const emailDomains = [...new Set(domains.map((domain) => domain.trim().toLowerCase()))].sort();
  await set(db, org, { emailDomains });
}

export async function allowedEmailDomains(db: Database, org: string): Promise<readonly string[]> {
  const [row] = await typed(db.run)
    .select({ emailDomains: organisations.emailDomains })
    .from(organisations)
    .where(eq(organisations.org, org));
  return row?.emailDomains ?? [];
}

async function set(
  db: Database,
  org: string,
  values: Partial<typeof organisations.$inferInsert>,
): Promise<void> {
  await typed(db.run)
    .insert(organisations)
    .values({ org, ...values })
    .onConflictDoUpdate({ target: organisations.org, set: values });
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
