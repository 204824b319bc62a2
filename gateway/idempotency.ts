/**
 * `Idempotency-Key` on writes: the same key with the same request is carried out once, and
 * answered again with what it was answered first.
 *
 * G-D1. Only what was done is kept: a refusal changed nothing, and its key is free again.
 * G-D2. A key belongs to the API key that used it, and to one request: method, path and body.
 * G-D3. Secrets of an answer are not kept: its repetition comes without them.
 */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { StoredAnswer, WriteRef } from '../ledger/ledger.js';
import type { Env } from './env.js';
import type { Gateway } from './options.js';
import { Problem } from './problem.js';

const KEPT_MS = 24 * 3_600_000;
/** Longer than any write takes; after it whoever asks again carries it out. */
const CLAIM_MS = 60_000;

interface Kind {
  readonly shownOnce?: readonly string[];
}

/** Carries out a write, or answers what it was answered before. */
export type Once = (
  c: Context<Env>,
  kind: Kind,
  body: Buffer,
  work: () => Response | Promise<Response>,
) => Promise<Response>;

export function createOnce({ ledger, log, newId, now }: Gateway): Once {
  const settle = async (ref: WriteRef, kept: Promise<void>): Promise<void> => {
    // It is done: that its answer could not be kept must not make it look undone.
    await kept.catch((error: unknown) => {
      log.warn({ org: ref.org, cause: String(error) }, 'the answer of a write was not kept');
    });
  };
  return async (c, { shownOnce = [] }, body, work) => {
    const idempotencyKey = readKey(c.req.header('idempotency-key'));
    if (idempotencyKey === undefined) return work();
    const { org, id } = c.get('key');
    const ref = { org, keyId: id, idempotencyKey };
    const holder = newId();
    const request = fingerprint(c, body);
    const claim = { ...ref, request, holder, now: now(), claimMs: CLAIM_MS };
    const claimed = await ledger.claimWrite(claim);
    switch (claimed.type) {
      case 'answered':
        return again(claimed.stored);
      case 'other_request':
        throw reused();
      case 'under_way':
        throw underWay();
      case 'claimed':
    }
    let response: Response;
    try {
      response = await work();
    } catch (error) {
      await settle(ref, ledger.releaseWrite(ref, holder));
      throw error;
    }
    const { status } = response;
    const kept = response.ok
      ? ledger.finishWrite(
          ref,
          holder,
          { status, answer: without(shownOnce, await response.clone().text()) },
          now() + KEPT_MS,
        )
      : ledger.releaseWrite(ref, holder);
    await settle(ref, kept);
    return response;
  };
}

/** Throws a `Problem` (400) for what is no key. */
function readKey(given: string | undefined): string | undefined {
  if (given === undefined || /^[\x21-\x7e]{1,255}$/.test(given)) return given;
  throw new Problem({
    status: 400,
    title: 'Bad Idempotency-Key',
    detail: 'Expected 1 to 255 visible ASCII characters, such as a UUID, in Idempotency-Key.',
  });
}

function fingerprint(c: Context<Env>, body: Buffer): string {
  const { pathname, search } = new URL(c.req.url);
  const what = `${c.req.method} ${pathname}${search}\n`;
  return createHash('sha256').update(what).update(body).digest('hex');
}

function again({ status, answer }: StoredAnswer): Response {
  return new Response(answer, {
    status,
    headers: { 'content-type': 'application/json', 'idempotency-replayed': 'true' },
  });
}

function without(names: readonly string[], answer: string): string {
  if (names.length === 0) return answer;
  const body = JSON.parse(answer) as Record<string, unknown>;
  return JSON.stringify(
    Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name))),
  );
}

function reused(): Problem {
  return new Problem({
    status: 422,
    title: 'Idempotency-Key used before',
    detail: 'This Idempotency-Key was sent with another request: take a new one for a new request.',
  });
}

function underWay(): Problem {
  return new Problem({
    status: 409,
    title: 'Under way',
    detail: 'The same request is being carried out: ask again in a moment for its answer.',
    headers: { 'retry-after': '1' },
  });
}
