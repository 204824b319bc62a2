/** Addresses that nobody points to any more: a person who was removed leaves none behind. */
import type { Run } from './database.js';

const USED = `
exists (select from contact c where c.org = d.org and c.reference = d.reference)
  or exists (select from default_destination f where f.org = d.org and f.reference = d.reference)
  or exists (select from organisation o where o.org = d.org
    and position(d.reference in o.operators::text || coalesce(o.escalation::text, '')) > 0)
  or exists (select from scope_configuration s where s.org = d.org
    and position(d.reference in s.budgets::text || s.synced::text || s.operator::text) > 0)`;

/** `references` is an array as SQL writes it. An alert under way to one is told `no_destination`. */
export async function dropUnused(run: Run, org: string, references: string): Promise<void> {
  await run(
    `with gone as (
       delete from destination d where d.org = $1 and d.reference = any($2::text[]) and not (${USED})
       returning d.reference
     )
     delete from destination_pace p using gone where p.org = $1 and p.reference = gone.reference`,
    [org, references],
  );
}
