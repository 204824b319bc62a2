/**
 * What `kavach up` runs itself: a Temporal server and a ledger, unless the environment gives them.
 * E1. TEMPORAL_ADDRESS or DATABASE_URL set: that part is not started and not touched.
 * E2. Either all that is needed runs, or nothing does: a failure or an abort of one stops the other.
 */
import { startLedgerServer } from './ledger-server.js';
import type { LedgerServer } from './ledger-server.js';
import { readPort } from './ports.js';
import { cacheFolder, findTemporal } from './temporal-binary.js';
import { startTemporalServer } from './temporal-server.js';
import type { TemporalServer } from './temporal-server.js';

export interface EmbeddedOptions {
  /** Where everything lives: `.kavach`. */
  readonly dataDir: string;
  /**
   * Read: TEMPORAL_ADDRESS, DATABASE_URL, KAVACH_TEMPORAL_PORT, KAVACH_TEMPORAL_UI_PORT,
   * KAVACH_LEDGER_PORT (unset: free ports), and what `findTemporal` reads.
   */
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress?: (line: string) => void;
  /** Aborting it during the start stops whatever was started; afterwards it does nothing. */
  readonly signal?: AbortSignal;
  /** URL of the module that migrates the ledger; default the ledger's own. */
  readonly migrate?: string;
}

export interface Embedded {
  /** Undefined when TEMPORAL_ADDRESS names a cluster. */
  readonly temporal: Pick<TemporalServer, 'address' | 'uiUrl' | 'pid'> | undefined;
  readonly databaseUrl: string;
  /** Undefined when DATABASE_URL names a database. */
  readonly ledgerPid: number | undefined;
  /** Stops both; resolves when they are gone. Repeating it is harmless. */
  stop(): Promise<void>;
  /** Resolves with a sentence when one of them ends without having been stopped. */
  readonly lost: Promise<string>;
}

/** Starts what the environment does not give, in parallel. Throws the first failure. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { env, signal } = options;
  signal?.throwIfAborted();
  const failure = new AbortController();
  const either = AbortSignal.any([failure.signal, ...(signal === undefined ? [] : [signal])]);
  let firstFault: unknown;
  const orStopTheOther = async <T>(start: Promise<T>): Promise<T | undefined> => {
    try {
      return await start;
    } catch (error) {
      if (!failure.signal.aborted) firstFault = error;
      failure.abort(error);
      return undefined;
    }
  };
  const [temporal, ledger] = await Promise.all([
    env['TEMPORAL_ADDRESS'] ? undefined : orStopTheOther(startTemporal(options, either)),
    env['DATABASE_URL'] ? undefined : orStopTheOther(startLedger(options, either)),
  ]);
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    await Promise.all([temporal?.stop(), ledger?.stop()]);
  };
  if (either.aborted) {
    await stop();
    throw signal?.aborted ? signal.reason : firstFault;
  }
  const lost = new Promise<string>((resolve) => {
    const watch = (what: string, child: TemporalServer | LedgerServer | undefined) => {
      void child?.exited.then(({ code, signal: killedBy }) => {
        if (!stopping) resolve(`${what} ended unasked (${String(code ?? killedBy)})`);
      });
    };
    watch('The embedded Temporal server', temporal);
    watch('The embedded ledger', ledger);
  });
  return {
    temporal: temporal && { address: temporal.address, uiUrl: temporal.uiUrl, pid: temporal.pid },
    databaseUrl: ledger?.databaseUrl ?? env['DATABASE_URL'] ?? '',
    ledgerPid: ledger?.pid,
    stop,
    lost,
  };
}

async function startTemporal(
  { dataDir, env, onProgress }: EmbeddedOptions,
  signal: AbortSignal,
): Promise<TemporalServer> {
  const say = onProgress ?? (() => undefined);
  const [port, uiPort] = [
    readPort(env, 'KAVACH_TEMPORAL_PORT'),
    readPort(env, 'KAVACH_TEMPORAL_UI_PORT'),
  ];
  const found = await findTemporal({ env, cacheDir: cacheFolder(env), onProgress: say, signal });
  const options = { binary: found.path, dataDir, port, uiPort, log: say, signal };
  const temporal = await startTemporalServer(options);
  say(`Temporal server at ${temporal.address}, its Web UI at ${temporal.uiUrl} (${found.how})`);
  return temporal;
}

async function startLedger(options: EmbeddedOptions, signal: AbortSignal): Promise<LedgerServer> {
  const ledger = await startLedgerServer({
    dataDir: options.dataDir,
    port: readPort(options.env, 'KAVACH_LEDGER_PORT'),
    signal,
    ...(options.migrate === undefined ? {} : { migrate: options.migrate }),
  });
  options.onProgress?.(`Ledger in ${options.dataDir} at ${new URL(ledger.databaseUrl).host}`);
  return ledger;
}
