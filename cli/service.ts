/**
 * Gateway, relay and worker in one process, over a ledger and a Temporal server that are there.
 * S-1. The gateway listens before Temporal is waited for: usage and stops are taken while it is
 *      away (K3). Claims of that usage wait for the relay, and all starts side by side: after a
 *      crash every alert waits for the last part.
 * S-2. A start that fails or is aborted closes what it had opened; a stop goes the same way:
 *      gateway, relay, worker, connection, ledger, each given its time to finish.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { createActivities } from '../activities/index.js';
import { createGuard } from '../channels/address-guard.js';
import { createChannels } from '../channels/index.js';
import { refuseTarget } from '../channels/target.js';
import { createKavachClient, loadSettings } from '../client/index.js';
import type { Policy } from '../domain/alert/policy.js';
import { ensureFirstKey } from '../gateway/first-key.js';
import { alertUrl, createAlertLinks } from '../gateway/links.js';
import { startGateway } from '../gateway/server.js';
import type { Ledger } from '../ledger/ledger.js';
import { createRelay, createRetention, createStartAlert } from '../relay/index.js';
import { workflowBundle } from '../worker/bundle.js';
import type { Config } from '../worker/config.js';
import type { Logger } from '../worker/log.js';
import { runWorker } from '../worker/main.js';
import { keepUrl } from './data-folder.js';
import { keepApiKey, keepLinkKey, keepSealKeys } from './key-files.js';
import type { KeptKey } from './key-files.js';
import { payloadCodecOf } from './payload-codec.js';
import { openServiceLedger } from './service-ledger.js';
import { watchSearchAttributes } from './search-attributes.js';
import { createTestSend } from './test-send.js';

/** What the service runs on; what is absent is taken from the configuration. */
export interface ServiceParts {
  /** Of an embedded ledger, or a Postgres. */
  readonly databaseUrl?: string;
  /** Of an embedded server: `host:port`, without TLS, namespace `default`. */
  readonly temporalAddress?: string;
}

export interface ServiceOptions extends ServiceParts {
  readonly log: Logger;
  readonly onProgress?: (line: string) => void;
  /** Aborting it during the start undoes the start; afterwards it does nothing. */
  readonly signal?: AbortSignal;
}

export interface Service {
  /** `http://host:port` of the gateway. */
  readonly url: string;
  /** The key of the first start, for whoever works on this machine. */
  readonly adminKey: KeptKey;
  /** Finishes what is under way and closes everything, in order. Repeating it is harmless. */
  stop(): Promise<void>;
}

/** The one organisation of this version. */
export const DEFAULT_ORG = 'default';
/**
 * What a lost process held is let go after these, so they are part of every recovery: the tasks it
 * had begun, and, through the relay's lease, which must outlast a call, the rows it had claimed.
 */
const TASK_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 2_500;
/** Of one delivery attempt; below the activity's 5 s, so that a hang is an outcome. */
const ATTEMPT_TIMEOUT_MS = 4_000;

/** S-2. The order in which parts end. */
const STOP_ORDER = [
  ...(['gateway', 'retention', 'relay', 'worker'] as const),
  ...(['attributes', 'connection', 'ledger'] as const),
] as const;
type Parts = Partial<Record<(typeof STOP_ORDER)[number], () => Promise<void>>>;

/** Resolves when the gateway listens, the relay runs, and the worker runs or has said why not. */
export async function startService(config: Config, options: ServiceOptions): Promise<Service> {
  const parts: Parts = {};
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopAll(parts, options.log));
  try {
    return { ...(await begin(config, options, parts)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function begin(
  config: Config,
  options: ServiceOptions,
  parts: Parts,
): Promise<Omit<Service, 'stop'>> {
  const { log, signal } = options;
  const say = options.onProgress ?? (() => undefined);
  signal?.throwIfAborted();

  const ledger = await openLedgerOf(config, options);
  parts.ledger = () => ledger.close();
  await putDefaults(ledger, config);
  const adminKey = keepApiKey(config.dataDir);
  await ensureFirstKey({ ledger, file: adminKey.file, org: DEFAULT_ORG });
  signal?.throwIfAborted();

  const settings = temporalSettings(config, options.temporalAddress);
  const connection = Connection.lazy(settings.connection);
  parts.connection = () => connection.close();
  // Periods and alerts freeze it as it is when they start.
  const policy: { -readonly [Key in keyof Policy]: Policy[Key] } = {
    ...config.policy,
    searchAttributes: false,
  };
  const { taskQueue, maxCachedWorkflows } = config.temporal;
  const sealed = payloadCodecOf(config);
  const temporal = new Client({
    ...{ connection, namespace: settings.namespace },
    ...sealed.converter,
  });
  const client = createKavachClient({
    ...{ client: temporal, taskQueue, policy, log },
    workflowTaskTimeoutMs: TASK_TIMEOUT_MS,
    callTimeoutMs: CALL_TIMEOUT_MS,
  });
  const startAlert = createStartAlert({ ledger, client, now: Date.now });
  const relay = createRelay({
    ...{ ledger, policy, log, config: config.relay },
    client: { reportPeriod: (claim) => client.reportPeriod(claim), startAlert },
  });
  const attributes = watchSearchAttributes(connection, settings.namespace, (areThere) => {
    policy.searchAttributes = areThere;
    if (!areThere) log.warn({}, 'the namespace refuses our search attributes; going on without');
  });
  parts.attributes = () => attributes.stop();
  let isWorking = (): boolean => false;
  const ping = async (): Promise<void> => {
    if (!isWorking()) throw new Error('the worker is not connected to Temporal');
    await client.ping();
  };
  const { host, port, publicUrl } = config.gateway;
  const guard = createGuard({ allow: config.allowTargets });
  for (const { channel, address } of config.destinations) {
    const reason = refuseTarget(guard, channel, address);
    if (reason !== undefined) log.warn({ channel, reason }, 'the default destination gets nothing');
  }
  const channels = createChannels({ ...config.channels, guard });
  const links = createAlertLinks(config.linkKey ?? keepLinkKey(config.dataDir).value);
  let reachedAt = publicUrl ?? '';
  const linkTo = (alertId: string): string => alertUrl(reachedAt, alertId, links);
  const testSend = createTestSend({
    ...{ ledger, channels, alertUrl: linkTo, now: Date.now, newId: randomUUID },
    timeoutMs: ATTEMPT_TIMEOUT_MS,
  });
  const gateway = await startGateway({
    ...{ ledger, relay, log, host, port, policy: { zone: config.zone } },
    ...{ temporal: { ping }, alerts: client, links, testSend },
    ...sealed.endpoint,
    refuseTarget: (channel, address) => refuseTarget(guard, channel, address),
  });
  parts.gateway = () => gateway.stop();
  reachedAt = publicUrl ?? gateway.url;
  keepUrl(config.dataDir, gateway.url);
  say(`Gateway at ${gateway.url}`);

  if (config.channels.email === undefined) {
    say('Email alerts are off: set RESEND_API_KEY or KAVACH_SMTP_URL, and KAVACH_EMAIL_FROM');
  }
  const activities = createActivities({
    ledger,
    channels,
    alertUrl: linkTo,
    startAlert,
    now: Date.now,
    pause: (ms) => delay(ms),
    timeoutMs: ATTEMPT_TIMEOUT_MS,
  });
  const bundle = () => workflowBundle(config.dataDir, sealed.bundled);
  const worker = runWorker({
    ...{ ...settings, taskQueue, maxCachedWorkflows, activities, bundle, log },
    ...sealed.converter,
  });
  parts.worker = () => worker.stop();
  isWorking = () => worker.state() === 'running';

  await attributes.settled;
  signal?.throwIfAborted();
  relay.start();
  parts.relay = () => relay.stop();
  const retention = createRetention({ ledger, retention: config.retention, log });
  retention.start();
  parts.retention = () => retention.stop();
  await worker.settled;
  signal?.throwIfAborted();
  if (isWorking()) say(`Worker on task queue ${taskQueue}`);
  return { url: gateway.url, adminKey };
}

function openLedgerOf(config: Config, given: ServiceParts): Promise<Ledger> {
  const databaseUrl = given.databaseUrl ?? config.databaseUrl;
  if (databaseUrl === undefined) {
    throw new Error('There is no ledger: set DATABASE_URL, or start with `kavach up`');
  }
  const sealKeys = config.sealKeys ?? keepSealKeys(config.dataDir).value;
  const { runIdleMs } = config.policy;
  const { delivery } = config;
  return openServiceLedger({ databaseUrl, sealKeys, runIdleMs, delivery });
}

/** C3, A5. What the environment names is set; what it does not name stays as it is. */
async function putDefaults(ledger: Ledger, config: Config): Promise<void> {
  const { destinations, operators, emailDomains } = config;
  const references = await ledger.putDestinations(DEFAULT_ORG, destinations);
  for (const [i, { channel }] of destinations.entries()) {
    const reference = references[i];
    if (reference !== undefined)
      await ledger.setDefaultDestination(DEFAULT_ORG, channel, reference);
  }
  if (operators !== undefined) {
    const stored = await ledger.putDestinations(DEFAULT_ORG, operators);
    const routes = operators.flatMap(({ channel }, i) => {
      const destination = stored[i];
      return destination === undefined ? [] : [{ channel, destination }];
    });
    await ledger.setOperators(DEFAULT_ORG, routes);
  }
  if (emailDomains !== undefined) await ledger.setAllowedEmailDomains(DEFAULT_ORG, emailDomains);
}

/** An embedded server is asked plainly: a profile in the user's home is meant for another one. */
function temporalSettings(config: Config, embedded: string | undefined) {
  if (embedded !== undefined) return { namespace: 'default', connection: { address: embedded } };
  const { namespace, connectionOptions } = loadSettings(config.temporal.environment);
  return { namespace: namespace ?? 'default', connection: connectionOptions };
}

/** A part that fails to end must not keep the others open. */
async function stopAll(parts: Parts, log: Logger): Promise<void> {
  for (const name of STOP_ORDER) {
    try {
      await parts[name]?.();
    } catch (error) {
      log.error({ err: error }, `the ${name} did not close in order`);
    }
  }
}
