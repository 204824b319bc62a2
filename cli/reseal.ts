/** `kavach reseal`: seals everything with the first of the keys, and says what still needs others. */
import { neededKeys, reseal, type NeededKeys } from '../ledger/reseal.js';
import { openOperatedLedger, operatedSealKeys, type Environment } from './ledger-access.js';
import type { Output } from './output.js';

/** Exit code 0 where nothing needs another key any more, 1 where something does. */
export async function resealAll(output: Output, env: Environment): Promise<number> {
  const keys = operatedSealKeys(env);
  const ledger = await openOperatedLedger(env);
  try {
    const [{ id }] = keys;
    const before = await neededKeys(ledger.db);
    output.line(`Sealed with ${listOf(before)}; now with ${id}`);
    const answer = await reseal(ledger.db, keys);
    output.json({ key: id, ...answer });
    output.line(`${String(answer.resealed)} sealed anew`);
    const isDone = Object.keys(answer.left).length === 0;
    if (isDone) {
      output.line(output.paint('good', `Nothing needs another key than ${id}:`));
      output.line('take the old keys out of KAVACH_SEAL_KEYS once every process has the new one.');
      return 0;
    }
    output.line(output.paint('bad', `Still needed: ${listOf(answer.left)}`));
    for (const place of answer.unopened) output.line(`  no key opens the ${place}`);
    output.line(
      'Run it again after every process has the new key; what no key opens is mended by its agent ' +
        'at its next sync, or stays lost.',
    );
    return 1;
  } finally {
    await ledger.close();
  }
}

function listOf(needed: NeededKeys): string {
  const each = Object.entries(needed).map(([id, count]) => `${id} (${String(count)})`);
  return each.length === 0 ? 'nothing yet' : each.join(', ');
}
