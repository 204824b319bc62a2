/**
 * The service as a process of its own, for whoever kills it: the demo and the fault tests. All of
 * its settings come from the environment, DATABASE_URL and TEMPORAL_ADDRESS included.
 * It says `{"type":"ready","url":…}` over IPC and as a line of standard output, and stops in order
 * on SIGTERM, SIGINT, or when its parent is gone.
 */
import { ConfigError, loadConfig } from '../worker/config.js';
import { createLog } from '../worker/log.js';
import { startService } from './service.js';
import { watchStopSignals } from './stop-signals.js';

export interface ReadyMessage {
  readonly type: 'ready';
  readonly url: string;
}

const stop = watchStopSignals();
process.on('disconnect', () => {
  if (!stop.signal.aborted) stop.interrupt('SIGTERM');
});

async function serve(): Promise<number> {
  const config = loadConfig(process.env);
  const log = createLog(config.log);
  const service = await startService(config, { log, signal: stop.signal });
  const ready: ReadyMessage = { type: 'ready', url: service.url };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready);
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener('abort', () => {
      resolve();
    });
  });
  await service.stop();
  return 0;
}

try {
  process.exitCode = await serve();
} catch (error) {
  if (!stop.signal.aborted) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : describe(error)}\n`);
    process.exitCode = 1;
  }
}
// What still holds the loop (Temporal's native runtime) has nothing left to do.
process.exit();

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
