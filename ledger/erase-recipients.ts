/**
 * A person who is a recipient: gone with contacts, preferences and what waits in a digest. What was
 * decided about them stays as a decision about nobody (A10).
 */
import type { Database, Run } from './database.js';
import { literally, type Person } from './erase-match.js';
import { eraseDestination, type ErasedDestinations } from './erase-destinations.js';
import { raiseRevision } from './rules.js';

type Sent = Omit<ErasedDestinations, 'unopened'>;

/** By id or name, whatever the case. Adds the organisations it has changed to `orgs`. */
export async function eraseRecipients(
  db: Database,
  { value }: Person,
  orgs: Set<string>,
): Promise<Sent & { readonly recipients: number }> {
  const found = await db.run(
    'select org, id from recipient where lower(id) = lower($1) or lower(name) = lower($1)',
    [value],
  );
  const sum = { recipients: 0, destinations: 0, messages: 0, routes: 0 };
  for (const row of found) {
    const [org, id] = [String(row['org']), String(row['id'])];
    orgs.add(org);
    const sent = await db.transaction((run) => remove(run, org, id));
    sum.recipients += 1;
    sum.destinations += sent.destinations;
    sum.messages += sent.messages;
    sum.routes += sent.routes;
  }
  return sum;
}

async function remove(run: Run, org: string, id: string): Promise<Sent> {
  const one = [org, id];
  const sum = { destinations: 0, messages: 0, routes: 0 };
  const contacts = await run(
    'delete from contact where org = $1 and recipient = $2 returning reference',
    one,
  );
  for (const { reference } of contacts) {
    // A mailbox that others read, too, is not this person's alone.
    const place = [org, String(reference)];
    const others = await run(
      'select from contact where org = $1 and reference = $2 limit 1',
      place,
    );
    if (others.length > 0) continue;
    const { messages, routes } = await eraseDestination(run, org, String(reference));
    sum.destinations += 1;
    sum.messages += messages;
    sum.routes += routes;
  }
  await run('delete from recipient where org = $1 and id = $2', one);
  await run('delete from digest_item where org = $1 and recipient = $2', one);
  await forget(run, org, id);
  return sum;
}

/** Records that name them, each with another word where two of one alert must not be the same. */
async function forget(run: Run, org: string, id: string): Promise<void> {
  const routed = await run(
    `update routing set recipient = 'erased ' || no, preferences = null
     where org = $1 and recipient = $2 returning alert_id`,
    [org, id],
  );
  if (routed.length > 0) {
    const name = literally(JSON.stringify(id));
    await run(
      `update routed_alert a set routes =
         regexp_replace(a.routes::text, $2, '"recipient": "erased"', 'g')::jsonb
       where a.org = $1 and exists (select from routing r where r.org = a.org
         and r.alert_id = a.alert_id and r.recipient like 'erased %')`,
      [org, `"recipient": ${name}`],
    );
  }
  await run(
    `update alert_outbox set input = jsonb_set(input, '{audience,recipients}', (
         select coalesce(jsonb_agg(case when each = to_jsonb($2::text) then '"erased"' else each end),
           '[]') from jsonb_array_elements(input->'audience'->'recipients') as each))
     where org = $1 and input->'audience'->'recipients' @> to_jsonb($2::text)`,
    [org, id],
  );
  await forgetInRules(run, org, id);
  await run(`update audit set subject = 'recipient:erased' where org = $1 and subject = $2`, [
    ...[org, `recipient:${id}`],
  ]);
  await run(
    `update audit set after = null, before = null
     where org = $1 and subject = 'recipient:erased' and what in ('recipient_added', 'recipient_renamed')`,
    [org],
  );
}

/** R2. A rule that has nobody left goes to the operators; who counts by it hears of the change. */
async function forgetInRules(run: Run, org: string, id: string): Promise<void> {
  const changed = await run(
    `update rule set recipients = recipients - $2::text
     where org = $1 and recipients @> to_jsonb($2::text) returning id`,
    [org, id],
  );
  if (changed.length > 0) await raiseRevision(run, org);
  for (const side of ['before', 'after']) {
    await run(
      `update audit set ${side} = jsonb_set(${side}, '{recipients}', (${side}->'recipients') - $2::text)
       where org = $1 and what in ('rule_set', 'rule_removed')
         and ${side}->'recipients' @> to_jsonb($2::text)`,
      [org, id],
    );
  }
}
