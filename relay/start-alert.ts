/**
 * The one way an alert's workflow is started: whom it is told, and how it goes on where its own
 * routes do not do, are frozen into it (A1), as the ledger has them at that moment.
 */
import type { KavachClient } from '../client/client.js';
import { spreadAlert } from '../domain/alert/spread.js';
import type { AlertInput, Response } from '../domain/alert/state.js';
import type { Ledger } from '../ledger/ledger.js';

/**
 * A crossing waits for this read, and operators change rarely: an answer is good for so long, ms.
 */
const FRESH_MS = 30_000;

export interface StartAlertOptions {
  readonly ledger: Pick<Ledger, 'response' | 'routeAlert'>;
  readonly client: Pick<KavachClient, 'startAlert'>;
  readonly now: () => number;
}

/** Rejects when the ledger or Temporal do not answer: whoever asked asks again. */
export function createStartAlert({
  ledger,
  client,
  now,
}: StartAlertOptions): KavachClient['startAlert'] {
  const known = new Map<string, { readonly at: number; readonly response: Response }>();
  const responseTo = async ({ org, kind, facts }: AlertInput): Promise<Response> => {
    const { priority } = facts;
    const name = JSON.stringify([org, kind, priority]);
    const last = known.get(name);
    if (last !== undefined && now() - last.at < FRESH_MS) return last.response;
    const response = await ledger.response(org, { priority, kind });
    known.set(name, { at: now(), response });
    return response;
  };
  /** P1 to P4. Asked again, the ledger answers what it answered first. */
  const routesOf = async (input: AlertInput): Promise<AlertInput['routes']> =>
    input.audience === undefined ? input.routes : ledger.routeAlert(input, now());
  return async (input) => {
    const [routes, response] = await Promise.all([routesOf(input), responseTo(input)]);
    const [first, ...parts] = spreadAlert({ ...input, routes, response });
    // Before the first: a word to it finds them all.
    for (const part of parts) await client.startAlert(part);
    return client.startAlert(first ?? input);
  };
}
