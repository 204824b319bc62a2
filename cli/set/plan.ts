/**
 * What the set consists of: the one source of docker-compose.yml (a test compares them) and of the
 * script that starts the same from binaries. Pure.
 */
import { join } from 'node:path';
import {
  DYNAMIC_CONFIG,
  RETENTION_DAYS,
  SEARCH_ATTRIBUTES,
} from '../embedded/temporal-settings.js';
import type { Role } from '../service.js';

/** The Temporal server: of the images, and of what `go install` builds. */
export const TEMPORAL_VERSION = '1.31.2';
export const TEMPORAL_UI_VERSION = '2.49.1';
export const POSTGRES_VERSION = '17.6';

export const NAMESPACE = 'default';
/** How many of each, unless somebody wants others. */
export const COUNTS: Readonly<Record<Role, number>> = { gateway: 2, relay: 2, worker: 2 };

/** Arguments of `kavach`. The relays are processes of their own here. */
export const COMMANDS: Readonly<Record<Role, readonly string[]>> = {
  gateway: ['gateway', '--no-relay'],
  relay: ['relay'],
  worker: ['worker'],
};

/** Where things are in one way of running the set. */
export interface Surroundings {
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  /** `host:port`. */
  readonly temporal: string;
  readonly sealKeys: string;
  readonly linkKey: string;
  readonly publicUrl: string;
  readonly dataDir: string;
}

/** Where one process listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** The environment of each of our processes, whatever its role. */
export function processEnvironment(around: Surroundings, place: Place): Record<string, string> {
  const { host, port, user, password } = around.postgres;
  return {
    DATABASE_URL: `postgres://${user}:${password}@${host}:${String(port)}/kavach`,
    TEMPORAL_ADDRESS: around.temporal,
    TEMPORAL_NAMESPACE: NAMESPACE,
    KAVACH_SEAL_KEYS: around.sealKeys,
    KAVACH_LINK_KEY: around.linkKey,
    KAVACH_PUBLIC_URL: around.publicUrl,
    KAVACH_DATA_DIR: around.dataDir,
    KAVACH_HOST: place.host,
    KAVACH_PORT: String(place.port),
    KAVACH_LOG_FORMAT: 'json',
  };
}

/** What commands on this machine are told, as lines of a shell; secrets stay in their files. */
export function exportLines(at: {
  readonly databaseUrl: string;
  readonly temporal: string;
  readonly dataDir: string;
  readonly url: string;
}): string[] {
  const kept = (name: string): string => `"$(cat ${quoted(join(at.dataDir, name))})"`;
  return [
    `export DATABASE_URL=${quoted(at.databaseUrl)}`,
    `export TEMPORAL_ADDRESS=${quoted(at.temporal)}`,
    `export KAVACH_DATA_DIR=${quoted(at.dataDir)}`,
    `export KAVACH_URL=${quoted(at.url)}`,
    `export KAVACH_API_KEY=${kept('api-key')}`,
    `export KAVACH_SEAL_KEYS=${kept('seal-keys')}`,
  ];
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export interface TemporalPlace {
  readonly bindOn: string;
  readonly dynamicConfigFile: string;
}

/** The environment of the Temporal server, on the same Postgres. */
export function temporalEnvironment(
  { postgres }: Pick<Surroundings, 'postgres'>,
  place: TemporalPlace,
): Record<string, string> {
  return {
    DB: 'postgres12',
    DB_PORT: String(postgres.port),
    POSTGRES_SEEDS: postgres.host,
    POSTGRES_USER: postgres.user,
    POSTGRES_PWD: postgres.password,
    // For good: it cannot be changed later. Four is much for one host, and little for a cluster.
    NUM_HISTORY_SHARDS: '4',
    BIND_ON_IP: place.bindOn,
    DYNAMIC_CONFIG_FILE_PATH: place.dynamicConfigFile,
    LOG_LEVEL: 'warn',
    // Its garbage collector took a quarter of the processor time (temporal-settings.ts).
    GOGC: '400',
    GOMEMLIMIT: '1GiB',
  };
}

/** Of `temporal-sql-tool`: what makes both schemas, and brings them up to date. Harmless twice. */
export function schemaCommands({ postgres }: Pick<Surroundings, 'postgres'>): string[][] {
  const { host, port, user } = postgres;
  const tool = ['--plugin', 'postgres12', '--ep', host, '-p', String(port), '-u', user];
  return (
    [
      ['temporal', 'postgresql/v12/temporal'],
      ['temporal_visibility', 'postgresql/v12/visibility'],
    ] as const
  ).flatMap(([database, schema]) =>
    [['create'], ['setup-schema', '-v', '0.0'], ['update-schema', '--schema-name', schema]].map(
      (command) => [...tool, '--db', database, ...command],
    ),
  );
}

/** Of the `temporal` command: the namespace, and what lists are searched by. */
export function namespaceCommands(): string[][] {
  const hours = `${String(RETENTION_DAYS * 24)}h`;
  const attributes = SEARCH_ATTRIBUTES.flatMap((name) => ['--name', name, '--type', 'Keyword']);
  return [
    ['operator', 'namespace', 'create', '--namespace', NAMESPACE, '--retention', hours],
    ['operator', 'search-attribute', 'create', '--namespace', NAMESPACE, ...attributes],
  ];
}

/** The dynamic configuration as the server's file of it is written. */
export function dynamicConfigYaml(): string {
  return Object.entries(DYNAMIC_CONFIG)
    .map(([key, value]) => `${key}:\n  - value: ${String(value)}\n`)
    .join('');
}
