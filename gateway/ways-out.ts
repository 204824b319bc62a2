/**
 * Where an operator wants to be told: an address that is sealed, a reference that is known, or the
 * channel's default (C3). All of a request is checked before anything of it is stored; whoever may
 * set limits stands by an email address they name.
 */
import type { ChannelName } from '../domain/words.js';
import type { NewDestination } from '../ledger/ledger.js';
import type { WayOut } from './layer-schemas.js';
import type { Gateway } from './options.js';
import { unprocessable } from './schemas.js';
import { readTarget } from './target.js';

export interface Way {
  readonly channel: ChannelName;
  readonly destination?: string;
}

interface Asked {
  readonly way: WayOut;
  readonly path: string;
}

/** In order. Throws a `Problem` (422) with the path of the first fault; then nothing is stored. */
export async function storeWays(
  { ledger, refuseTarget }: Pick<Gateway, 'ledger' | 'refuseTarget'>,
  org: string,
  asked: readonly Asked[],
  sendResolved?: boolean,
): Promise<readonly Way[]> {
  const targets: NewDestination[] = [];
  const places: (number | undefined)[] = [];
  for (const { way, path } of asked) {
    const target = newTarget(way, path, refuseTarget);
    if (way.destination !== undefined) {
      const [known] = await ledger.knownDestinations(org, way.destination);
      if (known?.channel !== way.channel) {
        throw unprocessable(
          `${path}.destination`,
          `is no ${way.channel} destination that is known`,
        );
      }
    }
    places.push(target === undefined ? undefined : targets.length);
    if (target !== undefined) {
      targets.push({ ...target, ...(sendResolved === undefined ? {} : { sendResolved }) });
    }
  }
  const references = targets.length === 0 ? [] : await ledger.putDestinations(org, targets);
  return asked.map(({ way: { channel, destination: known } }, index) => {
    const place = places[index];
    const destination = place === undefined ? known : references[place];
    return { channel, ...(destination === undefined ? {} : { destination }) };
  });
}

function newTarget(
  { channel, target, secret, destination }: WayOut,
  path: string,
  refuse: Gateway['refuseTarget'],
): NewDestination | undefined {
  if (target !== undefined && destination !== undefined) {
    throw unprocessable(`${path}.destination`, 'give a target or a destination, not both');
  }
  if (channel === 'kill' && (target ?? destination) !== undefined) {
    throw unprocessable(`${path}.target`, 'a kill has none: it stops the agent');
  }
  const alert = { channel, threshold_pct: 1, budget_type: 'cost', target, secret };
  const read = readTarget(channel, alert, path);
  const refusal = read === undefined ? undefined : refuse(channel, read.address);
  if (refusal !== undefined) throw unprocessable(`${path}.target`, refusal);
  return read;
}
