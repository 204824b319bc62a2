/** The parts of `kavach up`, each a process: gateway, relay and worker in one, Temporal, PGlite. */
import { join } from 'node:path';
import { spawnService } from '../cli/demo/service.js';
import { startLedgerServer } from '../cli/embedded/ledger-server.js';
import { freePorts, LOOPBACK } from '../cli/embedded/ports.js';
import { findTemporal } from '../cli/embedded/temporal-binary.js';
import { startTemporalServer } from '../cli/embedded/temporal-server.js';
import { keepApiKey, keepSealKeys } from '../cli/key-files.js';
import { supervise, type Part } from '../cli/set/supervise.js';
import { onGround, type Target, type TargetOptions } from './target.js';

export function startEmbeddedTarget(options: TargetOptions): Promise<Target> {
  return onGround(options, async ({ folder, sink, env, variables, closing }) => {
    const { say, signal } = options;
    const dataDir = join(folder, 'data');
    const [port = 0, ledgerPort = 0, temporalPort = 0, uiPort = 0] = await freePorts(4);
    const keep = async (
      name: string,
      start: Parameters<typeof supervise>[0]['start'],
    ): Promise<Part> => {
      const part = await supervise({ name, start, say, signal });
      closing.push(() => part.stop());
      return part;
    };
    const { path } = await findTemporal({ env, signal, onProgress: say });
    const temporal = await keep('temporal', (over) =>
      startTemporalServer({ binary: path, dataDir, port: temporalPort, uiPort, signal: over }),
    );
    let databaseUrl = '';
    const database = await keep('database', async (over) => {
      const ledger = await startLedgerServer({ dataDir, port: ledgerPort, signal: over });
      ({ databaseUrl } = ledger);
      return ledger;
    });
    const temporalAddress = `${LOOPBACK}:${String(temporalPort)}`;
    const service = await keep('gateway, relay and worker', (over) =>
      spawnService({
        variables: {
          KAVACH_DATA_DIR: dataDir,
          KAVACH_HOST: LOOPBACK,
          KAVACH_PORT: String(port),
          DATABASE_URL: databaseUrl,
          KAVACH_SEAL_KEYS: keepSealKeys(dataDir).value,
          TEMPORAL_ADDRESS: temporalAddress,
          ...variables,
        },
        logFile: join(folder, 'service.log'),
        signal: over,
      }),
    );
    return {
      name: 'embedded' as const,
      what: 'kavach up: one process, the embedded Temporal server, PGlite',
      parts: [service, temporal, database],
      urls: [`http://${LOOPBACK}:${String(port)}`],
      apiKey: keepApiKey(dataDir).value,
      ...{ databaseUrl, temporalAddress, sink },
    };
  });
}
