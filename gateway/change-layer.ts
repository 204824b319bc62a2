/** From an operator's request to the ledger: whom it concerns, which periods, what came of it. */
import type { Scope } from '../domain/budget/period-key.js';
import type { ScopeConfiguration } from '../domain/configuration.js';
import type { LayerChange } from '../domain/configuration/change.js';
import { periodAt } from '../domain/period.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { CADENCES } from '../domain/words.js';
import type { ChangeLayerRequest, ScopeLayers } from '../ledger/ledger.js';
import type { Gateway } from './options.js';
import type { Problem } from './problem.js';
import { unprocessable } from './schemas.js';
import { agentScope, type ScopeCache } from './scopes.js';

export interface Concerned {
  readonly org: string;
  readonly scope: Scope;
  /** What people call it. */
  readonly name: string;
  /** B2. Local moments are told in it. */
  readonly zone: string;
}

/** Of a body that has been read: an agent, else the organisation. */
export async function concernedBy(
  { ledger, policy }: Pick<Gateway, 'ledger' | 'policy'>,
  org: string,
  { agent }: { readonly agent?: string | undefined },
): Promise<Concerned> {
  const scope: Scope = agent === undefined ? 'org' : agentScope(agent);
  const [known] = await ledger.layers(org, scope, 1);
  return { org, scope, name: agent ?? org, zone: zoneOf(known, policy.zone) };
}

/** A zone once configured stays: a changed one may hold only from the next period (B2). */
export function zoneOf(known: ScopeConfiguration | undefined, fallback: string): string {
  return known === undefined || known.rev === 0 ? fallback : known.zone;
}

/** Throws a `Problem` (422) where the change makes no sense: then nothing was written. */
export async function changeLayer(
  { ledger }: Pick<Gateway, 'ledger'>,
  cache: ScopeCache,
  concerned: Concerned,
  change: LayerChange,
  author: { readonly by: string; readonly now: number; readonly reason?: string },
): Promise<{ changed: boolean; layers: ScopeLayers }> {
  const windows = windowsOf(concerned, author.now);
  const answer = await ledger.changeLayer({ ...concerned, ...author, change, windows });
  cache.forget(concerned.org, [concerned.scope]);
  if (isRefusal(answer)) throw refused(answer, concerned);
  return answer;
}

/** Names whose limits it is about. */
export function refused(
  { code, path = '', message }: Refusal,
  { scope, name }: Pick<Concerned, 'scope' | 'name'>,
): Problem {
  const whose = scope === 'org' ? 'the organisation' : `the agent ${JSON.stringify(name)}`;
  const words = code === 'no_limit' ? message.replace('there is', `${whose} has`) : message;
  return unprocessable(path, words);
}

/** Every calendar and total period that contains `now`. */
export function windowsOf(
  { org, scope, zone }: Concerned,
  now: number,
): ChangeLayerRequest['windows'] {
  return CADENCES.flatMap((cadence) => {
    if (cadence === 'run') return [];
    const { period, ...window } = periodAt(cadence, zone, now);
    return [{ key: { org, scope, cadence, period, generation: 1 }, window }];
  });
}
