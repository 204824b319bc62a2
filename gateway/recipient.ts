/** A recipient that has to be there. */
import type { RecipientRef, RecipientView } from '../ledger/ledger.js';
import type { GatewayLedger } from './options.js';
import { Problem } from './problem.js';

/** Throws a `Problem` (404) where there is none of that id in the organisation. */
export async function knownRecipient(
  ledger: Pick<GatewayLedger, 'recipient'>,
  ref: RecipientRef,
): Promise<RecipientView> {
  const found = await ledger.recipient(ref);
  if (found === undefined) throw unknownRecipient(ref.id);
  return found;
}

export function unknownRecipient(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown recipient',
    detail: `There is no recipient ${JSON.stringify(id)}: PUT /v1/recipients/{id} adds one.`,
  });
}
