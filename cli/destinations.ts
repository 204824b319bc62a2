/** `kavach destinations`: where alerts go, never the address itself. */
import type { DestinationView } from '../ledger/ledger.js';
import { CliError, type Gateway } from './http.js';
import type { Output } from './output.js';
import { wayOf } from './way-text.js';

export async function showDestinations(gateway: Gateway, output: Output): Promise<void> {
  const destinations = await listed(gateway);
  output.json({ destinations });
  if (destinations.length === 0) {
    output.line(
      'No destination is known: an SDK syncs them, or `kavach destinations default` does.',
    );
    return;
  }
  table(output, destinations);
}

/** By its reference, or a unique beginning of it. */
export async function actOnDestination(
  gateway: Gateway,
  output: Output,
  { reference, act, by }: { reference: string; act: 'restore' | 'confirm'; by?: string },
): Promise<void> {
  const found = (await listed(gateway)).filter((each) => each.reference.startsWith(reference));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const what = only === undefined ? 'no destination' : 'more than one destination';
    throw new CliError(`There is ${what} ${reference}…: \`kavach destinations\` lists them`);
  }
  const path = `/v1/destinations/${encodeURIComponent(only.reference)}/${act}`;
  const answer = (await gateway.post(path, by === undefined ? {} : { by })) as {
    changed: boolean;
    destination: DestinationView;
  };
  output.json(answer);
  if (!answer.changed) output.line('Nothing changed.');
  table(output, [answer.destination]);
}

export async function setDefault(
  gateway: Gateway,
  output: Output,
  { channel, target, ...rest }: { channel: string; target: string; secret?: string; by?: string },
): Promise<void> {
  const body = { ...wayOf(`${channel}=${target}`), ...rest };
  const answer = (await gateway.post('/v1/destinations/default', body)) as {
    destination: DestinationView;
  };
  output.json(answer);
  table(output, [answer.destination]);
}

async function listed(gateway: Gateway): Promise<readonly DestinationView[]> {
  const answer = await gateway.get('/v1/destinations');
  return (answer as { destinations: readonly DestinationView[] }).destinations;
}

function table(output: Output, destinations: readonly DestinationView[]): void {
  output.table(
    [
      { head: 'CHANNEL' },
      { head: 'WHERE' },
      { head: 'HEALTH' },
      { head: 'VERIFIED' },
      { head: 'DEFAULT' },
      { head: 'REFERENCE' },
    ],
    destinations.map((each) => [
      each.channel,
      each.masked,
      healthText(output, each),
      each.verified ? 'yes' : output.paint('warning', 'no'),
      each.isDefault ? 'yes' : '',
      each.reference,
    ]),
  );
}

function healthText(output: Output, { health, healthReason }: DestinationView): string {
  const text = healthReason === undefined ? health : `${health}: ${healthReason}`;
  return health === 'ok' ? text : output.paint('bad', text);
}
