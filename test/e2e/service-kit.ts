/**
 * The whole service for one test file: embedded ledger and Temporal, gateway, relay and worker,
 * with every provider a fake. Only waits are shortened; all else is as in production.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../../cli/embedded/embedded.js';
import { startService } from '../../cli/service.js';
import { startSink, type Sink } from '../../fakes/sink.js';
import { loadConfig } from '../../worker/config.js';
import { createLog } from '../../worker/log.js';
import { seedLedger } from '../support/ledger-folder.js';

export interface TestService {
  readonly url: string;
  readonly apiKey: string;
  readonly dataDir: string;
  readonly sink: Sink;
  /** GET, answered as JSON; throws what is no 2xx. */
  get<T>(path: string): Promise<T>;
  /** POST of JSON; throws what is no 2xx. */
  post<T>(path: string, body: unknown): Promise<T>;
  stop(): Promise<void>;
}

export interface TestServiceOptions {
  /** Of the service's environment, beside what the kit sets. */
  readonly variables?: (sink: Sink) => Readonly<Record<string, string>>;
  /** One that outlives the service; default: a fresh one that goes with it. */
  readonly dataDir?: string;
}

/** `KAVACH_LOG_LEVEL=debug` in the environment of the tests shows what the service says. */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const closing: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    return { ...(await begin(options, closing)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function begin(
  { variables, dataDir: given }: TestServiceOptions,
  closing: (() => Promise<void> | void)[],
): Promise<Omit<TestService, 'stop'>> {
  const dataDir = given ?? mkdtempSync(join(tmpdir(), 'kavach-e2e-'));
  closing.push(() => {
    if (given === undefined) rmSync(dataDir, { recursive: true, force: true });
  });
  if (!existsSync(join(dataDir, 'ledger'))) await seedLedger(dataDir);
  const sink = await startSink();
  closing.push(() => sink.stop());
  const embedded = await startEmbedded({ dataDir, env: findingTemporal() });
  closing.push(() => embedded.stop());
  const config = loadConfig({
    KAVACH_DATA_DIR: dataDir,
    KAVACH_PORT: '0',
    KAVACH_RELAY_INTERVAL_MS: '200',
    KAVACH_LADDER_MS: '200,400,800',
    KAVACH_LOG_LEVEL: process.env['KAVACH_LOG_LEVEL'] ?? 'error',
    KAVACH_ALLOW_TARGETS: '127.0.0.1:*',
    RESEND_API_KEY: 're_test',
    KAVACH_EMAIL_DOMAINS: 'example.com,acme.com',
    RESEND_BASE_URL: `${sink.url}/resend`,
    PAGERDUTY_BASE_URL: `${sink.url}/pagerduty`,
    KAVACH_EMAIL_FROM: 'Kavach <kavach@example.com>',
    ...variables?.(sink),
  });
  const service = await startService(config, {
    log: createLog(config.log),
    databaseUrl: embedded.databaseUrl,
    temporalAddress: embedded.temporal?.address ?? '',
  });
  closing.push(() => service.stop());
  const { url } = service;
  const apiKey = service.adminKey?.value ?? '';
  const request = async <T>(path: string, init: RequestInit): Promise<T> => {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    const answer = await repeated(() => fetch(`${url}${path}`, { ...init, headers }));
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${init.method} ${path} -> ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    ...{ url, apiKey, dataDir, sink },
    get: (path) => request(path, { method: 'GET' }),
    post: (path, body) => request(path, { method: 'POST', body: JSON.stringify(body) }),
  };
}

/** A cluster or database of the developer's is none of a test's business. */
function findingTemporal(): NodeJS.ProcessEnv {
  const { TEMPORAL_ADDRESS: _cluster, DATABASE_URL: _database, ...rest } = process.env;
  return { ...rest, KAVACH_TEMPORAL_PORT: '0', KAVACH_TEMPORAL_UI_PORT: '0' };
}

/** Asks again and again until there is an answer; throws after `withinMs`, naming what was missing. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const TRIES = 10;

/** As senders do: what a busy machine puts off is sent again when it says so. */
async function repeated(send: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const answer = await send();
    const isPutOff = answer.status === 429 && answer.headers.has('retry-after');
    if (!isPutOff || tries === TRIES) return answer;
    await answer.text();
    await delay(Number(answer.headers.get('retry-after')) * 1_000);
  }
}
