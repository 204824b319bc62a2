/**
 * An ask for a lease as the gateway carries it out: placed, then decided by the book.
 * G-L1. It is placed under the configuration that holds: the book refuses an older one, and who is
 *       held by nothing here is looked up anew before he is told so.
 */
import type { Scope } from '../domain/budget/period-key.js';
import type { LeaseAnswer } from '../domain/lease/lease.js';
import type { PlacedAsk } from '../ledger/ledger.js';
import { withDeadline } from './deadline.js';
import { placeAsk, type AskPlace } from './lease-place.js';
import type { Gateway } from './options.js';
import { Problem } from './problem.js';
import { agentScope, type ScopeCache, type ScopeSlot } from './scopes.js';
import { refusalOfStop } from './verdict.js';

/** As ingest: a configuration that changes this often meanwhile is trouble. */
const MAX_PLACINGS = 5;

/** Throws a `Problem` (409) for an older request than the holder's last, and what the ledger throws. */
export async function askLease(
  gateway: Pick<Gateway, 'ledger' | 'policy' | 'now'>,
  cache: ScopeCache,
  { org, ask }: Pick<PlacedAsk, 'org' | 'ask'>,
): Promise<LeaseAnswer> {
  const now = gateway.now();
  const { ledgerTimeoutMs, leaseAheadMs, leaseFreshMs } = gateway.policy;
  const names: readonly Scope[] = ['org', agentScope(ask.agent)];
  const placed = async (maxAgeMs?: number): Promise<AskPlace & Placed> => {
    const scopes = await cache.load(org, names, maxAgeMs);
    return { scopes, ...placeAsk(ask, scopes, now, leaseAheadMs) };
  };
  for (let placing = 0; placing < MAX_PLACINGS; placing += 1) {
    let place = await placed();
    if (!place.isLimited) place = await placed(leaseFreshMs);
    if (!place.isLimited) return unlimited(gateway, org, ask.agent, now);
    const { seeds, scopes } = place;
    const result = await withDeadline(
      gateway.ledger.askLease({ org, ask, seeds, revisions: revisionsOf(scopes) }, now),
      ledgerTimeoutMs,
      'The ledger',
    );
    if (result.type === 'answered') return result.answer;
    if (result.type === 'stale') throw staleRequest();
    cache.forget(org, names);
  }
  throw new Error(
    `The configuration changed ${String(MAX_PLACINGS)} times while a lease was asked for.`,
  );
}

interface Placed {
  readonly scopes: ReadonlyMap<Scope, ScopeSlot>;
}

function revisionsOf(scopes: ReadonlyMap<Scope, ScopeSlot>) {
  return Array.from(scopes, ([scope, slot]) => ({ scope, rev: slot.configuration.rev }));
}

/** K2. A Stop holds also who has no limit. */
async function unlimited(
  { ledger, policy }: Pick<Gateway, 'ledger' | 'policy'>,
  org: string,
  agent: string,
  now: number,
): Promise<LeaseAnswer> {
  const stop = (await ledger.stopped(org)).find((each) => each.agent === agent);
  if (stop === undefined) return { type: 'unlimited', renewInMs: policy.leaseRenewMs, now };
  const reason = refusalOfStop(stop).detail;
  return { type: 'refused', why: 'stopped', othersHold: false, reason, now };
}

/** L5. */
export function staleRequest(): Problem {
  return new Problem({
    status: 409,
    title: 'Stale request',
    detail:
      'This holder has asked something newer: go on from its last request, with a larger `n`.',
    path: 'n',
    more: { code: 'stale' },
  });
}
