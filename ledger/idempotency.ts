/**
 * What writes with an Idempotency-Key were answered. A write is claimed before it is carried out,
 * and answered from here afterwards.
 * D-1. Of several requests with one key at most one is under way; whoever overtook a lost one
 *      stores the answer, the lost one does not.
 */
import type { Database } from './database.js';

/** Whose write it is; keys of different holders never meet. */
export interface WriteRef {
  readonly org: string;
  readonly keyId: string;
  readonly idempotencyKey: string;
}

export interface StoredAnswer {
  readonly status: number;
  /** JSON. */
  readonly answer: string;
}

export type ClaimedWrite =
  /** Carry it out, then `finishWrite` or `releaseWrite`. */
  | { readonly type: 'claimed' }
  | { readonly type: 'answered'; readonly stored: StoredAnswer }
  | { readonly type: 'under_way' }
  /** The key was used for something else. */
  | { readonly type: 'other_request' };

export interface WriteClaim extends WriteRef {
  /** SHA-256 of what is asked for. */
  readonly request: string;
  /** Unique among all who claim. */
  readonly holder: string;
  readonly now: number;
  /** So long nobody else carries it out. */
  readonly claimMs: number;
}

export interface AnswerStore {
  claimWrite(claim: WriteClaim): Promise<ClaimedWrite>;
  /** Kept until `until`, epoch ms. */
  finishWrite(ref: WriteRef, holder: string, stored: StoredAnswer, until: number): Promise<void>;
  /** It changed nothing: the key is free again. */
  releaseWrite(ref: WriteRef, holder: string): Promise<void>;
}

const CLAIM = `
insert into idempotent_answer as known (org, key_id, idempotency_key, request, until, holder)
values ($1, $2, $3, $4, $5::bigint + $6::bigint, $7)
on conflict (org, key_id, idempotency_key) do update
  set request = excluded.request, until = excluded.until, holder = excluded.holder,
    status = null, answer = null
  where known.until <= $5::bigint
returning holder`;

/** What is past its time goes, a few at a time. */
const SWEEP = `
delete from idempotent_answer where (org, key_id, idempotency_key) in (
  select org, key_id, idempotency_key from idempotent_answer where until <= $1::bigint
  order by until limit 20 for update skip locked)`;

export async function claimWrite(db: Database, claim: WriteClaim): Promise<ClaimedWrite> {
  const { org, keyId, idempotencyKey, request, holder, now, claimMs } = claim;
  const values = [org, keyId, idempotencyKey, request, now, claimMs, holder];
  const [claimed] = await db.run(CLAIM, values);
  if (claimed !== undefined) {
    await db.run(SWEEP, [now]);
    return { type: 'claimed' };
  }
  const [row] = await db.run(
    `select request, status, answer from idempotent_answer
     where org = $1 and key_id = $2 and idempotency_key = $3`,
    [org, keyId, idempotencyKey],
  );
  // Released in between: whoever asks again finds it free.
  if (row === undefined) return { type: 'under_way' };
  if (row['request'] !== request) return { type: 'other_request' };
  if (row['status'] === null) return { type: 'under_way' };
  const stored = { status: Number(row['status']), answer: String(row['answer']) };
  return { type: 'answered', stored };
}

export async function finishWrite(
  db: Database,
  { org, keyId, idempotencyKey }: WriteRef,
  holder: string,
  { status, answer }: StoredAnswer,
  until: number,
): Promise<void> {
  await db.run(
    `update idempotent_answer set status = $5::bigint, answer = $6, until = $7::bigint
     where org = $1 and key_id = $2 and idempotency_key = $3 and holder = $4`,
    [org, keyId, idempotencyKey, holder, status, answer, until],
  );
}

export async function releaseWrite(
  db: Database,
  { org, keyId, idempotencyKey }: WriteRef,
  holder: string,
): Promise<void> {
  await db.run(
    `delete from idempotent_answer where org = $1 and key_id = $2 and idempotency_key = $3
       and holder = $4 and status is null`,
    [org, keyId, idempotencyKey, holder],
  );
}
