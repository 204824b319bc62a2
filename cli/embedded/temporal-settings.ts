/**
 * How the embedded Temporal server is set (architecture.md §6). As shipped it polls its queues
 * 20 times a second a shard and refuses what a cluster shared by tenants should refuse; alone on a
 * machine both only cost time. Keys are those of server 1.29, checked against its source.
 */

/** Custom search attributes, all Keyword; where they are refused Kavach goes on without. */
export const SEARCH_ATTRIBUTES = [
  'KavachOrg',
  'KavachAgent',
  'KavachState',
  'KavachSeverity',
] as const;

/** Replay and explain need histories; the dev server itself keeps them one day. */
export const RETENTION_DAYS = 30;

/** High enough never to be the limit on one machine. */
const UNLIMITED = 100_000;

export const DYNAMIC_CONFIG: Readonly<Record<string, number | boolean>> = {
  // Signal to activity start: 12 ms instead of 100 ms under load. The per-host twins
  // (`…MaxPollHostRPS`) are 0, which means a share of history.persistenceMaxQPS.
  'history.transferProcessorMaxPollRPS': 1000,
  'history.timerProcessorMaxPollRPS': 1000,
  'history.visibilityProcessorMaxPollRPS': 1000,
  // A first delivery attempt may run on the worker that decided it.
  'system.enableActivityEagerExecution': true,
  'frontend.enableUpdateWorkflowExecution': true,
  'frontend.enableUpdateWorkflowExecutionAsyncAccepted': true,
  'frontend.enableServerVersionCheck': false,
  'frontend.rps': UNLIMITED,
  'frontend.namespaceRPS': UNLIMITED,
  'frontend.namespaceRPS.visibility': 1000,
  // Long polls and queries at one time, per API.
  'frontend.namespaceCount': 20_000,
  'frontend.persistenceMaxQPS': UNLIMITED,
  'history.rps': UNLIMITED,
  'history.persistenceMaxQPS': UNLIMITED,
  'matching.rps': UNLIMITED,
  'matching.persistenceMaxQPS': UNLIMITED,
  'admin.matchingNamespaceToPartitionDispatchRate': UNLIMITED,
  'admin.matchingNamespaceTaskqueueToPartitionDispatchRate': UNLIMITED,
  // One host gains nothing from four partitions: a task in one that nobody polls is forwarded.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
};

/** What survives a power cut: write-ahead log, synced at each commit. */
const SQLITE_PRAGMAS = { journal_mode: 'WAL', synchronous: 'FULL' } as const;

/**
 * The server's garbage collector took a quarter of its processor time; on two cores that is the
 * delay of an alert. It may take more memory in between, up to a bound.
 */
export const SERVER_ENVIRONMENT = { GOGC: '400', GOMEMLIMIT: '1GiB' } as const;

export interface ServerPorts {
  readonly ip: string;
  readonly port: number;
  readonly uiPort: number;
  /** Relative to the server's working folder, so that no character of a path can be misread. */
  readonly dbFile: string;
}

/** The arguments of `temporal` that start the server. */
export function serverArguments({ ip, port, uiPort, dbFile }: ServerPorts): string[] {
  const pragmas = Object.entries(SQLITE_PRAGMAS).map(([key, value]) => `${key}=${value}`);
  const config = Object.entries(DYNAMIC_CONFIG).map(([key, value]) => `${key}=${String(value)}`);
  return [
    'server',
    'start-dev',
    ...['--ip', ip, '--port', String(port)],
    ...['--ui-ip', ip, '--ui-port', String(uiPort)],
    ...['--db-filename', dbFile, '--namespace', 'default', '--log-level', 'warn'],
    ...pragmas.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...config.flatMap((pair) => ['--dynamic-config-value', pair]),
  ];
}
