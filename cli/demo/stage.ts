/**
 * Everything the demo needs, brought up in a folder of its own on free ports, and taken down again.
 * ST-1. Nothing of the user's is touched: no `.kavach`, no cluster, no database, no setting.
 * ST-2. Whatever was started is stopped, in reverse, also when the start was broken off half-way;
 *       then the folder is removed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { first, startSink, type Sink } from '../../fakes/sink.js';
import { startEmbedded, type Embedded } from '../embedded/embedded.js';
import { freePorts, LOOPBACK } from '../embedded/ports.js';
import { apiKeyFile, keepSealKeys, readKeyFile } from '../key-files.js';
import { startService, type Service } from './service.js';
import { keepTemporal, type KeptTemporal } from './temporal.js';

/** The demo's policy: the ladder and the relay in seconds, where production has minutes. */
export const POLICY = {
  ladderMs: [1_000, 2_000, 4_000],
  relayIntervalMs: 500,
} as const;

export interface Stage {
  readonly gatewayUrl: string;
  readonly apiKey: string;
  readonly dataDir: string;
  readonly serviceLog: string;
  readonly sink: Sink;
  readonly service: Service;
  readonly temporal: KeptTemporal;
  /** How a client of the Temporal server is configured. */
  readonly clientVariables: Readonly<Record<string, string>>;
  /** Resolves with a sentence when a part ended that nobody killed. */
  readonly lost: Promise<string>;
  /** Stops everything and removes the folder. */
  close(): Promise<void>;
}

export interface StageOptions {
  readonly env: NodeJS.ProcessEnv;
  /** B2. The zone of the demo's day. */
  readonly zone: string;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Rejects with the abort's reason, or the first fault, when all that was started is gone again. */
export async function setStage(options: StageOptions): Promise<Stage> {
  const closing: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (const step of closing.splice(0).reverse()) {
      // What cannot be stopped keeps nothing else from being stopped.
      await Promise.resolve()
        .then(step)
        .catch((error: unknown) => faults.push(error));
    }
    if (faults.length > 0)
      throw new AggregateError(faults, `Not all could be stopped: ${String(faults[0])}`);
  };
  try {
    return { ...(await buildUp(options, closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function buildUp(
  { env, zone, onProgress, signal }: StageOptions,
  closing: (() => Promise<void> | void)[],
): Promise<Omit<Stage, 'close'>> {
  signal.throwIfAborted();
  const dataDir = mkdtempSync(join(tmpdir(), 'kavach-demo-'));
  closing.push(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });
  const sink = await startSink({ script: { webhook: first(1, { type: 'status', status: 503 }) } });
  closing.push(() => sink.stop());
  const own = ownEnvironment(env);
  const embedded = await startEmbedded({ dataDir, env: own, onProgress, signal });
  closing.push(() => embedded.stop());
  const temporal = keepTemporal({ embedded, dataDir, env: own, log: onProgress, signal });
  closing.push(() => temporal.stop());
  const clientVariables = {
    TEMPORAL_ADDRESS: temporal.address,
    // There is none, so that Temporal's library does not read the user's own (ST-1).
    TEMPORAL_CONFIG_FILE: join(dataDir, 'temporal.toml'),
  };
  const [port = 0] = await freePorts(1);
  const gatewayUrl = `http://${LOOPBACK}:${String(port)}`;
  const serviceLog = join(dataDir, 'service.log');
  const service = await startService({
    variables: {
      ...variablesOf({ dataDir, port, sink, embedded, zone }),
      ...clientVariables,
    },
    logFile: serviceLog,
    signal,
  });
  closing.push(() => service.stop());
  const keyFile = apiKeyFile(dataDir);
  const apiKey = readKeyFile(keyFile);
  if (apiKey === undefined) throw new Error(`The service made no API key: ${keyFile} is missing`);
  const lost = Promise.race([service.lost, temporal.lost]);
  return {
    gatewayUrl,
    apiKey,
    dataDir,
    serviceLog,
    sink,
    service,
    temporal,
    clientVariables,
    lost,
  };
}

/** ST-1. What points at things of the user's is left out; where the Temporal CLI is found stays. */
export function ownEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = new Set(['TEMPORAL_CLI_PATH', 'KAVACH_CACHE_DIR']);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        kept.has(name) || !/^(?:TEMPORAL_|KAVACH_|AGENTKAVACH_|RESEND_|DATABASE_URL$)/.test(name),
    ),
  );
}

interface Surroundings {
  readonly dataDir: string;
  readonly port: number;
  readonly sink: Sink;
  readonly embedded: Embedded;
  readonly zone: string;
}

function variablesOf({ dataDir, port, sink, embedded, zone }: Surroundings) {
  return {
    KAVACH_DATA_DIR: dataDir,
    KAVACH_HOST: LOOPBACK,
    KAVACH_PORT: String(port),
    DATABASE_URL: embedded.databaseUrl,
    KAVACH_SEAL_KEYS: keepSealKeys(dataDir).value,
    KAVACH_ORG_ZONE: zone,
    KAVACH_LADDER_MS: POLICY.ladderMs.join(','),
    KAVACH_RELAY_INTERVAL_MS: String(POLICY.relayIntervalMs),
    KAVACH_ALLOW_TARGETS: `${LOOPBACK}:*`,
    RESEND_API_KEY: 're_demo',
    KAVACH_EMAIL_DOMAINS: 'example.com',
    // Hours are played in seconds, so ten alerts a minute are no storm (A14).
    KAVACH_STORM_LIMIT: '1000',
    RESEND_BASE_URL: `${sink.url}/resend`,
    KAVACH_EMAIL_FROM: 'Kavach <kavach@example.com>',
    AGENTKAVACH_ALERT_EMAIL: 'on-call@example.com',
    KAVACH_LOG_FORMAT: 'json',
  };
}
