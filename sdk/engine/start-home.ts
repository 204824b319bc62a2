/** A guard's home on disk, or in memory where there is no disk, or none that answers. */
import { causeOf } from './cause.js';
import { memoryHome, openHome, type Home } from './home.js';
import type { LeasedAdmissionOptions } from './options.js';
import type { Surroundings } from './surroundings.js';

export interface StartHomeOptions
  extends
    Pick<LeasedAdmissionOptions, 'endpoint' | 'apiKey' | 'agentName' | 'journal'>,
    Pick<Surroundings, 'timers' | 'logger'> {}

/** A disk that takes longer is none. */
const DISK_MS = 2_000;

/** Never rejects: a disk that fails costs the journal, not the guard, and is told. */
export async function startHome(options: StartHomeOptions): Promise<Home> {
  const { journal: dir, timers, logger } = options;
  if (dir === undefined) return memoryHome();
  const opening = openOnDisk(options, dir);
  let cancel = (): void => undefined;
  const late = new Promise<undefined>((resolve) => {
    cancel = timers.after(DISK_MS, () => {
      resolve(undefined);
    });
  });
  const opened = await Promise.race([
    opening.catch((error: unknown) => {
      logger.warn(
        { cause: causeOf(error) },
        'the journal cannot be kept, name a folder in journalDir: a restart finds nothing',
      );
      return memoryHome();
    }),
    late,
  ]);
  cancel();
  if (opened !== undefined) return opened;
  logger.warn({}, 'the disk of the journal does not answer: a restart finds nothing');
  void opening.then((tooLate) => tooLate.close()).catch(() => undefined);
  return memoryHome();
}

async function openOnDisk(options: StartHomeOptions, dir: string | true): Promise<Home> {
  // Loaded only here: a browser has none.
  const { openDisk, stateFolder } = await import('./disk.js');
  const { endpoint, apiKey, agentName, logger } = options;
  return openHome({
    ...{ disk: openDisk(), dir: dir === true ? stateFolder() : dir },
    ...{ endpoint, apiKey, agentName, logger },
  });
}
