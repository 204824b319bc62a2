/** What a process asks before it works with a ledger: are its sealing keys the ledger's? */
import { REFERENCE_KEY_PLACE } from './destinations.js';
import { unseal, type SealKeys } from './seal.js';

type Rows = (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/**
 * Throws where they are not, naming the key that is needed. The key of references stands for all:
 * the first start seals it, and whoever puts a destination seals it with the newest key.
 */
export async function refuseForeignKeys(run: Rows, keys: SealKeys): Promise<void> {
  const sealed = await sealedReferenceKey(run);
  if (sealed !== undefined) unseal(keys, sealed, REFERENCE_KEY_PLACE);
}

/** The id of the key that a ledger is sealed with; undefined where nothing is sealed, or no ledger is. */
export async function neededKeyId(run: Rows): Promise<string | undefined> {
  const [there] = await run("select to_regclass('ledger_life') is not null as here");
  if (there?.['here'] !== true) return undefined;
  return (await sealedReferenceKey(run))?.split(':')[0];
}

async function sealedReferenceKey(run: Rows): Promise<string | undefined> {
  const [row] = await run('select reference_key from ledger_life');
  const sealed = row?.['reference_key'];
  return typeof sealed === 'string' ? sealed : undefined;
}
