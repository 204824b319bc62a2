/**
 * The gateway as the demo's agent and its audience see it: HTTP and nothing else.
 * While the service is down every call says so instead of throwing; what the caller does about it
 * is the caller's.
 */
import { gzipSync } from 'node:zlib';
import type { StatusView } from '../../gateway/views.js';
import type { AlertView } from '../../ledger/ledger.js';

export type PostAnswer =
  | {
      readonly type: 'stored';
      readonly accepted: number;
      readonly duplicates: number;
      readonly rejected: number;
      /** Stored, and the agent is told to stop. */
      readonly refusal?: string;
    }
  | { readonly type: 'later'; readonly reason: string; readonly afterMs?: number }
  /** A fault of ours: posting it again would change nothing. */
  | { readonly type: 'refused'; readonly reason: string };

export type RunWord = 'started' | 'heartbeat' | 'ended';

export interface GatewayApi {
  postUsage(events: readonly object[], signal: AbortSignal): Promise<PostAnswer>;
  /** Throws unless the gateway took it. */
  syncConfig(document: object, signal: AbortSignal): Promise<void>;
  /** False when it could not be told now. A run that is refused was still heard (K3). */
  reportRun(
    run: { readonly id: string; readonly agent: string; readonly what: RunWord },
    signal: AbortSignal,
  ): Promise<boolean>;
  /** Undefined while the service is away. */
  status(agent: string, signal: AbortSignal): Promise<StatusView | undefined>;
  alerts(agent: string, signal: AbortSignal): Promise<readonly AlertView[] | undefined>;
}

/** A killed service leaves connections that never answer. */
const CALL_TIMEOUT_MS = 10_000;

export function createGatewayApi(url: string, key: string): GatewayApi {
  const call = async (
    path: string,
    init: { method?: string; body?: object; zipped?: boolean; signal: AbortSignal },
  ): Promise<Answer | undefined> => {
    const { body, zipped = false, signal } = init;
    const text = body === undefined ? undefined : JSON.stringify(body);
    try {
      const response = await fetch(url + path, {
        method: init.method ?? 'GET',
        headers: {
          authorization: `Bearer ${key}`,
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          ...(zipped ? { 'content-encoding': 'gzip' } : {}),
        },
        ...(text === undefined ? {} : { body: zipped ? gzipSync(text) : text }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
      });
      const answer = await response.text();
      return { status: response.status, headers: response.headers, body: parse(answer) };
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  };
  const read = async (path: string, signal: AbortSignal): Promise<unknown> => {
    const answer = await call(path, { signal });
    return answer?.status === 200 ? answer.body : undefined;
  };
  return {
    async postUsage(events, signal) {
      const answer = await call('/v1/ingest', {
        ...{ method: 'POST', body: { events }, zipped: true, signal },
      });
      return answer === undefined
        ? { type: 'later', reason: 'the service did not answer' }
        : postAnswerOf(answer);
    },
    async syncConfig(document, signal) {
      const answer = await call('/v1/sync-config', { method: 'POST', body: document, signal });
      if (answer !== undefined && answer.status < 300) return;
      throw new Error(`The configuration was not taken: ${describe(answer)}`);
    },
    async reportRun({ id, agent, what }, signal) {
      const path = `/v1/runs/${encodeURIComponent(id)}`;
      const body = { agent_name: agent, what };
      const answer = await call(path, { method: 'POST', body, signal });
      if (answer === undefined || answer.status >= 500) return false;
      if (answer.status === 429) return reasonIn(answer.body) !== undefined;
      if (answer.status < 300) return true;
      throw new Error(`Run ${id} could not be reported: ${describe(answer)}`);
    },
    status: async (agent, signal) =>
      (await read(`/v1/status?agent=${encodeURIComponent(agent)}`, signal)) as
        StatusView | undefined,
    alerts: async (agent, signal) => {
      const path = `/v1/alerts?limit=1000&agent=${encodeURIComponent(agent)}`;
      const body = (await read(path, signal)) as { alerts: readonly AlertView[] } | undefined;
      return body?.alerts;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

function postAnswerOf(answer: Answer): PostAnswer {
  const { status, headers, body } = answer;
  const fields = fieldsOf(body);
  const reason = reasonIn(body);
  if (status === 200 || status === 202 || (status === 429 && reason !== undefined)) {
    return {
      type: 'stored',
      accepted: numberIn(fields['accepted']),
      duplicates: numberIn(fields['duplicates']),
      rejected: numberIn(fields['rejected_count']),
      ...(reason === undefined ? {} : { refusal: reason }),
    };
  }
  if (status === 429 || status >= 500) {
    const afterS = Number(headers.get('retry-after') ?? 0);
    return { type: 'later', reason: describe(answer), afterMs: Math.min(afterS, 10) * 1_000 };
  }
  return { type: 'refused', reason: describe(answer) };
}

function describe(answer: Answer | undefined): string {
  if (answer === undefined) return 'the service did not answer';
  return `HTTP ${String(answer.status)} ${JSON.stringify(answer.body).slice(0, 300)}`;
}

function reasonIn(body: unknown): string | undefined {
  const { reason } = fieldsOf(body);
  return typeof reason === 'string' ? reason : undefined;
}

function fieldsOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text.slice(0, 300);
  }
}
