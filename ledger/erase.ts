/**
 * Erasure of a person, over all organisations.
 * ER-1. Destinations of the address go, with what was rendered for them and whatever points to
 *       them as a default or as the operators'. Routes that name them keep a reference, which
 *       says nothing without the ledger's key, and are recorded as `no_destination` from then on.
 *       A recipient of that id or name goes whole; one who has the address keeps the rest.
 * ER-2. Elsewhere the address is replaced where it stands in a text; names of agents, runs and
 *       ids stay, as their totals hang on them, and are told.
 * ER-3. The audit entry says what was taken away, and not whose it was.
 */
import { audit } from './audit.js';
import { ledgerTables } from './catalog.js';
import type { Database, Run } from './database.js';
import { eraseCodeCounts } from './code-counts.js';
import { eraseDestinations } from './erase-destinations.js';
import { namesOf, patternOf, refusePerson, type Person } from './erase-match.js';
import { eraseRecipients } from './erase-recipients.js';
import { eraseNames, eraseTexts } from './erase-texts.js';
import { eraseNotices } from './erase-notices.js';
import type { SealKeys } from './seal.js';

export interface Erased {
  /** People of that id or name, with their preferences and contacts. */
  readonly recipients: number;
  readonly destinations: number;
  /** Rendered for them. */
  readonly messages: number;
  /** Defaults and operators' routes that pointed to them. */
  readonly routes: number;
  /** Rows whose `by` was the person. */
  readonly names: number;
  /** Rows with the address in some other text. */
  readonly texts: number;
  /** Destinations that no key opens: nobody knows what they are. */
  readonly unopened: number;
  /** Rows whose name or id holds the address: `usage_event.run`, with their number. */
  readonly kept: Readonly<Record<string, number>>;
}

/** Throws where the person is not given as they have to be. Running it again is harmless. */
export async function erase(
  db: Database,
  keys: SealKeys,
  person: Person,
  { by, now }: { readonly by: string; readonly now: number },
): Promise<Erased> {
  const fault = refusePerson(person);
  if (fault !== undefined) throw new Error(`Not a person's ${person.kind}: ${fault}.`);
  const orgs = new Set<string>();
  const pattern = patternOf(person);
  const sent =
    pattern === undefined
      ? { destinations: 0, messages: 0, routes: 0, unopened: 0 }
      : await eraseDestinations(db, keys, pattern, orgs);
  const notices = await eraseNotices(db, person, orgs);
  const people = await eraseRecipients(db, person, orgs);
  await eraseCodeCounts(db);
  const tables = await ledgerTables(db.run);
  const names = await eraseNames(db, tables, namesOf(person), orgs);
  const { texts, kept } =
    pattern === undefined ? { texts: 0, kept: {} } : await eraseTexts(db, tables, pattern, orgs);
  const erased = {
    ...{ recipients: people.recipients, names, texts, kept },
    destinations: sent.destinations + people.destinations,
    messages: sent.messages + people.messages + notices,
    routes: sent.routes + people.routes,
    unopened: sent.unopened,
  };
  await db.transaction((run) => note(run, [...orgs].sort(), erased, { by, now, person }));
  return erased;
}

/** ER-3. */
async function note(
  run: Run,
  orgs: readonly string[],
  { recipients, destinations, messages, routes, names, texts }: Erased,
  { by, now, person }: { by: string; now: number; person: Person },
): Promise<void> {
  const after = { kind: person.kind, recipients, destinations, messages, routes, names, texts };
  const author = namesOf(person).includes(by) ? 'the person' : by;
  for (const org of orgs) {
    const what = 'person_erased' as const;
    await audit(run, { org, subject: 'person', at: now, by: author, what, after });
  }
}
