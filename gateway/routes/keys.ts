/**
 * API keys: made, listed, rotated and revoked by admin keys. A key is shown once, with the answer
 * that made it; the ledger has its hash.
 */
import { markOf, makeApiKey } from '../api-key.js';
import { keysAnswer, newKeyAnswer, revokedKeyAnswer, rotatedKeyAnswer } from '../answers.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { Problem } from '../problem.js';
import { forbidden } from '../rights.js';
import {
  idPath,
  keyBody,
  pageQuery,
  placeInTime,
  revokeBody,
  rotateBody,
  unprocessable,
} from '../schemas.js';

const listKeys = {
  ...{ method: 'get', path: '/v1/keys', id: 'listKeys' },
  summary: 'The API keys of the organisation, newest first, ended ones included',
  scopes: ['admin'],
  query: pageQuery,
  answers: { 200: { description: 'Without the keys themselves', schema: keysAnswer } },
} as const satisfies Operation;

const createKey = {
  ...{ method: 'post', path: '/v1/keys', id: 'createKey' },
  summary: 'Make an API key',
  description: 'With `agent` it may touch that agent only. `admin` is never for one agent.',
  scopes: ['admin'],
  body: keyBody,
  shownOnce: ['key'],
  answers: { 201: { description: 'The key, shown this once', schema: newKeyAnswer } },
} as const satisfies Operation;

const rotateKey = {
  ...{ method: 'post', path: '/v1/keys/:id/rotate', id: 'rotateKey' },
  summary: 'Replace a key by a new one with the same rights',
  description: 'The old one stays valid for its grace.',
  scopes: ['admin'],
  params: idPath,
  body: rotateBody,
  shownOnce: ['key'],
  answers: { 201: { description: 'The new key, shown this once', schema: rotatedKeyAnswer } },
  problems: [404, 409],
} as const satisfies Operation;

const revokeKey = {
  ...{ method: 'post', path: '/v1/keys/:id/revoke', id: 'revokeKey' },
  summary: 'End a key at once',
  description: 'Gateways that have just seen it refuse it within 5 s. Twice is once.',
  scopes: ['admin'],
  params: idPath,
  body: revokeBody,
  answers: { 200: { description: 'It is refused from now on', schema: revokedKeyAnswer } },
  problems: [404, 409],
} as const satisfies Operation;

export function addKeyRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log, homeOrg, now } = gateway;

  routes.add(listKeys, async (c, { query: { limit, cursor } }) => {
    const { org } = c.get('key');
    const [createdAt, id] = readCursor(placeInTime, cursor) ?? [];
    const after = createdAt === undefined || id === undefined ? {} : { after: { createdAt, id } };
    const { entries, ...page } = await readPage(
      limit,
      (most) => ledger.keys({ org, limit: most, ...after }),
      (each) => [each.createdAt ?? 0, each.id],
    );
    return c.json({ keys: entries, ...page });
  });

  routes.add(createKey, async (c, { body }) => {
    const asker = c.get('key');
    const { name, scopes, agent, org = asker.org, by = asker.name } = body;
    if (org !== asker.org && asker.org !== homeOrg) {
      throw forbidden(`Keys of ${org} are made by an admin key of ${org}.`);
    }
    if (agent !== undefined && scopes.includes('admin')) {
      throw unprocessable('scopes', 'admin is over the whole organisation: leave `agent` out');
    }
    const key = makeApiKey();
    const created = await ledger.createKey({
      ...markOf(key),
      ...{ org, name, scopes: [...new Set(scopes)], by, now: now() },
      ...(agent === undefined ? {} : { agent }),
    });
    log.warn({ requestId: c.get('requestId'), org, key: created.id, by }, 'API key made');
    return c.json({ key, created }, 201);
  });

  routes.add(rotateKey, async (c, { params: { id }, body }) => {
    const asker = c.get('key');
    const { graceSeconds, by = asker.name } = body;
    const key = makeApiKey();
    const rotated = await ledger.rotateKey({
      ...markOf(key),
      ...{ org: asker.org, id, graceMs: graceSeconds * 1_000, by, now: now() },
    });
    if (rotated.type === 'unknown') throw unknownKey(id);
    if (rotated.type === 'ended') throw ended(rotated.old);
    log.warn({ requestId: c.get('requestId'), key: id, by }, 'API key rotated');
    return c.json({ key, created: rotated.key, old: rotated.old }, 201);
  });

  routes.add(revokeKey, async (c, { params: { id }, body }) => {
    const asker = c.get('key');
    const { by = asker.name } = body;
    if (id === asker.id) throw revokingItself();
    const answer = await ledger.revokeKey(asker.org, id, by, now());
    if (answer === undefined) throw unknownKey(id);
    const { changed, key } = answer;
    log.warn({ requestId: c.get('requestId'), key: id, by, changed }, 'API key revoked');
    return c.json({ changed, revoked: key });
  });
}

function unknownKey(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown key',
    detail: `There is no API key with the id ${JSON.stringify(id.slice(0, 64))}: list them.`,
  });
}

function ended({
  id,
  revokedAt,
  replacedBy,
}: {
  id: string;
  revokedAt?: number;
  replacedBy?: string;
}): Problem {
  const why =
    revokedAt === undefined ? `was rotated before, to ${replacedBy ?? 'another'}` : 'was revoked';
  const detail = `The key ${id} ${why}: there is nothing to rotate.`;
  return new Problem({ status: 409, title: 'The key has ended', detail });
}

/** Whoever revokes keeps a key: an organisation does not lock itself out. */
function revokingItself(): Problem {
  return new Problem({
    status: 409,
    title: 'This key itself',
    detail: 'A key does not revoke itself: ask with another admin key, or rotate it.',
  });
}
