/**
 * `kavach gateway`, `kavach relay`, `kavach worker`: one part of the service on a Postgres and a
 * Temporal server that are there; any number of each.
 * P-1. A signal at any moment, also during the start, ends it in order; a second one, at once.
 */
import { createLog } from '../../worker/log.js';
import type { Config } from '../../worker/config.js';
import { prepareDataFolder } from '../data-folder.js';
import type { Output } from '../output.js';
import type { Role, ServicePart } from '../service.js';
import { exitCodeOf, Interruption, watchStopSignals } from '../stop-signals.js';

export interface ProcessOrder {
  readonly roles: readonly Role[];
  /** As the first line names it: `gateway and relay`. */
  readonly what: string;
}

/** Resolves with the exit code: 0 when it ran and was told to stop, 128 + n when signal n broke off
 *  the start. Rejects when the start fails. */
export async function runProcess(
  output: Output,
  config: Config,
  { roles, what }: ProcessOrder,
): Promise<number> {
  prepareDataFolder(config.dataDir);
  const stop = watchStopSignals();
  let service: ServicePart | undefined;
  try {
    const { startServicePart } = await import('../service.js');
    stop.signal.throwIfAborted();
    service = await startServicePart(config, {
      ...{ roles, log: createLog(config.log), signal: stop.signal },
      onProgress: (line) => {
        output.line(`  ${line}`);
      },
    });
    const { url, adminKey } = service;
    output.json({ type: 'ready', roles, url });
    output.line(`Kavach ${what} at ${output.paint('strong', url)}; Ctrl-C stops it`);
    if (adminKey !== undefined) {
      output.line(
        adminKey.isNew
          ? `Your API key, shown this once: ${output.paint('strong', adminKey.value)} (kept in ${adminKey.file})`
          : `The API key is in ${adminKey.file}`,
      );
    }
    await aborted(stop.signal);
    return 0;
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    return exitCodeOf(error.by);
  } finally {
    await service?.stop();
    stop.release();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
