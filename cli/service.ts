/**
 * Gateway, relay and worker, all in one process or each in its own, over a ledger and a Temporal
 * server that are there.
 * S-1. The gateway listens before Temporal is waited for: usage and stops are taken while it is
 *      away (K3). Claims of that usage wait for the relay, and all starts side by side: after a
 *      crash every alert waits for the last part.
 * S-2. A start that fails or is aborted closes what it had opened; a stop goes the same way:
 *      gateway, relay, worker, connection, ledger, each given its time to finish.
 * S-3. A process that is no gateway listens where one would, with the two questions of health only:
 *      every process of a set is asked the same way.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { createActivities } from '../activities/index.js';
import { createGuard } from '../channels/address-guard.js';
import { createChannels } from '../channels/index.js';
import { refuseTarget } from '../channels/target.js';
import { systemTimers } from '../client/timers.js';
import { createKavachClient, loadSettings } from '../client/index.js';
import type { Policy } from '../domain/alert/policy.js';
import { alertUrl, createAlertLinks } from '../gateway/links.js';
import { startGateway } from '../gateway/server.js';
import { createSessions } from '../gateway/sessions.js';
import type { Ledger } from '../ledger/ledger.js';
import { createRelay, createStartAlert, startErrands } from '../relay/index.js';
import { startDeadManSwitch } from '../worker/dead-man-switch.js';
import { workflowBundle } from '../worker/bundle.js';
import type { Config } from '../worker/config.js';
import type { Logger } from '../worker/log.js';
import { runWorker } from '../worker/main.js';
import { callbackReadersOf } from './callbacks.js';
import { createDigestParts } from './digest-parts.js';
import { keepUrl } from './data-folder.js';
import { DEFAULT_ORG, KEYS_ELSEWHERE, keepFirstKey, sayRefused } from './first-settings.js';
import { createAskedSends } from './asked-sends.js';
import { keepLinkKey, keepSealKeys, type KeptKey } from './key-files.js';
import { payloadCodecOf } from './payload-codec.js';
import { openServiceLedger } from './service-ledger.js';
import { startHealth } from './processes/health.js';
import { watchSearchAttributes } from './search-attributes.js';

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

/** What of the service a process is. */
export type Role = 'gateway' | 'relay' | 'worker';

export interface PartOptions extends ServiceOptions {
  readonly roles: readonly Role[];
}

export interface ServicePart {
  /** `http://host:port` of the gateway, or of what answers for its health (S-3). */
  readonly url: string;
  /** A gateway's, where this data folder keeps one: for whoever works on this machine. */
  readonly adminKey?: KeptKey;
  /** Finishes what is under way and closes everything, in order. Repeating it is harmless. */
  stop(): Promise<void>;
}

/** All of it in one process. */
export type Service = ServicePart;

const ALL_ROLES: readonly Role[] = ['gateway', 'relay', 'worker'];
/**
 * What a lost process held is let go after these, so they are part of every recovery: the tasks it
 * had begun, and, through the relay's lease, which must outlast a call, the rows it had claimed.
 */
const TASK_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 2_500;
/** DM-1. Rows that wait longer than this are a fault. */
const LATE_MS = 60_000;
/** Of one delivery attempt; below the activity's 5 s, so that a hang is an outcome. */
const ATTEMPT_TIMEOUT_MS = 4_000;

/** S-2. The order in which parts end. */
const STOP_ORDER = [
  'deadManSwitch',
  'gateway',
  'errands',
  'relay',
  'worker',
  'attributes',
  'connection',
  'ledger',
] as const;
type Parts = Partial<Record<(typeof STOP_ORDER)[number], () => Promise<void>>>;

/** Resolves when the gateway listens, the relay runs, and the worker runs or has said why not. */
export function startService(config: Config, options: ServiceOptions): Promise<Service> {
  return startServicePart(config, { ...options, roles: ALL_ROLES });
}

/** As `startService`, with some of its roles. */
export async function startServicePart(config: Config, options: PartOptions): Promise<ServicePart> {
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
  options: PartOptions,
  parts: Parts,
): Promise<Omit<ServicePart, 'stop'>> {
  const { log, signal } = options;
  const say = options.onProgress ?? (() => undefined);
  const is = (role: Role): boolean => options.roles.includes(role);
  signal?.throwIfAborted();

  const ledger = await openLedgerOf(config, options);
  parts.ledger = () => ledger.close();
  const adminKey = is('gateway') ? await keepFirstKey(ledger, config) : undefined;
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
  const relay = is('relay')
    ? createRelay({
        ...{ ledger, policy, log, config: config.relay, serviceOrg: DEFAULT_ORG },
        client: {
          reportPeriod: (claim) => client.reportPeriod(claim),
          reportMatches: (whose, report) => client.reportMatches(whose, report),
          startAlert,
        },
      })
    : undefined;
  const attributes = watchSearchAttributes(connection, settings.namespace, (areThere) => {
    policy.searchAttributes = areThere;
    if (!areThere) log.warn({}, 'the namespace refuses our search attributes; going on without');
  });
  parts.attributes = () => attributes.stop();
  let isWorking = (): boolean => false;
  const ping = async (): Promise<void> => {
    if (is('worker') && !isWorking()) throw new Error('the worker is not connected to Temporal');
    await client.ping();
  };
  const { host, port, publicUrl, rates, noticeWindowMs } = config.gateway;
  const gatewayPolicy = {
    ...{ zone: config.zone, rates, noticeWindowMs, digestHourMs: config.digestHourMs },
  };
  const guard = createGuard({ allow: config.allowTargets });
  sayRefused(config, guard, log);
  const channels = createChannels({ ...config.channels, guard });
  const linkKey = config.linkKey ?? keepLinkKey(config.dataDir).value;
  const links = createAlertLinks(linkKey);
  let reachedAt = publicUrl ?? '';
  const linkTo = (alertId: string): string => alertUrl(reachedAt, alertId, links);
  const sends = createAskedSends({
    ...{ ledger, channels, alertUrl: linkTo, homeUrl: () => reachedAt },
    timeoutMs: ATTEMPT_TIMEOUT_MS,
  });
  const digests = createDigestParts({
    ledger,
    linkKey,
    alertUrl: linkTo,
    homeUrl: () => reachedAt,
  });
  const listening = is('gateway')
    ? await startGateway({
        ...{ ledger, log, host, port },
        relay: relay ?? NO_RELAY,
        policy: { ...gatewayPolicy, ...(relay === undefined ? { claimMs: 0 } : {}) },
        homeOrg: DEFAULT_ORG,
        ...{ temporal: { ping }, alerts: client, links, ...sends, alertPolicy: policy },
        push: { ledger, confirm: client.confirmDelivery },
        ...{ ...sealed.endpoint, ...digests.ports },
        callbacks: callbackReadersOf(config),
        sessions: createSessions(linkKey, publicUrl),
        refuseTarget: (channel, address) => refuseTarget(guard, channel, address),
        hasAccount: (channel) =>
          (channel !== 'email' && channel !== 'sms') || config.channels[channel] !== undefined,
      })
    : await startHealth({ host, port, ledger, temporal: { ping }, needsTemporal: is('worker') });
  parts.gateway = () => listening.stop();
  if (is('gateway')) {
    reachedAt = publicUrl ?? listening.url;
    keepUrl(config.dataDir, listening.url);
    say(`Gateway at ${listening.url}`);
    if (adminKey === undefined) say(KEYS_ELSEWHERE);
  }

  if (is('worker') && config.channels.email === undefined) {
    say('Email alerts are off: set RESEND_API_KEY or KAVACH_SMTP_URL, and KAVACH_EMAIL_FROM');
  }
  const activities = createActivities({
    ledger,
    channels,
    alertUrl: linkTo,
    ...{ unsubscribeUrl: digests.unsubscribeUrl, digestHourMs: config.digestHourMs },
    startAlert,
    now: Date.now,
    pause: (ms) => delay(ms),
    timeoutMs: ATTEMPT_TIMEOUT_MS,
  });
  const bundle = () => workflowBundle(config.dataDir, sealed.bundled);
  const worker = is('worker')
    ? runWorker({
        ...{ ...settings, taskQueue, maxCachedWorkflows, activities, bundle, log },
        ...sealed.converter,
      })
    : undefined;
  parts.worker = () => worker?.stop() ?? Promise.resolve();
  isWorking = () => worker?.state() === 'running';

  await attributes.settled;
  signal?.throwIfAborted();
  relay?.start();
  parts.relay = () => relay?.stop() ?? Promise.resolve();
  if (is('relay')) {
    const errands = startErrands({ ledger, client, log, retention: config.retention });
    parts.errands = () => errands.stop();
  }
  await worker?.settled;
  signal?.throwIfAborted();
  if (relay !== undefined && config.deadManSwitch !== undefined) {
    const isAlive = async (): Promise<boolean> => {
      await ping();
      return (await ledger.lag(Date.now())).oldestMs < LATE_MS;
    };
    const { deadManSwitch } = config;
    const pinging = startDeadManSwitch({ ...deadManSwitch, isAlive, log, timers: systemTimers });
    parts.deadManSwitch = () => {
      pinging.stop();
      return Promise.resolve();
    };
  }
  if (isWorking()) say(`Worker on task queue ${taskQueue}`);
  return { url: listening.url, ...(adminKey === undefined ? {} : { adminKey }) };
}

/** What a gateway without a relay is given: it claims nothing, so others find the crossings due. */
const NO_RELAY = { deliver: (): void => undefined };

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
