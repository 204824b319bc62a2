/** Opens the connection to Temporal from the environment, and says plainly when there is none. */
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';

export interface TemporalConnection {
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** How long to wait for the first answer; default 10 s. */
  readonly timeoutMs?: number;
  /** The workers', where payloads are sealed. */
  readonly dataConverter?: DataConverter;
}

const DEFAULT_ADDRESS = '127.0.0.1:7233';

/**
 * Connects as `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`,
 * `TEMPORAL_PROFILE` and `TEMPORAL_CONFIG_FILE` of `env` say.
 * Rejects with the address and the next step when the settings are wrong or nobody answers.
 */
export async function connectTemporal(
  env: Readonly<Record<string, string | undefined>>,
  options: ConnectOptions = {},
): Promise<TemporalConnection> {
  const config = loadSettings(env);
  const address = config.connectionOptions.address ?? DEFAULT_ADDRESS;
  const namespace = config.namespace ?? 'default';
  let connection: Connection;
  try {
    connection = await Connection.connect({
      ...config.connectionOptions,
      address,
      connectTimeout: options.timeoutMs ?? 10_000,
    });
  } catch (error) {
    throw new Error(
      `Temporal at ${address} (namespace ${namespace}) cannot be reached: ${causeOf(error)}. ` +
        'Start one with `kavach up` or `temporal server start-dev`, or point TEMPORAL_ADDRESS ' +
        'at a running server.',
      { cause: error },
    );
  }
  return {
    client: new Client({
      ...{ connection, namespace },
      ...(options.dataConverter === undefined ? {} : { dataConverter: options.dataConverter }),
    }),
    address,
    namespace,
    close: () => connection.close(),
  };
}

/** The same settings for whoever opens a connection of its own, as a worker does. */
export function loadSettings(
  env: Readonly<Record<string, string | undefined>>,
): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(
        Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
    });
  } catch (error) {
    throw new Error(
      `The Temporal settings cannot be read: ${causeOf(error)}. Check the TEMPORAL_* variables ` +
        'and the file that TEMPORAL_CONFIG_FILE names.',
      { cause: error },
    );
  }
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}
