/**
 * Temporal's native runtime: one a process, with our log and without signal handlers of its own,
 * because the order of a stop is the service's business (gateway, relay, worker, ledger).
 */
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger as TemporalLogger, LogMetadata } from '@temporalio/worker';
import type { Logger } from './log.js';

let isInstalled = false;

/** The first call decides whose log is used; later ones change nothing. */
export function installRuntime(log: Logger): void {
  if (isInstalled) return;
  isInstalled = true;
  Runtime.install({
    logger: temporalLogger(log),
    shutdownSignals: [],
    telemetryOptions: {
      logging: {
        forward: {},
        filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }),
      },
    },
  });
}

/** The delivery worker has no workflows, and needs none. */
const EXPECTED: ReadonlySet<string> = new Set([
  'No workflows registered, not polling for workflow tasks',
]);

/** A pino logger in the shape Temporal expects. Its `info` is our `debug`: it is chatty. */
export function temporalLogger(log: Logger): TemporalLogger {
  const at =
    (level: 'trace' | 'debug' | 'warn' | 'error') =>
    (message: string, meta?: LogMetadata): void => {
      log[level](readable(meta), message);
    };
  const levels = {
    trace: at('trace'),
    debug: at('trace'),
    info: at('debug'),
    warn: (message: string, meta?: LogMetadata) => {
      at(EXPECTED.has(message) ? 'debug' : 'warn')(message, meta);
    },
    error: at('error'),
  };
  return {
    ...levels,
    log: (level, message, meta) => {
      levels[level.toLowerCase() as keyof typeof levels](message, meta);
    },
  };
}

/** Without what pino cannot print, and with errors where pino looks for them. */
function readable(meta: LogMetadata = {}): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(meta)) {
    if (typeof value === 'symbol' || typeof value === 'function') continue;
    if (value instanceof Error) fields['err'] = value;
    else fields[name] = typeof value === 'bigint' ? String(value) : (value as unknown);
  }
  return fields;
}
