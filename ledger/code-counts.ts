/**
 * How many codes are sent to prove an address (CO-2).
 * CC-1. At most five in a UTC day to an address, whoever of the organisation it is said to belong
 *       to, and five for a recipient's channel, whatever its address: counts outlive both.
 * CC-2. Addresses and people stand here as hashes that only the ledger's own key can make, and for
 *       no longer than their day counts.
 */
import type { Database, Run } from './database.js';
import type { ContactRef } from './recipient.js';
import { destinationReference } from './seal.js';

const CODES_A_DAY = 5;
const DAY_MS = 86_400_000;

/** Held until the transaction ends: codes that are asked for at the same moment count one by one. */
const HOLD = `
insert into code_count (org, hash, day, sent) values ($1, $2, $3::bigint, 0)
on conflict (org, hash) do update set day = excluded.day,
  sent = case when code_count.day < excluded.day then 0 else code_count.sent end
returning sent`;

/** Each takes a few of days before along, so that nobody has to sweep. */
const FORGET = `
delete from code_count where (org, hash) in (
  select org, hash from code_count where day < $1::bigint order by day limit 4
  for update skip locked)`;

/** Counts one code. `nextAt`: it would be one too many, and the next is possible then, epoch ms. */
export async function countCode(
  run: Run,
  key: Buffer,
  { org, id, channel }: ContactRef,
  { address, now }: { readonly address: string; readonly now: number },
): Promise<{ readonly nextAt: number } | undefined> {
  const day = now - (now % DAY_MS);
  // Mail is one mailbox however it is written, and in one order nobody waits for another in a ring.
  const hashes = [
    destinationReference(key, ['codes to', org, channel, address.toLowerCase()]),
    destinationReference(key, ['codes for', org, channel, id]),
  ].sort();
  for (const hash of hashes) {
    const [row] = await run(HOLD, [org, hash, day]);
    if (Number(row?.['sent']) >= CODES_A_DAY) return { nextAt: day + DAY_MS };
  }
  for (const hash of hashes) {
    await run('update code_count set sent = sent + 1 where org = $1 and hash = $2', [org, hash]);
  }
  await run(FORGET, [day]);
  return undefined;
}

/** A person is erased: no hash of theirs stays, so the day's counts begin anew for everybody. */
export async function eraseCodeCounts(db: Database): Promise<void> {
  await db.run('delete from code_count', []);
}

/** Those of days before `before`, epoch ms. */
export async function pruneCodeCounts(db: Database, before: number): Promise<void> {
  await db.run('delete from code_count where day < $1::bigint', [before]);
}
