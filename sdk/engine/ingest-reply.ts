/**
 * What an answer to POST /v1/ingest means for the events that were sent (agentkavach-wire.md):
 * decided once, here.
 */
import type { Reply } from './transport.js';

/** The words the gateway ends an agent's going on with; the events were stored (K3). */
const FOR_GOOD = new Set(['tier_agent_limit', 'daily_limit', 'org_budget_exceeded']);

export interface IngestRefusal {
  /** One of `FOR_GOOD`. */
  readonly reason: string;
  /** For people. */
  readonly detail: string;
}

/**
 * Who is told of one. `words` is how much the live channel had said when the request was sent:
 * what it has said since then is newer than the refusal.
 */
export interface RefusalListener {
  readonly words: () => number;
  readonly onRefused: (refusal: IngestRefusal, words: number) => void;
}

export type IngestVerdict =
  /** `rejected`: faulty ones, which the gateway keeps readable and never counts. */
  | { readonly type: 'stored'; readonly rejected: number; readonly refusal?: IngestRefusal }
  | { readonly type: 'tooLarge' }
  /** It will never be taken as it is. */
  | { readonly type: 'faulty'; readonly why: string }
  | { readonly type: 'again'; readonly why: string; readonly retryAfterMs: number };

/** A key that is not taken may be put right by its operator: asked again, but not often. */
const DENIED_MS = 30_000;

export function judgeReply(reply: Reply): IngestVerdict {
  if (reply.type === 'unreachable') return { type: 'again', why: reply.why, retryAfterMs: 0 };
  const { status, body } = reply;
  if (reply.type === 'answered') {
    const accepted = numberIn(body, 'accepted');
    if ((status === 200 || status === 202) && accepted !== undefined) {
      return { type: 'stored', rejected: numberIn(body, 'rejected_count') ?? 0 };
    }
    return {
      type: 'again',
      why: `HTTP ${String(status)} in no words of a gateway's`,
      retryAfterMs: 0,
    };
  }
  const refusal = refusalIn(reply);
  if (refusal !== undefined) {
    return { type: 'stored', rejected: numberIn(body, 'rejected_count') ?? 0, refusal };
  }
  const why = `HTTP ${String(status)}`;
  if (status === 413) return { type: 'tooLarge' };
  if (status === 400 || status === 415 || status === 422) return { type: 'faulty', why };
  const retryAfterMs = reply.retryAfterMs ?? 0;
  if (status !== 401 && status !== 403) return { type: 'again', why, retryAfterMs };
  return {
    ...{ type: 'again', why: `the API key is not accepted (${why})` },
    retryAfterMs: Math.max(retryAfterMs, DENIED_MS),
  };
}

/** The refusal for good in a 429, from whatever route. */
export function refusalIn(reply: Reply): IngestRefusal | undefined {
  if (reply.type !== 'refused' || reply.status !== 429) return undefined;
  const reason = textIn(reply.body, 'reason');
  if (reason === undefined || !FOR_GOOD.has(reason)) return undefined;
  return { reason, detail: textIn(reply.body, 'detail') ?? 'the gateway refused to go on' };
}

export function textIn(value: unknown, field: string): string | undefined {
  const found = memberOf(value, field);
  return typeof found === 'string' ? found : undefined;
}

function numberIn(value: unknown, field: string): number | undefined {
  const found = memberOf(value, field);
  return typeof found === 'number' ? found : undefined;
}

function memberOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[field];
}
