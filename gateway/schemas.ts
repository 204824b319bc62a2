/** The bodies and queries of everything that is not hot, and how a fault in them is told. */
import { z } from 'zod';
import { CHANNELS, KEY_SCOPES } from '../domain/words.js';
import { webhookSecretFault } from '../domain/webhook-secret.js';
import { cut, describeIssue } from './issue.js';
import { Problem } from './problem.js';
import { prototypeKeyIn } from './prototype-key.js';
import type { SentChannel } from './test-send.js';

/** Text that any store can hold. */
const textOf = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => text.trim() !== '', 'must not be empty')
    // NUL is the one character Postgres text cannot hold.
    .refine((text) => !/\0|\p{Surrogate}/u.test(text), 'has characters that are no text')
    .meta({ pattern: '\\S' });
/** A name that identifies. */
export const name = textOf(200);
export const sentence = textOf(500);

/** A webhook's signing secret, or the customer's own key of a mail provider. */
export const secretText = z
  .string()
  .max(512)
  .refine((text) => webhookSecretFault(text) === undefined, {
    error: ({ input }) => webhookSecretFault(String(input)) ?? 'is no secret',
  });

const limitValue = z.number().positive();

const syncedBudget = z.looseObject({
  budget_type: name,
  period: name,
  limit_value: limitValue,
});

const syncedAlert = z.looseObject({
  channel: name,
  threshold_pct: z.number(),
  budget_type: name.default('cost'),
  target: z.string().max(2_048).nullish(),
  secret: secretText.nullish(),
});

const alerts = z.array(syncedAlert).max(500);

/** POST /v1/sync-config, as the Python SDK sends it; other fields are ignored, with a warning. */
export const syncDocument = z.looseObject({
  agent_name: name,
  budgets: z.array(syncedBudget).max(100).default([]),
  alert_configs: alerts.default([]),
  org_budget: syncedBudget.nullish(),
  org_alert_configs: alerts.nullish(),
});
export type SyncDocument = z.infer<typeof syncDocument>;
export type SyncedBudget = z.infer<typeof syncedBudget>;
export type SyncedAlert = z.infer<typeof syncedAlert>;

/** POST /v1/runs/{id} (B7). */
export const runBody = z.object({
  agent_name: name,
  what: z.enum(['started', 'heartbeat', 'ended']),
});
export const runPath = z.object({ id: name });

export const agentPath = z.object({ agent: name });
/** POST /v1/agents/{agent}/stop (K2): `by` is who, else the key's name. */
export const stopBody = z.object({ reason: sentence, by: name.optional() });
export const resumeBody = z.object({ by: name.optional(), reason: sentence.optional() });

/** The same with the agent in the body: a path cannot have the names `.` and `..`. */
export const stopAgentBody = stopBody.extend({ agent: name });
export const resumeAgentBody = resumeBody.extend({ agent: name });

/** An id as the book has it: any other is unknown, never wrong. */
export const idPath = z.object({ id: z.string().max(1_024) });

/** POST /v1/keys. */
export const keyBody = z.object({
  name,
  scopes: z.array(z.enum(KEY_SCOPES)).min(1).max(KEY_SCOPES.length),
  agent: name.optional(),
  /** Another organisation than one's own: for admin keys of whoever runs the service. */
  org: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'expected up to 63 letters, digits, . _ or -')
    .optional(),
  by: name.optional(),
});
/** POST /v1/keys/{id}/rotate: how long the old key stays valid; a day unless said. */
export const rotateBody = z.object({
  graceSeconds: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400),
  by: name.optional(),
});
export const revokeBody = z.object({ by: name.optional() });

/** POST /v1/push/tickets. */
export const pushTicketBody = z.object({ user_id: name.describe('The recipient.') });
export const pushQuery = z.object({ ticket: z.string().optional() });

/** A9. POST /v1/alerts/{id}/acknowledge and /resolve: `by` is who, else the key's name. */
export const actorBody = z.object({ by: name.optional(), note: sentence.optional() });

/** Of an alert's page. */
export const signedQuery = z.object({ t: z.string().optional() });
export const alertForm = z.object({
  t: z.string().describe('The signature of the link.'),
  act: z.enum(['acknowledge', 'resolve']),
  by: z.string().optional(),
  note: z.string().optional(),
});

/** Of the link in a digest. */
export const unsubscribeQuery = z.object({
  org: z.string().optional(),
  user: z.string().optional(),
  t: z.string().optional().describe('The signature of the link.'),
});
/** RFC 8058. */
export const oneClickForm = z.object({ 'List-Unsubscribe': z.literal('One-Click') });

/** POST /v1/ingest, for the document: events are read one by one (event.ts). */
export const ingestBody = z.object({
  events: z.array(
    z.looseObject({
      agent_name: name,
      provider: z.string().optional(),
      model: z.string().optional(),
      input_tokens: z.int().min(0).optional(),
      output_tokens: z.int().min(0).optional(),
      cost: z.number().min(0).optional().describe('USD.'),
      duration_ms: z.number().min(0).optional(),
      timestamp: z.string().optional().describe('ISO 8601; UTC where it names no zone.'),
      idempotency_key: name.optional(),
      run_id: name.optional(),
      status: z.string().optional(),
      lease: z.string().optional().describe('The lease it settles; a wrong one never costs it.'),
      lease_seq: z.int().min(1).optional().describe('Its number among the events of the lease.'),
    }),
  ),
});

/** POST /v1/test-send: to a target, to a reference, or to the channel's default destination. */
export const testSendBody = z.object({
  channel: z.enum(CHANNELS.filter((channel): channel is SentChannel => channel !== 'kill')),
  target: z.string().max(2_048).optional(),
  secret: secretText.min(1).optional(),
  destination: name.optional(),
});

const limit = z.coerce.number().int().min(1).max(1_000).default(100);
const cursor = z.string().max(2_000).optional();
const flag = z.stringbool();
export const statusQuery = z.object({ agent: name.optional() });
export const pageQuery = z.object({ limit, cursor });
export const budgetsQuery = pageQuery.extend({
  agent: name.optional(),
  open: flag.default(false),
});
export const periodsQuery = z.object({ agent: name, run: name.optional() });
export const alertsQuery = pageQuery.extend({
  agent: name.optional(),
  subject: z.string().max(255).optional(),
});

/** What a cursor holds: a moment, and what tells entries of one moment apart. */
export const placeInTime = z.tuple([z.number(), z.string()]);
export const placeInBudgets = z.tuple([z.boolean(), z.number(), z.string()]);
export const placeInNumbers = z.tuple([z.int()]);

/** What a schema makes of an input; throws a `Problem` with the path of the first fault. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.infer<Schema> {
  // A record would drop it without a word, and an object could take it for its prototype.
  const hidden = prototypeKeyIn(input);
  if (hidden !== undefined) throw unprocessable(pathText(hidden), 'is no name that can be kept');
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw unprocessable('', 'is not what was expected');
  throw unprocessable(pathText(issue.path), describeIssue(issue, input));
}

/** Understood, but not what it has to be: nothing of it was applied. */
export function unprocessable(path: string, message: string): Problem {
  return new Problem({
    status: 422,
    title: 'Bad input',
    detail: path === '' ? message : `${path}: ${message}`,
    path,
  });
}

/** Of a name that somebody sent so much is told again. */
const NAMED = 80;

/** `['budgets', 0, 'period'] -> budgets[0].period`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number'
        ? `${text}[${String(part)}]`
        : `${text}${text === '' ? '' : '.'}${cut(String(part), NAMED)}`,
    '',
  );
}
