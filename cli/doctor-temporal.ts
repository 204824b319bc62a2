/** Temporal as the doctor sees it: there, with its namespace, attributes and somebody who polls. */
import { connect } from 'node:net';
import proto from '@temporalio/proto';
import { connectTemporal, type TemporalConnection } from '../client/index.js';
import type { Config } from '../worker/config.js';
import { keptAddress } from './data-folder.js';
import { fail, notLookedAt, ok, warn, type Check, type Found } from './doctor-check.js';
import { RETENTION_DAYS, SEARCH_ATTRIBUTES } from './embedded/temporal-settings.js';
import { dataDirOf, type Environment } from './ledger-access.js';

const { TASK_QUEUE_TYPE_ACTIVITY, TASK_QUEUE_TYPE_WORKFLOW } =
  proto.temporal.api.enums.v1.TaskQueueType;

const CONNECT_MS = 4_000;
/** A poll takes a minute; who was not seen for longer is gone. */
const SEEN_WITHIN_MS = 120_000;
const DAY_S = 86_400;

export interface TemporalLook {
  readonly checks: readonly Check[];
  close(): Promise<void>;
}

export function lookAtTemporal(env: Environment, config: Config | undefined): TemporalLook {
  const isGiven = loadsAddress(env);
  let connecting: Promise<TemporalConnection> | undefined;
  const connected = (): Promise<TemporalConnection> =>
    (connecting ??= connectTo(settingsOf(env, isGiven)));
  const next = isGiven
    ? 'is the server there, and are the TEMPORAL_* variables right?'
    : 'the embedded server comes with `kavach up`';
  const onServer = (
    name: string,
    look: (temporal: TemporalConnection) => Promise<Found>,
  ): Check => ({
    ...{ name, next },
    look: async () => {
      const temporal = await connected().catch(() => undefined);
      return temporal === undefined ? notLookedAt('temporal') : look(temporal);
    },
  });
  const checks: Check[] = [
    { name: 'temporal', next, look: () => reachable(connected, isGiven) },
    onServer('namespace', namespace),
    onServer('search attributes', searchAttributes),
    onServer('workers', (temporal) => workers(temporal, config?.temporal.taskQueue ?? 'kavach')),
  ];
  const close = async (): Promise<void> => {
    await (await connecting?.catch(() => undefined))?.close();
  };
  return { checks, close };
}

/** A refused port is told at once: gRPC would go on trying it until its time is over. */
async function connectTo(settings: Environment): Promise<TemporalConnection> {
  const address = settings['TEMPORAL_ADDRESS'] ?? '';
  const [, host, port] = /^([\w.-]+):(\d+)$/.exec(address) ?? [];
  if (host !== undefined) await knock(host, Number(port));
  return connectTemporal(settings, { timeoutMs: CONNECT_MS });
}

function knock(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (fault?: string): void => {
      socket.destroy();
      if (fault === undefined) resolve();
      else reject(new Error(`Temporal at ${host}:${String(port)} cannot be reached (${fault})`));
    };
    socket.once('connect', () => {
      end();
    });
    socket.once('timeout', () => {
      end('no answer');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? error.message);
    });
  });
}

function loadsAddress(env: Environment): boolean {
  return Boolean(env['TEMPORAL_ADDRESS']) || Boolean(env['TEMPORAL_PROFILE']);
}

/** The embedded server is asked plainly: a profile in the user's home is meant for another one. */
function settingsOf(env: Environment, isGiven: boolean): Environment {
  if (isGiven) return env;
  const { TEMPORAL_NAMESPACE: _namespace, ...rest } = env;
  const port = env['KAVACH_TEMPORAL_PORT'] || '7233';
  const kept = keptAddress(dataDirOf(env), 'temporal-address');
  return { ...rest, TEMPORAL_ADDRESS: kept ?? `127.0.0.1:${port}` };
}

async function reachable(
  connected: () => Promise<TemporalConnection>,
  isGiven: boolean,
): Promise<Found> {
  try {
    const { address, client } = await connected();
    const { serverVersion } = await client.workflowService.getSystemInfo({});
    return ok(`${address}, server ${serverVersion || 'of unknown version'}`);
  } catch (error) {
    if (!isGiven) return warn('the embedded server does not run', '`kavach up` starts it');
    throw error;
  }
}

async function namespace({ client, namespace: name }: TemporalConnection): Promise<Found> {
  const { config, namespaceInfo } = await client.workflowService.describeNamespace({
    namespace: name,
  });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / DAY_S;
  const seen = `${name}, histories kept ${String(Math.floor(days))} days`;
  if (namespaceInfo?.capabilities?.syncUpdate === false) {
    const next =
      'set frontend.enableUpdateWorkflowExecution on the server: people acknowledge by it';
    return fail(`${seen}, updates switched off`, next);
  }
  if (days >= RETENTION_DAYS) return ok(seen);
  return warn(seen, `keep them ${String(RETENTION_DAYS)} days: \`kavach replay\` needs histories`);
}

async function searchAttributes({ client, namespace: name }: TemporalConnection): Promise<Found> {
  const list = await client.connection.operatorService.listSearchAttributes({ namespace: name });
  const missing = SEARCH_ATTRIBUTES.filter((each) => list.customAttributes[each] === undefined);
  if (missing.length === 0) return ok(SEARCH_ATTRIBUTES.join(', '));
  const next = `add them as Keyword: temporal operator search-attribute create --name ${missing[0] ?? ''} --type Keyword`;
  return warn(`missing: ${missing.join(', ')}`, next);
}

async function workers(temporal: TemporalConnection, queue: string): Promise<Found> {
  const kinds = [
    { name: queue, type: TASK_QUEUE_TYPE_WORKFLOW, what: 'workflows' },
    { name: queue, type: TASK_QUEUE_TYPE_ACTIVITY, what: 'activities' },
    { name: `${queue}-delivery`, type: TASK_QUEUE_TYPE_ACTIVITY, what: 'deliveries' },
  ];
  const polled = await Promise.all(
    kinds.map(async ({ name, type, what }) => ({
      what,
      count: await pollers(temporal, name, type),
    })),
  );
  const seen = `on ${queue}: ${polled.map(({ what, count }) => `${String(count)} for ${what}`).join(', ')}`;
  const idle = polled.filter(({ count }) => count === 0);
  if (idle.length === 0) return ok(seen);
  return warn(seen, 'start `kavach up`, or look why its worker does not poll: no alert goes out');
}

async function pollers(
  { client, namespace: name }: TemporalConnection,
  queue: string,
  taskQueueType: proto.temporal.api.enums.v1.TaskQueueType,
): Promise<number> {
  const answer = await client.workflowService.describeTaskQueue({
    ...{ namespace: name, taskQueue: { name: queue }, taskQueueType },
  });
  const since = Date.now() - SEEN_WITHIN_MS;
  return answer.pollers.filter(
    ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 >= since,
  ).length;
}
