/**
 * All providers in one process: `/slack/<name>`, `/resend/emails`, `/webhook/<name>`,
 * `/pagerduty/v2/enqueue`, `/twilio/2010-04-01/…`. Records every request and misbehaves as it is
 * told. `GET /_requests` hands the record to other processes.
 *
 * S-1. A request is recorded, and listeners are told, before it is answered.
 * S-2. Scripts are used up in order, one behaviour a request; a path's own before its channel's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isTaken, perform, statusOf, type Behaviour } from './sink-behaviour.js';
import { createPagerduty, type Incident, type Pagerduty } from './pagerduty.js';
import {
  createReceiver,
  createResend,
  createSlack,
  type Provider,
  type ResendFake,
} from './sink-providers.js';
import { createTwilio, type Twilio } from './twilio.js';
import { createLoopbackServer } from './loopback-server.js';

export type { Incident } from './pagerduty.js';
export type { Behaviour } from './sink-behaviour.js';

export interface SinkRequest {
  readonly no: number;
  readonly channel: Provider['channel'];
  readonly method: string;
  readonly path: string;
  /** The query with its `?`, or nothing. */
  readonly search: string;
  /** `Idempotency-Key`, `webhook-id` or `dedup_key`. */
  readonly key?: string;
  readonly headers: IncomingMessage['headers'];
  /** The exact text of the request. */
  readonly body: string;
  /** Epoch ms at which its headers came. */
  readonly at: number;
  /** The status it was answered with; absent where it hung or was cut off. */
  readonly status?: number;
  /** The provider processed it: somebody would have seen the message. */
  readonly taken: boolean;
  /** Its key had been taken before, so it was dropped: nobody saw it twice. */
  readonly repeat: boolean;
  /** Epoch ms of the first byte of the answer. */
  firstByteAt?: number;
}

/** By path (`/slack/team`) or channel (`slack`). */
export type SinkScript = Readonly<Record<string, readonly Behaviour[]>>;

export interface SinkOptions {
  /** @default a free one */
  readonly port?: number;
  readonly script?: SinkScript;
}

export interface Sink {
  /** `http://127.0.0.1:PORT`, without a slash. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SinkRequest[];
  /** What people have seen: taken, and not dropped as repeats. */
  messages(path?: string): SinkRequest[];
  /** What PagerDuty made of its events. */
  incidents(): readonly Incident[];
  /** What became of the text messages that were taken: `failed` with a code, or `delivered`. */
  settleSms(status: string, errorCode?: number): void;
  /** Signed callbacks, as the providers send them. */
  readonly callBack: {
    readonly sms: Twilio['callBack'];
    readonly email: ResendFake['callBack'];
    readonly pagerduty: Pagerduty['click'];
  };
  /** Appends to the script of a path or channel. */
  script(target: string, behaviours: readonly Behaviour[]): void;
  /** Calls back on every request; the answer takes it off again. */
  onRequest(listener: (request: SinkRequest) => void): () => void;
  /** Forgets requests and scripts; what was taken stays taken. */
  clear(): void;
  /** From now on connections are refused, until `reopen`. */
  refuse(): Promise<void>;
  reopen(): Promise<void>;
  stop(): Promise<void>;
}

/** The same behaviour for the first `count` requests: `first(3, { type: 'status', status: 503 })`. */
export function first(count: number, behaviour: Behaviour): Behaviour[] {
  return Array.from({ length: count }, () => behaviour);
}

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const pagerduty = createPagerduty();
  const twilio = createTwilio();
  const resend = createResend();
  const providers: readonly (readonly [string, Provider])[] = [
    ['/slack/', createSlack()],
    ['/resend/emails', resend],
    ['/webhook/', createReceiver()],
    ['/pagerduty/', pagerduty],
    ['/twilio/', twilio],
  ];
  const requests: SinkRequest[] = [];
  const scripts = new Map<string, Behaviour[]>();
  const listeners = new Set<(request: SinkRequest) => void>();
  const script: Sink['script'] = (target, behaviours) => {
    scripts.set(target, [...(scripts.get(target) ?? []), ...behaviours]);
  };
  for (const [target, behaviours] of Object.entries(options.script ?? {}))
    script(target, behaviours);

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const url = incoming.url ?? '/';
    const path = url.split('?')[0] ?? '/';
    const provider = providers.find(([prefix]) => path.startsWith(prefix))?.[1];
    if (path === '/_requests' || provider === undefined) {
      const found = path === '/_requests';
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found ? requests : { error: 'no such path' }));
      return;
    }
    const behaviour = scripts.get(path)?.shift() ??
      scripts.get(provider.channel)?.shift() ?? { type: 'ok' };
    const readsBody = !(behaviour.type === 'reset' && behaviour.at === 'request');
    const received = {
      method: incoming.method ?? 'GET',
      path,
      search: url.slice(path.length),
      headers: incoming.headers,
      body: readsBody ? await readBody(incoming) : '',
    };
    const { answer, repeat, reads = false } = provider.answer(received);
    const taken = isTaken(behaviour) && answer.status < 300 && !reads;
    if (taken && !repeat) provider.take(received);
    const key = provider.keyOf(received);
    const status = statusOf(behaviour, answer);
    const request: SinkRequest = {
      no: requests.length + 1,
      channel: provider.channel,
      ...received,
      at,
      taken,
      repeat: taken && repeat,
      ...(key === undefined ? {} : { key }),
      ...(status === undefined ? {} : { status }),
    };
    requests.push(request);
    for (const listener of listeners) listener(request);
    if (status !== undefined) request.firstByteAt = Date.now();
    perform(behaviour, response, answer);
  }

  const { server, listen, close } = createLoopbackServer(handle);

  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    messages: (path) =>
      requests.filter(
        (one) => one.taken && !one.repeat && (path === undefined || one.path === path),
      ),
    script,
    incidents: () => pagerduty.incidents(),
    settleSms: (status, errorCode) => {
      twilio.settle(status, errorCode);
    },
    callBack: { sms: twilio.callBack, email: resend.callBack, pagerduty: pagerduty.click },
    onRequest(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    clear() {
      requests.length = 0;
      scripts.clear();
    },
    refuse: close,
    reopen: () => listen(port),
    stop: close,
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
