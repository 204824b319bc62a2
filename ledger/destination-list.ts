/** Destinations as people see them. L-5: the address is opened here to be masked, and stays here. */
import { maskAddress } from '../domain/mask.js';
import type { ChannelName } from '../domain/words.js';
import type { DestinationView } from './configuring.js';
import type { Database } from './database.js';
import type { Health } from './delivery.js';
import { unsealDestination } from './destinations.js';
import type { SealKeys } from './seal.js';

interface ListedRow {
  readonly reference: string;
  readonly channel: ChannelName;
  readonly sealed: string;
  readonly health: Health;
  readonly health_reason: string | null;
  readonly health_at: number | null;
  readonly verified: boolean;
  readonly is_default: boolean;
}

const LIST = `
select d.reference, d.channel, d.sealed, d.health, d.health_reason, d.health_at, d.verified,
  exists (select from default_destination f
    where f.org = d.org and f.channel = d.channel and f.reference = d.reference) as is_default
from destination d
where d.org = $1 and ($2::text is null or d.reference = $2)
order by d.channel, d.reference limit 1000`;

export async function listDestinations(
  db: Database,
  keys: SealKeys,
  org: string,
  reference?: string,
): Promise<readonly DestinationView[]> {
  const rows = await db.run(LIST, [org, reference]);
  return (rows as unknown as readonly ListedRow[]).map((row) => ({
    reference: row.reference,
    channel: row.channel,
    masked: maskedOf(keys, org, row),
    health: row.health,
    ...(row.health_reason === null ? {} : { healthReason: row.health_reason }),
    ...(row.health_at === null ? {} : { healthAt: row.health_at }),
    verified: row.verified,
    isDefault: row.is_default,
  }));
}

/** A target whose key is gone is still listed: it can be put anew. */
function maskedOf(keys: SealKeys, org: string, { reference, channel, sealed }: ListedRow): string {
  try {
    return maskAddress(channel, unsealDestination(keys, org, reference, sealed, 0).address);
  } catch {
    return 'unreadable';
  }
}
