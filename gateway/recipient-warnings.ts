/** Who is named as a recipient and is none: accepted, and told beside the answer. */
import type { GatewayLedger } from './options.js';

const TOLD = 20;

/**
 * `there is no recipient "bo": alerts say so instead of telling anybody …`, at most 20 of them. What
 * cannot be found out is not told, and fails nothing: the change was kept before this is asked.
 */
export async function recipientWarnings(
  ledger: Pick<GatewayLedger, 'recipient'>,
  org: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  const warnings: string[] = [];
  try {
    for (const id of ids) {
      if (warnings.length >= TOLD) break;
      if ((await ledger.recipient({ org, id })) !== undefined) continue;
      warnings.push(
        `there is no recipient ${JSON.stringify(id.slice(0, 64).toWellFormed())}: nobody is told ` +
          'for that id until PUT /v1/recipients/{id} (`kavach recipients add`) adds one',
      );
    }
  } catch {
    return warnings;
  }
  return warnings;
}
