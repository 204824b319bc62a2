/**
 * Leases over HTTP (L1 to L5): a guard asks for one, lets it grow, renews it, gives back and ends
 * it; people see what is held and release what a vanished guard left.
 */
import { askLease, staleRequest } from '../ask-lease.js';
import { withDeadline } from '../deadline.js';
import {
  closedLeaseAnswer,
  closeLeaseBody,
  leaseAnswer,
  leaseBody,
  leasesAnswer,
  leasesQuery,
  releaseBody,
  releasedAnswer,
} from '../lease-schemas.js';
import { answerWords, askOf, closeOf, leaseWords } from '../lease-words.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { Problem } from '../problem.js';
import { agentSeen, touchAgent } from '../rights.js';
import { idPath, placeInTime } from '../schemas.js';
import type { ScopeCache } from '../scopes.js';

const ask = {
  ...{ method: 'post', path: '/v1/leases', id: 'askLease' },
  summary: 'Ask for a lease: the first, more, longer, or less',
  description:
    '`need` and `want` are totals over the lease’s life, so a repeated or late request changes ' +
    'nothing; the same (`holder`, `n`) gets the same answer. Without `need` nothing is granted. ' +
    'Usage is settled by the events that name the lease. With `starts: "next"` where no period ' +
    'ends within a minute it is today’s: `valid_in_ms` is 0.',
  scopes: ['ingest'],
  forAgentKeys: true,
  rate: 'usage',
  body: leaseBody,
  answers: { 200: { description: 'Granted, refused, or not needed', schema: leaseAnswer } },
} as const satisfies Operation;

const close = {
  ...{ method: 'post', path: '/v1/leases/close', id: 'closeLease' },
  summary: 'End a lease',
  description:
    'With `last_seq` it is `closed` once the events 1 to that are stored, `closing` until then. ' +
    'With `mark`, of a guard that did not come back: what lies above it is free at once.',
  scopes: ['ingest'],
  forAgentKeys: true,
  rate: 'usage',
  body: closeLeaseBody,
  answers: { 200: { description: 'How it stands now', schema: closedLeaseAnswer } },
} as const satisfies Operation;

const release = {
  ...{ method: 'post', path: '/v1/leases/:id{.+}/release', id: 'releaseLease' },
  summary: 'Release what a guard holds: it is no longer counted',
  description:
    'For guards that will not come back. What one of them has spent and not reported is then ' +
    'spent beside the limit. Percent-encode the id, or let its slash stand.',
  scopes: ['operate'],
  params: idPath,
  body: releaseBody,
  answers: { 200: { description: 'It holds nothing any more', schema: releasedAnswer } },
  problems: [404],
} as const satisfies Operation;

const list = {
  ...{ method: 'get', path: '/v1/leases', id: 'listLeases' },
  summary: 'Leases, the latest first',
  scopes: ['read'],
  forAgentKeys: true,
  query: leasesQuery,
  answers: { 200: { description: 'One page', schema: leasesAnswer } },
} as const satisfies Operation;

export function addLeaseRoutes(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  const { ledger } = gateway;

  routes.add(ask, async (c, { body }) => {
    const key = c.get('key');
    touchAgent(key, body.agent_name);
    const answer = await askLease(gateway, cache, { org: key.org, ask: askOf(body) });
    const why = answer.type === 'refused' ? { why: answer.why } : {};
    Object.assign(c.get('facts'), { lease: answer.type, ...why });
    return c.json(answerWords(answer));
  });

  routes.add(close, async (c, { body }) => {
    const key = c.get('key');
    touchAgent(key, body.agent_name);
    const result = await withDeadline(
      ledger.closeLease(key.org, closeOf(body), gateway.now()),
      gateway.policy.ledgerTimeoutMs,
      'The ledger',
    );
    if (result.type === 'stale') throw staleRequest();
    const { state, lease } = result.closed;
    Object.assign(c.get('facts'), { lease: state });
    return c.json({ type: state, lease });
  });

  routes.add(release, async (c, { params: { id }, body }) => {
    const key = c.get('key');
    const { by = key.name, reason } = body;
    const isReleased = await ledger.releaseLease(key.org, id, { by, reason, now: gateway.now() });
    if (!isReleased) throw nothingHeld(id);
    gateway.log.warn({ requestId: c.get('requestId'), lease: id, by }, 'a lease was released');
    return c.json({ lease: id, state: 'released' });
  });

  routes.add(list, async (c, { query }) => {
    const key = c.get('key');
    const agent = agentSeen(key, query.agent_name);
    const { period_id: periodId, state, holding, limit } = query;
    const [openedAt, id] = readCursor(placeInTime, query.cursor) ?? [];
    const { entries, ...page } = await readPage(
      limit,
      (most) =>
        ledger.leases({
          ...{ org: key.org, now: gateway.now(), limit: most },
          ...(agent === undefined ? {} : { agent }),
          ...(periodId === undefined ? {} : { periodId }),
          ...(state === undefined ? {} : { state }),
          ...(holding ? { holding } : {}),
          ...(openedAt === undefined || id === undefined ? {} : { after: { openedAt, id } }),
        }),
      (lease) => [lease.openedAt, lease.id],
    );
    return c.json({ leases: entries.map(leaseWords), ...page });
  });
}

function nothingHeld(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Nothing held',
    detail: `There is no lease ${JSON.stringify(id.slice(0, 128))} that holds anything: list them.`,
  });
}
