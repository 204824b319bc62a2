/**
 * The whole set from binaries: one Postgres, one Temporal server, and any number of gateways,
 * relays and workers, each a process of its own that is started again when it ends.
 * ST-1. Everything listens on the loopback interface and lives in one folder.
 * ST-2. Whatever was started is stopped, in reverse, also when the start was broken off half-way.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundLog } from '../embedded/log-file.js';
import { freePorts, LOOPBACK, refuseTakenPort } from '../embedded/ports.js';
import { findTemporal } from '../embedded/temporal-binary.js';
import { startTemporalServer } from '../embedded/temporal-server.js';
import { keepApiKey, keepLinkKey, keepSealKeys } from '../key-files.js';
import type { Role } from '../service.js';
import { startKavachProcess } from './kavach-process.js';
import { COUNTS, exportLines, processEnvironment, type Surroundings } from './plan.js';
import { ensureDatabase, findPostgres, runStatement, startPostgres } from './postgres.js';
import { supervise, type Part } from './supervise.js';
import type { TemporalBinaries } from './temporal-binaries.js';
import { makeSchemas, pickClusterPorts, startCluster } from './temporal-cluster.js';

export interface SetOptions {
  /** Made where it is missing; another user must be able to reach it where this one is root. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Absent: the server of Temporal's command line, on a file. */
  readonly temporal?: TemporalBinaries | undefined;
  readonly counts?: Readonly<Record<Role, number>>;
  /** Of the first gateway; the others follow it. 0 or absent: free ones. */
  readonly port?: number;
  /** Beside what the set itself says, for each of our processes. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly postgresSettings?: readonly string[];
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface RunningSet {
  readonly postgres: Part;
  readonly temporal: Part;
  readonly gateways: readonly Part[];
  readonly relays: readonly Part[];
  readonly workers: readonly Part[];
  /** All of them. */
  readonly parts: readonly Part[];
  readonly urls: readonly string[];
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  /** Only where the server brings one. */
  readonly temporalUi?: string;
  readonly temporalIs: 'server' | 'command line';
  readonly apiKeyFile: string;
  readonly apiKey: string;
  /** Lines of a shell, for whoever works on the set: they name the files of secrets, and hold none. */
  readonly environment: readonly string[];
  /** Where those lines are kept. */
  readonly environmentFile: string;
  /** Takes the Temporal server's whole database away, and gives it an empty one. */
  loseTemporal(): Promise<void>;
  /** Repeating it is harmless. */
  stop(): Promise<void>;
}

const DATABASE = 'kavach';

export async function startSet(options: SetOptions): Promise<RunningSet> {
  const started: Part[] = [];
  const stop = async (): Promise<void> => {
    const all = started.splice(0).reverse();
    const ours = all.filter(({ name }) => name !== 'postgres' && name !== 'temporal');
    await Promise.all(ours.map((part) => part.stop()));
    for (const part of all) await part.stop();
  };
  try {
    return { ...(await begin(options, started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function begin(options: SetOptions, started: Part[]): Promise<Omit<RunningSet, 'stop'>> {
  const { folder, env, say = () => undefined, signal } = options;
  const counts = options.counts ?? COUNTS;
  const dataDir = join(folder, 'kavach');
  // Of the database's own user, where that is another one.
  for (const each of [folder, join(folder, 'logs')])
    mkdirSync(each, { recursive: true, mode: 0o755 });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const logOf = (name: string): string => {
    const file = join(folder, 'logs', `${name.replace(' ', '-')}.log`);
    boundLog(file);
    return file;
  };
  const keep = async (name: string, start: Parameters<typeof supervise>[0]['start']) => {
    signal?.throwIfAborted();
    const part = await supervise({ name, start, say, signal });
    started.push(part);
    return part;
  };

  const bin = findPostgres(env);
  if (bin === undefined) {
    throw new Error(
      'No Postgres programs here: put `initdb` and `postgres` on PATH (Debian: apt-get install postgresql)',
    );
  }
  if (options.port) {
    // Whoever listens there would answer for a gateway that could not start.
    for (let no = 0; no < counts.gateway; no += 1) {
      const port = options.port + no;
      await refuseTakenPort({ port, what: `gateway ${String(no + 1)}`, setting: '--port' });
    }
  }
  const processes = counts.gateway + counts.relay + counts.worker;
  const [postgresPort = 0, temporalPort = 0, uiPort = 0, ...free] = await freePorts(3 + processes);
  const postgresPart = await keep('postgres', (over) =>
    startPostgres({
      ...{ bin, env, port: postgresPort, role: 'kavach', logFile: logOf('postgres') },
      folder: join(folder, 'postgres'),
      settings: options.postgresSettings ?? [],
      signal: over,
    }),
  );
  const postgres = { host: LOOPBACK, port: postgresPort, user: 'kavach', password: 'kavach' };
  const serverUrl = `postgres://kavach@${LOOPBACK}:${String(postgresPort)}/postgres`;
  await ensureDatabase(serverUrl, DATABASE);
  say(`Postgres at ${LOOPBACK}:${String(postgresPort)}`);

  const binaries = options.temporal;
  const temporal = binaries === undefined ? await commandLineServer() : await cluster(binaries);
  say(
    `Temporal at ${temporal.address}${temporal.ui === undefined ? '' : `, its Web UI at ${temporal.ui}`}`,
  );

  const ports = (from: number, count: number) => free.slice(from, from + count);
  const gatewayPorts = ports(0, counts.gateway).map((port, i) =>
    options.port ? options.port + i : port,
  );
  const around: Surroundings = {
    ...{ postgres, temporal: temporal.address, dataDir },
    sealKeys: keepSealKeys(dataDir).value,
    linkKey: keepLinkKey(dataDir).value,
    publicUrl: `http://${LOOPBACK}:${String(gatewayPorts[0])}`,
  };
  const apiKey = keepApiKey(dataDir);
  const run = (role: Role, port: number, no: number): Promise<Part> => {
    const name = `${role} ${String(no + 1)}`;
    const place = { host: LOOPBACK, port };
    return keep(name, (over) =>
      startKavachProcess({
        ...{ role, name, env, signal: over, logFile: logOf(name) },
        url: `http://${LOOPBACK}:${String(port)}`,
        variables: { ...processEnvironment(around, place), ...options.variables },
      }),
    );
  };
  const all = (role: Role, its: readonly number[]): Promise<Part[]> =>
    Promise.all(its.map((port, no) => run(role, port, no)));
  const [gateways, relays, workers] = await Promise.all([
    all('gateway', gatewayPorts),
    all('relay', ports(counts.gateway, counts.relay)),
    all('worker', ports(counts.gateway + counts.relay, counts.worker)),
  ]);
  const databaseUrl = `postgres://kavach@${LOOPBACK}:${String(postgresPort)}/${DATABASE}`;
  const environment = exportLines({
    ...{ databaseUrl, temporal: temporal.address, dataDir },
    url: around.publicUrl,
  });
  const environmentFile = join(folder, 'env');
  rmSync(environmentFile, { force: true });
  writeFileSync(environmentFile, `${environment.join('\n')}\n`, { mode: 0o600 });
  return {
    ...{ environment, environmentFile },
    ...{ postgres: postgresPart, temporal: temporal.part, gateways, relays, workers },
    parts: [postgresPart, temporal.part, ...gateways, ...relays, ...workers],
    urls: gatewayPorts.map((port) => `http://${LOOPBACK}:${String(port)}`),
    databaseUrl,
    temporalAddress: temporal.address,
    ...(temporal.ui === undefined ? {} : { temporalUi: temporal.ui }),
    temporalIs: binaries === undefined ? 'command line' : 'server',
    ...{ apiKeyFile: apiKey.file, apiKey: apiKey.value },
    loseTemporal: async () => {
      await temporal.part.pause();
      await temporal.empty();
      await temporal.part.resume();
    },
  };

  async function cluster(programs: TemporalBinaries) {
    const ports = await pickClusterPorts();
    await makeSchemas({ binaries: programs, postgres, env });
    const part = await keep('temporal', (over) =>
      startCluster({
        ...{ binaries: programs, postgres, env, ports, signal: over },
        ...{ folder, logFile: logOf('temporal') },
      }),
    );
    const empty = async (): Promise<void> => {
      for (const database of ['temporal', 'temporal_visibility']) {
        await runStatement(serverUrl, `drop database ${database} with (force)`);
      }
      await makeSchemas({ binaries: programs, postgres, env });
    };
    const address = `${LOOPBACK}:${String(ports.FRONTEND_GRPC_PORT)}`;
    return { part, address, ui: undefined, empty };
  }

  async function commandLineServer() {
    const { path } = await findTemporal({ env, onProgress: say, signal });
    const part = await keep('temporal', (over) =>
      startTemporalServer({
        ...{ binary: path, dataDir: join(folder, 'temporal'), port: temporalPort, uiPort },
        ...{ log: say, signal: over },
      }),
    );
    return {
      part,
      address: `${LOOPBACK}:${String(temporalPort)}`,
      ui: `http://${LOOPBACK}:${String(uiPort)}`,
      empty: () => {
        rmSync(join(folder, 'temporal'), { recursive: true, force: true });
        return Promise.resolve();
      },
    };
  }
}
