/**
 * The gateway's process part: it listens, and ends without dropping what it is doing.
 * On `stop` no connection is accepted any more, requests in flight are finished within the grace,
 * what is left is cut off: its sender was not answered and sends again.
 */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { DEFAULT_POLICY } from '../domain/alert/policy.js';
import { createApp } from './app.js';
import { answerClientErrors } from './client-error.js';
import { createGuardHub } from './guard/hub.js';
import { DEFAULT_GUARD_POLICY } from './guard/policy.js';
import { watchLedger } from './ledger-watch.js';
import { watchLayerEnds } from './layer-ends.js';
import { DEFAULT_GATEWAY_POLICY, type Gateway, type GatewayOptions } from './options.js';
import { createPricer } from './price.js';
import { startPush } from './push/index.js';

/** A client that takes longer to send its headers, or its request, is cut off. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
/** Bytes of the request line and all headers. */
const MAX_HEADERS = 16 * 1024;

export interface RunningGateway {
  /** `http://127.0.0.1:8700`, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Twice is once. */
  stop(): Promise<void>;
}

/** Rejects when the port is taken, naming it. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { ledger, relay, log, host = '127.0.0.1' } = options;
  const state = { isDraining: false };
  const policy = { ...DEFAULT_GATEWAY_POLICY, ...options.policy };
  const watch = watchLedger({
    ...{ ledger, retryAfterS: policy.retryAfterS },
    ...{ everyMs: policy.watchMs, silenceMs: policy.silenceMs },
    say: (isAway) => {
      if (isAway) log.warn({}, 'the ledger is away; usage is asked to come again');
      else log.info({}, 'the ledger is back');
    },
  });
  const push = startPush(options.push, {
    ...{ log, now: options.now ?? Date.now, newId: options.newId ?? randomUUID },
    ...{ retryAfterS: policy.retryAfterS, isDraining: () => state.isDraining },
  });
  const guards = createGuardHub({
    ...{ ledger, log, now: options.now ?? Date.now },
    policy: { ...DEFAULT_GUARD_POLICY, ...options.guards },
    ...{ timeoutMs: policy.ledgerTimeoutMs, retryAfterS: policy.retryAfterS },
  });
  const gateway: Gateway = {
    ...{ ledger, relay, log },
    now: options.now ?? Date.now,
    newId: options.newId ?? randomUUID,
    pricer: options.pricer ?? createPricer(),
    ...{ policy, watch },
    ...(options.temporal === undefined ? {} : { temporal: options.temporal }),
    ...(options.alerts === undefined ? {} : { alerts: options.alerts }),
    ...(options.links === undefined ? {} : { links: options.links }),
    ...(options.sessions === undefined ? {} : { sessions: options.sessions }),
    callbacks: options.callbacks ?? [],
    ...(options.testSend === undefined ? {} : { testSend: options.testSend }),
    alertPolicy: options.alertPolicy ?? DEFAULT_POLICY,
    ...(options.sendCode === undefined ? {} : { sendCode: options.sendCode }),
    ...(push === undefined ? {} : { push: push.tickets }),
    guards,
    ...(options.previewDigest === undefined ? {} : { previewDigest: options.previewDigest }),
    ...(options.unsubscribeLinks === undefined
      ? {}
      : { unsubscribeLinks: options.unsubscribeLinks }),
    homeOrg: options.homeOrg ?? 'default',
    refuseTarget: options.refuseTarget ?? (() => undefined),
    hasAccount: options.hasAccount ?? (() => true),
    ...(options.codec === undefined ? {} : { codec: options.codec }),
    isDraining: () => state.isDraining,
  };
  const app = createApp(gateway);
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      maxHeaderSize: MAX_HEADERS,
    },
  }) as Server;
  server.maxHeadersCount = 100;
  answerClientErrors(server, gateway.newId, log);
  push?.listenTo(server);
  try {
    await listen(server, options.port, host);
  } catch (error) {
    watch.stop();
    await push?.stop(0);
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  log.info({ url }, 'gateway listens');
  const layerEnds = watchLayerEnds(gateway);

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      state.isDraining = true;
      guards.stop();
      // A ledger that hangs must not keep a gateway alive.
      const { graceMs } = gateway.policy;
      const ended = Promise.race([layerEnds.stop(), delay(graceMs, undefined, { ref: false })]);
      await Promise.all([push?.stop(graceMs), drain(server, graceMs), ended]);
      watch.stop();
      log.info({ url }, 'gateway stopped');
    })();
    return stopped;
  };
  return { url, port, stop };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `Port ${String(port)} on ${host} is in use: end the process that has it, or choose another port.`,
              { cause: error },
            )
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}

/** `close` ends idle connections at once; those in use say `Connection: close` with their answer. */
async function drain(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  const cut = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(cut);
}
